"""From a path and a method to a collection, its parent and what is asked of it. Words match in any case."""

from dataclasses import dataclass

from sandbox.connectwise.errors import no_endpoint, not_allowed
from sandbox.connectwise.schema.company import CONFIGURATIONS_NAME
from sandbox.connectwise.schema.fields import Table
from sandbox.connectwise.schema.tables import SERVED

VERBS = {
    ("GET", "list"): "list",
    ("POST", "list"): "create",
    ("GET", "count"): "list",
    ("GET", "one"): "get",
    ("PUT", "one"): "replace",
    ("PATCH", "one"): "patch",
    ("DELETE", "one"): "delete",
    ("POST", "search"): "list",
    ("POST", "bulk"): "create",
    ("PUT", "bulk"): "replace",
    ("PATCH", "changetype"): "patch",
}


@dataclass(frozen=True, slots=True)
class Route:
    """What a path names: `ask` is list, count, one, search, bulk or changetype."""

    table: Table
    ask: str
    parent_id: int | None = None
    record_id: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which a right to it can be refused."""
        name = self.table.name
        return (name, f"{name}/bulk") if self.ask == "bulk" else (name,)


def codebase_and_rest(path: str) -> tuple[str, list[str]] | None:
    """`/v4_6_release/apis/3.0/company/...` as code base and the words after it; None for other paths."""
    words = [word for word in path.split("/") if word]
    if len(words) < 3 or [word.lower() for word in words[1:3]] != ["apis", "3.0"]:
        return None
    return words[0], words[3:]


def route(method: str, words: list[str]) -> Route:
    """The route of the words after the API root.

    Raises:
        VendorError: 404 for a path that is not served, 405 for a method that it does not take.
    """
    for table in SERVED:
        found = _match(table, [word.lower() for word in words])
        if found is not None:
            _check_method(method, found)
            return found
    raise no_endpoint()


def _match(table: Table, words: list[str]) -> Route | None:
    pattern = table.route.strip("/").lower().split("/")
    head, rest = words[: len(pattern)], words[len(pattern) :]
    if len(head) < len(pattern):
        return None
    parent_id: int | None = None
    for wanted, word in zip(pattern, head, strict=True):
        if wanted == "{parentid}" and word.isdecimal():
            parent_id = int(word)
        elif wanted != word:
            return None
    return _asked(table, parent_id, rest)


def _asked(table: Table, parent_id: int | None, rest: list[str]) -> Route | None:
    is_configuration = table.name == CONFIGURATIONS_NAME
    match rest:
        case []:
            return Route(table, "list", parent_id)
        case _ if table.gathered:
            return None
        case ["count"]:
            return Route(table, "count", parent_id)
        case ["search"] if table.searchable:
            return Route(table, "search", parent_id)
        case ["bulk"] if is_configuration:
            return Route(table, "bulk", parent_id)
        case [word] if word.isdecimal():
            return Route(table, "one", parent_id, int(word))
        case [word, "changetype"] if is_configuration and word.isdecimal():
            return Route(table, "changetype", parent_id, int(word))
    return None


def _check_method(method: str, found: Route) -> None:
    verb = VERBS.get((method, found.ask))
    if verb is None or verb not in found.table.verbs:
        raise not_allowed(method)
