"""What identifies a device: serial numbers, MAC addresses and names, made comparable, and matched by.

These three keys match what no stored link joins (``KeyTable``); an index says which records hold which value.

A filler is a value that manufacturers and scanners put where nothing is known. Fillers count as absent:
two devices that share one are not the same device.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

# Zero-width space, joiners, word joiner, byte order mark, soft hyphen, direction marks: ConnectWise's text
# fields are known to hold them, and no person sees them.
_INVISIBLE = dict.fromkeys(
    [0x00AD, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065)]
)
_NOT_HEX = str.maketrans("", "", ":-. \t")
_TWELVE_HEX = re.compile(r"[0-9a-f]{12}").fullmatch
_IP_ADDRESS = re.compile(r"(\d{1,3}\.){3}\d{1,3}|[0-9a-f]*:[0-9a-f:]*:[0-9a-f.:]*").fullmatch

# Values that stand for "nothing is known" in any field, compared case-folded.
FILLERS = frozenset(
    {
        "", "-", "--", "---", "?", ".", "0", "n/a", "n.a.", "none", "(none)", "null", "nil", "unknown",
        "(unknown)", "undefined", "unspecified", "not specified", "not available", "not applicable",
        "not defined", "not set", "default string", "to be filled by o.e.m.", "to be filled by o.e.m",
        "to be filled by oem", "o.e.m.", "oem", "tbd", "system manufacturer", "system product name",
    }
)  # fmt: skip

# Placeholders of firmware vendors, seen where a serial number belongs.
FILLER_SERIALS = FILLERS | {
    "system serial number", "serial number", "serialnumber", "chassis serial number", "no serial number",
    "base board serial number", "board serial number", "baseboard serial number", "sys-serial", "serial",
    "no serial", "empty serial number", "not present", "not settable",
    "type1productconfigid", "123", "1234", "12345", "123456", "1234567", "12345678",
    "123456789", "1234567890", "0123456789", "01234567890123456789", "mb-1234567890", "ev1234567890",
    "abcdefg", "sn", "s/n", "sernum0", "default_string", "filled by o.e.m.", "na", "empty", "blank",
    "default", "invalid", "other",
}  # fmt: skip

# Names that many devices carry because nobody gave them one.
FILLER_NAMES = FILLERS | {"localhost", "localhost.localdomain", "no name", "noname", "unnamed", "new device"}

# Addresses of no card at all, and of virtual adapters that carry the same address on every computer.
FILLER_MACS = frozenset(
    {
        "000000000000", "ffffffffffff", "000000000001", "020000000000", "123456789abc", "123456789012",
        "204153594eff",  # Windows RAS adapter
        "505054503030",  # Windows PPTP miniport
        "33506f453030",  # Windows PPPoE miniport
        "02004c4f4f50",  # Microsoft loopback adapter
        "00059a3c7a00", "00059a3c7800",  # Cisco VPN adapter
        "00090ffe0001",  # Fortinet VPN adapter
        "005056c00001", "005056c00008",  # VMware host adapters
        "0a0027000000", "080027000000",  # VirtualBox host adapters
    }
)  # fmt: skip


def plain_text(value: Any) -> str | None:
    """Text without outer blanks and invisible marks, composed the Unicode way; None if nothing is left.

    Numbers become their text (a serial number may come as a number); other values give None.
    """
    if not isinstance(value, str):
        if value is None or isinstance(value, bool) or not isinstance(value, int | float):
            return None
        value = str(value)
    text = value.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_INVISIBLE)).strip()
    return text or None


def is_filler(value: Any) -> bool:
    """Whether a value of any field says that nothing is known, as "To be filled by O.E.M." does."""
    text = plain_text(value)
    return text is None or text.casefold() in FILLERS


def normal_serial(value: Any, case_sensitive: bool = True) -> str | None:
    """A serial number to compare; None for a filler and for one letter repeated ("0000", "XXXX")."""
    text = plain_text(value)
    if text is None:
        return None
    folded = text.casefold()
    if folded in FILLER_SERIALS or not folded.strip(folded[0]):
        return None
    return text if case_sensitive else folded


def mac_digits(value: Any) -> str | None:
    """The twelve hex digits of a MAC address in lower case, however they are parted; None if it has not."""
    if not isinstance(value, str):
        return None
    digits = value.replace(":", "").replace("-", "").lower()  # Four times as fast as the table below.
    if not _TWELVE_HEX(digits):
        text = plain_text(value)
        digits = text.translate(_NOT_HEX).lower() if text else ""
    return digits if _TWELVE_HEX(digits) else None


def normal_mac(value: Any) -> str | None:
    """The twelve hex digits of a MAC address; None for fillers, groups and anything else."""
    digits = mac_digits(value)
    if digits is None or digits in FILLER_MACS or int(digits[1], 16) & 1:
        return None
    return digits


def normal_name(value: Any, case_sensitive: bool = True) -> str | None:
    """A name to compare; None for names that stand for no name, such as "localhost"."""
    text = plain_text(value)
    if text is None:
        return None
    folded = text.casefold()
    if folded in FILLER_NAMES:
        return None
    return text if case_sensitive else folded


def is_ip_address(text: str) -> bool:
    """Whether a name is nothing but an IP address, which passes from device to device."""
    return _IP_ADDRESS(text.lower()) is not None


SERIAL, MAC, NAME = range(3)
KEYS = (SERIAL, MAC, NAME)


class _Identified(Protocol):
    name: str | None
    serial: str | None
    mac: str | None


class Holders:
    """Which records, by position, hold a value. Most values have one holder, so only the rest get a list."""

    __slots__ = ("_first", "_several")

    def __init__(self, values: Iterable[str | None]) -> None:
        first: dict[str, int] = {}
        several: dict[str, list[int]] = {}
        for position, value in enumerate(values):
            if value is not None and first.setdefault(value, position) != position:
                several.setdefault(value, [first[value]]).append(position)
        self._first, self._several = first, several

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __contains__(self, value: str) -> bool:
        return value in self._first

    def of(self, value: str) -> Sequence[int]:
        """The positions of the records that hold the value, in ascending order."""
        several = self._several.get(value)
        if several is not None:
            return several
        position = self._first.get(value)
        return () if position is None else (position,)


class KeyTable:
    """The normal form of every key of one side's records, and its holders."""

    def __init__(self, records: Sequence[_Identified], case_sensitive: bool) -> None:
        self.values: tuple[list[str | None], ...] = (
            [normal_serial(record.serial, case_sensitive) for record in records],
            [normal_mac(record.mac) for record in records],
            [normal_name(record.name, case_sensitive) for record in records],
        )
        self.holders = tuple(Holders(values) for values in self.values)


def contradiction(
    assets: KeyTable, asset: int, configurations: KeyTable, configuration: int, key: int
) -> int | None:
    """The strongest key above ``key`` that both sides know and that differs by more than case, or None."""
    for stronger in range(key):
        mine, theirs = assets.values[stronger][asset], configurations.values[stronger][configuration]
        if mine is None or theirs is None or mine == theirs:
            continue
        if mine.casefold() != theirs.casefold():
            return stronger
    return None
