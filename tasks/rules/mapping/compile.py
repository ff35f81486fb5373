"""Check a mapping and compile it: read once, then applied to each asset and each configuration.

``mapping_problems`` says in words what is wrong with a mapping, before anything is read or written.
``compile_mapping`` turns what a person wrote (``model.py``) into generated field access and one converter a
field. Of every asset and configuration only a small record of the mapped values stays.
``resolve_custom_fields`` finds the ConnectWise custom fields that the mapped captions mean.

A wanted value is already ConnectWise's own wire value: text without outer blanks, ``None`` where
Lansweeper has nothing (or a filler, or the value table says skip), dates as ``YYYY-MM-DDTHH:MM:SSZ`` in
UTC, numbers and booleans as such, references by name with their prefix, software as lines of text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jmespath.functions import TYPES_MAP, Functions

from tasks.rules.expression_limits import ExpressionError, GrammarError, parse, quoted
from tasks.rules.expressions import compile_reader, lansweeper_paths, outermost_leaves
from tasks.rules.isolation import refusal_of
from tasks.rules.mapping.comparison import is_absent
from tasks.rules.mapping.converters import SOFTWARE_LIMIT, compile_converter, filler_kind
from tasks.rules.mapping.fillers import FILLERS, Fillers
from tasks.rules.mapping.model import LINK_CAPTION, Authority, FieldMapping, OnConflict
from tasks.rules.mapping.targets import (
    CUSTOM_FIELD_PREFIX,
    TARGETS,
    MappingTarget,
    ValueKind,
    custom_field_target,
    near_matches,
)
from tasks.rules.values import AssetRecord, ConfigurationRecord, folded, plain_text

_ALWAYS = ("id", "name", "activeFlag", "serialNumber", "macAddress")
DEFAULT_PREFIXES: Mapping[str, str] = {"type.name": "ls_", "status.name": "ls_"}
_SCREEN_MEMBERS = ("podDescription", "screenDescription", "screenId")


def mapping_target(path: str) -> MappingTarget:
    """The target of a checked mapping; ``KeyError`` for a path that ``mapping_problems`` refuses."""
    if path.startswith(CUSTOM_FIELD_PREFIX):
        return custom_field_target(path.removeprefix(CUSTOM_FIELD_PREFIX))
    return TARGETS[path]


def mapping_problems(mappings: Sequence[FieldMapping]) -> list[str]:
    """Every problem, one sentence or two each; an empty list means that the mapping can be compiled."""
    problems = [problem for mapping in mappings for problem in _problems(mapping)]
    counts = Counter(mapping.target for mapping in mappings)
    twice = [target for target, count in counts.items() if count > 1]
    return problems + [
        f"ConnectWise field {target!r} is mapped {counts[target]} times. Keep one of the mappings."
        for target in twice
    ]


def known_mappings(mappings: Sequence[FieldMapping]) -> tuple[list[FieldMapping], list[str]]:
    """The mappings whose target ConnectWise has, and a warning for each of the others.

    For the Match action alone, whose documented example maps to a field that does not exist.
    """
    warnings = [problem for mapping in mappings for problem in _target_problems(mapping)]
    known = [mapping for mapping in mappings if not list(_target_problems(mapping))]
    return known, [f"{warning} The mapping is left out." for warning in warnings]


def _problems(mapping: FieldMapping) -> Iterator[str]:
    yield from _target_problems(mapping)
    yield from expression_problems(mapping.source)
    if mapping.clear and None in mapping.values.values():
        yield (
            f"The mapping to {mapping.target!r} both clears and skips values. "
            "Take 'clear' away or name a ConnectWise value instead of null."
        )


def _target_problems(mapping: FieldMapping) -> Iterator[str]:
    target = mapping.target
    if target in TARGETS or (target.startswith(CUSTOM_FIELD_PREFIX) and target != CUSTOM_FIELD_PREFIX):
        return
    near = near_matches(target)
    hint = (
        f"Did you mean {' or '.join(near)}?"
        if near
        else "See the list of ConnectWise paths in docs/flows.md."
    )
    yield f"{mapping.source!r} is mapped to {target!r}, which is no ConnectWise field. {hint}"


def expression_problems(source: str) -> Iterator[str]:
    """What is wrong with a JMESPath expression: its grammar, the functions it calls, their arguments."""
    try:
        tree = parse(source).parsed
    except ExpressionError as error:
        yield (
            f'{error} Quote names that hold other signs than letters, digits and _: "my-name".'
            if (isinstance(error, GrammarError))
            else str(error)
        )
        return
    if tree["type"] == _DEFERRED:
        yield f"{quoted(source)} gives an expression and no value. Take the & away."
    for name, arguments in _calls(tree):
        yield from _call_problems(source, name, arguments)


_DEFERRED = "expref"


def _calls(node: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every function that an expression calls: jmespath itself looks only when a value reaches it."""
    if not isinstance(node, dict):
        return
    if node["type"] == "function_expression":
        yield node["value"], node["children"]
    for child in node["children"]:
        yield from _calls(child)


