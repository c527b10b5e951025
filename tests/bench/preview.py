"""How long the server takes for the editor's preview: a key was pressed, 25 rules are applied, the part of the page is drawn.

Median and 95th percentile of many, each with another text, so that no compiled formula is found again. See README.md here.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from tests.bench.standing import standing

RULES, TIMES = 25, 200
HTMX = {"HX-Request": "true", "host": "localhost"}
FORMULA = '"Write two sentences on " & $uppercase(fields.name) & " for " & $string(fields.price) & " {}"'


def mapping() -> Any:
    """One from the hub with so many rules of every kind, and records beside it."""
    from flows.records import save_record
    from logs.audit import Actor
    from mappings.models import Mapping, Rule
    from tests import builders

    fields = {f"field {number}": f"value {number}" for number in range(30)}
    for number in range(50):
        save_record(Actor("ada"), "Product", f"P-{number}", {"name": "Oak desk", "price": 20, **fields})
    made = Mapping.objects.create(
        installation=builders.installation(),
        name="Out",
        entity="Product",
        direction="from_hub",
        operation="create_response",
    )
    kinds = [("field", "fields.`field 3`"), ("static", "400"), ("formula", FORMULA.format(0)), ("lookup", "key")]
    for number in range(RULES):
        kind, source = kinds[number % len(kinds)]
        lookup = [[f"P-{each}", each] for each in range(50)]
        Rule.objects.create(
            mapping=made, order=number, kind=kind, source=source, target=f"metadata.n{number}", lookup=lookup
        )
    return made


def measure() -> None:
    from django.urls import reverse

    from tests import people

    made = mapping()
    rule = made.rules.get(order=2)
    address = reverse("mappings:rule_edit", args=[made.pk, rule.pk])
    browser = people.signed_in(people.administrator_ada())
    typed = {"kind": "formula", "target": rule.target, "update_mode": "overwrite", "try": "1", "record": "P-7"}
    took, worked = [], []
    for number in range(TIMES + 20):
        began, idle = time.perf_counter(), time.process_time()
        answer = browser.post(address, typed | {"source": FORMULA.format(number)}, headers=HTMX)
        took.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - idle) * 1000)
        assert answer.status_code == 200 and f" {number}" in answer.content.decode()
    took, worked = sorted(took[20:]), worked[20:]  # the first ones load what later ones find loaded
    size = len(answer.content) / 1000
    print(
        f"{RULES} rules, {TIMES} previews of {size:.0f} KB: median {statistics.median(took):.0f} ms, "
        f"95 % within {took[int(TIMES * 0.95)]:.0f} ms; processor time {statistics.median(worked):.0f} ms"
    )


if __name__ == "__main__":
    with standing():
        from django.core.management import call_command

        call_command("collectstatic", verbosity=0, interactive=False)
        measure()
    sys.exit(0)
