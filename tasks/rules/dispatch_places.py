"""States and countries as Field Nation takes them: two letters each; another country than US isn't found."""

from __future__ import annotations

_STATES = (
    "Alabama AL,Alaska AK,Arizona AZ,Arkansas AR,California CA,Colorado CO,Connecticut CT,Delaware DE,"
    "District of Columbia DC,Florida FL,Georgia GA,Hawaii HI,Idaho ID,Illinois IL,Indiana IN,Iowa IA,"
    "Kansas KS,Kentucky KY,Louisiana LA,Maine ME,Maryland MD,Massachusetts MA,Michigan MI,Minnesota MN,"
    "Mississippi MS,Missouri MO,Montana MT,Nebraska NE,Nevada NV,New Hampshire NH,New Jersey NJ,"
    "New Mexico NM,New York NY,North Carolina NC,North Dakota ND,Ohio OH,Oklahoma OK,Oregon OR,"
    "Pennsylvania PA,Puerto Rico PR,Rhode Island RI,South Carolina SC,South Dakota SD,Tennessee TN,"
    "Texas TX,Utah UT,Vermont VT,Virginia VA,Washington WA,West Virginia WV,Wisconsin WI,Wyoming WY"
)
_BY_NAME = {name.lower(): code for name, _, code in (each.rpartition(" ") for each in _STATES.split(","))}
_COUNTRIES = {
    "us": "US",
    "usa": "US",
    "u.s.": "US",
    "u.s.a.": "US",
    "united states": "US",
    "united states of america": "US",
    "ca": "CA",
    "canada": "CA",
}


def state_code(text: str) -> str:
    """``Florida``, ``fl`` -> ``FL``; ValueError for what is neither a state's name nor two letters."""
    folded = " ".join(text.lower().split())
    if folded in _BY_NAME:
        return _BY_NAME[folded]
    if len(folded) == 2 and folded.isalpha():
        return folded.upper()
    raise ValueError(f"{text!r} is no state; write its two letters")


def country_code(text: str) -> str:
    """``United States``, ``USA`` -> ``US``; any other two letters stay; ValueError for other text."""
    folded = " ".join(text.lower().split())
    if folded in _COUNTRIES:
        return _COUNTRIES[folded]
    if len(folded) == 2 and folded.isalpha():
        return folded.upper()
    raise ValueError(f"{text!r} is no country that is known; write its two letters, such as US")
