"""Figures of the source tree: sizes, imports, folders, and modules that only one other module uses.

``make layout`` prints them. The limits are those of ``tests/test_layout.py``.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("connectors", "tasks", "flows", "deployments", "sandbox", "benchmarks")
OURS = {*PRODUCT, "tests"}

LARGEST_MODULE = 450
"""Lines. A longer module is split by concept."""
LARGEST_FOLDER = 25
"""Modules beside each other, without ``__init__``."""

ACTIONS = ("tasks.connectwise.", "tasks.lansweeper.", "tasks.field_nation.")
STEPS = {"settings", "run", "read", "plan", "create", "modify", "edit", "apply", "report", "render", "undo"}
"""File names that each feature has: a reader who knows one feature finds his way in the others."""
SYSTEM_FILES = {
    *{"api", "app", "block", "blocks", "client", "models", "refusals", "settings", "__main__"},
    *{"access", "control", "errors", "reads", "store", "writes"},
}
"""File names that each system, in the connectors and in the sandbox, has."""

SINGLE_USER_REASONS: dict[str, str] = {
    "tasks.rules.dispatch.regions": "the one place that knows the library of states and countries",
    "deployments.block_types": "the entry point by which Prefect finds the blocks",
    "connectors.ledger.plans": "one concern of the ledger, as the others are",
    "connectors.ledger.match_decisions": "one concern of the ledger, as the others are",
    "connectors.ledger.missing_assets": "one concern of the ledger, as the others are",
    "connectors.ledger.merge_bases": "one concern of the ledger, as the others are",
    "connectors.ledger.quarantine": "one concern of the ledger, as the others are",
    "benchmarks.dispatch_campaign.faults": "what a reader of the campaign looks for by name",
    "benchmarks.fuzz.ledger_budget": "the model of one concern of the ledger",
    "benchmarks.fuzz.ledger_inbox": "the model of one concern of the ledger",
    "benchmarks.fuzz.ledger_outbox": "the model of one concern of the ledger",
    "benchmarks.fuzz.receiver_requests": "what is drawn, apart from what is judged",
    "benchmarks.fuzz.campaign": "the command of its package, whose parts the tests run",
    "deployments.console.programs": "commands that start programs, beside those that are runs",
    "deployments.console.rules_file": "the form of the files, which knows no Prefect",
    "deployments.receiver.inbox": "the group commit of messages, which a reader looks for by name",
    "deployments.receiver.server": "the bounds of the HTTP server, and what starts it",
    "deployments.receiver.places": "the bulkhead of messages in memory, which a reader looks for by name",
    "sandbox.data.churn": "one kind of generated data",
    "sandbox.data.configurations": "one kind of generated data",
    "connectors.ledger.journal": "reached through the ledger, as each of its parts",
    "sandbox.connectwise.schema.further": "one part of the schema, as the others are",
    "sandbox.connectwise.schema.setup": "one part of the schema, as the others are",
    "sandbox.wrong_reads": "what a wrong answer is: pure, while its user disturbs requests",
}
"""Modules with one user that stay modules for a reason of their own."""


@dataclass(frozen=True)
class Tree:
    """The modules of some packages under one root: path by dotted name."""

    root: Path
    modules: Mapping[str, Path]

    @classmethod
    def read(cls, root: Path = ROOT, packages: tuple[str, ...] = PRODUCT) -> Tree:
        """Find every module of the packages, ``__init__`` under the name of its package."""
        return cls(root, {dotted(path, root): path for name in packages for path in python_files(name, root)})

    def lines(self, module: str) -> int:
        """The number of lines in a module's file."""
        return len(self.modules[module].read_text(encoding="utf-8").splitlines())

    def users(self) -> dict[str, set[str]]:
        """The modules that import each module, also inside functions."""
        found: dict[str, set[str]] = defaultdict(set)
        for user, path in self.modules.items():
            for name in imports(path, self.root):
                if name in self.modules and name != user:
                    found[name].add(user)
        return dict(found)


def python_files(folder: str, root: Path = ROOT) -> list[Path]:
    """Every Python file under a folder, sorted."""
    return sorted((root / folder).rglob("*.py"))


def dotted(path: Path, root: Path = ROOT) -> str:
    """The dotted name a file is imported under."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, root: Path = ROOT) -> Iterator[str]:
    """Every module that the file imports, also inside functions, as dotted names."""
    yield from _imports_in(path.read_text(encoding="utf-8"), path.relative_to(root).parent.parts)


@cache
def _imports_in(text: str, package: tuple[str, ...]) -> list[str]:
    """By text, since many tests ask for the same modules, and parsing them takes seconds."""
    found: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            found += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return found


def large_modules(tree: Tree) -> dict[str, int]:
    """The modules over the limit, with their lines."""
    sizes = {module: tree.lines(module) for module in tree.modules}
    return {module: size for module, size in sizes.items() if size > LARGEST_MODULE}


def large_folders(tree: Tree) -> dict[str, int]:
    """The folders over the limit, with their modules."""
    folders = Counter(
        str(path.parent.relative_to(tree.root))
        for path in tree.modules.values()
        if path.name != "__init__.py"
    )
    return {folder: count for folder, count in folders.items() if count > LARGEST_FOLDER}


def middle_line(tree: Tree) -> int:
    """The size of the file in which the middle line of all code stands."""
    sizes = sorted(tree.lines(module) for module in tree.modules)
    passed = 0
    for size in sizes:
        passed += size
        if passed * 2 >= sum(sizes):
            return size
    return 0


def single_users(tree: Tree) -> dict[str, str]:
    """The modules that exactly one other module imports, with that one."""
    users = tree.users()
    return {
        module: next(iter(users[module]))
        for module, path in tree.modules.items()
        if path.name != "__init__.py" and len(users.get(module, ())) == 1
    }


def single_user_reason(tree: Tree, module: str, user: str) -> str | None:
    """Why a module with one user stays a module of its own, or None where it belongs into its user."""
    name = module.rpartition(".")[2]
    if module.startswith(ACTIONS):
        return "a documented action"
    if module.startswith("flows."):
        return "a flow: its file is the entrypoint of a deployment"
    if name in STEPS | SYSTEM_FILES:
        return "a file name that every feature or system has"
    if user.startswith("flows.") and not module.startswith("flows."):
        return "below the layer of its user: a flow holds steps only"
    if is_command(tree, module):
        return "a command"
    if "rules" in module.split(".") and "rules" not in user.split("."):
        return "pure, while its user is not"
    if tree.lines(module) + tree.lines(user) > LARGEST_MODULE:
        return f"over {LARGEST_MODULE} lines with its user"
    return SINGLE_USER_REASONS.get(module)


def is_command(tree: Tree, module: str) -> bool:
    """Whether a person starts the module with ``python -m``."""
    return '__name__ == "__main__"' in tree.modules[module].read_text(encoding="utf-8")


def main() -> None:
    """Print the figures, the modules with one user with the reason each, and what is over a limit."""
    tree = Tree.read()
    print(
        f"{len(tree.modules)} product files, {sum(map(tree.lines, tree.modules))} lines; "
        f"the middle line stands in a file of {middle_line(tree)} lines"
    )
    print("\nModules that exactly one other uses:")
    for module, user in sorted(single_users(tree).items()):
        reason = single_user_reason(tree, module, user) or "NO REASON: belongs into its user"
        print(f"  {module} ({tree.lines(module)} lines), used by {user}: {reason}")
    for title, found in (("Modules", large_modules(tree)), ("Folders", large_folders(tree))):
        print(f"\n{title} over the limit: {found or 'none'}")


if __name__ == "__main__":
    main()
