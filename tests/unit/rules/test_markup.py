"""Text of HTML: only real tags go, blocks are lines, entities follow one rule, and no input is slow."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.markup import fitting, text_of_markup, units_of

SAME = [
    "serial <SN12345> fitted",
    "temp < 5 and load > 80",
    "a<b and c>d",
    "<>",
    "<3",
    "if x <= 5 || y >= 6 -> z",
    "mail <nobody@example.com>",
    "C:\\<user>\\x",
    "two\n\nlines  apart",
    " outer blanks ",
    "a=1&lt=2&copy=3",
    "AT&T",
    "&nosuchentity;",
    "<!-- never closed",
    "<",
    "vector<int>",
    "<p",
    "5 <p 6",
    "List<String>",
    "press <a> or <b>, then <i>",
    "give <title>, <address> and <time> of the visit",
    "<code> is on the <label>",
    "<svg><path/></svg>",
    "< br >",
    "<http://x.example/y>",
    "<<b>>x",
]


@pytest.mark.parametrize("text", SAME)
def test_plain_text_stays(text: str) -> None:
    assert text_of_markup(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<p>one</p>\n<p>two</p>\n", "one\ntwo"),
        ("one<br>two<br/>three<BR />four", "one\ntwo\nthree\nfour"),
        ("one<br><br>two", "one\n\ntwo"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("<div><div>one</div></div><div>two</div>", "one\ntwo"),
        ("<table><tr><td>a</td><td> b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ('<a href="https://x.example/?a=1&amp;b=2">link</a>', "link"),
        ("<b>serial <SN12345></b> fitted", "serial <SN12345> fitted"),
        ("<p>temp < 5 and load > 80</p>", "temp < 5 and load > 80"),
        ("<p>5 &lt; 6 &amp;&amp; &#39;x&#x27;</p>", "5 < 6 && 'x'"),
        ("5 &lt; 6", "5 < 6"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&lt;b&gt;bold&lt;/b&gt;", "<b>bold</b>"),
        ("<!-- hidden <b> -->shown", "shown"),
        ("<style>p { x: y }</style><p>shown</p><script>if (a < b) {}</script>", "shown"),
        ("<!DOCTYPE html><html><body>shown</body></html>", "shown"),
        ('<?xml:namespace prefix = o ns = "urn:schemas" />shown', "shown"),
        ("<script>never closed", "never closed"),
        ("a<!-- b", "a<!-- b"),
        ("&#0;&#xD800;", "\ufffd\ufffd"),
        ("a&nbsp;b", "a\xa0b"),
        ("<td>Serial</td><td>SN1</td>", "Serial SN1"),
        ("<table><tr><th>a<th>b<tr><td>1<td>2</table>", "a b\n1 2"),
        ("<table>\n<tr>\n<td>a</td>\n<td>b</td>\n</tr>\n</table>", "a b"),
        ("<span data-x>v</span><input required>", "v"),
        ("<b>bold</b> and <b>bold", "bold and bold"),
        ("<p>press <a></p>", "press <a>"),
        ("<br clear=all>a<BR\n>b", "a\nb"),
        ("", ""),
    ],
)
def test_markup_becomes_text(text: str, plain: str) -> None:
    assert text_of_markup(text) == plain


PARTS = st.lists(
    st.sampled_from(
        ["<", ">", "&", ";", "lt", "<p>", "</p>", "<b ", "<!--", "-->", "<script>", "<SN1>", "\n", "x"]
    )
)


@given(st.text() | PARTS.map("".join))
def test_any_text_has_a_plain_form(text: str) -> None:
    plain = text_of_markup(text)
    assert len(plain) <= len(text)


@pytest.mark.parametrize(
    "part", ["<!--", "<script>", "<b ", "<a '", '<a "', "<", "&", "&#1", "</p ", "<p>", "<br>", "\n "]
)
def test_the_time_is_linear(part: str) -> None:
    started = time.process_time()
    text_of_markup(part * (400_000 // len(part)))
    assert time.process_time() - started < 2


FAMILY, FLAG = "👩‍👩‍👧", "🇩🇪"


@pytest.mark.parametrize(
    ("text", "longest", "said"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("ab cdefg", 4, "ab…"),
        ("abc👍🏽d", 7, "abc…"),
        (f"abc{FAMILY}d", 11, "abc…"),
        (f"abc{FAMILY}defg", 13, f"abc{FAMILY}d…"),
        (f"ab{FLAG}{FLAG}x", 8, f"ab{FLAG}…"),
        ("abcde\u0301f", 6, "abcd…"),
        ("❤\ufe0f❤\ufe0f❤\ufe0f", 4, "❤\ufe0f…"),
        ("نص عربي\u200f طويل", 9, "نص عربي\u200f…"),
    ],
)
def test_a_long_text_is_cut_between_what_people_take_for_letters(text: str, longest: int, said: str) -> None:
    assert fitting(text, longest) == said


@given(st.text(alphabet="ab \u0301\u200d👍🏽🇩🇪é\ufe0f", max_size=40), st.integers(min_value=1, max_value=40))
def test_what_is_cut_fits_and_begins_as_the_text(text: str, longest: int) -> None:
    cut = fitting(text, longest)
    assert units_of(cut) <= longest
    assert fitting(cut, longest) == cut
    assert text.startswith(cut.removesuffix("…"))
