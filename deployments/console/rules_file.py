"""Rules as files, for those who keep them under version control: YAML, JSON or TOML, by the file's ending.

TOML is only read, since Python has no writer of it. Imports nothing of Prefect.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ValidationError

from deployments.console.output import CommandError, ExitCode

YAML, JSON, TOML = (".yaml", ".yml"), (".json",), (".toml",)
LARGEST_BYTES = 2_000_000
WIDTH = 100


def rules_text(rules: BaseModel, ending: str = ".yaml") -> str:
    """All of the rules, also what is as usual, in the form that the ending names.

    Raises:
        CommandError: files of that ending are not written.
    """
    values = rules.model_dump(mode="json")
    if ending in JSON:
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    if ending in YAML:
        text: str = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=WIDTH)
        return text
    raise CommandError(
        f"Rules are written as .yaml or .json, not as {ending or 'a file without ending'}.", ExitCode.USAGE
    )


def read_values(file: Path) -> Any:
    """What the file holds, as plain data.

    Raises:
        CommandError: it can't be read, or is no YAML, JSON or TOML.
    """
    ending = file.suffix.lower()
    if ending not in (*YAML, *JSON, *TOML):
        raise CommandError(f"{file} does not end in .yaml, .json or .toml.", ExitCode.USAGE)
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise CommandError(f"{file} is larger than {LARGEST_BYTES:,} bytes.", ExitCode.USAGE)
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} can't be read: {error}", ExitCode.USAGE) from error
    try:
        if ending in YAML:
            return yaml.safe_load(text)
        return json.loads(text) if ending in JSON else tomllib.loads(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise CommandError(f"{file} is no {ending[1:].upper()}: {error}", ExitCode.USAGE) from error


def form_problems(error: ValidationError) -> list[str]:
    """A sentence for each value that the form does not take, with its path."""
    return [
        f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}"
        for each in error.errors(include_url=False, include_input=False)
    ]


def differences(old: BaseModel, new: BaseModel) -> list[str]:
    """The changed lines of the YAML form, with some around them; none where both are the same."""
    before, after = (rules_text(each).splitlines() for each in (old, new))
    return list(difflib.unified_diff(before, after, "saved", "file", lineterm=""))
