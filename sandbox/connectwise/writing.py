"""Creating, replacing, patching and deleting one record of any collection."""

from contextlib import AbstractContextManager

from sandbox.connectwise.authorship import authored, initial_notes
from sandbox.connectwise.callback_rules import callback_faults
from sandbox.connectwise.charging import charge_faults
from sandbox.connectwise.configuration_tables import STATUSES
from sandbox.connectwise.errors import FieldFault, VendorError, invalid, not_found
from sandbox.connectwise.fields import Kind, Table
from sandbox.connectwise.patching import patched, sets_custom_fields
from sandbox.connectwise.reading import Body
from sandbox.connectwise.resolving import Resolver
from sandbox.connectwise.settling import settle
from sandbox.connectwise.store import CONFIGURATIONS_NAME, Record, Store, merged
from sandbox.connectwise.tables import SERVED
from sandbox.connectwise.validating import address_fault, faults, taken

API_MEMBER = "apimember"


class Writer:
    """Writes to one collection under the vendor's rules; `parent_id` where it is a child of another."""

    def __init__(self, table: Table, store: Store, parent_id: int | None = None) -> None:
        """Nothing is written yet."""
        self.table = table
        self._store = store
        self._parent_id = parent_id

    def stored(self, record_id: int) -> Record:
        """The stored record, if it is there and belongs to the parent.

        Raises:
            VendorError: 404.
        """
        found = self._store.get(self.table.name, record_id)
        if found is None or not self.belongs(found):
            raise not_found(self.table.label, record_id)
        return found

    def belongs(self, record: Record) -> bool:
        """Whether the record is a child of this path's parent."""
        return self._parent_id is None or record.get(self.table.parent) == {"id": self._parent_id}

    def create(self, members: Record) -> Record:
        """Add a record from the members of a body; defaults are filled in.

        Raises:
            VendorError: InvalidObject with a fault for each member.
        """
        record = self._candidate(members, {})
        with self._one_change(members):
            new = self._store.insert(self.table.name, {}, by=API_MEMBER)
            kept = self._keep(new["id"], record)
            authored(self.table, kept, self._store.collection, self._store.now(), API_MEMBER)
            for note in initial_notes(self.table, members, kept):
                self._store.insert(f"{self.table.name}/notes", note, by=API_MEMBER)
        return kept

    def replace(self, record_id: int, members: Record, resets: list[str] | None = None) -> Record:
        """Put the members in the place of the record: what is not sent goes back to its default.

        `resets` names members that are reset although they were sent.

        Raises:
            VendorError: 404, or InvalidObject.
        """
        before = self.stored(record_id)
        self._require_on_update(members)
        sent = {name: value for name, value in members.items() if name not in (resets or [])}
        kept: Record = {"id": record_id}
        kept |= {
            name: before[name]
            for name, one in self.table.fields.items()
            if name in before and not one.settable
        }
        if self.table.keeps_custom_fields and "customFields" in before:
            kept["customFields"] = before["customFields"]
        record = self._candidate(sent, kept, before=before)
        with self._one_change(members):
            return self._keep(record_id, record)

    def patch(self, record_id: int, body: Body, shown: Record) -> Record:
        """Apply a PATCH document; the whole record is validated, also what was not touched.

        `shown` is the record as the wire has it.

        Raises:
            VendorError: 404, InvalidObject, or an unreadable document.
        """
        before = self.stored(record_id)
        members = patched(self.table, shown, body)
        changes = self._resolved(members, before)
        record = self._laid_over(before, changes)
        self._same_type(before, record)
        with self._one_change(members):
            return self._keep(record_id, self._validated(record, changes))

    def delete(self, record_id: int) -> None:
        """Remove a record.

        Raises:
            VendorError: 404, or 409 where other records refer to it.
        """
        self.stored(record_id)
        used = users(self.table.name, record_id, self._store)
        if used:
            raise VendorError(409, "ConflictError", f"{self.table.label} {record_id} is in use by {used}.")
        self._store.delete(self.table.name, record_id, by=API_MEMBER)
        for child, one in children(self.table.name, record_id, self._store):
            self._store.delete(child, one, by=API_MEMBER)

    def _one_change(self, members: Record) -> AbstractContextManager[None]:
        """Callbacks tell of what is done inside once, or of nothing where the body says `skipCallback`."""
        return self._store.watch.one_change(told=not members.get("skipCallback"))

    def _candidate(self, members: Record, kept: Record, before: Record | None = None) -> Record:
        changes = self._resolved(members, {**self.table.defaults, **kept})
        record = self._laid_over({**self.table.defaults, **kept}, changes)
        if self._parent_id is not None:
            record[self.table.parent] = {"id": self._parent_id}
        if self.table.name == CONFIGURATIONS_NAME and "status" not in record:
            record.update(self._store.default_status())
        if before is not None:
            self._same_type(before, record)
        return self._validated(record, changes, new=before is None)

    def _require_on_update(self, members: Record) -> None:
        missing = [
            FieldFault("MissingRequiredField", f"The {name} field is required.", name)
            for name, one in self.table.fields.items()
            if one.on_update and members.get(name) is None
        ]
        if missing:
            raise invalid(self.table.resource, missing)

    def _resolved(self, members: Record, before: Record) -> Record:
        resolver = Resolver(self.table, self._store)
        changes = resolver.resolved(members, lambda changes: self._laid_over(before, changes))
        if resolver.faults:
            raise invalid(self.table.resource, resolver.faults)
        return changes

    def _laid_over(self, before: Record, changes: Record) -> Record:
        record = {**before, **changes}
        if changes.get("customFields") is not None:
            record["customFields"] = merged(before.get("customFields", {}), changes["customFields"])
        for name in [name for name, value in record.items() if value is None]:
            del record[name]
            if name in self.table.defaults:
                record[name] = self.table.defaults[name]
        settle(self.table, record, self._store.collection, self._store.now)
        return record

    def _validated(self, record: Record, changes: Record, *, new: bool = False) -> Record:
        found: list[FieldFault] = faults(self.table, record, self._store)
        found += taken(self.table, record, changes, self._store)
        found += address_fault(self.table, record) if new else []
        found += callback_faults(self.table, record, self._store)
        found += charge_faults(self.table, record, self._store.collection)
        if found:
            raise invalid(self.table.resource, found)
        return record

    def _same_type(self, before: Record, record: Record) -> None:
        if self.table.name != CONFIGURATIONS_NAME or record.get("type") is None:
            return
        if before.get("type") != record["type"]:
            message = "The type of a configuration can only be changed by changeType."
            raise invalid(self.table.resource, [FieldFault("InvalidField", message, "type/id")])

    def _keep(self, record_id: int, record: Record) -> Record:
        kept = self._store.replace(self.table, record_id, record, by=API_MEMBER)
        if self.table.name == STATUSES and kept.get("defaultFlag"):
            for other in self._store.collection(STATUSES).values():
                if other["id"] != record_id:
                    other["defaultFlag"] = False
        return kept


