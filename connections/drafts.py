"""The guided form of an installation: its steps as data, and the draft that keeps what was typed, valid or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import transaction
from django.utils import timezone

from connections import actions
from connections.forms import ConnectionForm
from connections.installation_forms import (
    PRESETS,
    InstallationForm,
    MappingsForm,
    ModelForm,
    NameForm,
    ThrottleForm,
)
from connections.model_dates import model_options
from connections.models import Connection, InstallationDraft
from logs.audit import Actor
from logs.redaction import storable
from ui.forms import OptionCards
from ui.ids import id_in

NEW = "new"
NEW_PREFIX = "new"
LONGEST_ANSWER = 600


class ConnectionStepForm(forms.Form):
    """Which connection: one there is, or a new one, whose own form stands below and is bound when it is chosen."""

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        there = list(Connection.objects.all())
        rows = [(str(row.pk), row.name, f"{row.host}, {row.state_info.label.lower()}") for row in there]
        rows.append((NEW, "A new connection", "Made, saved and tested on this page."))
        self.fields["connection"] = forms.ChoiceField(
            choices=[(value, label) for value, label, _ in rows],
            initial=rows[0][0] if len(rows) == 2 else (None if there else NEW),
            widget=OptionCards({value: sentence for value, _, sentence in rows}),
            help_text="The key and the address that this installation borrows. Several installations may share one.",
            error_messages={
                "required": "Choose a connection, or make a new one.",
                "invalid_choice": "This connection is gone. Choose another one.",
            },
        )
        self.new = ConnectionForm(data if self.makes_new else None, prefix=NEW_PREFIX)

    @property
    def makes_new(self) -> bool:
        return self.is_bound and self.data.get("connection") == NEW

    def is_valid(self) -> bool:
        return super().is_valid() and (not self.makes_new or self.new.is_valid())

    def answer_names(self) -> list[str]:
        """What a draft keeps of this page: everything but the key."""
        return ["connection"] + [self.new.add_prefix(name) for name in self.new.fields if name != "api_key"]


@dataclass(frozen=True)
class Step:
    """One page of the form. `question` heads it, `lede` says what it is about."""

    slug: str
    title: str
    question: str
    lede: str
    form: type[forms.Form] | None = None

    @property
    def template(self) -> str:
        return f"connections/install/{self.slug}.html"


STEPS = (
    Step(
        "begin",
        "Before you begin",
        "What you need before you begin",
        "A key of your OpenAI account with few permissions. Or nothing at all, if you use the sandbox.",
    ),
    Step(
        "name",
        "Name and version",
        "What is this installation called?",
        "The name tells it apart from your other installations, in the log above all.",
        NameForm,
    ),
    Step(
        "connection",
        "Connection",
        "With which key does it call OpenAI?",
        "A connection is an API key and where to send it.",
        ConnectionStepForm,
    ),
    Step(
        "model",
        "Model",
        "Which model answers?",
        "The list is the one your account gave when the connection was tested.",
        ModelForm,
    ),
    Step(
        "throttle",
        "Throttle",
        "How fast may this installation call OpenAI?",
        "These limits hold across every process and machine. All of them can be changed later without a restart.",
        ThrottleForm,
    ),
    Step(
        "mappings",
        "Default mappings",
        "Which mappings does it begin with?",
        "A mapping says how a record becomes a request, and how the answer becomes part of the record.",
        MappingsForm,
    ),
    Step(
        "review",
        "Review and apply",
        "Is this what you want?",
        "Nothing has been made yet, apart from a new connection. Apply makes the installation and its webhook key.",
    ),
)
BY_SLUG = {step.slug: step for step in STEPS}
FILLED = tuple(step for step in STEPS if step.form is not None)


def neighbours(step: Step) -> tuple[Step | None, Step | None]:
    """The steps before and after."""
    place = STEPS.index(step)
    return (STEPS[place - 1] if place else None), (STEPS[place + 1] if place + 1 < len(STEPS) else None)


def resume_at(draft: InstallationDraft) -> Step:
    """The first step that is not done."""
    return next(step for step in STEPS[1:] if step.slug not in draft.done)


def form_of(step: Step, draft: InstallationDraft, data: Any = None) -> forms.Form:
    """The step's form: with what was just posted, else with what the draft keeps, else fresh."""
    if step.form is None:
        raise ValueError(f"The step {step.slug} has no form.")
    options: dict[str, Any] = {"options": model_options(connection_of(draft))} if step.form is ModelForm else {}
    form = step.form(data, **options)
    if data is None and any(name in draft.answers for name in answer_names(form)):
        return step.form(draft.answers, **options)
    return form


