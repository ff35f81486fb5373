"""Set-up tables that records of all kinds refer to: countries, severities, kinds of contacts and members.

Members, lengths and what is required come from the vendor's spec, as everywhere.
"""

from __future__ import annotations

from sandbox.connectwise.schema.fields import Table, choice, computed, each, flag, ref, shown, text, whole

COUNTRIES_NAME = "company/countries"
CONTACT_TYPES_NAME = "company/contacts/types"
MEMBER_TYPES_NAME = "system/members/types"
RATINGS_NAME = "sales/opportunities/ratings"
BILLING_CYCLES_NAME = "finance/billingCycles"
_COUNTRY_CODES = (
    "AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC "
    "EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK "
    "HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB "
    "LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ "
    "NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU "
    "RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)

COUNTRIES = Table(
    name=COUNTRIES_NAME,
    type_name="Country",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        "defaultFlag": flag(),
        "currency": ref("finance/currencies", required=True),
        **each(text(25), "cityCaption stateCaption zipCaption localizationCaptionOne"),
        "zipMinimumLength": shown(whole(), 0),
        "dialingPrefix": text(5),
        "addressFormat": ref("company/addressFormats"),
        "countryCode": text(2),
        "coreEntityCountryCode": choice(*_COUNTRY_CODES.split()),
        "localizationValueOne": text(50),
    },
)

CONTACT_TYPES = Table(
    name=CONTACT_TYPES_NAME,
    type_name="ContactType",
    unique=("description",),
    naming=("description",),
    fields={
        "description": text(50, required=True),
        **each(flag(), "defaultFlag serviceAlertFlag"),
        "serviceAlertMessage": text(150),
        "connectWiseId": computed(text()),
    },
)

MEMBER_TYPES = Table(
    name=MEMBER_TYPES_NAME,
    type_name="MemberType",
    unique=("name",),
    fields={"name": text(30, required=True), "inactiveFlag": flag()},
)

RATINGS = Table(
    name=RATINGS_NAME,
    type_name="OpportunityRating",
    unique=("name",),
    fields={"name": text(50, required=True), "sortOrder": shown(whole(), 0)},
)

BILLING_CYCLES = Table(
    name=BILLING_CYCLES_NAME,
    type_name="BillingCycle",
    unique=("identifier", "name"),
    fields={
        "identifier": text(5, required=True),
        "name": text(50, required=True),
        "defaultFlag": flag(),
        "billingOptions": choice(
            "BiMonthly", "BiWeekly", "Monthly", "NotRecurring", "Quarterly", "SemiAnnual", "Weekly", "Yearly",
            required=True,
        ),
    },
)  # fmt: skip


def _level(name: str, type_name: str) -> Table:
    """Severities and impacts: there are three of each, which can be named anew but not added to."""
    return Table(
        name=name,
        type_name=type_name,
        verbs=frozenset({"list", "get", "replace", "patch"}),
        naming=("name",),
        fields={
            "name": computed(text()),
            "description": text(200, required=True),
            "defaultFlag": flag(),
        },
    )


SEVERITIES = _level("service/severities", "Severity")
IMPACTS = _level("service/impacts", "Impact")
