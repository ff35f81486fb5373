"""MAC and IP addresses: their digits however they are written, and those that are no one machine's own.

    MAC address     colons, dashes, dots, blanks, underscores or nothing between its digits, in full width
                    too; one in other text (``3c:52:82:11:22:33 (Wi-Fi)``) if it is the only one there
    IP address      with or without zone and prefix length; of several all count

The registries behind it: IEEE Std 802 (group and local bits), IANA's special-purpose addresses of IPv4
(RFC 6890) and IPv6.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from tasks.rules.values import plain_text

_LONGEST = 120
"""Characters of a text that an address is looked for in."""
_BETWEEN = str.maketrans("", "", ":-. \t_/")
_HEX = "0123456789abcdef"
_TWELVE_HEX = re.compile(r"[0-9a-f]{12}").fullmatch
_START_OF_HEX = re.compile(r"[0-9a-f]{4,12}").fullmatch
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
_MAC = re.compile(
    r"(?<![0-9a-z])(?<![0-9a-f][:.-])(?:0x)?(?:"
    r"(?P<parted>[0-9a-f]{1,2}(?:(?::[0-9a-f]{1,2}){5}|(?:-[0-9a-f]{1,2}){5}|(?:[ _.][0-9a-f]{2}){5}))"
    r"|(?P<plain>[0-9a-f]{12}|[0-9a-f]{4}([.:-])[0-9a-f]{4}\3[0-9a-f]{4}|[0-9a-f]{6}[:-][0-9a-f]{6})"
    r")(?![0-9a-z]|[:.-][0-9a-f])"
)
_REGULAR = frozenset(
    bytes((first + step * at) % 256 for at in range(6)).hex() for first in range(256) for step in (0, 1)
)
"""One byte repeated, and bytes that count up."""
_ENDS_OF_BLOCKS = frozenset({"000000", "ffffff"})
_SPECIAL = re.compile(r"\[?(?:0|127\.|169\.254\.|2[2345]|::|f[ef])", re.IGNORECASE).match
"""How each address that is no one machine's own begins."""
_ADDRESS = re.compile(r"\[?([0-9a-f.:]+?)\]?(?:%[\w.-]+)?(?:/\d{1,3})?", re.IGNORECASE).fullmatch
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_NOWHERE = IPv4Address("0.255.255.255")


def mac_digits(value: Any) -> str | None:
    """The twelve hex digits of a MAC address in lower case, however they are parted; None if it has not."""
    if not isinstance(value, str):
        return None
    digits = value.replace(":", "").replace("-", "").lower()  # Four times as fast as the table below.
    return digits if len(digits) == 12 and not digits.strip(_HEX) else _digits_within(value)


def _digits_within(value: str) -> str | None:
    text = plain_text(value)
    if text is None or len(text) > _LONGEST:
        return None
    text = unicodedata.normalize("NFKC", text).translate(_DASHES).lower()
    digits = text.translate(_BETWEEN)
    if _TWELVE_HEX(digits):
        return digits
    found = {_padded(each["parted"]) or each["plain"].translate(_BETWEEN) for each in _MAC.finditer(text)}
    return found.pop() if len(found) == 1 else None


def _padded(parted: str | None) -> str:
    """``3c:52:82:1:2:33`` with two digits a part, as ``arp`` on some systems leaves out zeros."""
    return "".join(part.zfill(2) for part in re.split(r"[^0-9a-f]", parted)) if parted else ""


def mac_start(text: str) -> str | None:
    """The digits of an address or of its start, 4 at least; None for anything else."""
    digits = text.translate(_BETWEEN).lower()
    return digits if _START_OF_HEX(digits) else None


def is_zero_address(text: str) -> bool:
    """Whether an address of another length is zero but for its end, as those of tunnels (``...-00-E0``)."""
    return text.translate(_BETWEEN).startswith("0" * 12)


def is_no_cards(digits: str) -> bool:
    """Whether twelve hex digits are a group's or of a form that no card has.

    That is one byte repeated, the first or last address of a maker's block, or bytes that count up.
    """
    return digits[1] in "13579bdf" or digits in _REGULAR or digits[6:] in _ENDS_OF_BLOCKS


def is_no_machines_ip(text: str, *, link_local: bool = True) -> bool:
    """Whether a text holds IP addresses and none is one machine's: unspecified, loopback, group, reserved.

    ``link_local`` counts ``169.254.0.0/16`` and ``fe80::/10``, which a machine gives itself where nothing
    gave it one; a router's own is a gateway all the same.
    """
    if _SPECIAL(text) is None:
        return False
    parts = re.split(r"[\s,;|]+", text)
    return all(_is_special(part, link_local) for part in parts if part)


def _is_special(text: str, link_local: bool) -> bool:
    found = _ADDRESS(text)
    address = _read_ip(found[1]) if found else None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address is None:
        return False
    if address.is_unspecified or address.is_loopback or address.is_multicast:
        return True
    if address.is_link_local:
        return link_local
    return isinstance(address, IPv4Address) and (address.is_reserved or address <= _NOWHERE)


def _read_ip(text: str) -> IPv4Address | IPv6Address | None:
    for form in (text, _LEADING_ZEROS.sub("", text)):
        try:
            return ip_address(form)
        except ValueError:
            continue
    return None
