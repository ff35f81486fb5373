"""Every served collection by name, and the tables of the small ones that only references point to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sandbox.connectwise.schema.boards import (
    BOARD_ITEMS,
    BOARD_STATUSES,
    BOARD_SUBTYPES,
    BOARD_TEAMS,
    BOARD_TYPES,
    BOARDS,
    PRIORITIES,
    SOURCES,
)
from sandbox.connectwise.schema.company import (
    COMMUNICATION_TYPES,
    COMPANIES,
    COMPANY_STATUSES,
    COMPANY_TYPES,
    CONFIGURATION_QUESTIONS,
    CONFIGURATION_STATUSES,
    CONFIGURATION_TYPES,
    CONFIGURATIONS,
    CONTACT_NOTES,
    CONTACTS,
    SITES,
)
from sandbox.connectwise.schema.fields import Kind, Table, text
from sandbox.connectwise.schema.finance import (
    ADDITIONS,
    ADJUSTMENTS,
    AGREEMENT_CONFIGURATIONS,
    AGREEMENT_TYPES,
    AGREEMENTS,
    OPPORTUNITIES,
    OPPORTUNITY_NOTES,
    OPPORTUNITY_STATUSES,
    OPPORTUNITY_TYPES,
    SLAS,
)
from sandbox.connectwise.schema.further import FURTHER
from sandbox.connectwise.schema.members import MEMBER_INFO, MEMBERS
from sandbox.connectwise.schema.service import (
    ALL_PROJECT_NOTES,
    ALL_SERVICE_NOTES,
    PROJECT_NOTES,
    PROJECT_TASKS,
    PROJECT_TICKET_CONFIGURATIONS,
    PROJECT_TICKETS,
    SERVICE_NOTES,
    SERVICE_TASKS,
    SERVICE_TICKET_CONFIGURATIONS,
    SERVICE_TICKETS,
    TICKET_REFERENCES,
    TIME_ENTRIES,
)
from sandbox.connectwise.schema.setup import (
    BILLING_CYCLES,
    CONTACT_TYPES,
    COUNTRIES,
    IMPACTS,
    MEMBER_TYPES,
    RATINGS,
    SEVERITIES,
)
from sandbox.connectwise.schema.system import (
    CALLBACKS,
    DEPARTMENT_INFO,
    DEPARTMENTS,
    LOCATION_INFO,
    LOCATIONS,
    MANUFACTURERS,
    STRUCTURE_LEVELS,
    USER_DEFINED_FIELDS,
)

DESCRIBED: tuple[Table, ...] = (
    CONFIGURATIONS, CONFIGURATION_TYPES, CONFIGURATION_QUESTIONS, CONFIGURATION_STATUSES, COMPANIES, SITES,
    CONTACTS, DEPARTMENTS, LOCATIONS, STRUCTURE_LEVELS, MANUFACTURERS, USER_DEFINED_FIELDS, MEMBERS, SLAS,
    AGREEMENT_TYPES, AGREEMENTS, AGREEMENT_CONFIGURATIONS, BOARDS, BOARD_STATUSES, BOARD_TYPES, BOARD_TEAMS,
    PRIORITIES, SOURCES, COMPANY_STATUSES, COMPANY_TYPES, COMMUNICATION_TYPES,
    SERVICE_TICKETS, SERVICE_TICKET_CONFIGURATIONS, SERVICE_NOTES, ALL_SERVICE_NOTES, PROJECT_TICKETS,
    PROJECT_TICKET_CONFIGURATIONS, PROJECT_NOTES, ALL_PROJECT_NOTES, OPPORTUNITIES, OPPORTUNITY_NOTES,
    OPPORTUNITY_STATUSES, OPPORTUNITY_TYPES, TIME_ENTRIES, CALLBACKS, BOARD_SUBTYPES, BOARD_ITEMS,
    SERVICE_TASKS, PROJECT_TASKS, ADDITIONS, ADJUSTMENTS, CONTACT_NOTES, CONTACT_TYPES, COUNTRIES,
    MEMBER_TYPES, RATINGS, BILLING_CYCLES, SEVERITIES, IMPACTS, MEMBER_INFO, LOCATION_INFO, DEPARTMENT_INFO,
    *TICKET_REFERENCES,
)  # fmt: skip
"""The collections of the vendor's spec."""

SERVED: tuple[Table, ...] = (*DESCRIBED, *FURTHER)

TABLES: Mapping[str, Table] = {table.name: table for table in SERVED}

# Where the custom fields of a record type sit: (podId, screenId, words). The numbers are this sandbox's own;
# the vendor's differ by installation and only their descriptions are known.
PODS: Mapping[str, tuple[int, str, str]] = {
    "company/configurations": (12, "cf100", "Configuration"),
    "company/companies": (1, "cp100", "Company"),
    "company/contacts": (3, "ct100", "Contact"),
    "company/sites": (5, "cs100", "Site"),
    "service/tickets": (15, "sr100", "Ticket"),
    "project/tickets": (16, "pm100", "Project Ticket"),
    "finance/agreements": (21, "ag100", "Agreement"),
    "sales/opportunities": (31, "op100", "Opportunity"),
    "time/entries": (41, "te100", "Time Entry"),
}


def table_of(name: str) -> Table:
    """The table of a collection; for one that is not served, a table of records with just a name."""
    found = TABLES.get(name)
    if found is not None:
        return found
    resource = name.rpartition("/")[2].removesuffix("es" if name.endswith("ses") else "s")
    return Table(name=name, type_name=resource, resource=resource, fields={"name": text()})


def references_to(collection: str) -> Iterator[tuple[Table, str]]:
    """Each served table and member of it that refers to one record of the collection."""
    for table in SERVED:
        for name, field in table.fields.items():
            if field.kind is Kind.REFERENCE and field.target == collection and not table.gathered:
                yield table, name
