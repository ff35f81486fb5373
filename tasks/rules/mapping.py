"""The mapping made ready for work: read once, then applied to each asset and each configuration.

``compile_mapping`` turns what a person wrote (``field_mappings.py``) into generated field access and
one converter a field. Of every asset and configuration only a small record of the mapped values stays.

A wanted value is already ConnectWise's own wire value: text without outer blanks, ``None`` where
Lansweeper has nothing (or a filler, or the value table says skip), dates as ``YYYY-MM-DDTHH:MM:SSZ`` in
UTC, numbers and booleans as such, references by name with their prefix, software as lines of text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.rules.configuration_reading import compile_configuration_reader
from tasks.rules.extraction import compile_reader, lansweeper_paths, outermost_leaves
from tasks.rules.field_mappings import (
    LINK_CAPTION,
    Authority,
    FieldMapping,
    default_custom_field_mappings,
    default_mappings,
    read_custom_field_mappings,
    read_mappings,
)
from tasks.rules.identity import plain_text
from tasks.rules.mapping_checks import check_mappings, known_mappings, mapping_target
from tasks.rules.records import AssetRecord, ConfigurationRecord
from tasks.rules.targets import CUSTOM_FIELD_PREFIX, Kind, Target
from tasks.rules.wanted_values import SOFTWARE_LIMIT, compile_converter

__all__ = [
    "LINK_CAPTION",
    "PREFIXES",
    "SOFTWARE_LIMIT",
    "Authority",
    "CompiledMapping",
    "FieldMapping",
    "MappedField",
    "MappingError",
    "check_mappings",
    "compile_mapping",
    "default_custom_field_mappings",
    "default_mappings",
    "known_mappings",
    "read_custom_field_mappings",
    "read_mappings",
]

PREFIXES: Mapping[str, str] = {"type.name": "ls_", "status.name": "ls_"}


class MappingError(ValueError):
    """The mapping can't be used; the text names each wrong line and its remedy."""


@dataclass(frozen=True, slots=True)
class MappedField:
    """One field of the compiled mapping; its position is that of its value in every record.

    ``clear`` is already False where the value table skips values: a skipped value is left alone.
    ``custom_field_id`` is None for members of the record, and for a custom field known by caption only.
    """

    source: str
    target: Target
    authority: Authority = Authority.LANSWEEPER
    clear: bool = False
    values: Mapping[str, str | None] = field(default_factory=dict)
    prefix: str = ""
    custom_field_id: int | None = None

    @property
    def path(self) -> str:
        """The ConnectWise path, as plans and changes name it."""
        return self.target.path

    @property
    def caption(self) -> str | None:
        """The custom field's caption, None for a member of the record."""
        return self.path.removeprefix(CUSTOM_FIELD_PREFIX) if self.target.kind is Kind.CUSTOM else None


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    """Field access and converters for one run. ``wanted[i]``, ``current[i]`` belong to ``fields[i]``.

    ``lansweeper_paths`` are the paths to ask Lansweeper for (the key first); ``configuration_fields`` is
    the text for ConnectWise's ``fields=`` parameter. ``by_path`` are the fields by ConnectWise path.
    """

    fields: tuple[MappedField, ...]
    lansweeper_paths: tuple[str, ...]
    configuration_fields: str
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
    prefixes: Mapping[str, str] = PREFIXES,
    link_caption: str = LINK_CAPTION,
    key_path: str = "key",
    software_limit: int = SOFTWARE_LIMIT,
) -> CompiledMapping:
    """The mapping ready for use; raises ``MappingError`` with every problem found.

    The link field is always part of it, with Lansweeper's authority: the asset's key is read from the
    source that is mapped to ``link_caption``, from ``key_path`` if none is. ``custom_field_ids`` are by
    caption; a custom field that is not in it is found by caption in each record.
    """
    if problems := check_mappings(mappings):
        raise MappingError(" ".join(problems))
    link = _link_mapping(mappings, CUSTOM_FIELD_PREFIX + link_caption, key_path)
    rest = [mapping for mapping in mappings if mapping.target != link.target]
    fields = tuple(_mapped_field(each, custom_field_ids or {}, prefixes) for each in (*rest, link))
    return CompiledMapping(
        fields=fields,
        lansweeper_paths=_paths_to_read(fields),
        configuration_fields=_fields_parameter(fields),
        by_path={each.target.path: each for each in fields},
        read_asset=_asset_reader(fields, software_limit),
        read_configuration=compile_configuration_reader(
            [(each.target, each.custom_field_id) for each in fields]
        ),
    )


def _link_mapping(mappings: Sequence[FieldMapping], target: str, key_path: str) -> FieldMapping:
    """What links is never up to a value table or an authority: the key itself is written."""
    source = next((mapping.source for mapping in mappings if mapping.target == target), key_path)
    return FieldMapping(source=source, target=target, authority=Authority.LANSWEEPER)


def _mapped_field(
    mapping: FieldMapping, custom_field_ids: Mapping[str, int], prefixes: Mapping[str, str]
) -> MappedField:
    target = mapping_target(mapping.target)
    return MappedField(
        source=mapping.source,
        target=target,
        authority=mapping.effective_authority(),
        clear=mapping.clear and None not in mapping.values.values(),
        values=mapping.values,
        prefix=prefixes.get(target.path, ""),
        custom_field_id=custom_field_ids.get(target.path.removeprefix(CUSTOM_FIELD_PREFIX))
        if target.kind is Kind.CUSTOM
        else None,
    )


def _paths_to_read(fields: Sequence[MappedField]) -> tuple[str, ...]:
    by_source = [lansweeper_paths(each.source) for each in (fields[-1], *fields[:-1])]
    return outermost_leaves(path for paths in by_source for path in paths)


def _fields_parameter(fields: Sequence[MappedField]) -> str:
    names = ["id", "name", "activeFlag", "customFields"]
    for target in (each.target for each in fields):
        if target.kind is Kind.REFERENCE:
            names += [f"{target.field}/id", target.path.replace(".", "/")]
        elif target.kind is not Kind.CUSTOM:
            names.append(target.path)
    return ",".join(dict.fromkeys(names))


def _asset_reader(fields: Sequence[MappedField], software_limit: int) -> Callable[[Any], AssetRecord]:
    """What is kept of one asset, by one generated function; a missing key becomes empty text."""
    converters = [compile_converter(each.target, each.values, each.prefix, software_limit) for each in fields]
    positions = {each.path: f"t[{index}]" for index, each in enumerate(fields)}
    name, serial, mac = (positions.get(path, "None") for path in ("name", "serialNumber", "macAddress"))
    converts = {f"convert_{at}": converter.convert for at, converter in enumerate(converters)}
    return compile_reader(
        [each.source for each in fields],
        [converter.text.replace("{convert}", f"convert_{at}") for at, converter in enumerate(converters)],
        {**converts, "key": plain_text, "record": AssetRecord},
        f"record(key(t[-1]) or '', {name}, {serial}, {mac}, t)",
    )