def _call_problems(source: str, name: str, given: list[dict[str, Any]]) -> Iterator[str]:
    arguments = len(given)
    known = Functions.FUNCTION_TABLE.get(name)
    if known is None:
        yield (
            f"{quoted(source)} calls {name}(), which JMESPath does not have. "
            "See jmespath.org for its functions."
        )
        return
    signature = known["signature"]
    variadic = bool(signature) and signature[-1].get("variadic")
    if arguments < len(signature) or (arguments > len(signature) and not variadic):
        least = "at least " if variadic else ""
        yield f"{quoted(source)} calls {name}() with {arguments} arguments; it takes {least}{len(signature)}."
        return
    for at, argument in enumerate(given):
        takes = signature[min(at, len(signature) - 1)]["types"]
        if not _may_be(argument, takes):
            types = " or ".join("an expression with &" if each == _DEFERRED else each for each in takes)
            yield (
                f"{quoted(source)} calls {name}() with a wrong argument {at + 1}; "
                f"it takes {types or 'a value'}."
            )


def _may_be(argument: dict[str, Any], types: Sequence[str]) -> bool:
    """Whether an argument may be of one of the types, none for any value: a text in quotes is no list."""
    if (argument["type"] == _DEFERRED) != (_DEFERRED in types):
        return False
    if argument["type"] != "literal" or not types:
        return True
    known = TYPES_MAP.get(type(argument["value"]).__name__, "null")
    return any(each.partition("-")[0] == known for each in types)


def compile_configuration_reader(
    targets: Sequence[tuple[MappingTarget, int | None]],
) -> Callable[[Mapping[str, Any]], ConfigurationRecord]:
    """A function from a wire record to its ``ConfigurationRecord``.

    ``targets`` are the fields in their order, each with its custom field id where one is known; the last
    one is the link field. A custom field is looked for by id, by caption if its id is not known, and is
    None where the record does not have it.
    """
    customs = [(target, identity) for target, identity in targets if target.kind is ValueKind.CUSTOM]
    paths = ["customFields" if target.kind is ValueKind.CUSTOM else target.path for target, _ in targets]
    # One generated function makes the whole record: a hundred thousand calls of a second one add up.
    return compile_reader(
        [*_ALWAYS, *paths],
        [None] * len(_ALWAYS) + _results(targets),
        {"read_customs": _CustomFields(customs).read, "key": plain_text, "record": ConfigurationRecord},
        "record(v0, v1 if v1.__class__ is str else key(v1), key(t[-1]), v3, v4, v2 is not False, t)",
    )


def _results(targets: Sequence[tuple[MappingTarget, int | None]]) -> list[str | None]:
    """Where each value comes from: the first custom field of the order reads all of them at once."""
    texts: list[str | None] = []
    customs = 0
    for target, _ in targets:
        if target.kind is not ValueKind.CUSTOM:
            texts.append("{v}")
            continue
        texts.append(f"found[{customs}]" if customs else "(found := read_customs({v}))[0]")
        customs += 1
    return texts


class _CustomFields:
    """Where each custom field's value goes, by id or else by caption."""

    def __init__(self, customs: Sequence[tuple[MappingTarget, int | None]]) -> None:
        self._size = len(customs)
        self._by_id: dict[Any, int] = {}
        self._by_caption: dict[str, int] = {}
        for at, (target, identity) in enumerate(customs):
            if identity is not None:
                self._by_id[identity] = at
            else:
                self._by_caption[_folded(target.path.removeprefix(CUSTOM_FIELD_PREFIX))] = at

    def read(self, fields: Iterable[Mapping[str, Any]] | None) -> list[Any]:
        """One place a mapped custom field, filled where the record carries that custom field."""
        found: list[Any] = [None] * self._size
        by_id, by_caption = self._by_id, self._by_caption
        for entry in fields or ():
            at = by_id.get(entry.get("id"))
            if at is None and by_caption:
                at = by_caption.get(_folded(entry.get("caption")))
            if at is not None:
                found[at] = entry.get("value")
        return found


def _folded(caption: Any) -> str:
    return folded(caption) if isinstance(caption, str) else ""


