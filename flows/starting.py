"""Starting runs: by hand, on change, and once more for what failed. A run is rows first, a task second."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db import transaction
from django.utils import timezone

from connections.models import Installation
from flows.models import Entity, Flow, Item, Record, Run
from flows.presets import flow_problem
from flows.tasks import run_pull, run_push
from logs import audit
from logs.audit import Actor
from logs.context import new_correlation
from mappings.actions import recorded
from mappings.choices import RESPONSE
from mappings.models import Mapping
from operations.outgoing import operation_of

# What can be pulled, and the entity that it lands in.
SOURCES = {"models": "Model", "files": "File", "responses": "Message"}


class CannotStart(Exception):
    """A run that makes no sense; the message says why and what to do, and is safe to show."""


def start_push(
    actor: Actor,
    installation: Installation,
    entity: Entity | str,
    records: Iterable[Record],
    mode: str = "sync",
    repeat_unknown: bool = False,
    correlation_id: str = "",
) -> Run:
    """Queue a push of `records`, all of one entity.

    `mode` is `sync` or `background`; `repeat_unknown` allows a call to be sent (and perhaps paid) again when its outcome
    is unknown. A given `correlation_id` is shared by the run and all its calls; else each item has its own.

    Raises CannotStart without a record or without an active mapping from the hub, and for a mode it cannot have.
    """
    name = entity if isinstance(entity, str) else entity.name
    mapping = Mapping.objects.for_push(installation, name).first()
    if mapping is None:
        raise CannotStart(
            f"{installation.name} has no active mapping that sends {name} records to OpenAI. "
            "Add or activate one under Mappings, direction from hub."
        )
    if mode == "background" and mapping.operation != RESPONSE:
        raise CannotStart(
            f"{mapping.name} can't run in the background: OpenAI does that for Create response only. "
            "Choose “One after the other”."
        )
    chosen = list(records)
    if not chosen:
        raise CannotStart(f"No {name} record is chosen. Choose at least one.")
    with transaction.atomic():
        run = _push(actor, mapping, chosen, mode=mode, repeat_unknown=repeat_unknown, correlation_id=correlation_id)
        audit.write(actor, "started push", "run", run.pk, f"{len(chosen)} {name} to {installation.name}")
    return run


def run_flow(actor: Actor, flow: Flow) -> Run:
    """Queue a push of every record of the flow's entity by the flow's own mapping.

    Raises CannotStart while the flow or its mapping is off, for a preset that a flow can't send, and without a record.
    """
    if not flow.active:
        raise CannotStart(f"{flow.name} is off. Switch it on, then run it.")
    if not flow.mapping.active:
        raise CannotStart(f"The mapping {flow.mapping} of this flow is off. Activate it under Mappings, then run it.")
    if flow.preset and (problem := flow_problem(flow.preset.current().request)):
        raise CannotStart(f"The preset {flow.preset} can't be sent by a flow. {problem}")
    records = Record.objects.of(flow.mapping.entity).order_by("pk")
    chosen = list(records.filter(sample=True) if flow.sample_only else records)
    if not chosen:
        raise CannotStart(f"The hub has no {flow.mapping.entity} record to push. Add or pull one first.")
    with transaction.atomic():
        run = _push(actor, flow.mapping, chosen, flow=flow)
        audit.write(actor, "ran", "flow", flow.pk, f"{flow.name}: {len(chosen)} {flow.mapping.entity}")
    return run


def start_on_change(actor: Actor, record: Record, correlation_id: str = "", only_flow: int | None = None) -> list[Run]:
    """Queue a push of `record` by each active flow that waits for changes of its entity, or by `only_flow` among them."""
    flows = Flow.objects.filter(
        active=True, trigger="on_change", mapping__active=True,
        mapping__direction="from_hub", mapping__entity=record.entity.name,
    )  # fmt: skip
    wanted = flows if record.sample else flows.filter(sample_only=False)
    if only_flow is not None:
        wanted = wanted.filter(pk=only_flow)
    return [
        _push(actor, flow.mapping, [record], flow=flow, correlation_id=correlation_id)
        for flow in wanted.select_related("mapping__installation", "preset")
    ]


def start_pull(actor: Actor, installation: Installation, source: str, correlation_id: str = "") -> Run:
    """Queue a pull of `models`, `files` or `responses` into the hub."""
    with transaction.atomic():
        run = new_pull(actor, installation, source, correlation_id)
        audit.write(actor, "started pull", "run", run.pk, f"{source} of {installation.name}")
        enqueue(run)
    return run


def new_pull(actor: Actor, installation: Installation, source: str, correlation_id: str = "") -> Run:
    if source not in SOURCES:
        raise CannotStart(f"“{source}” can't be pulled. Choose one of {', '.join(SOURCES)}.")
    return Run.objects.create(
        kind="pull",
        installation=installation,
        entity=SOURCES[source],
        source=source,
        actor=actor.name,
        correlation_id=correlation_id or new_correlation(),
    )


def enqueue(run: Run) -> None:
    """Hand the run to a worker once the transaction is through. The sweep finds runs whose task was lost."""
    Run.objects.filter(pk=run.pk).update(enqueued_at=timezone.now())
    task = run_push if run.kind == "push" else run_pull
    transaction.on_commit(partial(task.enqueue, run.pk))


def _push(
    actor: Actor,
    mapping: Mapping,
    records: list[Record],
    flow: Flow | None = None,
    mode: str = "sync",
    repeat_unknown: bool = False,
    correlation_id: str = "",
) -> Run:
    version, preset = recorded(mapping), flow.preset.current() if flow and flow.preset else None
    operation = operation_of(preset.request) if preset else mapping.operation
    answers = Mapping.objects.for_answer(mapping.installation, mapping.entity, operation, mapping.task)
    run = Run.objects.create(
        kind="push",
        installation=mapping.installation,
        flow=flow,
        mapping=mapping,
        mapping_name=mapping.name,
        mapping_version=version.number,
        version=version,
        answers=[recorded(each).pk for each in answers],
        preset=preset,
        entity=mapping.entity,
        mode=mode,
        repeat_unknown=repeat_unknown,
        total=len(records),
        actor=actor.name,
        correlation_id=correlation_id or new_correlation(),
    )
    Item.objects.bulk_create(
        [Item(run=run, record=record, correlation_id=correlation_id or new_correlation()) for record in records],
        batch_size=500,
    )
    enqueue(run)
    return run
