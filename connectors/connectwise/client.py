"""The client of ConnectWise PSA: a method per vendor operation, by area."""

from __future__ import annotations

from connectors.connectwise.agreements import AgreementOperations
from connectors.connectwise.bundles import BundleOperations
from connectors.connectwise.callbacks import CallbackOperations
from connectors.connectwise.companies import CompanyOperations
from connectors.connectwise.configurations import ConfigurationOperations
from connectors.connectwise.members import MemberOperations
from connectors.connectwise.notes import NoteOperations
from connectors.connectwise.opportunities import OpportunityOperations
from connectors.connectwise.reference_tables import ReferenceTableOperations
from connectors.connectwise.reports import ReportOperations
from connectors.connectwise.service_boards import ServiceBoardOperations
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.connectwise.system import SystemOperations
from connectors.connectwise.ticket_search import TicketSearchOperations
from connectors.connectwise.tickets import TicketOperations
from connectors.connectwise.time_entries import TimeEntryOperations

__all__ = ["ConnectWiseClient", "ConnectWiseSettings"]


class ConnectWiseClient(
    ConfigurationOperations,
    ReferenceTableOperations,
    CompanyOperations,
    SystemOperations,
    AgreementOperations,
    TicketOperations,
    TicketSearchOperations,
    NoteOperations,
    ServiceBoardOperations,
    OpportunityOperations,
    TimeEntryOperations,
    MemberOperations,
    CallbackOperations,
    ReportOperations,
    BundleOperations,
):
    """Every operation that this project uses.

    At most three methods a collection: ``list_x`` returns a list (every record, unless a page is asked for),
    ``x_pages`` yields pages forward-only by id, ``count_x`` counts. Arguments are in ``models.ListSearch``.

    Example:
        ```python
        async with ConnectWiseClient(settings, read_only=True) as client:
            async for page in client.configurations_pages("company/id = 2", fields="id,name"):
                print(len(page))
        ```
    """
