"""Notes of two sides: each copied once, whoever is killed, and no copy ever copied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rules.dispatch.events import NoteSettings
from tasks.rules.dispatch.notes import (
    Conversation,
    KnownCopy,
    Note,
    NoteCopy,
    Side,
    copies_due,
    opportunity_note,
    order_message,
    ticket_note,
)
from tasks.rules.dispatch.reference import ends_with_mark, marked, message_mark, note_mark
from tasks.rules.markup import text_of_markup

ALL = NoteSettings(internal_too=True, provider_messages_internal=False)
API = {"connectwise": "api", "field_nation": "9000"}


class Sides:
    """Two systems that give ids of their own, and what the ledger knows."""

    def __init__(self) -> None:
        self.sides: dict[Side, list[Note]] = {"connectwise": [], "field_nation": []}
        self.known: list[KnownCopy] = []
        self.people: list[Note] = []

    def add(self, side: Side, text: str, writer: str, internal: bool) -> Note:
        note = Note(side, str(len(self.sides[side]) + 1), text, "Mia", writer, internal)
        self.sides[side].append(note)
        return note

    def write(self, side: Side, internal: bool) -> None:
        number = len(self.people)
        self.people.append(self.add(side, f"said {number}.", "person", internal))

    def due(self, rules: NoteSettings = ALL) -> list[NoteCopy]:
        notes, messages = list(self.sides["connectwise"]), list(self.sides["field_nation"])
        return copies_due(Conversation(7, "CW-S-5", notes, messages), self.known, rules)

    def copy(self, kills: list[bool]) -> None:
        """One round; at a kill the copy is there and nobody has noted it."""
        for copy in self.due():
            other: Side = "field_nation" if copy.note.side == "connectwise" else "connectwise"
            made = copy.found or self.add(other, copy.text, API[other], copy.internal).id
            if kills and kills.pop():
                return
            self.known.append(KnownCopy(copy.note.side, copy.note.id, made))


ROUNDS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from(["connectwise", "field_nation"]), st.booleans()), max_size=3),
        st.lists(st.booleans(), max_size=3),
        st.booleans(),
    ),
    max_size=6,
)


@given(ROUNDS)
@settings(max_examples=80)
def test_each_note_is_copied_once_and_no_copy_is(
    rounds: list[tuple[list[tuple[Side, bool]], list[bool], bool]],
) -> None:
    """``forgets``: the ledger is lost, and the marks alone must do."""
    world = Sides()
    for written, kills, forgets in rounds:
        for side, internal in written:
            world.write(side, internal)
        world.copy(list(kills))
        if forgets:
            world.known = []
    world.copy([])
    world.copy([])
    assert [copy for copy in world.due() if copy.found is None] == []
    for note in world.people:
        for notes in world.sides.values():
            assert sum(note.text in each.text for each in notes) == 1
        [copy] = [
            each
            for whole in world.sides.values()
            for each in whole
            if note.text in each.text and each is not note
        ]
        assert copy.internal or not note.internal


def test_internal_notes_stay_unless_set() -> None:
    world = Sides()
    world.add("connectwise", "secret", "person", True)
    world.add("field_nation", "staff only", "person", True)
    [copy] = world.due(NoteSettings())
    assert (copy.note.text, copy.internal) == ("staff only", True)
    assert [copy.internal for copy in world.due(ALL)] == [True, True]


@pytest.mark.parametrize(
    ("side", "rules", "internal"),
    [
        ("connectwise", NoteSettings(), False),
        ("connectwise", NoteSettings(visible_to_provider=False), True),
        ("field_nation", NoteSettings(), True),
        ("field_nation", NoteSettings(provider_messages_internal=False), False),
    ],
)
def test_who_sees_a_copy(side: Side, rules: NoteSettings, internal: bool) -> None:
    world = Sides()
    world.add(side, "hello", "person", False)
    assert [copy.internal for copy in world.due(rules)] == [internal]


def test_a_person_who_answers_below_a_quoted_copy_is_heard() -> None:
    world = Sides()
    world.write("field_nation", False)
    world.copy([])
    quoted = world.sides["connectwise"][0].text
    world.add("connectwise", f"Yes, do.\n> {quoted}", "person", False)
    [copy] = world.due()
    assert copy.note.text.startswith("Yes, do.")
    world.add("connectwise", "Also ours, by the same member\n\n[FN-7-completed]", "api", False)
    assert len(world.due()) == 1


def test_a_copy_whose_mark_was_edited_away_is_known_by_its_id() -> None:
    world = Sides()
    world.write("field_nation", False)
    world.copy([])
    copy = world.sides["connectwise"][0]
    world.sides["connectwise"][0] = replace(copy, text="Shortened by a person", writer="person")
    assert world.due() == []
    world.known = []
    assert len(world.due()) == 2


def test_what_ones_own_authors_write_is_never_copied() -> None:
    world = Sides()
    world.add("connectwise", "by another integration", "robot", False)
    talk = Conversation(7, "CW-S-5", world.sides["connectwise"], [])
    assert copies_due(talk, [], NoteSettings(own_authors=("Robot",))) == []
    assert copies_due(talk, [], NoteSettings(own_authors=("mia",))) == []
    assert len(copies_due(talk, [], ALL)) == 1


def test_the_description_is_left_out_by_its_text_even_within_more() -> None:
    first = Note("connectwise", "1", "It is  broken", description=True)
    second = replace(first, id="2")
    talk = Conversation(7, "CW-S-5", [second, first], [], "<p>Job: It is broken &amp; wet</p>")
    assert [copy.note.id for copy in copies_due(talk, [], ALL)] == ["2"]
    other = replace(talk, description="Something else")
    assert [copy.note.id for copy in copies_due(other, [], ALL)] == ["1", "2"]


def test_markup_of_messages_becomes_plain_text() -> None:
    message = order_message({"msg_id": "3", "message": "<p>5 &lt; 6</p>", "from": {"id": 1, "name": "Bo"}})
    [copy] = copies_due(Conversation(7, "CW-S-5", [], [message]), [], ALL)
    assert copy.text == "Bo in Field Nation: 5 < 6\n\n[FN-7-message-3]"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("serial <SN12345> fitted", "serial <SN12345> fitted"),
        ("temp < 5 and load > 80", "temp < 5 and load > 80"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("AT&amp;T", "AT&T"),
    ],
)
def test_only_markup_goes_in_either_direction(message: str, said: str) -> None:
    order = order_message({"msg_id": "3", "message": message})
    note = ticket_note({"id": 3, "text": message, "detailDescriptionFlag": True})
    for talk in (Conversation(7, "CW-S-5", [], [order]), Conversation(7, "CW-S-5", [note], [])):
        [copy] = copies_due(talk, [], ALL)
        assert f": {said}\n\n[" in copy.text


@pytest.mark.parametrize(
    ("record", "internal"),
    [
        ({"detailDescriptionFlag": True}, False),
        ({"resolutionFlag": True}, False),
        ({"internalAnalysisFlag": True}, True),
        ({"internalFlag": True, "detailDescriptionFlag": True}, True),
        ({}, True),
    ],
)
def test_a_note_in_no_discussion_counts_as_internal(record: dict[str, Any], internal: bool) -> None:
    note = ticket_note({"id": 1, "text": "x", "createdBy": "mia", "member": {"name": "Mia"}, **record})
    assert (note.internal, note.author, note.writer) == (internal, "Mia", "mia")
    assert opportunity_note({"id": 1, "text": "x", "enteredBy": "mia"}).internal


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        (marked("a", message_mark(7, "3")), True),
        (marked("a", note_mark("ACME-P-12", "3")) + "\n", True),
        ("<p>a [FN-7-completed-2]</p>", True),
        ("a [FN-7-time-9] and more", False),
        ("[FN-x-completed]", False),
        ("[CW-S-5] title", False),
    ],
)
def test_marks_count_at_the_end_only(text: str, ours: bool) -> None:
    assert ends_with_mark(text) is ours


@pytest.mark.parametrize("text", ["<p>&nbsp;</p>", " \n", "<img src='a.png'>", "<!-- nothing -->"])
def test_a_message_without_words_is_not_copied(text: str) -> None:
    sides = Sides()
    sides.add("field_nation", text, "person", False)
    assert sides.due() == []


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_what_was_copied_is_plain_and_reads_back_as_the_same(text: str) -> None:
    """Of a text that holds no markup, and comes back as what it was sent as."""
    sides = Sides()
    sides.add("field_nation", text, "person", False)
    for copy in sides.due():
        said = copy.text.removeprefix("Mia in Field Nation: ").removesuffix(copy.mark)
        assert text_of_markup(text).strip() == said.strip()
        assert ends_with_mark(copy.text)
