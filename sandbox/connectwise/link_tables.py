"""Which configurations belong to an agreement or a ticket: child collections of very small records.

Their items are `{id, deviceIdentifier, _info}`, the id being the configuration's; a link is made by POST of
an id, taken away by DELETE, and never changed.
"""

from sandbox.connectwise.fields import Table, text

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
