"""Commands that take rules out of blocks into files, back, and check them."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.console.output import (
    EXIT_CODES,
    CommandError,
    ExitCode,
    JsonOption,
    YesOption,
    command_output,
    end,
)
from deployments.console.server import prefect_server, send_no_events

if TYPE_CHECKING:
    from tasks.dispatch.settings import DispatchSettings

app = typer.Typer(
    help="Rules as files: take them out of their block, put them back, check them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class RulesKind(StrEnum):
    """Which rules; each is a kind of block."""

    DISPATCH = "dispatch"


KindArgument = Annotated[RulesKind, typer.Argument(help="Which rules.")]
NameOption = Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the block.")]
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="File that ends in .yaml, .json or .toml.")
]


@app.command("export", short_help="Write the saved rules as a file.", epilog=EXIT_CODES)
def export_rules(
    kind: KindArgument,
    name: NameOption = "default",
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="File to write, .yaml or .json. Usual: standard output."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the saved rules, all of them, as a file; YAML on standard output.

    Where no block named default is saved, these are the rules that then hold.

    \b
    Examples:
      connectwise-flows rules export dispatch --out dispatch.yaml
      connectwise-flows rules export dispatch --json | jq .triggers
    """
    from deployments.console.rules_file import rules_text

    with command_output(as_json) as out, prefect_server():
        rules, saved = asyncio.run(_saved(name))
        if not saved:
            out.say("No Dispatch Rules are saved: these are the rules that hold without any.")
        if out_file is None:
            out.result(rules.model_dump(mode="json"), rules_text(rules).rstrip())
            return
        text = rules_text(rules, out_file.suffix.lower())
        try:
            out_file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{out_file} can't be written: {error}") from error
        out.result({"file": str(out_file), "kind": kind.value, "name": name}, f"Written to {out_file}.")


@app.command("import", short_help="Save the rules of a file in their block; asks first.", epilog=EXIT_CODES)
def import_rules(
    kind: KindArgument,
    file: FileArgument,
    name: NameOption = "default",
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Save the rules of a file in their block, in place of what is there.

    It shows what changes and asks. A file that lacks a setting means its usual value, not the saved one.
    Rules that can't work are refused with 3; what they name is looked up by "rules check".

    \b
    Examples:
      connectwise-flows rules import dispatch dispatch.yaml
      connectwise-flows rules import dispatch dispatch.yaml --name berlin --yes
    """
    from deployments.console.rules_file import differences

    with command_output(as_json) as out:
        rules, problems = _read(file)
        if rules is None:
            raise CommandError("\n".join([f"{file} is refused:", *problems]), ExitCode.FINDINGS)
        with prefect_server():
            old, saved = asyncio.run(_saved(name, needed=False))
            changed = differences(old, rules)
            if saved and not changed:
                out.result(_imported(kind, name, []), f"The Dispatch Rules {name} are so already.")
                return
            out.say("\n".join(changed) or "These are the rules that hold without any.")
            out.confirm(f"Save these Dispatch Rules as {name}?", yes=yes)
            asyncio.run(_save(name, rules))
        out.result(_imported(kind, name, changed), f"Saved as Dispatch Rules {name}.")


@app.command("check", short_help="Check saved rules, or those of a file.", epilog=EXIT_CODES)
def check_rules(
    kind: KindArgument,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="File to check. Usual: the saved rules.")
    ] = None,
    name: NameOption = "default",
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no vendor whether what is named exists.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check rules: their form, whether mappings can work, and whether what they name exists at the vendors.

    The look-ups are made in this process with the saved connections named default, or the only ones; they
    only read, and count in the ledger's request budget. Ends with 3 if there is something to do.

    \b
    Examples:
      connectwise-flows rules check dispatch
      connectwise-flows rules check dispatch dispatch.yaml
      connectwise-flows rules check dispatch dispatch.yaml --offline
    """
    with command_output(as_json) as out:
        if file is not None:
            rules, problems = _read(file)
        else:
            with prefect_server():
                rules, _ = asyncio.run(_saved(name))
            problems = _own_problems(rules)
        if rules is not None and not offline:
            from connectors.errors import ConnectorError

            with prefect_server():
                try:
                    problems = [*problems, *asyncio.run(_named_problems(rules))]
                except (ConnectorError, ValueError) as error:
                    raise CommandError(f"The names could not be looked up: {error}") from error
        document = {"kind": kind.value, "of": str(file or name), "offline": offline, "problems": problems}
        out.result(document, "\n".join(problems) or "Nothing to do.")
        end(ExitCode.FINDINGS if problems else ExitCode.DONE)


def _imported(kind: RulesKind, name: str, changed: list[str]) -> dict[str, object]:
    return {"kind": kind.value, "name": name, "changed": bool(changed), "difference": changed}


def _read(file: Path) -> tuple[DispatchSettings | None, list[str]]:
    """The file's rules and what is wrong with them; no rules where it does not fit the form."""
    from pydantic import ValidationError

    from deployments.console.rules_file import form_problems, read_values
    from tasks.dispatch.settings import DispatchSettings

    try:
        rules = DispatchSettings.model_validate(read_values(file))
    except ValidationError as error:
        return None, form_problems(error)
    problems = _own_problems(rules)
    return (rules if not problems else None), problems


def _own_problems(rules: DispatchSettings) -> list[str]:
    """What of the rules can't work, whatever the vendors have."""
    from tasks.dispatch.run import check_dispatch_settings
    from tasks.rules.dispatch.mapping import DispatchMappingError

    try:
        check_dispatch_settings(rules)
    except DispatchMappingError as error:
        return [str(error)]
    return []


async def _saved(name: str, *, needed: bool = True) -> tuple[DispatchSettings, bool]:
    """The rules that hold under that name, and whether they are saved."""
    from tasks.dispatch.settings import DispatchRules, DispatchSettings, load_dispatch_settings
    from tasks.shared.connections import DEFAULT, saved_block_names

    send_no_events()
    names = await saved_block_names(DispatchRules)
    if name in names:
        return await load_dispatch_settings(name), True
    if needed and name != DEFAULT:
        told = ", ".join(names) or "none at all"
        raise CommandError(f"No Dispatch Rules {name} are saved; saved are: {told}.", ExitCode.USAGE)
    return DispatchSettings(), False


async def _save(name: str, rules: DispatchSettings) -> None:
    from tasks.dispatch.settings import DispatchRules

    try:
        await DispatchRules(rules=rules).save(name, overwrite=True)
    except ValueError as error:
        raise CommandError(str(error)) from error


async def _named_problems(rules: DispatchSettings) -> list[str]:
    from tasks.dispatch.rule_names import unsaved_rules_problems
    from tasks.shared.connections import shared_connections

    send_no_events()
    async with shared_connections(read_only=True):
        return await unsaved_rules_problems(rules)
