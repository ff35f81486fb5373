"""Child collections of configurations: which belong to an agreement or a ticket; listed, attached, detached.

Their items are `{id, deviceIdentifier, _info}`, the id being the configuration's; a link is made by POST of
an id, taken away by DELETE, and never changed. Whether that moves the owner's lastUpdated is not known of the
vendor, so it is a switch. The pairs themselves are in the store.
"""

from sandbox.connectwise.body import Body
from sandbox.connectwise.errors import FieldError, VendorError, invalid, not_found
from sandbox.connectwise.schema.company import CONFIGURATIONS_NAME
from sandbox.connectwise.schema.fields import Table
from sandbox.connectwise.schema.tables import TABLES, table_of
from sandbox.connectwise.store import Record, Store
from sandbox.switches import Switches


class LinkWriter:
    """The configurations of one agreement or ticket; VendorError 404: no such owner. `by` changes them."""

    def __init__(self, table: Table, store: Store, owner_id: int, switches: Switches, *, by: str) -> None:
        owner = store.get(table.links, owner_id)
        if owner is None:
            raise not_found(table_of(table.links).label, owner_id)
        self._table = table
        self._store = store
        self._owner = owner
        self._switches = switches
        self._by = by
        self._links = store.links(table.name)

    def records(self) -> dict[int, Record]:
        """What the child collection holds, in order of the configurations' ids."""
        configurations = self._store.collection(CONFIGURATIONS_NAME)
        return {one: _item(configurations[one]) for one in sorted(self._links.of(self._owner["id"]))}

    def stored(self, configuration_id: int) -> Record:
        """One item; VendorError 404: that configuration does not belong to the owner."""
        if configuration_id not in self._links.of(self._owner["id"]):
            raise not_found(self._table.label, configuration_id)
        return _item(self._store.collection(CONFIGURATIONS_NAME)[configuration_id])

    def create(self, body: Body) -> Record:
        """Attach the configuration that the body names by id or deviceIdentifier.

        Raises:
            VendorError: InvalidObject: none named, none found, or attached already (that word is assumed).
        """
        members = body.members(self._table, body.value)
        found = self._named(members)
        if not self.attach(found["id"]):
            raise self._refused("ObjectExists", "A matching configuration entry already exists")
        return _item(found)

    def delete(self, configuration_id: int) -> None:
        """Detach a configuration; VendorError 404: it does not belong to the owner."""
        self.stored(configuration_id)
        self.detach(configuration_id)

    def attach(self, configuration_id: int) -> bool:
        """Tie a configuration to the owner; False if it was already."""
        added = self._links.add(self._owner["id"], configuration_id)
        return self._noted(added, self._switches.attach_moves_last_updated)

    def detach(self, configuration_id: int) -> bool:
        """Take a configuration from the owner; False if it was not there."""
        removed = self._links.remove(self._owner["id"], configuration_id)
        return self._noted(removed, self._switches.detach_moves_last_updated)

    def set_to(self, configuration_ids: list[int]) -> None:
        """Attach and detach until the owner has exactly these."""
        before = set(self._links.of(self._owner["id"]))
        for one in sorted(set(configuration_ids) - before):
            self.attach(one)
        for one in sorted(before - set(configuration_ids)):
            self.detach(one)

    def _noted(self, changed: bool, moves: bool) -> bool:
        if changed and moves:
            self._store.touch(table_of(self._table.links), self._owner, by=self._by)
        return changed

    def _named(self, members: Record) -> Record:
        configurations, wanted = self._store.collection(CONFIGURATIONS_NAME), members.get("deviceIdentifier")
        if members.get("id") is not None:
            found = configurations.get(members["id"])
        elif wanted:
            same = (one for one in configurations.values() if one.get("deviceIdentifier") == wanted)
            found = next(same, None)
        else:
            raise self._refused("MissingRequiredField", "id or deviceIdentifier is required.")
        if found is None:
            raise self._refused("NotFound", f"Configuration {members.get('id') or wanted} not found")
        return found

    def _refused(self, code: str, message: str) -> VendorError:
        return invalid(self._table.resource, [FieldError(code, message, "id")])


def link_table(collection: str) -> Table | None:
    """The table of that collection if it holds links, otherwise None."""
    found = TABLES.get(collection)
    return found if found is not None and found.links else None


def _item(configuration: Record) -> Record:
    shown: Record = {"id": configuration["id"]}
    if configuration.get("deviceIdentifier"):
        shown["deviceIdentifier"] = configuration["deviceIdentifier"]
    return shown
