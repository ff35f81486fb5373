"""The command connectwise-flows: its help, exit codes and streams, and what it makes of answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import entry_points
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from deployments import ROOT, console_command
from deployments.console import programs
from deployments.console.app import COMMANDS, ConsoleGroup, app
from deployments.console.outcome import REFUSALS, Outcome, findings_of, outcome_of, summary_of
from deployments.console.output import CommandError, ExitCode, command_output
from deployments.console.rules_file import differences, read_values, rules_text
from deployments.console.runs import laid_over, read_assignments
from deployments.local.running import AlreadyRunningError, noted_server, refuse_second, running_server
from flows import asset_synchronization
from tasks.dispatch.settings import DispatchSettings
from tasks.enrichment import safety
from tasks.rules.asset_sync.render import plan_markdown
from tasks.rules.connection_findings import Finding, FindingResult, finding_rows
from tasks.shared import stored_plans
from tests.docs.pages import is_said
from tests.unit.rules.asset_sync.test_safety import plan

OF_RULES = ("export", "import", "check")
HELPS = [[name] for name in COMMANDS if name != "sandbox"] + [["rules", name] for name in OF_RULES]
HELPS += [["plans", "list"], ["plans", "show"]]


def call(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def test_the_command_is_named_as_the_shell_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "connectwise-flows").touch(mode=0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    assert console_command(folder) == ".venv/bin/connectwise-flows"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert console_command(folder) == str(folder / "connectwise-flows")
    monkeypatch.setenv("PATH", str(folder))
    assert console_command(folder) == "connectwise-flows"


@pytest.mark.parametrize("command", HELPS, ids=" ".join)
def test_help_has_examples_and_exit_codes(command: list[str]) -> None:
    told = call(*command, "--help")
    assert told.exit_code == 0
    assert f"connectwise-flows {' '.join(command)}" in told.stdout
    assert "Example" in told.stdout
    assert "3 finished with" in " ".join(told.stdout.split())


def test_every_command_is_listed_in_one_line_and_the_script_starts_it() -> None:
    told = call("--help").stdout
    assert [name for name in [*COMMANDS, "rules", "plans"] if f"\n  {name} " not in told] == []
    assert "..." not in told.partition("Commands:")[2]
    (script,) = entry_points(group="console_scripts", name="connectwise-flows")
    assert script.load() is app


def test_help_loads_no_prefect() -> None:
    """Which takes seconds, and would write into a home folder."""
    program = (
        "import sys; from deployments.console.app import app; app(['--help'], standalone_mode=False); "
        "sys.exit('prefect' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_sandbox_gets_its_options() -> None:
    start = [sys.executable, "-m", "deployments.console", "sandbox"]
    told = subprocess.run([*start, "--json", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert (told.returncode, "--scenario" in told.stdout) == (0, True)
    wrong = subprocess.run([*start, "--assets", "-1"], cwd=ROOT, capture_output=True, text=True)
    assert wrong.returncode == ExitCode.USAGE


@pytest.mark.parametrize(
    "arguments",
    [["bogus"], ["plan", "--wait", "-1"], ["rules", "export", "bogus"], ["undo"], ["report", "-n", "0"]],
)
def test_a_wrong_command_line_ends_with_2(arguments: list[str]) -> None:
    done = call(*arguments)
    assert (done.exit_code, done.stdout) == (ExitCode.USAGE, "")


def test_fuzz_says_that_it_needs_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "IN_CHECKOUT", False)
    done = call("fuzz", "--json", "--only", "receiver")
    assert done.exit_code == ExitCode.USAGE
    assert "needs a checkout" in json.loads(done.stdout)["error"]
    assert "needs a checkout" in done.stderr


def test_a_sentence_and_not_a_traceback_ends_a_command() -> None:
    """Standard output has one document, whatever else was printed."""
    failing = typer.Typer(cls=ConsoleGroup)

    @failing.callback()
    def group() -> None: ...

    @failing.command()
    def fail(late: bool = False) -> None:
        with command_output(True) as out:
            print("a library's words")
            if late:
                out.result({"a": 1}, "")
            raise CommandError("Not so.", ExitCode.FINDINGS)

    early, late = (CliRunner().invoke(failing, ["fail", *option]) for option in ([], ["--late"]))
    assert json.loads(early.stdout) == {"error": "Not so.", "exit_code": 3}
    assert json.loads(late.stdout) == {"a": 1}
    assert early.exit_code == late.exit_code == ExitCode.FINDINGS
    assert early.stderr == late.stderr == "a library's words\nError: Not so.\n"


def test_what_writes_asks_or_wants_yes() -> None:
    with command_output(False) as out:
        out.confirm("Write?", yes=True)
        # Tests have no terminal.
        with pytest.raises(CommandError, match="add --yes") as refused:
            out.confirm("Write?", yes=False)
    assert refused.value.code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (("COMPLETED", "Completed", ""), Outcome.DONE),
        (("FAILED", "Finished with 2 failures", "2 failures"), Outcome.FINDINGS),
        (("FAILED", "1 check failed", "Log in"), Outcome.FINDINGS),
        (("FAILED", "Failed", "Flow run encountered an exception: ValueError: x"), Outcome.FAILED),
        (
            ("FAILED", "Failed", "Flow run encountered an exception: ThresholdExceededError: x"),
            Outcome.REFUSED,
        ),
        (("FAILED", "TimedOut", ""), Outcome.FAILED),
        (("CANCELLED", "Cancelled", "Another run writes to company 2: x"), Outcome.REFUSED),
        (("CANCELLED", "Cancelled", ""), Outcome.FAILED),
        (("CRASHED", "Crashed", ""), Outcome.FAILED),
        (("RUNNING", "Running", ""), Outcome.RUNNING),
    ],
)
def test_the_outcome_is_read_from_the_state(state: tuple[str, str, str], wanted: Outcome) -> None:
    assert outcome_of(*state) is wanted


def test_the_words_by_which_refusals_are_known_are_those_of_the_flows() -> None:
    modules = (asset_synchronization, safety, stored_plans)
    assert all(any(hasattr(module, name) for module in modules) for name in REFUSALS)
    assert is_said("Another run writes to company ...")


@pytest.mark.parametrize(
    ("refused", "wanted"), [(["71 % of them"], Outcome.REFUSED), ([], Outcome.DONE)], ids=["refused", "fine"]
)
def test_a_plan_that_would_be_refused_is_no_success(refused: list[str], wanted: Outcome) -> None:
    text = plan_markdown(plan(changed=3), title="A real run is refused", dry_run=True, refused=refused)
    assert outcome_of("COMPLETED", "Completed", "", [text]) is wanted


def test_the_top_of_a_plan_ends_behind_the_figures() -> None:
    made = plan(changed=3, new=2)
    text = plan_markdown(made, title="Plan", dry_run=True, noted=["Look here."])
    top = summary_of(text)
    assert "Look here." in top
    assert f"Checksum: `{made.checksum}`" in top
    assert top.rstrip().endswith("New configurations of ls\\_Windows: 2")
    assert text.startswith(top)
    assert summary_of("# Something else\n\n## All of it") == "# Something else\n\n## All of it"


def test_an_undo_that_leaves_something_out_has_findings() -> None:
    said = "# Undo of run 1\n\n## {}\n\n- x"
    assert outcome_of("COMPLETED", "Completed", "", [said.format("Refused")]) is Outcome.FINDINGS
    assert outcome_of("COMPLETED", "Completed", "", [said.format("Steps")]) is Outcome.DONE


def test_findings_lose_the_breaks_of_their_table() -> None:
    details = (
        "Rights of tickets-agreements-sla-sync and of <all> others_with_marks at https://x.example/a_b, 50 %."
    )
    row = Finding("ConnectWise default", "Rights", FindingResult.MISSING, details)
    assert findings_of(finding_rows([row])) == [
        {"connection": "ConnectWise default", "check": "Rights", "result": "Missing", "details": details}
    ]


def test_settings_are_laid_over_those_of_the_deployment() -> None:
    """Prefect would put the given settings in place of all of them: mappings and ceilings would be lost."""
    mine = {"company": "A", "ceilings": {"modified": 0.5, "go_on": False}, "mappings": [{"path": "x"}]}
    changes = read_assignments(["ceilings.go_on=true", "prefix=it_", "asset_filter=[]", "only_failed=12=34"])
    assert laid_over(mine, changes) == {
        "company": "A",
        "ceilings": {"modified": 0.5, "go_on": True},
        "mappings": [{"path": "x"}],
        "prefix": "it_",
        "asset_filter": [],
        "only_failed": "12=34",
    }


@pytest.mark.parametrize("wrong", [["prefix"], ["=1"], ["a..b=1"], ["a=1", "a.b=2"]])
def test_an_assignment_that_is_none_is_refused(wrong: list[str]) -> None:
    with pytest.raises(CommandError, match="--set") as refused:
        read_assignments(wrong)
    assert refused.value.code is ExitCode.USAGE


@pytest.mark.parametrize("ending", [".yaml", ".json"])
def test_rules_come_back_from_their_file(tmp_path: Path, ending: str) -> None:
    rules = DispatchSettings(reference_prefix="NO", create_state="publish")  # type: ignore[arg-type]
    file = tmp_path / f"rules{ending}"
    file.write_text(rules_text(rules, ending), encoding="utf-8")
    assert DispatchSettings.model_validate(read_values(file)) == rules
    changed = differences(DispatchSettings(), rules)
    assert {"+reference_prefix: 'NO'", "-create_state: draft"} <= set(changed)
    assert differences(rules, rules) == []


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.yaml", "a: [", "is no YAML"),
        ("x.json", "{", "is no JSON"),
        ("x.toml", "a = ", "is no TOML"),
        ("x.txt", "", "does not end in"),
        ("x.yaml", "!!python/object/apply:os.getcwd []", "is no YAML"),
    ],
)
def test_a_file_that_is_none_of_rules_is_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    done = call("rules", "check", "dispatch", str(tmp_path / name), "--offline", "--json")
    assert done.exit_code == ExitCode.USAGE
    assert words in json.loads(done.stdout)["error"]


def test_rules_are_checked_without_a_server(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text('create_state = "drafty"\nnotez = 1\n', encoding="utf-8")
    wrong = call("rules", "check", "dispatch", str(file), "--offline", "--json")
    assert wrong.exit_code == ExitCode.FINDINGS
    assert [each.partition(":")[0] for each in json.loads(wrong.stdout)["problems"]] == [
        "create_state",
        "notez",
    ]
    refused = call("rules", "import", "dispatch", str(file), "--yes")
    assert (refused.exit_code, "notez" in refused.stderr) == (ExitCode.FINDINGS, True)
    file.write_text('create_state = "publish"\n', encoding="utf-8")
    fine = call("rules", "check", "dispatch", str(file), "--offline")
    assert (fine.exit_code, fine.stdout) == (ExitCode.DONE, "Nothing to do.\n")


@pytest.fixture
def health() -> Iterator[str]:
    """The address of something that answers as a healthy Prefect server."""

    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/health" else 404)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


def test_a_running_stack_is_found_and_not_started_twice(tmp_path: Path, health: str) -> None:
    assert running_server(tmp_path) is None
    with noted_server(tmp_path, health):
        assert running_server(tmp_path) == health
        with pytest.raises(AlreadyRunningError, match="--data"):
            refuse_second(tmp_path)
        again = call("up", "--data", str(tmp_path), "--json")
        assert again.exit_code == ExitCode.USAGE
        assert health in json.loads(again.stdout)["error"]
    assert list(tmp_path.iterdir()) == []


def test_the_note_of_a_killed_stack_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text('{"api_url": "http://127.0.0.1:9/api"}', encoding="utf-8")
    assert running_server(tmp_path) is None
    (tmp_path / "server.json").write_text("[", encoding="utf-8")
    assert running_server(tmp_path) is None


def test_every_command_takes_json() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    every = {**commands, **commands["rules"].commands, **commands["plans"].commands}
    without = {name for name, each in every.items() if all("--json" not in one.opts for one in each.params)}
    # The sandbox's first line is JSON anyway; the others are groups.
    assert without == {"sandbox", "rules", "plans"}