class FieldMappingError(ValueError):
    """The mapping can't be used; the text names each wrong line and its remedy."""


@dataclass(frozen=True, slots=True)
class MappedField:
    """One field of the compiled mapping; its position is that of its value in every record.

    ``clear`` is already False where the value table skips values: a skipped value is left alone.
    ``custom_field_id`` is None for members of the record, and for a custom field known by caption only.
    ``is_filler`` says whether a value of this field stands for nothing.
    """

    source: str
    target: MappingTarget
    authority: Authority = Authority.LANSWEEPER
    on_conflict: OnConflict = OnConflict.LANSWEEPER
    clear: bool = False
    values: Mapping[str, str | None] = field(default_factory=dict)
    prefix: str = ""
    custom_field_id: int | None = None
    is_filler: Callable[[Any], bool] = field(default=is_absent, compare=False, repr=False)

    @property
    def path(self) -> str:
        """The ConnectWise path, as plans and changes name it."""
        return self.target.path

    @property
    def caption(self) -> str | None:
        """The custom field's caption, None for a member of the record."""
        return self.path.removeprefix(CUSTOM_FIELD_PREFIX) if self.target.kind is ValueKind.CUSTOM else None


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    """Field access and converters for one run. ``wanted[i]``, ``current[i]`` belong to ``fields[i]``.

    ``lansweeper_paths`` are the paths to ask Lansweeper for (the key first); ``configuration_fields`` is
    the text for ConnectWise's ``fields=`` parameter, ``configuration_members`` the members of a record that
    it asks for. ``by_path`` are the fields by ConnectWise path.
    """

    fields: tuple[MappedField, ...]
    lansweeper_paths: tuple[str, ...]
    configuration_fields: str
    configuration_members: frozenset[str]
    by_path: Mapping[str, MappedField]
    read_asset: Callable[[Any], AssetRecord]
    read_configuration: Callable[[Mapping[str, Any]], ConfigurationRecord]

    def position(self, path: str) -> int | None:
        """Where the field of this ConnectWise path is, None if it is not mapped."""
        return next((index for index, each in enumerate(self.fields) if each.path == path), None)


def compile_mapping(
    mappings: Sequence[FieldMapping],
    *,
    custom_field_ids: Mapping[str, int] | None = None,
    prefixes: Mapping[str, str] = DEFAULT_PREFIXES,
    link_caption: str = LINK_CAPTION,
    key_path: str = "key",
    software_limit: int = SOFTWARE_LIMIT,
    fillers: Fillers = FILLERS,
    type_path: str | None = None,
) -> CompiledMapping:
    """The mapping ready for use; raises ``FieldMappingError`` with every problem found.

    The link field is always part of it, with Lansweeper's authority: the asset's key is read from the
    source that is mapped to ``link_caption``, from ``key_path`` if none is. ``custom_field_ids`` are by
    caption; a custom field that is not in it is found by caption in each record. ``type_path``: where an
    asset's own type is, if its records are to have it.
    """
    if problems := mapping_problems(mappings):
        raise FieldMappingError(refusal_of(problems))
    link = _link_mapping(mappings, CUSTOM_FIELD_PREFIX + link_caption, key_path)
    rest = [mapping for mapping in mappings if mapping.target != link.target]
    fields = tuple(
        _mapped_field(each, custom_field_ids or {}, prefixes, None if each is link else fillers)
        for each in (*rest, link)
    )
    sources = [*(each.source for each in (fields[-1], *fields[:-1])), *([type_path] if type_path else [])]
    paths = (path for source in sources for path in lansweeper_paths(source))
    asked = _asked_paths(fields)
    return CompiledMapping(
        fields=fields,
        lansweeper_paths=outermost_leaves(paths),
        configuration_fields=",".join(asked),
        configuration_members=frozenset(path.partition("/")[0] for path in asked),
        by_path={each.target.path: each for each in fields},
        read_asset=_asset_reader(fields, software_limit, type_path),
        read_configuration=compile_configuration_reader(
            [(each.target, each.custom_field_id) for each in fields]
        ),
    )


def _link_mapping(mappings: Sequence[FieldMapping], target: str, key_path: str) -> FieldMapping:
    """What links is never up to a value table or an authority: the key itself is written."""
    source = next((mapping.source for mapping in mappings if mapping.target == target), key_path)
    return FieldMapping(source=source, target=target, authority=Authority.LANSWEEPER)


