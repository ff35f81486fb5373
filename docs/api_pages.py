"""Generates pages of the site: one for each module from its docstrings, and those with texts at the root.

MkDocs calls the two functions below (``hooks`` in mkdocs.yml). A new module or decision record appears by
itself.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
ROOT_PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Page of the site by file at the root, where a git host looks for it."""
TITLES = {
    "flows": "Flows",
    "tasks/connectwise": "Actions: ConnectWise",
    "tasks/connectwise/link_search": "Actions: ConnectWise, search for links",
    "tasks/lansweeper": "Actions: Lansweeper",
    "tasks/field_nation": "Actions: Field Nation",
    "tasks/asset_sync": "Asset synchronization",
    "tasks/enrichment": "Tickets, agreements and SLA",
    "tasks/dispatch": "Dispatch",
    "tasks/shared": "Shared mechanisms",
    "tasks/rules": "Rules",
    "tasks/rules/mapping": "Rules: mapping",
    "tasks/rules/asset_sync": "Rules: asset synchronization",
    "tasks/rules/enrichment": "Rules: tickets, agreements and SLA",
    "tasks/rules/dispatch": "Rules: dispatch",
    "connectors": "Connectors",
    "connectors/connectwise": "Connectors: ConnectWise",
    "connectors/lansweeper": "Connectors: Lansweeper",
    "connectors/field_nation": "Connectors: Field Nation",
    "connectors/ledger": "Connectors: ledger",
}
"""Titles of packages, in the order in which a reader meets them; others follow under their dotted names."""
ROOTS = ("flows", "tasks", "connectors")
API_PAGES: set[str] = set()
"""The pages made from modules, for links to them."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, and put them and the decision records into the navigation."""
    for source, page in ROOT_PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=relinked(text)))
    files.append(File.generated(config, "LICENSE", content=(ROOT / "LICENSE").read_text(encoding="utf-8")))
    index = ["# API", "", "Every module with its public classes and functions, from their docstrings.", ""]
    navigation: list[Any] = ["api/index.md"]
    for package in packages():
        title = TITLES.get(package, package.replace("/", "."))
        overview = f"api/{package}/index.md"
        files.append(File.generated(config, overview, content=package_page(package, title)))
        pages: list[Any] = [overview]
        index += [f"## [{title}]({package}/index.md)", "", *module_table(package, ""), ""]
        for path in modules(package):
            page = f"api/{path.relative_to(ROOT).with_suffix('.md').as_posix()}"
            files.append(File.generated(config, page, content=f"# `{dotted(path)}`\n\n::: {dotted(path)}\n"))
            API_PAGES.add(page)
            pages.append({path.stem: page})
        navigation.append({title: pages})
    files.append(File.generated(config, "api/index.md", content="\n".join(index)))
    nav = config.nav or []
    fill(nav, "API", navigation)
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    fill(nav, "Decision records", ["adr/index.md", *(f"adr/{path.name}" for path in records)])
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Lead links to files at the root to their pages, and the path of a module to its page."""
    for source, target in ROOT_PAGES.items():
        markdown = re.sub(rf"\]\(((?:\.\./)*)\.\./{re.escape(source)}", rf"](\1{target}", markdown)
    here = posixpath.dirname(page.file.src_uri)

    def linked(found: re.Match[str]) -> str:
        module, name = found.groups()
        target = f"api/{module}.md"
        if target not in API_PAGES or here.startswith("api"):
            return found[0]
        anchor = f"#{module.replace('/', '.')}.{name}" if name else ""
        return f"[{found[0]}]({posixpath.relpath(target, here)}{anchor})"

    return re.sub(r"(?<!\[)`([\w/]+)\.py(?::([\w.]+))?`", linked, markdown)


def relinked(text: str) -> str:
    """The text of a file at the root, with the links of a page in docs/."""
    text = re.sub(r"\]\(docs/", "](", text)
    for source, page in ROOT_PAGES.items():
        text = re.sub(rf"\]\({re.escape(source)}", f"]({page}", text)
    return text


def packages() -> list[str]:
    """Every package with modules in it, those with a title first."""
    found = {
        path.parent.relative_to(ROOT).as_posix() for root in ROOTS for path in (ROOT / root).rglob("*.py")
    }
    known = {package for package in found if modules(package) and "migrations" not in package}
    return [*(each for each in TITLES if each in known), *sorted(known - TITLES.keys())]


def modules(package: str) -> list[Path]:
    """The modules of a package itself, without its subpackages."""
    return sorted(path for path in (ROOT / package).glob("*.py") if path.name != "__init__.py")


def dotted(path: Path) -> str:
    """The module's name, as an import has it."""
    return path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")


def first_line(path: Path) -> str:
    """What a module is, in the first line of its docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    line = (docstring.splitlines() or [""])[0]
    return line.replace("``", "`").replace("|", "\\|")


def package_page(package: str, title: str) -> str:
    """What the package's docstring says, and its modules."""
    docstring = (
        ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))) or ""
    )
    docstring = re.sub(r"(?<=:)\n(?= {4}\S)", "\n\n", docstring)
    name = package.replace("/", ".")
    return "\n".join(
        [f"# {title}", "", f"`{name}`", "", docstring, "", *module_table(package, f"{package}/")]
    )


def module_table(package: str, here: str) -> list[str]:
    """A table of the package's modules, as a page in the folder ``here`` of api/ links to them."""
    rows = []
    for path in modules(package):
        page = path.relative_to(ROOT).with_suffix(".md").as_posix().removeprefix(here)
        rows.append(f"| [`{dotted(path)}`]({page}) | {first_line(path)} |")
    return ["| Module | What it is |", "| --- | --- |", *rows]


def fill(nav: list[Any], title: str, pages: list[Any]) -> None:
    """Put the pages under the entry of that title, at whatever depth."""
    for entry in nav:
        for name, below in entry.items() if isinstance(entry, dict) else ():
            if name == title:
                entry[name] = pages
            elif isinstance(below, list):
                fill(below, title, pages)
