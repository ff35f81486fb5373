"""What says nothing: fillers of every kind, however they are written, and values that only look like one."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.rules.mapping import fillers
from tasks.rules.mapping.fillers import FILLERS, FillerKind, MoreFillers
from tasks.rules.mapping.identifiers import normal_mac, normal_name, normal_serial
from tasks.rules.values import begins_longer_than, plain_text

LISTS = tomllib.loads(Path(fillers.__file__).with_suffix(".toml").read_text(encoding="utf-8"))["lists"]
TEXTS = sorted(FILLERS.lists["text"])
WORDS = sorted(
    {word for each in LISTS if each["kind"] in ("text", "nothing", "beside") for word in each["values"]}
)

SERIALS = [
    "123456790",
    "0000-0000",
    "To be filled by OEM.",
    "To Be Filled By O.E.M.",
    "to be filled by o.e.m",
    "x.x.x",
    "Default string",
    "DEFAULT_STRING",
    "System Serial Number",
    "Not Specified",
    "INVALID",
    "None",
    "N/A",
    "n.a.",
    "0123456789",
    "Chassis Serial Number",
    "1.0.0",
    "XXXX-XXXX",
    "..........",
    "987654321",
    "SN-12345",
    "SYS-1234567890",
    "MB-1234567890",
    "SN: none",
    "00000000-0000-0000-0000-000000000000",
    "1",
    "03000200-0400-0500-0006-000700080009",
    "T\u200bo be filled by O.E.M.",
    "\u2068N/A\u2069",
    "\uff10\uff10\uff10\uff10",
    "Type2 - Board Serial Number",
    "Unspecified Base Board Serial Number",
    "To Be Filled By O.E.M. by More String",
    "To be filled by O.E.M.To be filled by O.E.M.",
    "To Be Set By OEM",
    "T0 BE FILLED BY 0.E.M.",
    "Enter Serial Number Here",
    "No S/N",
    "Num\u00e9ro de s\u00e9rie",
    "keine Seriennummer",
    "SIN NUMERO",
    "\u043d\u0435\u0442",
    "BSN-1234567890",
    "BSS12345678901234567",
    "GB-1234567890",
    "SN000000",
    "PF000000",
    "0x00000000",
    "0xFFFFFFFF",
    "0987654321",
    "ABCDEFGHIJ",
    "ABC123456",
    "1234567890ABCDEF",
    "$",
    "Dell",
    "VMware",
    "Amazon EC2",
    "HP Serial",
    "v1.0",
]
REAL_SERIALS = [
    "5CG1234XYZ",
    "00d0c39f",
    "4711",
    "1001",
    "7C-77",
    "MB1234X",
    "SN0815",
    "VMware-56 4d",
    "NA12",
    "12321",
    "NONE123",
    "0000123",
    "SN1000",
    "SN000000001",
    "ASSET001",
    "TEST-001",
    "Parallels-12 34 56 78 9A BC DE F0 12 34 56 78 9A BC DE F0",
    "121212",
    "FF00FF",
    "1234ABCD",
    "J0001",
    "DEFAULT1",
    "TYPE-R",
    "Unknown-77",
]
MACS = [
    "ac:de:48:00:11:22",
    "EE-EE-EE-EE-EE-EE",
    "0000.0000.0000",
    "ff:ff:ff:ff:ff:ff",
    "01:00:5e:00:00:fb",
    "33:33:00:00:00:01",
    "00:50:56:C0:00:01",
    "00:50:56:c0:00:63",
    "20:41:53:59:4e:ff",
    "02:42:ac:11:00:02",
    "00:53:45:00:00:00",
    "11:22:33:44:55:66",
    "N/A",
    "44:45:53:54:42:00",
    "00:00:5e:00:01:0a",
    "0000.0c07.ac05",
    "02:bf:0a:00:00:01",
    "0c:5b:8f:27:9a:64",
    "00:90:4c:11:22:33",
    "00:e0:4c:68:00:01",
    "00:ff:12:34:56:78",
    "3c:52:82:00:00:00",
    "3c:52:82:ff:ff:ff",
    "00:01:02:03:04:05",
    "50:51:52:53:54:55",
    "00:00:00:00:00:10",
    "00-00-00-00-00-00-00-E0",
]
ANYWHERE = [
    "Unknown",
    "unknown.",
    "Unkn\u043ewn",
    "N\u041eN\u0415",
    "N\u03bfne",
    "\u0422\u043e be filled by \u041e.\u0415.\u041c.",
    "To be filled by 0.E.M.",
    "To_Be_Filled_By_OEM",
    "\uff35\uff2e\uff2b\uff2e\uff2f\uff37\uff2e",
    "\uff24\uff45\uff46\uff41\uff55\uff4c\uff54\u3000\uff53\uff54\uff52\uff49\uff4e\uff47",
    "\U0001d414\U0001d427\U0001d424\U0001d427\U0001d428\U0001d430\U0001d427",
    "Default\u00a0str\u200bing",
    "Default_string",
    "Not\u2010Specified",
    "N\u2044A",
    "\uff2e\uff0f\uff21",
    "n-a",
    "unbekannt",
    "k. A.",
    "Nicht verf\u00fcgbar",
    "nicht verfu\u0308gbar",
    "Inconnu",
    "NON DISPONIBLE",
    "desconocido",
    "sconosciuto",
    "onbekend",
    "n.v.t.",
    "Ok\u00e4nd",
    "\u043d\u0435\u0438\u0437\u0432\u0435\u0441\u0442\u043d\u043e",
    "\u041d\u0415\u0418\u0417\u0412\u0415\u0421\u0422\u041d\u041e",
    "Not Assigned",
    "No Asset Tag",
    "no data",
    "(null)",
    "#NAME?",
    "???",
    "N/A, N/A",
    "Unknown; none",
    "none None NONE",
    "No description available",
    "NAO INFORMADO",
    "Non d\u00e9fini",
    "Nicht definiert",
    "Niet bekend",
    "NichtVerf\u00fcgbar",
    "to be confirmed",
    "not given",
    "UnknownModel",
    "Nothing known",
    "geen gegevens",
    "\u672a\u8a2d\u5b9a",
    "\u063a\u064a\u0631 \u0645\u0639\u0631\u0648\u0641",
]
EVERY_KIND = [each for each in FillerKind if each not in (FillerKind.MAC, FillerKind.NAME)]
NAMES = [
    "localhost",
    "localhost.home",
    "unknown.local",
    "LOCALHOST.localdomain",
    "None",
    "N/A",
    "-",
    "(unknown)",
    "Default string",
    "no name",
]
REAL_NAMES = [
    "localhostess.acme.com",
    "NODE",
    "UNKNOWN7",
    "NA",
    "NIL",
    "OEM",
    "TBD",
    "PC",
    "X",
    "0",
    "7",
    "Default",
    "Noname-7",
    "✓",
]


@pytest.mark.parametrize("value", SERIALS)
def test_a_filler_is_no_serial_number(value: str) -> None:
    assert normal_serial(value) is None
    assert FILLERS.test_of(FillerKind.SERIAL)(value)


@pytest.mark.parametrize("value", REAL_SERIALS)
def test_a_real_serial_number_is_none(value: str) -> None:
    assert normal_serial(value) == value


@pytest.mark.parametrize("value", MACS)
def test_a_filler_is_no_address(value: str) -> None:
    assert normal_mac(value) is None
    assert FILLERS.test_of(FillerKind.MAC)(value)


@pytest.mark.parametrize(
    ("value", "links"),
    [
        ("3C:00:00:00:00:01", True),
        ("52:54:00:12:34:56", True),
        ("00:50:56:12:34:56", True),
        ("00:15:5d:01:02:03", True),
        ("da:a1:19:00:00:07", False),
    ],
)
def test_an_address_drawn_anew_is_written_and_no_key(value: str, links: bool) -> None:
    assert not FILLERS.test_of(FillerKind.MAC)(value)
    assert (normal_mac(value) is not None) is links


@pytest.mark.parametrize("value", ANYWHERE)
def test_words_for_nothing_count_in_any_script_and_language_for_every_kind(value: str) -> None:
    assert [kind for kind in EVERY_KIND if not FILLERS.test_of(kind)(value)] == []


@pytest.mark.parametrize(
    "value",
    [
        "\u041c\u043e\u0441\u043a\u0432\u0430",
        "\u0391\u03b8\u03ae\u03bd\u03b1",
        "M\u00fcller",
        "Unknown Pleasures",
        "Kein Ort",
        "Not in use",
        "Nicht in Betrieb",
        "Pas de Calais",
        "Node 7",
        "No backup",
        "to be returned",
        "None of the above",
        "N/A; Oslo",
    ],
)
def test_real_words_of_other_scripts_are_no_fillers(value: str) -> None:
    assert [kind for kind in EVERY_KIND if FILLERS.test_of(kind)(value)] == []


def test_a_long_text_of_another_script_is_no_filler_for_its_beginning() -> None:
    assert not FILLERS.test_of(FillerKind.TEXT)("unknown" + "\u2014" * 200 + "really")


@pytest.mark.parametrize("value", NAMES)
def test_a_filler_is_no_name(value: str) -> None:
    assert normal_name(value) is None


@pytest.mark.parametrize("value", REAL_NAMES)
def test_a_short_word_may_be_a_name(value: str) -> None:
    assert normal_name(value) == value


@pytest.mark.parametrize(
    ("kind", "filler", "real"),
    [
        (FillerKind.TEXT, "not  available", "NA"),
        (FillerKind.TEXT, "---", "✓"),
        (FillerKind.TEXT, "<OUT OF SPEC>", "0"),
        (FillerKind.REFERENCE, "0", "7"),
        (FillerKind.MAKER, "System manufacturer", "Systemax"),
        (FillerKind.MODEL, "All Series", "A320"),
        (FillerKind.MODEL, "x.x", "X1"),
        (FillerKind.TAG, "No Asset Information", "1"),
        (FillerKind.TAG, "0000", "12345"),
        (FillerKind.IP, "127.0.0.1", "10.0.0.7"),
        (FillerKind.TAG, "Type3 - Asset Tag", "TAG-7"),
        (FillerKind.TAG, "Asset-0123456789", "1234"),
        (FillerKind.TAG, "Asset Tag:", "A-100"),
        (FillerKind.MODEL, "Type2 - Board Product Name1", "Model 3"),
        (FillerKind.MODEL, "System Version 1.0", "Model Number 5520"),
        (FillerKind.MODEL, "System manufacturer System Product Name", "System x3650 M4"),
        (FillerKind.MODEL, "To be filled by OEM by More String", "Virtual Machine"),
        (FillerKind.MODEL, "0000000000", "8300"),
        (FillerKind.MAKER, "Hersteller unbekannt", "Unknown Worlds"),
        (FillerKind.MAKER, "Manufacturer00", "System76"),
        (FillerKind.IP, "169.254.10.7", "192.168.254.169"),
        (FillerKind.IP, "fe80::1%eth0", "2001:db8::1"),
        (FillerKind.IP, "000.000.000.000", "100.64.0.1"),
        (FillerKind.IP, "0.0.0.0, ::1", "0.0.0.0, 10.0.0.7"),
        (FillerKind.IP, "FF02::1", "fd00::1"),
        (FillerKind.GATEWAY, "::", "fe80::1"),
        (FillerKind.DAY, "1970-01-01T05:00:00Z", "1970-01-02"),
        (FillerKind.DAY, "30.12.1899 00:00:00", "30.12.1999"),
        (FillerKind.DAY, "1/1/1970", "2/1/1970"),
        (FillerKind.DAY, "-62135596800", "1777593600"),
        (FillerKind.DAY, "1899-12-30", "2026-05-01T00:00:00.000Z"),
    ],
)
def test_each_kind_has_fillers_of_its_own(kind: FillerKind, filler: str, real: str) -> None:
    assert FILLERS.test_of(kind)(filler)
    assert not FILLERS.test_of(kind)(real)


def test_every_list_has_a_source_and_a_known_kind() -> None:
    assert all(each["source"] and each["values"] for each in LISTS)
    words = {fillers.NOTHING, fillers.BESIDE, fillers.FIELD, fillers.LABEL, fillers.THING}
    assert {each["kind"] for each in LISTS} <= {*FillerKind, fillers.OWN_MAC, *words}


@given(
    st.sampled_from(TEXTS),
    st.sampled_from(" .-_/"),
    st.booleans(),
    st.sampled_from(["", ".", " ", "\u200b", "!"]),
)
def test_separators_case_and_ending_change_nothing(filler: str, sign: str, upper: bool, ending: str) -> None:
    written = sign.join(filler.split()) + ending
    written = f" {written.upper() if upper else written.lower()}"
    for kind in (FillerKind.TEXT, FillerKind.REFERENCE, FillerKind.SERIAL, FillerKind.MODEL, FillerKind.TAG):
        assert FILLERS.test_of(kind)(written)


@given(
    st.sampled_from([FillerKind.TEXT, FillerKind.REFERENCE, FillerKind.IP]),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    st.sampled_from([" ", "-", ", ", ""]),
)
def test_a_filler_in_full_width_is_one_in_ascii(kind: FillerKind, words: list[str], sign: str) -> None:
    text = sign.join(word.title() for word in words)
    wide = "".join(chr(ord(each) + 0xFEE0) if each.isascii() and each.isalnum() else each for each in text)
    is_filler = FILLERS.test_of(kind)
    assert is_filler(text) or not is_filler(wide)


@given(st.text() | st.integers() | st.none() | st.floats() | st.lists(st.text()))
def test_any_value_is_a_filler_or_not(value: Any) -> None:
    assert all(FILLERS.test_of(kind)(value) in (True, False) for kind in FillerKind)


WORDS = sorted(filter(str.isalpha, FILLERS._words))


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5), st.sampled_from(" -_./"), st.booleans())
def test_names_of_fields_are_no_serial_number_however_they_stand_together(
    words: list[str], sign: str, upper: bool
) -> None:
    written = sign.join(words)
    assert normal_serial(written.upper() if upper else written.title()) is None


@given(st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=7, max_size=12))
def test_hardly_any_drawn_serial_number_is_a_filler(serial: str) -> None:
    digits = "".join(each for each in serial if each.isdigit())
    if len(set(serial)) > 4 and 2 < len(digits) < len(serial) - 4:
        assert normal_serial(serial) == serial


def test_a_run_may_add_fillers_and_take_none_away() -> None:
    more = MoreFillers(serials=["Leihgerät 1"], macs=["AA-BB-CC"], names=["kiosk"], texts=["nicht bekannt"])
    added = FILLERS.and_more(more)
    assert normal_serial("LEIHGERÄT-1", True, added) is None
    assert normal_mac("a8:bb:cc:00:00:01", added) is not None
    assert normal_name("Kiosk", True, added) is None
    assert added.test_of(FillerKind.SERIAL)("Nicht bekannt.")
    assert added.test_of(FillerKind.SERIAL)("None")
    assert normal_serial("Leihgerät 1") == "Leihgerät 1"
    assert FILLERS.and_more(MoreFillers()) is FILLERS


@pytest.mark.parametrize("wrong", [{"macs": ["zz"]}, {"macs": ["00"]}, {"serials": ["--"]}, {"other": ["x"]}])
def test_what_can_be_no_filler_is_refused(wrong: dict[str, list[str]]) -> None:
    with pytest.raises(ValidationError):
        MoreFillers.model_validate(wrong)


@given(
    st.lists(st.sampled_from(["N/A", "a", " ", "\n", "\x00", "\u200b", "\u0301", "\u00e9"]), max_size=60),
    st.integers(0, 30),
)
def test_a_text_that_begins_longer_is_longer(parts: list[str], length: int) -> None:
    text = "".join(parts)
    assert not begins_longer_than(text, length) or len(plain_text(text) or "") > length


def test_a_filler_is_seen_between_many_blanks_and_marks_and_a_long_one_if_it_is_listed() -> None:
    is_filler = FILLERS.and_more(MoreFillers(texts=["not known" * 20])).test_of(FillerKind.TEXT)
    assert is_filler(" \x00" * 100 + "N/A" + "\u200b" * 200)
    assert is_filler("N/A" + " " * 200 + "\u200d")
    assert is_filler("NOT known" * 20)
    assert not is_filler("NOT known" * 21)
