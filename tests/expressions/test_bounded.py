"""Formulas: what they give, where their errors point, and that nothing hostile hangs or fills the server."""

import threading
import time

import pytest

from expressions.bounded import MAX_LENGTH, ExpressionError, check, evaluate

DOCUMENT = {"key": "A-1", "fields": {"name": "Table", "price": 189.0, "tags": ["oak", "steel"], "empty": ""}}


def failure(source: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        evaluate(source, DOCUMENT)
    return caught.value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('fields.name & ": " & fields.price', "Table: 189"),
        ('$join(fields.tags, ", ")', "oak, steel"),
        ("fields.absent", None),
        ('{"a": fields.tags}', {"a": ["oak", "steel"]}),
        ("fields.price > 100", True),
        ('$replace(fields.name, /T(.)/, "$1")', "able"),
        ('$pad("7", -3, "0")', "007"),
        ('$append(fields.tags, "glass")', ["oak", "steel", "glass"]),
    ],
)
def test_an_expression_gives_plain_json(source, value):
    assert evaluate(source, DOCUMENT) == value


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ('"a" &\n  $fomat(1)', 2, 4, "no function fomat"),
        ("1 +", 1, 4, "end of expression"),
        ('fields.price + "a"', 1, 14, "must evaluate to a number"),
        ("$match(fields.name, /(?=x)/)", 1, 21, "regular expression"),
        ("", 1, 1, "empty"),
        ('$eval("1")', 1, 1, "$eval is not available"),
    ],
)
def test_an_error_points_at_line_and_character(source, line, column, words):
    error = failure(source)
    assert (error.line, error.column) == (line, column)
    assert words in error.message
    assert error.sentence.startswith(f"Line {line}, character {column}: ")


def test_an_error_that_only_this_record_brings_is_a_sentence():
    assert "failed on this record" in failure("$number(fields.name)").message


@pytest.mark.parametrize("source", ["function($x){$x}", "$map", "/a/"])
def test_a_function_is_not_a_value(source):
    assert "function" in failure(source).message


HOSTILE = {
    "endless recursion": "($f := function($x){$f($x) + 1}; $f(1))",
    "endless tail calls": "($f := function($x){$f($x)}; $f(1))",
    "a doubling text": '($f := function($x,$n){$n = 0 ? $x : $f($x & $x, $n - 1)}; $f("xxxxxxxx", 60))',
    "a list of lists of lists": '($f := function($x,$n){$n = 0 ? $x : $f([[$x, $x]], $n - 1)}; $string($f("a", 60)))',
    "a long range": "[1..10000000]",
    "loops in loops": "$map([1..9999], function($a){$map([1..9999], function($b){$a * $b})})",
    "a growing list": "$reduce([1..99999], $append)",
    "a wide pad": '$pad("a", 1e9)',
    "a long separator": '$join($map([1..9999], $string), $pad("", 999999))',
    "a multiplying replacement": '$replace($pad("", 99999, "a"), "a", $pad("", 99999))',
    "deep brackets": "(" * 200 + "1" + ")" * 200,
    "deep signs": "-" * 9000 + "1",
    "a long expression": "1" * (MAX_LENGTH + 1),
    "bounds switched off": "($__evaluate_entry := 1; 1)",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_expression_ends_soon_with_an_error(source):
    begin = time.process_time()
    failure(source)
    assert time.process_time() - begin < 4


def test_a_regular_expression_takes_linear_time():
    begin = time.process_time()
    assert evaluate(f'$match("{"a" * 5000}b", /^(a+)+$/)', {}) is None
    assert time.process_time() - begin < 2


def test_a_saved_expression_serves_many_evaluations_and_threads():
    source = 'fields.name & " " & key'
    found: list[bool] = []

    def work(number: int) -> None:
        found.extend(
            evaluate(source, {"key": str(number), "fields": {"name": "n"}}) == f"n {number}" for _ in range(150)
        )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 600


def test_the_clock_of_a_saved_expression_is_that_of_its_evaluation():
    first = evaluate("$millis()", {})
    time.sleep(0.01)
    evaluate("1", {})
    assert evaluate("$millis()", {}) > first


def test_check_only_reads():
    check("$number(fields.name)")
    with pytest.raises(ExpressionError):
        check("$number(")


@pytest.mark.parametrize(
    ("source", "place"),
    [('"x" & $upercase(name)', 7), ("$map([1], function($v) {\n  $twise($v)\n})", 28), ("$fnord(?, 1)", 1)],
)
def test_a_function_that_is_not_there_is_found_before_any_record_is(source, place):
    with pytest.raises(ExpressionError, match="There is no function") as caught:
        check(source)
    assert caught.value.position == place


@pytest.mark.parametrize(
    "source",
    [
        "($twice := function($v) { $v * 2 }; $twice(price))",
        "$map([1], function($v) { $string($v) })",
        "function($f) { $f(1) }($string)",
        '/* $fnord(1) */ "$fnord(1)"',
        "($half := $substring(?, 0, 2); $half(name))",
        "name ~> $uppercase",
    ],
)
def test_functions_that_an_expression_makes_itself_are_known(source):
    check(source)


def test_what_is_missing_at_the_end_is_shown_at_the_end():
    with pytest.raises(ExpressionError, match=r"Expected \) before end") as caught:
        check("$string(1) & $string(")
    assert caught.value.position == 21


def test_saving_and_trying_point_at_the_same_character():
    with pytest.raises(ExpressionError) as saved:
        check('"x" & $upercase(name)')
    with pytest.raises(ExpressionError) as tried:
        evaluate('"x" & $upercase(name)', {"name": "a"})
    assert (saved.value.message, saved.value.position) == (tried.value.message, tried.value.position)
