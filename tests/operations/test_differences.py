"""What differs between two requests, as people read it."""

from __future__ import annotations

from dataclasses import replace

from openai_api.retries import RetryPolicy
from operations.asking import Asked, FilePart
from operations.differences import differences

BEFORE = Asked("POST", "/responses", body={"model": "gpt-6-luna", "input": "Say hello now.", "tools": [{"type": "x"}]})


def shown(before: Asked, after: Asked) -> dict[str, tuple[str | None, str | None]]:
    """Field → both sides, what changed in brackets."""

    def text(pieces):
        return None if pieces is None else "".join(f"[{p.text}]" if p.changed else p.text for p in pieces)

    return {row.field: (text(row.before), text(row.after)) for row in differences(before, after)}


def test_a_changed_text_marks_the_words_that_changed() -> None:
    after = replace(BEFORE, body={**BEFORE.body, "input": "Say goodbye now."})
    assert shown(BEFORE, after) == {"Body › input": ("Say [hello] now.", "Say [goodbye] now.")}


def test_what_changes_have_between_them_belongs_to_the_change() -> None:
    after = replace(BEFORE, body={**BEFORE.body, "input": "Write one line."})
    assert shown(BEFORE, after) == {"Body › input": ("[Say hello now].", "[Write one line].")}


def test_what_is_new_and_what_is_gone_has_one_side() -> None:
    after = replace(BEFORE, body={"model": "gpt-6-luna", "input": "Say hello now.", "temperature": 0.5})
    assert shown(BEFORE, after) == {"Body › tools › 1 › type": ("[x]", None), "Body › temperature": (None, "[0.5]")}


def test_everything_else_of_a_request_is_compared() -> None:
    after = replace(
        BEFORE, method="PUT", path="/files/%7B%7B%20key%20%7D%7D", query=(("a", "1"), ("a", "2")), headers=(("X-A", "b"),),
        files=(FilePart("file", "oak.png"),), response_type="text", timeout=90.0, retries=RetryPolicy(count=2),
    )  # fmt: skip
    found = shown(BEFORE, after)
    assert found["Path"][1] == "[/]files[/{{ key }}]" or "{{ key }}" in str(found["Path"][1]).replace("[", "").replace(
        "]", ""
    )
    for field in (
        "Method",
        "Query › a",
        "Query › a (2)",
        "Header › X-A",
        "File › file",
        "Response type",
        "Timeout",
        "Retries › most",
    ):
        assert field in found, field


def test_very_long_texts_are_shown_whole() -> None:
    long = " word" * 4_000
    after = replace(BEFORE, body={**BEFORE.body, "input": long})
    row = differences(BEFORE, after)[0]
    assert row.after is not None and len(row.after) == 1
