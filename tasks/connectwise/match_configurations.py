"""The documented action Match Configurations, and its step in a run, which has read both sides already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tasks.connectwise.list_configurations import read_configurations
from tasks.rules.action_io import read_objects
from tasks.rules.asset_sync.matching.match import match
from tasks.rules.asset_sync.matching.result import MatchOptions, MatchResult, match_answer
from tasks.rules.asset_sync.unread import UnreadRecords
from tasks.rules.isolation import UnreadRecord, convert_all_or, problem_words
from tasks.rules.mapping.compile import CompiledMapping, compile_mapping, known_mappings
from tasks.rules.mapping.model import FieldMapping, read_custom_field_mappings, read_mappings
from tasks.rules.values import AssetRecord, ConfigurationRecord
from tasks.shared.action import Inventory, Opaque, action, action_step
from tasks.shared.connections import connectwise_client
from tasks.shared.progress import run_logger


@action("Match Configurations", key="matchConfigurationsAction")
async def match_configurations(
    connection: str,
    external_data: Any,
    conditions: str | None = None,
    case_sensitive_match: bool = True,
    configuration_name_path: str | None = None,
    serial_number_path: str | None = None,
    mac_address_path: str | None = None,
    model_number_path: str | None = None,
    ip_address_path: str | None = None,
    additional_field_mappings: dict[str, str] | None = None,
    custom_field_mappings: Any = None,
) -> dict[str, list[dict[str, Any]]]:
    """Match external assets with ConnectWise configurations; nothing is written.

    Args:
        connection: name of the ConnectWise PSA Connection block.
        external_data: array of objects, one an asset: as JSON, up to 400 KB, or the path of a JSON file.
        conditions: which configurations to match with, such as ``company/id=2``; none: all of them.
        case_sensitive_match: whether case counts in serial numbers and names.
        configuration_name_path: path of the name in an asset, such as ``asset.general.name``.
        serial_number_path: path of the serial number.
        mac_address_path: path of the MAC address.
        model_number_path: path of the model number; compared, never used to match.
        ip_address_path: path of the IP address; compared, never used to match.
        additional_field_mappings: path in the asset -> ConnectWise path.
        custom_field_mappings: path in the asset -> caption, as key-value pairs or a list of one-key objects,
            also as JSON text.

    Returns:
        ``matched`` with ``matchedOn`` and ``unmatchedFields``, ``unmatched``, ``ambiguous`` with its reason;
        what can't be read or compared is ambiguous.

    Raises:
        ExternalDataError: the external data is no array of objects, or larger than 400 KB.
    """
    objects = read_objects("External Data", external_data)
    named = {
        configuration_name_path: "name",
        serial_number_path: "serialNumber",
        mac_address_path: "macAddress",
        model_number_path: "modelNumber",
        ip_address_path: "ipAddress",
    }
    standard = [FieldMapping(source=path, target=target) for path, target in named.items() if path]
    mapping = _compile([*standard, *read_mappings(additional_field_mappings)], custom_field_mappings)
    unread = UnreadRecords(mapping)
    assets, unread_assets = _assets_of(objects, mapping, unread)
    async with connectwise_client(connection) as client:
        configurations = await read_configurations.fn(
            client, conditions, mapping.configuration_fields, mapping.read_configuration
        )
    there = configurations.records + unread.configurations_of(configurations.unread)
    result = match(assets, there, MatchOptions(case_sensitive=case_sensitive_match))
    unread.set_apart(result, unread_assets)
    return match_answer(
        result, mapping, {id(asset): each for asset, each in zip(assets, objects, strict=True)}
    )


def _assets_of(
    objects: Sequence[dict[str, Any]], mapping: CompiledMapping, unread: UnreadRecords
) -> tuple[list[AssetRecord], dict[int, str]]:
    """An asset or its stand-in for each object, and why it is a stand-in, by its identity."""
    why: dict[int, str] = {}

    def stand_in(item: dict[str, Any], error: Exception) -> AssetRecord:
        (asset,) = unread.assets_of([UnreadRecord(item, problem_words(error))])
        why[id(asset)] = f"It could not be read: {problem_words(error)}."
        return asset

    return convert_all_or(objects, mapping.read_asset, stand_in), why


@action_step(match_configurations)
async def match_records(
    assets: Inventory[AssetRecord], configurations: Inventory[ConfigurationRecord], options: MatchOptions
) -> Opaque[MatchResult]:
    """Link each asset to at most one configuration and each configuration to at most one asset."""
    result = match(assets, configurations, options)
    run_logger().info(
        "%d assets matched, %d unmatched, %d ambiguous; %d configurations orphaned",
        len(result.matched),
        len(result.unmatched),
        len(result.ambiguous),
        len(result.orphaned),
    )
    return Opaque(result)


def _compile(mappings: Sequence[FieldMapping], custom_field_mappings: Any) -> CompiledMapping:
    """A target that ConnectWise does not have is left out with a warning; in the flow it is refused."""
    known, warnings = known_mappings([*mappings, *read_custom_field_mappings(custom_field_mappings)])
    for warning in warnings:
        run_logger().warning("%s", warning)
    return compile_mapping(known, prefixes={})
