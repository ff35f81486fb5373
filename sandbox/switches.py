"""Switches: what the sandbox can do differently where the vendors' real servers are uncertain or differ."""

from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self


@dataclass(slots=True)
class Switches:
    """Every switch of all sides with its default; changed while running by `PUT /_sandbox/switches`.

    ConnectWise (docs/vendors.md):
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
        callback_key_needs_login: the address of the signing key asks for the same keys as every other one
            (one source says so).
        callback_waits: seconds before each further attempt of a callback that got 404, 409, 419 or 429.
        callback_time_limit: seconds after which a callback's receiver counts as silent.
        note_moves_last_updated: adding, changing or deleting a note counts as a change of what it belongs to.

    Lansweeper:
        lansweeper_limits: 150 requests a minute and 2,000 an hour, with the vendor's cool-down.
        alias_counting: a document counts as one request against the limits, or each field of it as one.
        alias_limit: most aliases in one document, above which it gets 400 unread; None: no limit.
        graphql_error_paths: errors of an execution carry `path` beside `message`, or the message only.
        refused_filters: paths that no filter takes: what can be filtered by is documented in three ways.
        unfilled_paths: paths at which no asset has a value, such as `assetBasicInfo.lastUpdated`, which the
            oldest schema does not have.
        total_on_every_page: `total` may be asked for with every page, as the vendor's own client does; False:
            with page FIRST only, as the vendor's page of restrictions says.

    Field Nation (names begin with field_nation_):
        errors: refusals are problem+json of the error catalogue, or `{status, message}` of the REST file.
        rate_limit: [requests, seconds] above which it answers 429; None: no limit. Token calls are free.
        token_seconds: how long an access token lives.
        refresh: the refresh grant works (its body is assumed); False: only a new password grant.
        search_lag: seconds until a new work order is found by lists and searches.
        filter_names: filters have the names of the 2026 page, or those of the older REST file.
        search_incident: `f_search` looks into the Incident ID too (assumed not).
        draft_delete: DELETE of a draft ends Deleted (assumed), or Cancelled.
        refused_step: HTTP status of a step that the work order's status does not allow (400, 409).
        unknown_order: HTTP status of a work order that does not exist (404; older servers 401).
        publish_checks: publish and route want type of work, place, schedule, pay and description (assumed).
        own_events: what the API's own user does is told to webhooks too (assumed).
        webhook_retries: seconds before each further attempt of a delivery that was not heard.
        webhooks_lost, webhooks_doubled: shares (0 to 1) of the deliveries.
        webhook_delay: least and most seconds before a delivery sets out, so that the order is not kept.
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
    note_moves_last_updated: bool = True
    callback_key_needs_login: bool = True
    callback_waits: list[float] = field(default_factory=lambda: [2, 4])
    callback_time_limit: float = 5.0
    lansweeper_limits: bool = True
    alias_counting: Literal["request", "each"] = "request"
    alias_limit: int | None = None
    graphql_error_paths: bool = True
    refused_filters: list[str] = field(default_factory=list)
    unfilled_paths: list[str] = field(default_factory=list)
    total_on_every_page: bool = False
    field_nation_errors: Literal["problem", "message"] = "problem"
    field_nation_rate_limit: list[float] | None = field(default_factory=lambda: [60, 60.0])
    field_nation_token_seconds: float = 3600
    field_nation_refresh: bool = True
    field_nation_search_lag: float = 0.0
    field_nation_filter_names: Literal["new", "old"] = "new"
    field_nation_search_incident: bool = False
    field_nation_draft_delete: Literal["deleted", "cancelled"] = "deleted"
    field_nation_refused_step: int = 400
    field_nation_unknown_order: int = 404
    field_nation_publish_checks: bool = True
    field_nation_own_events: bool = True
    field_nation_webhook_retries: list[float] = field(default_factory=lambda: [10, 20, 40, 80, 160, 320, 640])
    field_nation_webhooks_lost: float = 0.0
    field_nation_webhooks_doubled: float = 0.0
    field_nation_webhook_delay: list[float] = field(default_factory=lambda: [0.0, 0.0])

    @classmethod
    def names(cls) -> set[str]:
        return {one.name for one in fields(cls)}

    def change(self, values: dict[str, Any]) -> None:
        """Set the named switches; ValueError: a name that no switch has; nothing is changed then."""
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