def answer_names(form: forms.Form) -> list[str]:
    return form.answer_names() if isinstance(form, ConnectionStepForm) else list(form.fields)


def connection_of(draft: InstallationDraft) -> Connection | None:
    return Connection.objects.filter(pk=id_in(str(draft.answers.get("connection", "")))).first()


def save(draft: InstallationDraft, step: Step, form: forms.Form) -> InstallationDraft:
    """Keeps what was typed, valid or not, and whether the step is done."""
    typed = {name: storable(str(form.data.get(name) or ""))[:LONGEST_ANSWER] for name in answer_names(form)}
    return _store(draft, typed, step.slug, form.is_valid())


def make_connection(
    actor: Actor, draft: InstallationDraft, form: ConnectionStepForm
) -> tuple[InstallationDraft, Connection]:
    """The new connection of the step's page, saved and tested, and the draft that has chosen it. Raises NameTaken."""
    facts = {name: value for name, value in form.new.cleaned_data.items() if name != "kind"}
    made = actions.create_connection(actor, **facts)
    gone: dict[str, str | None] = dict.fromkeys(form.answer_names())
    draft = _store(draft, gone | {"connection": str(made.pk)}, "connection", True)
    return draft, actions.test_connection(made, actions.test_context(made, actor))


def with_preset(draft: InstallationDraft, posted: Any) -> Any:
    """A preset fills in the limit by script. Without script it does so here: when another preset was chosen and the
    limit was left as it was.
    """
    chosen, limit = posted.get("preset", ""), posted.get("throttle_limit", "")
    before = draft.answers.get("preset") or "ongoing"
    limit_before = str(draft.answers.get("throttle_limit") or PRESETS["ongoing"])
    if chosen == before or chosen not in PRESETS or limit != limit_before:
        return posted
    filled = posted.copy()
    filled["throttle_limit"] = str(PRESETS[chosen])
    return filled


def open_steps(draft: InstallationDraft) -> list[tuple[Step, forms.Form]]:
    """The steps that are not in order, judged anew: a name may have been taken, a connection deleted since."""
    judged = [(step, form_of(step, draft)) for step in FILLED]
    return [(step, form) for step, form in judged if not form.is_valid() or _unmade(form)]


def apply(actor: Actor, draft: InstallationDraft) -> actions.Installed:
    """Makes the installation. The caller has found no open step. Raises NameTaken, AlreadyApplied."""
    form = InstallationForm(draft.answers)
    connection = connection_of(draft)
    if not form.is_valid() or connection is None:
        raise actions.Refusal("A part of this form is not in order any more. Look at the steps that are marked.")
    return actions.create_installation(actor, connection=connection, draft=draft, **form.fields_of_installation())


def _unmade(form: forms.Form) -> bool:
    return isinstance(form, ConnectionStepForm) and form.makes_new


@transaction.atomic
def _store(draft: InstallationDraft, typed: Mapping[str, str | None], slug: str, done: bool) -> InstallationDraft:
    """Two windows may be open on one draft: only the answers of this page are replaced."""
    row = InstallationDraft.objects.select_for_update().get(pk=draft.pk)
    row.answers = {name: value for name, value in {**row.answers, **typed}.items() if value is not None}
    finished = set(row.done) - {slug} | ({slug} if done else set())
    row.done = [step.slug for step in STEPS if step.slug in finished]
    row.saved_at = timezone.now()
    row.save(update_fields=["answers", "done", "saved_at"])
    return row
