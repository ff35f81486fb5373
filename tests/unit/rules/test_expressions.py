"""Reading paths: generated code must answer what jmespath answers."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.expression_limits import LONGEST_EXPRESSION, ExpressionError, parse
from tasks.rules.expressions import compile_extractor, lansweeper_paths, plain_steps

NAMES = st.sampled_from(["a", "b", "c_1", '"odd name"', '"quo\\"te"', '"é"', '"a.b"'])
PLAIN = st.lists(NAMES, min_size=1, max_size=4).flatmap(
    lambda names: st.lists(
        st.sampled_from(["", "[0]", "[1]", "[-1]", "[-2]"]), min_size=len(names), max_size=4
    ).map(lambda indexes: ".".join(name + at for name, at in zip(names, indexes, strict=False)))
)
OTHER = st.sampled_from(
    [
        "a[].b", "a[*].b", "a[].{x: b, y: c_1}", "a.b[].{x: a}", "a[0].b[].{x: a, y: x}", "a[*].{x: b}",
        "a.b || c_1", "{x: a, y: b.c_1}", "[a, b]", "a[?b=='x'].b", "length(a)",
        "join(',', a)", "a | b", "a[0:2]", "not_null(a, b)", "@", "`1`", "a == b", "keys(a)", "a.*",
    ]
)  # fmt: skip
KEYS = st.sampled_from(["a", "b", "c_1", "odd name", 'quo"te', "é", "a.b", "x"])
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4)
RECORDS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=25,
)


def expected(path: str, record: Any) -> Any:
    try:
        return jmespath.search(path, record)
    except jmespath.exceptions.JMESPathTypeError:
        return None


@given(st.lists(PLAIN | OTHER, max_size=8), RECORDS)
def test_answers_are_those_of_jmespath(paths: list[str], record: Any) -> None:
    assert compile_extractor(paths)(record) == tuple(expected(path, record) for path in paths)


@given(PLAIN)
def test_names_and_indexes_need_no_interpreter(path: str) -> None:
    assert plain_steps(path) is not None


@given(OTHER.filter(lambda path: path != "@"))
def test_anything_else_goes_to_jmespath(path: str) -> None:
    assert plain_steps(path) is None


def test_a_path_and_its_own_start_are_both_read() -> None:
    extract = compile_extractor(["a", "a.b", "a.b", "@"])
    assert extract({"a": {"b": 1}}) == ({"b": 1}, 1, 1, {"a": {"b": 1}})


def test_a_function_given_nothing_to_work_on_gives_nothing() -> None:
    assert compile_extractor(["join(', ', ips)"])({}) == (None,)


@pytest.mark.parametrize("text", ["a.", "a[", "foo(", "a b", ""])
def test_what_is_no_expression_is_named(text: str) -> None:
    with pytest.raises(ExpressionError, match="not a JMESPath expression"):
        compile_extractor([text])


def test_a_name_can_not_become_code() -> None:
    path = '"x\\"); raise SystemExit(\\"y"'
    assert compile_extractor([path])({'x"); raise SystemExit("y': 3}) == (3,)


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("key", ["key"]),
        ("assetCustom.model", ["assetCustom.model"]),
        ("processors[0].name", ["processors.name"]),
        ("softwares[].{name: name, version: version}", ["softwares.name", "softwares.version"]),
        ("softwares[*].[name, version]", ["softwares.name", "softwares.version"]),
        ("networks[?type=='wifi'].mac | [0]", ["networks.type", "networks.mac"]),
        ("assetCustom.model || assetBasicInfo.type", ["assetCustom.model", "assetBasicInfo.type"]),
        ("join(' ', [operatingSystem.caption, operatingSystem.version])",
         ["operatingSystem.caption", "operatingSystem.version"]),
        ("sort_by(softwares, &name)[0].version", ["softwares.name", "softwares.version"]),
        ("max_by(disks, &size).name", ["disks.size", "disks.name"]),
        ("tags[?name=='Owner'] | [0].value", ["tags.name", "tags.value"]),
        ("map(&name, softwares)", ["softwares.name"]),
        ("length(softwares[].name)", ["softwares.name"]),
        ("'fixed'", []),
    ],
)  # fmt: skip
def test_lansweeper_is_asked_for_leaves(expression: str, paths: list[str]) -> None:
    assert sorted(lansweeper_paths(expression)) == sorted(paths)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("[" * 5000, "5,000 characters"),
        ("[" * 1900, "nested more deeply"),
        ("(" * 900 + "a" + ")" * 900, "nested more deeply"),
        ("!" * 1900 + "a", "nested more deeply"),
        ("a" + "[0]" * 150, "nested more deeply"),
        (".".join("a" * 99), "nested more deeply"),
        ("`" + "[" * 1900 + "`", "nested more deeply|not a JMESPath"),
        ("a[::0]", "step is 0"),
        ("b.c[0:1:0].d", "step is 0"),
        ("[@,@][] | " * 24 + "@", "times what it reads"),
        ("[@, @] | " * 24 + "@", "times what it reads"),
        ("map(&[@,@,@,@,@,@], a)" + " | map(&[@,@,@,@,@,@], @)" * 8, "times what it reads"),
        ("x" * 100_000, "100,000 characters"),
        ("a." * 200 + "\x00", "not a JMESPath"),
    ],
)
def test_an_expression_over_a_limit_is_refused_before_any_run(expression: str, words: str) -> None:
    began = time.process_time()
    for read in (parse, plain_steps, lansweeper_paths, lambda text: compile_extractor([text])):
        with pytest.raises(ExpressionError, match=words) as caught:
            read(expression)
        assert len(str(caught.value)) < 500
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("expression", "record"),
    [
        ("floor(`1e400`)", {}),
        ("join(@, [@, @]) | join(@, [@, @])" + " | join(@, [@, @])" * 7, "x" * 1000),
        ("a[].b[].c[]", {"a": [{"b": [{"c": [1] * 100}] * 100}] * 100}),
        ("sort_by(a, &length(b))", {"a": [{"b": "x"}] * 200_000}),
        ("to_number(a)", {"a": "9" * 5000}),
        ("max_by(a, &b)", {"a": [{"b": 1}, {"b": "x"}]}),
        ("a[-1:0:-1].b", {"a": None}),
    ],
)
def test_what_a_record_makes_of_an_expression_is_bounded_in_time(expression: str, record: Any) -> None:
    began = time.process_time()
    with suppress(ExpressionError, jmespath.exceptions.JMESPathError):
        parse(expression).search(record)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a > b", None),
        ("c[?@ > `1`]", [2]),
        ("contains(a, `1`)", False),
        ("contains(a, 'x')", True),
        ("contains(c, `2`)", True),
    ],
)
def test_values_that_do_not_compare_are_no_error(expression: str, value: Any) -> None:
    """As the standard has it; Python would raise a TypeError for them."""
    assert parse(expression).search({"a": "x", "b": 1, "c": [1, 2, "3"]}) == value


def test_the_longest_expression_still_works() -> None:
    names = [f"a{number}" for number in range(300)]
    expression = "not_null(" + ",".join(names) + ")"
    assert len(expression) <= LONGEST_EXPRESSION
    assert parse(expression).search({"a299": 5}) == 5
