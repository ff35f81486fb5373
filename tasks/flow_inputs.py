"""Titles and descriptions of the inputs that several flows have, for the run forms of the Prefect UI.

Prefect takes an input's name as its title and leaves no other way to give one than the JSON schema itself.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field


def titled(title: str, description: str) -> Any:
    """What an ``Annotated`` input shows in the form; the description is a sentence."""
    return Field(json_schema_extra={"title": title, "description": description})


ConnectWiseName = Annotated[
    str, titled("ConnectWise connection", "Name of the saved ConnectWise PSA Connection block.")
]
LansweeperName = Annotated[
    str, titled("Lansweeper connection", "Name of the saved Lansweeper Connection block.")
]
LedgerName = Annotated[
    str,
    titled(
        "Integration ledger",
        "Name of the saved Integration Ledger block. Without one of that name: a file on the run's machine.",
    ),
]
FieldNationName = Annotated[
    str, titled("Field Nation connection", "Name of the saved Field Nation Connection block.")
]
RulesName = Annotated[
    str,
    titled(
        "Dispatch rules",
        "Name of the saved Dispatch Rules block. Without one of the name default: the documented rules.",
    ),
]
DryRun = Annotated[bool, titled("Dry run", "Show the plan and write nothing.")]
Names = Annotated[list[str], titled("Names", "Names of the records, one by one.")]
Create = Annotated[bool, titled("Create", "Create what is missing.")]
StructureLevel = Annotated[
    int | None,
    titled("Structure level id", "Corporate structure level (1 to 5) of the locations that are created."),
]
