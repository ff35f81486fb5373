"""States, provinces and countries as Field Nation takes them: two letters each.

Names and codes are those of ISO 3166, from the library pycountry (Debian's iso-codes, offline). Names are
known of the two countries that Field Nation's buyers dispatch in, codes of every country. The library is
imported where it is used, since loading its data takes longer than mapping a thousand records.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache

from tasks.rules.values import folded

_BY_NAME_IN = ("US", "CA")
_ABBREVIATIONS = (
    "Ala AL,Alas AK,Ariz AZ,Ark AR,Calif CA,Cal CA,Colo CO,Conn CT,Del DE,Fla FL,Ill IL,Ind IN,"
    "Kan KS,Kans KS,Ky KY,Mass MA,Mich MI,Minn MN,Miss MS,Mont MT,Neb NE,Nebr NE,Nev NV,NMex NM,"
    "NDak ND,Okla OK,Ore OR,Oreg OR,Penn PA,Penna PA,SDak SD,Tenn TN,Tex TX,Wash WA,WVa WV,Wis WI,"
    "Wisc WI,Wyo WY,Alta AB,Man MB,Nfld NL,Newfoundland NL,NWT NT,Ont ON,PEI PE,Que QC,PQ QC,"
    "Sask SK,Yukon Territory YT,Washington DC DC,Wash DC DC,Qué QC,Armed Forces Americas AA,"
    "Armed Forces Europe AE,Armed Forces Pacific AP,New York State NY,Virgin Islands VI,US Virgin Islands VI,"
    "N Carolina NC,No Carolina NC,S Carolina SC,So Carolina SC,N Dakota ND,No Dakota ND,S Dakota SD,"
    "So Dakota SD,"
    "W Virginia WV,N Hampshire NH,N Mexico NM,State of New York NY,Washington State WA,"
    "Commonwealth of Massachusetts MA,Commonwealth of Pennsylvania PA,Commonwealth of Virginia VA,"
    "Commonwealth of Kentucky KY,Newfoundland Labrador NL,Colombie Britannique BC,Nouveau Brunswick NB,"
    "Nouvelle Écosse NS,Île du Prince Édouard PE,Terre Neuve et Labrador NL,Terre Neuve NL,"
    "Territoires du Nord Ouest NT,NB NB,NS NS"
)
"""Abbreviations that newspapers and post offices use, and Canada's French names, beside ISO's names."""
_LONGEST_CODE = 3
_LONGEST = 60
"""Characters of a state or country that are looked at."""
_NO_SIGNS = dict.fromkeys(map(ord, ".'’ʻ"))
_PARTS = re.compile(r"[,()/]|\s-+\s").split
_FORM_OF_STATE = re.compile(r"^\s*(?:state|province|commonwealth)\s+of\s+(?:the\s+)?", re.IGNORECASE)
_MILITARY = ("AA", "AE", "AP")
"""Codes of the United States' military post in place of a state."""
_OTHER_COUNTRIES = {
    **dict.fromkeys(("us of a", "america", "the united states", "the united states of america"), "US"),
    **dict.fromkeys(("estados unidos", "etats unis", "vereinigte staaten"), "US"),
    **dict.fromkeys(("uk", "great britain", "england", "scotland", "wales", "northern ireland"), "GB"),
    "kanada": "CA",
    "turkey": "TR",
    "russia": "RU",
    "ivory coast": "CI",
    "the netherlands": "NL",
    "holland": "NL",
    "deutschland": "DE",
    **dict.fromkeys(("espana", "espagne", "spanien"), "ES"),
    **dict.fromkeys(("osterreich", "autriche"), "AT"),
    **dict.fromkeys(("schweiz", "suisse", "svizzera"), "CH"),
    **dict.fromkeys(("belgique", "belgie"), "BE"),
    **dict.fromkeys(("republic of korea", "korea"), "KR"),
    "brasil": "BR",
    "italia": "IT",
    "polska": "PL",
    "sverige": "SE",
    "norge": "NO",
    "danmark": "DK",
    "suomi": "FI",
    "nederland": "NL",
    "cote d ivoire": "CI",
    "macedonia": "MK",
    "swaziland": "SZ",
    "cape verde": "CV",
    "burma": "MM",
    "vatican": "VA",
    "vatican city": "VA",
    "palestine": "PS",
    "macau": "MO",
    "brunei": "BN",
    "micronesia": "FM",
    "hong kong sar": "HK",
    **dict.fromkeys(("eeuu", "ee uu"), "US"),
}
"""Names that ISO does not list, in the form of ``_bare``."""