def _mapped_field(
    mapping: FieldMapping,
    custom_field_ids: Mapping[str, int],
    prefixes: Mapping[str, str],
    fillers: Fillers | None,
) -> MappedField:
    """The field of a mapping; ``fillers`` None: the link, whose key is taken as it is."""
    target = mapping_target(mapping.target)
    return MappedField(
        source=mapping.source,
        target=target,
        authority=mapping.effective_authority(),
        on_conflict=mapping.on_conflict,
        clear=mapping.clear and None not in mapping.values.values(),
        values=mapping.values,
        prefix=prefixes.get(target.path, ""),
        custom_field_id=custom_field_ids.get(target.path.removeprefix(CUSTOM_FIELD_PREFIX))
        if target.kind is ValueKind.CUSTOM
        else None,
        is_filler=fillers.test_of(filler_kind(target, mapping.source)) if fillers else is_absent,
    )


def _asked_paths(fields: Sequence[MappedField]) -> list[str]:
    names = ["id", "name", "activeFlag", "customFields"]
    for target in (each.target for each in fields):
        if target.kind is ValueKind.REFERENCE:
            names += [f"{target.field}/id", target.path.replace(".", "/")]
        elif target.kind is not ValueKind.CUSTOM:
            names.append(target.path)
    return list(dict.fromkeys(names))


def _asset_reader(
    fields: Sequence[MappedField], software_limit: int, type_path: str | None
) -> Callable[[Any], AssetRecord]:
    """What is kept of one asset, by one generated function; a missing key becomes empty text."""
    converters = [
        compile_converter(each.target, each.values, each.prefix, software_limit, each.is_filler)
        for each in fields
    ]
    positions = {
        each.path: f"t[{index}] if t[{index}].__class__ is str else None" for index, each in enumerate(fields)
    }
    name, serial, mac = (positions.get(path, "None") for path in ("name", "serialNumber", "macAddress"))
    converts = {f"convert_{at}": converter.convert for at, converter in enumerate(converters)}
    texts = [converter.text.replace("{convert}", f"convert_{at}") for at, converter in enumerate(converters)]
    own_type = f", key(v{len(fields)})" if type_path else ""
    return compile_reader(
        [*(each.source for each in fields), *([type_path] if type_path else [])],
        [*texts, *([None] if type_path else [])],
        {**converts, "key": plain_text, "record": AssetRecord},
        f"record(key(t[-1]) or '', {name}, {serial}, {mac}, t{own_type})",
    )


class CustomFieldError(LookupError):
    """A custom field that is needed is missing or not to be told apart; the text says the remedy."""


@dataclass(slots=True)
class CustomFields:
    """``ids`` by caption; ``missing`` are mapped captions that ConnectWise does not have.

    ``defined``: the ids of all custom fields; None where they could not be listed.
    """

    ids: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    defined: frozenset[int] | None = None


def resolve_custom_fields(
    captions: Iterable[str], typed_ids: Mapping[str, int], defined: Sequence[Mapping[str, Any]]
) -> CustomFields:
    """Ids by caption: what a person typed wins, the rest is looked up among the defined fields.

    Raises:
        CustomFieldError: the link field ``ls_asset_id`` is missing, or a caption stands for several fields.
    """
    resolved = CustomFields(defined=frozenset(int(each["id"]) for each in defined) or None)
    for caption in dict.fromkeys(captions):
        record_id = typed_ids.get(caption) or _look_up(caption, defined)
        if record_id is None:
            resolved.missing.append(caption)
        else:
            resolved.ids[caption] = record_id
    if LINK_CAPTION in resolved.missing:
        raise CustomFieldError(
            f"ConnectWise has no custom field {LINK_CAPTION!r} on configurations, which links them "
            "to their assets. Create it as a text field (System > Setup Tables > Custom Fields, screen "
            "Configuration), or give its id under Custom field ids."
        )
    return resolved


def _look_up(caption: str, defined: Sequence[Mapping[str, Any]]) -> int | None:
    hits = [each for each in defined if _folded(each.get("caption")) == folded(caption)]
    on_configurations = [each for each in hits if is_on_configurations(each)]
    unnamed = [each for each in hits if not any(map(each.get, _SCREEN_MEMBERS[:2]))]
    candidates = on_configurations or unnamed
    if len(candidates) > 1:
        ids = ", ".join(str(each["id"]) for each in candidates)
        raise CustomFieldError(
            f"Several custom fields have the caption {caption!r} (ids {ids}). "
            "Give the right id under Custom field ids."
        )
    return int(candidates[0]["id"]) if candidates else None


def is_on_configurations(record: Mapping[str, Any]) -> bool:
    """Whether a custom field's definition says that it is one of configurations."""
    return any("config" in str(record.get(member) or "").lower() for member in _SCREEN_MEMBERS)
