"""How collections are described: a `Table` of `Field` descriptions, and the functions that make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

ALL_VERBS = frozenset({"list", "create", "get", "replace", "patch", "delete"})
READ_VERBS = frozenset({"list", "get"})
LINK_VERBS = frozenset({"list", "create", "get", "delete"})


class Kind(StrEnum):
    """What a member holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"
    MOMENT = "moment"  # yyyy-MM-ddTHH:mm:ssZ
    CHOICE = "choice"
    REFERENCE = "reference"
    REFERENCES = "references"
    INTEGERS = "integers"
    TEXTS = "texts"
    ITEMS = "items"  # a list of small objects, described by `items`
    ANSWERS = "answers"  # a configuration's questions
    CUSTOM = "custom"  # customFields


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a record.

    `target` is the collection a reference points to and `within` the sibling reference that it must belong to
    (a site to the company); `named_within`: its name is looked for there alone. `identified` False: it shows
    no identifier though its target has one. `mirrors` names the reference whose id this number repeats.
    `default` is stored with a new record; `shown` is what an answer or a condition has where the record holds
    nothing, so that thousands of records need not hold it. `on_update`: a PUT must have it. `settable` False:
    accepted in a body and ignored. `kept` False: accepted, never stored and never returned.
    """

    kind: Kind
    max_length: int | None = None
    required: bool = False
    default: Any = None
    shown: Any = None
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    target: str = ""
    within: str = ""
    named_within: bool = False
    identified: bool = True
    mirrors: str = ""
    settable: bool = True
    kept: bool = True
    on_update: bool = False
    items: Mapping[str, Field] = field(default_factory=dict)


def text(max_length: int | None = None, *, required: bool = False) -> Field:
    return Field(Kind.TEXT, max_length=max_length, required=required)


def whole(*, required: bool = False, minimum: int | None = None, maximum: int | None = None) -> Field:
    return Field(Kind.INTEGER, required=required, minimum=minimum, maximum=maximum)


def mirror(of: str) -> Field:
    """A number that repeats the id of the reference `of`."""
    return Field(Kind.INTEGER, mirrors=of)


def number(*, required: bool = False) -> Field:
    return Field(Kind.NUMBER, required=required)


def flag(default: bool = False) -> Field:
    return Field(Kind.FLAG, shown=default)


def moment(*, required: bool = False) -> Field:
    return Field(Kind.MOMENT, required=required)


def choice(*choices: str, required: bool = False, default: str | None = None) -> Field:
    return Field(Kind.CHOICE, choices=choices, required=required, default=default)


def ref(target: str, *, required: bool = False, within: str = "", named_within: bool = False) -> Field:
    """A reference to one record of `target`."""
    return Field(Kind.REFERENCE, target=target, required=required, within=within, named_within=named_within)


def unidentified(of: Field) -> Field:
    """The same reference, which shows no identifier though its target has one."""
    return replace(of, identified=False)


def refs(target: str) -> Field:
    return Field(Kind.REFERENCES, target=target)


def each(of: Field, names: str) -> dict[str, Field]:
    """Several members that hold the same; their names with spaces between."""
    return dict.fromkeys(names.split(), of)


def items(**members: Field) -> Field:
    return Field(Kind.ITEMS, items=members)


def shown(of: Field, value: Any) -> Field:
    """The same member, which has this value in answers where the record holds none."""
    return replace(of, shown=value)


def on_update(of: Field) -> Field:
    """The same member, which a PUT must have; a creation gets the default."""
    return replace(of, on_update=True)


def ignored(of: Field) -> Field:
    """The same member, accepted in a body and thrown away."""
    return Field(of.kind, max_length=of.max_length, choices=of.choices, kept=False)


def computed(of: Field) -> Field:
    """The same member, filled by the server: accepted in a body, without effect."""
    return replace(of, required=False, settable=False)


@dataclass(frozen=True, slots=True)
class Table:
    """One served collection.

    `name` is its key in the store, `route` its path below the API root (left out: the name; `{parentId}`
    where it is a child), `type_name` and `resource` (left out: the type with a small letter) the vendor's
    words in error messages, `parent` the reference that ties a child to its parent, `unique` the members of
    which no two records may share a value, `naming` the members that a reference to it shows, `shown` what it
    shows besides (its name there -> the record's member). `info` names what `_info` holds; None: such records
    have no `_info`; `hrefs` are the links in it, below the API root. `words` is what error messages call one,
    where that is not the resource's name. `searchable`: has POST `/search`. `sequence` names the collection
    with which it shares its ids. `links` names the collection whose records are tied to configurations by
    this one: such a table is kept in the store's links. `owner` names the parent's collection where no member
    of the record shows the parent. `gathered`: the list is put together from other collections, and there is
    nothing but the list. `of` names the collection whose records this one shows, by fewer members: of all of
    them, or of those that `belongs` to the owner with an id. `derived` says how to read members that no
    record holds.
    """

    name: str
    type_name: str
    fields: Mapping[str, Field]
    route: str = ""
    resource: str = ""
    verbs: frozenset[str] = ALL_VERBS
    parent: str = ""
    unique: tuple[str, ...] = ()
    naming: tuple[str, ...] = ("name",)
    info: tuple[str, ...] | None = ("lastUpdated", "updatedBy")
    keeps_custom_fields: bool = False
    words: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)
    hrefs: Mapping[str, str] = field(default_factory=dict)
    searchable: bool = False
    sequence: str = ""
    links: str = ""
    owner: str = ""
    gathered: bool = False
    of: str = ""
    belongs: Callable[[Mapping[str, Any], int], bool] | None = None
    derived: Mapping[str, Callable[[Mapping[str, Any]], Any]] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(init=False)
    fallbacks: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Read the default values once: inserting thousands of records looks at nothing else."""
        found = {name: one.default for name, one in self.fields.items() if one.default is not None}
        object.__setattr__(self, "defaults", MappingProxyType(found))
        fallbacks = {name: one.shown for name, one in self.fields.items() if one.shown is not None}
        object.__setattr__(self, "fallbacks", MappingProxyType(fallbacks))
        object.__setattr__(self, "route", self.route or f"/{self.name}")
        object.__setattr__(self, "resource", self.resource or self.type_name[:1].lower() + self.type_name[1:])

    @property
    def parent_target(self) -> str:
        """The collection of the parent; empty for a collection that is nobody's child."""
        return self.owner or (self.fields[self.parent].target if self.parent else "")

    @property
    def label(self) -> str:
        """The resource's name as a sentence begins with it."""
        return self.words or self.resource[:1].upper() + self.resource[1:]


def links_of(owner: Table) -> Table:
    """The child collection of a collection whose records have configurations."""
    return Table(
        name=f"{owner.name}/configurations",
        route=f"{owner.route}/{{parentId}}/configurations",
        type_name="ConfigurationReference",
        resource="configuration",
        verbs=LINK_VERBS,
        info=(),
        hrefs={"configuration_href": "/company/configurations/{id}"},
        links=owner.name,
        fields={"deviceIdentifier": text()},
    )
