"""Which configurations belong to which agreement or ticket: pairs of ids, found from both sides.

Which configurations belong to an agreement or a ticket: child collections of very small records.

Their items are `{id, deviceIdentifier, _info}`, the id being the configuration's; a link is made by POST of
an id, taken away by DELETE, and never changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sandbox.connectwise.schema.fields import Table, text


class Links:
    """The pairs (owner, configuration) of one kind of owner. A pair is there once."""

    def __init__(self) -> None:
        """No pairs yet."""
        self._of: dict[int, set[int]] = {}
        self._owners: dict[int, set[int]] = {}

    def add(self, owner_id: int, configuration_id: int) -> bool:
        """Tie the two together; False if they were already."""
        found = self._of.setdefault(owner_id, set())
        if configuration_id in found:
            return False
        found.add(configuration_id)
        self._owners.setdefault(configuration_id, set()).add(owner_id)
        return True

    def remove(self, owner_id: int, configuration_id: int) -> bool:
        """Take the pair away; False if it was not there."""
        if configuration_id not in self._of.get(owner_id, ()):
            return False
        self._of[owner_id].discard(configuration_id)
        self._owners[configuration_id].discard(owner_id)
        return True

    def of(self, owner_id: int) -> Collection[int]:
        """The configurations of an owner."""
        return self._of.get(owner_id, ())

    def are_any_of(self, owner_id: int, configuration_ids: frozenset[int]) -> bool:
        """Whether the owner has one of the configurations."""
        found = self._of.get(owner_id)
        return found is not None and not found.isdisjoint(configuration_ids)

    def forget_owner(self, owner_id: int) -> None:
        """The owner is gone, and its pairs with it."""
        for configuration_id in self._of.pop(owner_id, ()):
            self._owners[configuration_id].discard(owner_id)

    def forget_configuration(self, configuration_id: int) -> None:
        """The configuration is gone, and its pairs with it."""
        for owner_id in self._owners.pop(configuration_id, ()):
            self._of[owner_id].discard(configuration_id)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Every pair, in order of owner and configuration."""
        for owner_id in sorted(self._of):
            for configuration_id in sorted(self._of[owner_id]):
                yield owner_id, configuration_id


LINK_VERBS = frozenset({"list", "create", "get", "delete"})


def links_of(owner: Table) -> Table:
    """The child collection of a collection whose records have configurations."""
    return Table(
        name=f"{owner.name}/configurations",
        route=f"{owner.route}/{{parentId}}/configurations",
        type_name="ConfigurationReference",
        resource="configuration",
        verbs=LINK_VERBS,
        info=(),
        hrefs={"configuration_href": "/company/configurations/{id}"},
        links=owner.name,
        fields={"deviceIdentifier": text()},
    )
