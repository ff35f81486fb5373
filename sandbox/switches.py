"""What the sandbox can be told to do differently, where the vendors' real servers are uncertain or differ."""

from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self


@dataclass(slots=True)
class Switches:
    """Every switch of both sides with its default; changed while running by `PUT /_sandbox/switches`.

    ConnectWise (the reference's open questions):
        bulk_answer: shape of a bulk POST or PUT answer: the spec's BulkResult, its items as a bare array, or
            records (one alone, several as an array; a refused item is an error body in its place).
        bulk_enabled: False answers bulk calls as an endpoint that does not exist.
        bulk_put_resets: names of fields that a bulk PUT resets although they were sent.
        bulk_limit: most items a bulk call takes; None: no limit.
        page_size_over_limit: a page size above 1,000 is capped silently, or refused with 400.
        missing_client_id_status, bad_keys_status: HTTP status of those refusals (400, 401, 403; 401, 404).
        unset_custom_field: a custom field without a value omits `value`, or has `"value": null`.
        patch_requires_custom_fields: a PATCH of a configuration without a customFields operation gets 400.
        unknown_fields: unknown names in `fields=` are ignored, or get 400.
        denied: collections (API paths without the leading slash) that answer 403 Security.
        rate_limit: [requests, seconds] above which ConnectWise answers 429; None: no limit.
        codebase: the code base that `/login/companyinfo` names; `v4_6_release/` always works beside it.
        agreement_report: the report view ConfigurationAgreement is there.
        bundle_limit: most requests in a bundle (the vendor's limit is not known); 0: no such endpoint.
        bundle_resource_types: what a bundle takes beside ticket, company, member and purchaseorderlineitem,
            the names that the vendor shows; these are assumed.
        configuration_condition: what tickets' conditions know of `configuration/id`: nothing, only
            `configuration/id=N`, or `in` too.
        configuration_condition_on_project: project tickets' conditions know it as service tickets' do.
        ticket_search: POST `/service/tickets/search` and `/project/tickets/search` are there.
        attach_moves_last_updated, detach_moves_last_updated: attaching a configuration to a ticket or an
            agreement, or detaching it, counts as a change of that ticket or agreement.

    Lansweeper:
        lansweeper_limits: 150 requests a minute and 2,000 an hour, with the vendor's cool-down.
        alias_counting: a document counts as one request against the limits, or each field of it as one.
        alias_limit: most aliases in one document, above which it gets 400 unread; None: no limit.
        graphql_error_paths: errors of an execution carry `path` beside `message`, or the message only.
    """

    bulk_answer: Literal["bulk_result", "array", "record"] = "bulk_result"
    bulk_enabled: bool = True
    bulk_put_resets: list[str] = field(default_factory=list)
    bulk_limit: int | None = None
    page_size_over_limit: Literal["cap", "refuse"] = "cap"
    missing_client_id_status: int = 401
    bad_keys_status: int = 401
    unset_custom_field: Literal["omit", "null"] = "omit"
    patch_requires_custom_fields: bool = False
    unknown_fields: Literal["ignore", "refuse"] = "ignore"
    denied: list[str] = field(default_factory=list)
    rate_limit: list[float] | None = None
    codebase: str = "v4_6_release/"
    agreement_report: bool = True
    bundle_limit: int = 1
    bundle_resource_types: list[str] = field(
        default_factory=lambda: ["ticketconfiguration", "agreementconfiguration"]
    )
    configuration_condition: Literal["off", "single", "in"] = "single"
    configuration_condition_on_project: bool = True
    ticket_search: bool = True
    attach_moves_last_updated: bool = True
    detach_moves_last_updated: bool = True
    lansweeper_limits: bool = True
    alias_counting: Literal["request", "each"] = "request"
    alias_limit: int | None = None
    graphql_error_paths: bool = True

    @classmethod
    def names(cls) -> set[str]:
        """The names of all switches."""
        return {one.name for one in fields(cls)}

    def change(self, values: dict[str, Any]) -> None:
        """Set the named switches.

        Raises:
            ValueError: a name that no switch has; nothing is changed then.
        """
        unknown = sorted(set(values) - self.names())
        if unknown:
            raise ValueError(f"no such switch: {', '.join(unknown)}")
        for name, value in values.items():
            setattr(self, name, value)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """The default switches with the named ones set."""
        switches = cls()
        switches.change(values)
        return switches
