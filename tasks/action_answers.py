"""What an action run by hand leaves behind: the whole answer as a file, its first records as an artifact."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from prefect.artifacts import acreate_table_artifact
from prefect.settings import PREFECT_HOME

from tasks.connections import current_run_id
from tasks.rules.answer_rows import AnswerTable, answer_table, plain
from tasks.rules.markdown import Link

FOLDER_VARIABLE = "CONNECTWISE_FLOWS_ANSWERS"
_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """``total`` records, of which ``shown`` are in the artifact; ``file`` holds them all as JSON."""

    total: int
    shown: int
    file: str


def answers_folder(environment: Mapping[str, str]) -> Path:
    """The folder that ``CONNECTWISE_FLOWS_ANSWERS`` names, else ``answers`` in Prefect's own folder."""
    named = environment.get(FOLDER_VARIABLE, "").strip()
    return Path(named).expanduser() if named else Path(PREFECT_HOME.value()) / "answers"


async def publish_answer(name: str, answer: Any, link: Link | None = None) -> ActionAnswer:
    """Write the whole answer to a file of this run and show its first 200 records as a table artifact.

    Args:
        name: the action's name; of it the artifact's key is made.
        link: the address of a record's page in the vendor's UI, by id.
    """
    content = plain(answer)
    key = artifact_key(name)
    path = write_answer(answers_folder(os.environ), f"{key}-{current_run_id()}", content)
    table = answer_table(content, link)
    await acreate_table_artifact(
        table=[dict(row) for row in table.rows], key=key, description=description(name, table, path)
    )
    return ActionAnswer(table.total, len(table.rows), str(path))


def artifact_key(name: str) -> str:
    """``List of Configurations`` -> ``list-of-configurations``: Prefect takes lower case and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def write_answer(folder: Path, stem: str, content: Any) -> Path:
    """The file, readable by its owner only: it holds a customer's data."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.json"
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, _OWNER_ONLY)) as file:
        file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2, default=str))
    return path


def description(name: str, table: AnswerTable, path: Path) -> str:
    """The line above the table: how many there are, what is left out, where the whole answer lies."""
    shown = len(table.rows)
    count = f"{table.total:,} record{'' if table.total == 1 else 's'}"
    parts = [f"**{name}: {count}.**"]
    if shown < table.total:
        parts.append(f"The first {shown:,} are shown.")
    if table.hidden_columns:
        parts.append(f"{table.hidden_columns} more columns are in the file.")
    return " ".join([*parts, f"Whole answer as JSON, on the machine of the run: `{path}`"])