def change_type(writer: Writer, record_id: int, body: Body, shown: Record, store: Store) -> Record:
    """PATCH `/changeType`: the answers to the old type's questions go, the new type's questions come.

    Raises:
        VendorError: 404, or the document names no type that exists.
    """
    before = writer.stored(record_id)
    changed = patched(writer.table, shown, body).get("type")
    resolver = Resolver(writer.table, store)
    record = {**before, **resolver.resolved({"type": changed})}
    if record["type"] != before.get("type"):
        record.pop("questions", None)
    found = resolver.faults or faults(writer.table, record, store)
    if found:
        raise invalid(writer.table.resource, found)
    return store.replace(writer.table, record_id, record, by=API_MEMBER)


def users(collection: str, record_id: int, store: Store) -> str:
    """The first collection whose records refer to this one, its own children aside; empty if none does."""
    for table in SERVED:
        for name, field in table.fields.items():
            if field.kind is not Kind.REFERENCE or field.target != collection or name == table.parent:
                continue
            if any(one.get(name) == {"id": record_id} for one in store.collection(table.name).values()):
                return table.name
    return ""


def children(collection: str, record_id: int, store: Store) -> list[tuple[str, int]]:
    """Collection and id of the records that go with this one: a type's questions, a company's sites."""
    return [
        (table.name, one["id"])
        for table in SERVED
        if table.parent and not table.gathered and table.parent_target == collection
        for one in store.collection(table.name).values()
        if one.get(table.parent) == {"id": record_id}
    ]


def require_custom_fields(writer: Writer, body: Body, store: Store) -> None:
    """The switch `patch_requires_custom_fields`: a PATCH without a customFields operation is refused."""
    if store.custom_fields(writer.table.name) and not sets_custom_fields(body):
        fault = FieldFault("MissingRequiredField", "The customFields field is required.", "customFields")
        raise invalid(writer.table.resource, [fault])
