"""25 rules applied to 10,000 records: records a second, and the same expressions by the engine that came second.

That engine is CEL (`common-expression-language`); it takes part where it can be imported. It says the same as our formulas
say, one by one, without targets, trace, update modes or bounds: the figure for mappings does all of that as well. See
README.md here.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from expressions.bounded import evaluate
from mappings.apply import MappingSpec, RecordView, RuleSpec, to_request

RECORDS = 10_000
# Name → (formula, the same in CEL).
FORMULAS = {
    "title": ('fields.name & " by " & fields.brand', 'fields.name + " by " + fields.brand'),
    "dear": ("fields.price > 100", "fields.price > 100.0"),
    "gross": ("fields.price * 1.19", "fields.price * 1.19"),
    "kind": (
        'fields.category = "side" ? "Side tables" : "Other"',
        'fields.category == "side" ? "Side tables" : "Other"',
    ),
    "tags": ("$count(fields.tags)", "size(fields.tags)"),
    "oak": ('"oak" in fields.tags', '"oak" in fields.tags'),
    "starts": ('$contains(fields.name, "Table")', 'fields.name.contains("Table")'),
    "tone": ("$exists(custom.tone)", "has(custom.tone)"),
    "first": ("fields.tags[0]", "fields.tags[0]"),
    "sum": ("fields.stock + fields.ordered", "fields.stock + fields.ordered"),
}
FIELDS = ("name", "brand", "category", "price", "stock", "ordered", "tags", "description")
RULES = (
    *(RuleSpec("field", f"metadata.{name}", f"fields.{name}") for name in FIELDS),
    *(RuleSpec("formula", f"made.{name}", ours) for name, (ours, _) in FORMULAS.items()),
    RuleSpec("static", "store", "true"),
    RuleSpec("static", "max_output_tokens", "400"),
    RuleSpec("lookup", "made.group", "fields.category", lookup={"side": "Side tables", "sofa": "Sofas"}),
    RuleSpec("field", "made.absent", "fields.absent", default="none"),
    RuleSpec("template", "instructions", "Write in a {{ custom.tone }} tone, of {{ fields.brand }} only."),
    RuleSpec("template", "input", 'Name: {{ fields.name }}\n{{ $lines($pick(fields, ["brand", "tags"])) }}'),
    RuleSpec("formula", "made.text", "$truncateTokens($htmlToText(fields.description), 200)"),
)
SPEC = MappingSpec(1, "bench", 1, "from_hub", "Product", "create_response", rules=RULES, model="some-model")


def records() -> Iterator[RecordView]:
    for number in range(RECORDS):
        fields = {
            "name": f"Table {number}",
            "brand": "Harbor & Pine",
            "category": ("side", "sofa")[number % 2],
            "price": 10.0 + number % 300,
            "stock": number % 50,
            "ordered": 3,
            "tags": ["oak", "new"],
            "description": "<p>Solid <b>oak</b>, oiled.</p>" * 5,
        }
        yield RecordView(f"P-{number}", fields, {"tone": "warm"}, "Product")


def timed(what: str, work: Callable[[RecordView], Any], per_record: int) -> float:
    """Seconds for all records, said in a line."""
    all_of_them = list(records())
    work(all_of_them[0])  # compiled once, as a saved mapping is
    begin = time.perf_counter()
    for record in all_of_them:
        work(record)
    spent = time.perf_counter() - begin
    each = spent / RECORDS / per_record * 1e6
    print(f"{what:44} {RECORDS / spent:9,.0f} records/s  {each:7.0f} µs for each of {per_record}", flush=True)  # noqa: T201
    return spent


def apply(record: RecordView) -> None:
    applied = to_request(SPEC, record, "2026-11-21T09:30:00Z")
    if applied.problems:
        sys.exit(applied.problems[0].sentence)


def ours(record: RecordView) -> None:
    document = record.as_dict()
    for formula, _ in FORMULAS.values():
        evaluate(formula, document)


def main() -> None:
    timed(f"mappings: {len(RULES)} rules", apply, len(RULES))
    spent = timed(f"formulas alone: {len(FORMULAS)}", ours, len(FORMULAS))
    try:
        import cel  # type: ignore[import-not-found,unused-ignore]  # takes part where it is there
    except ImportError:
        print("CEL is not installed: see README.md for how it takes part.")  # noqa: T201
        return

    programs = [cel.compile(theirs) for _, theirs in FORMULAS.values()]

    def second(record: RecordView) -> None:
        document = record.as_dict()
        for program in programs:
            program.execute(document)

    print(f"JSONata takes {spent / timed('the same in CEL', second, len(FORMULAS)):.1f} times as long.")  # noqa: T201


if __name__ == "__main__":
    main()