def state_code(text: str) -> str:
    """``Florida``, ``fl``, ``Fla.`` -> ``FL``; ``Québec`` -> ``QC``.

    Raises ValueError for what is no state or province of the United States or Canada, and no two letters by
    which another country calls one of its own.
    """
    found = _state(text) or _state_of_parts(text)
    if found is None:
        near = get_close_matches(_joined(text[:_LONGEST]), _named_states(), n=2, cutoff=0.75)
        hint = " or ".join(f"{_named_states()[each]} ({_states()[each]})" for each in near)
        raise ValueError(
            f"{text[:60]!r} is no state or province; write its two letters"
            + (f". Did you mean {hint}?" if hint else "")
        )
    return found


def _state(text: str) -> str | None:
    name = _joined(text)
    return _states().get(name) or (name.upper() if name.upper() in _codes() else None)


def _state_of_parts(text: str) -> str | None:
    """``Texas, USA``, ``TX - Texas``, ``State of Texas``: one state, said twice or beside its country."""
    if len(text) > _LONGEST:
        return None
    parts = [part for part in _PARTS(_FORM_OF_STATE.sub("", text)) if part.strip()]
    named = [part for part in parts if _joined(part) in _states() or not _is_country(part)]
    if len(named) > 1 and _is_country(named[-1]):
        # Of "Ontario, CA" the last is Canada, of "CA, US" the first is California.
        named.pop()
    found = {_states().get(_joined(part)) for part in named}
    return found.pop() if len(found) == 1 else None


def _is_country(text: str) -> bool:
    return _countries().get(_bare(text)) in _BY_NAME_IN


def _joined(text: str) -> str:
    return _bare(text).replace(" ", "")


@cache
def _named_states() -> dict[str, str]:
    """What ISO calls the states and provinces that are known by name, by the form in which they compare."""
    return {_joined(name): name for country in _BY_NAME_IN for _, name in _subdivisions(country)}


def is_foreign(state: str, country: str) -> bool:
    """Whether a state's code is of neither the United States nor Canada, and the address in one of them.

    Their own codes are left to Field Nation to judge, which knows both by one list.
    """
    return country in _BY_NAME_IN and state not in set(_states().values())


def country_of_state(text: str) -> str:
    """``CA`` where only Canada has such a province, by name or code; else empty."""
    try:
        code = state_code(text) if text else ""
    except ValueError:
        return ""
    return "CA" if code in {province for province, _ in _subdivisions("CA")} else ""


def country_code(text: str) -> str:
    """``United States``, ``USA`` -> ``US``; ValueError for what ISO 3166 does not know."""
    found = _countries().get(_bare(text))
    if found is None:
        near = get_close_matches(_bare(text[:_LONGEST]), _countries(), n=2, cutoff=0.8)
        hint = " or ".join(dict.fromkeys(f"{each.title()} ({_countries()[each]})" for each in near))
        raise ValueError(
            f"{text[:60]!r} is no country that is known; write its two letters, such as US"
            + (f". Did you mean {hint}?" if hint else "")
        )
    return found


def _bare(text: str) -> str:
    """Folded, without signs: ``D.C.`` is ``dc``; a name, longer than a code, without accents, too."""
    letters = (
        folded(unicodedata.normalize("NFKC", text))
        .replace(".", "")
        .replace("'", "")
        .replace("’", "")
        .replace("ʻ", "")
    )
    if len(letters) > _LONGEST_CODE:
        letters = unicodedata.normalize("NFD", letters)
    plain = "".join(each if each.isalpha() else " " for each in letters if not unicodedata.combining(each))
    return " ".join(plain.split())


@cache
def _states() -> dict[str, str]:
    found = {
        _bare(name): code for name, _, code in (each.rpartition(" ") for each in _ABBREVIATIONS.split(","))
    }
    for country in _BY_NAME_IN:
        for code, name in _subdivisions(country):
            found |= {_bare(name): code, code.lower(): code, f"{country.lower()} {code.lower()}": code}
    found |= {each.lower(): each for each in _MILITARY}
    return {name.replace(" ", ""): code for name, code in found.items()}


@cache
def _codes() -> frozenset[str]:
    import pycountry

    codes = (each.code.partition("-")[2] for each in pycountry.subdivisions)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha())


def _subdivisions(country: str) -> Iterator[tuple[str, str]]:
    import pycountry

    for each in pycountry.subdivisions:
        if each.code.startswith(f"{country}-"):
            yield each.code.partition("-")[2], each.name.partition(",")[0]


@cache
def _countries() -> dict[str, str]:
    import pycountry

    found = dict(_OTHER_COUNTRIES)
    for each in pycountry.countries:
        names = (
            each.name,
            each.alpha_2,
            each.alpha_3,
            getattr(each, "official_name", ""),
            getattr(each, "common_name", ""),
        )
        found |= {_bare(name): each.alpha_2 for name in names if name}
    return found
