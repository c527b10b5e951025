"""The library of functions: each example is true, none is missing, and hostile values end in a sentence."""

import contextlib
import time

import pytest
from jsonata.jsonata import Jsonata

from expressions.bounded import ExpressionError, check, evaluate
from expressions.functions import OURS, html_to_text
from expressions.library import LIBRARY, SAMPLE, groups


@pytest.mark.parametrize("function", LIBRARY, ids=lambda function: function.name)
def test_an_example_gives_what_it_says(function):
    check(function.example)
    assert f"${function.name}(" in function.example or f"${function.name})" in function.example
    assert evaluate(function.example, SAMPLE) == function.result
    assert function.sentence.endswith(".")


def test_every_function_stands_in_the_library_once():
    names = [function.name for function in LIBRARY]
    assert len(names) == len(set(names))
    assert set(names) == {*Jsonata.static_frame.bindings, *OURS} - {"eval"}
    assert sum(map(len, groups().values())) == len(names)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a<br>b", "a\nb"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<script>alert(1)</script>x", "x"),
        ("<!-- <p>no</p> -->yes", "yes"),
        ("<p title='x'>A&nbsp;&lt;b&gt;</p>", "A <b>"),
        ("<p>open", "open"),
        ("end <p", "end"),
        ("<!-- never closed", ""),
    ],
)
def test_html_becomes_its_text(source, text):
    assert html_to_text(source) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.299,00 €", 1299.0),
        ("1,299.50", 1299.5),
        ("1.299", 1299),
        ("12,5 kg", 12.5),
        ("-3", -3),
        ("1 299,90", 1299.9),
    ],
)
def test_a_number_is_read_as_people_write_it(text, number):
    assert evaluate("$readNumber(t)", {"t": text}) == number


@pytest.mark.parametrize("value", [None, "", [], {}, float("inf"), -1, "\ud800", [[None]], {"a": {"b": 1}}, True])
def test_a_function_of_ours_takes_any_value_or_says_why_not(value):
    for source in (f"${name}({arguments})" for name in OURS for arguments in ("", "v", "v, v", "v, v, v")):
        try:
            evaluate(source, {"v": value})
        except ExpressionError as error:
            assert error.message.endswith(".")


@pytest.mark.parametrize("bad", ["<", "<!--", "<p", "<script>", "&", "a ", "1,", "İ<"])
def test_a_large_value_takes_no_more_than_its_length(bad):
    begin = time.monotonic()
    for name in sorted(set(OURS) - {"parseJson"}):
        with contextlib.suppress(ExpressionError):
            evaluate(f"${name}(v, 10)", {"v": bad * (900_000 // len(bad))})
    assert time.monotonic() - begin < 60
