"""Each check ends passed, failed or skipped, with a sentence; nothing that goes wrong inside one gets out."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from flows.actions import add_flow
from flows.models import Flow
from flows.samples import load_samples
from logs.audit import COMMAND_LINE
from logs.models import Attempt, Call
from mappings.defaults import create_defaults
from openai_api.errors import BadKey
from tests.builders import connection, installation
from tests.webhooks.builders import SECRET
from verification import runner, tasks
from verification.checks import (
    CHECKS,
    Check,
    field_mappings,
    logging,
    model,
    signing_secret,
    throttle,
    webhook,
    workflow,
)
from verification.models import Verification
from verification.runner import execute, new_verification
from verification.subject import Outcome, Subject, failed, passed, skipped

pytestmark = pytest.mark.django_db


def subject_of(**over) -> Subject:
    here = installation(**over)
    return Subject(here, Verification.objects.create(installation=here, actor="ada"))


def answering(monkeypatch, answer):
    def call(operation, **options):
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(call_id=None, json=answer)

    monkeypatch.setattr("verification.subject.client_for", lambda installation: SimpleNamespace(call=call))


def test_the_model_check_passes_when_the_model_answers(monkeypatch):
    answering(monkeypatch, {"id": "resp_1"})
    assert model.run(subject_of()).state == "passed"


def test_the_model_check_says_what_openai_said(monkeypatch):
    answering(monkeypatch, BadKey("OpenAI answered 401."))
    outcome = model.run(subject_of())
    assert (outcome.state, outcome.sentence, outcome.help_code) == ("failed", "OpenAI answered 401.", "PB-1001")


def test_the_signing_secret_check_is_skipped_without_a_secret_and_passes_with_one():
    assert signing_secret.run(subject_of()).state == "skipped"
    here = subject_of(name="Second", webhook_key="other", signing_secret=SECRET)
    assert signing_secret.run(here).state == "passed"


def test_a_broken_signing_secret_fails():
    assert signing_secret.run(subject_of(signing_secret="x")).state == "failed"


def test_the_round_trip_is_skipped_where_no_event_can_come(settings):
    assert "No signing secret" in webhook.run(subject_of()).sentence
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    far = connection(name="far", base_url="https://api.openai.com/v1")
    outcome = webhook.run(subject_of(name="Far", webhook_key="k", signing_secret=SECRET, connection=far))
    assert outcome.state == "skipped" and "cannot reach this server" in outcome.sentence


def test_the_round_trip_fails_when_no_event_comes(monkeypatch, settings):
    settings.PUBLIC_URL = "https://patchbay.example.com"
    monkeypatch.setattr(webhook, "SECONDS", 0.0)
    answering(monkeypatch, {"id": "resp_1"})
    monkeypatch.setattr(webhook, "reverse", lambda name: "/webhooks/")
    assert webhook.run(subject_of(signing_secret=SECRET)).state == "failed"


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://[::1]:1", True),
        ("http://10.1.2.3", True),
        ("http://169.254.1.1", True),
        ("https://api.openai.com/v1", False),
        ("https://8.8.8.8", False),
    ],
)
def test_private_addresses_are_known(url, private):
    assert webhook.is_private(url) is private


def test_the_most_in_a_window_is_counted():
    start = timezone.now()
    times = [start + timedelta(seconds=offset) for offset in (0, 0.5, 1.9, 2.0, 2.1, 5)]
    assert throttle.most_within(times, 2.0) == 4
    assert throttle.most_within([], 2.0) == 0


def test_field_mappings_are_skipped_where_there_are_none():
    assert field_mappings.run(subject_of()).state == "skipped"


def test_the_log_is_found_whole_or_its_faults_are_named():
    now = timezone.now()
    call = Call.objects.create(
        operation="list_models", method="GET", path="/models", state="done", finished_at=now, attempts=1,
        correlation_id="story",
    )  # fmt: skip
    assert "1 attempts, and 0" in logging.faults_of({str(call.pk)}, "story")[0]
    Attempt.objects.create(call_id=call.pk, number=1, state="done", queued_at=now, finished_at=now)
    assert logging.faults_of({str(call.pk)}, "story") == []
    gone = "0190a8d5-0000-7000-8000-000000000000"
    assert logging.faults_of({str(call.pk), gone}, "story") == ["Call 00000000 is not in the log."]
    Call.objects.create(operation="x", method="GET", path="/", correlation_id="story", state="sending")
    assert "not ended" in logging.faults_of({str(call.pk)}, "story")[0]


@pytest.fixture
def three_checks(monkeypatch):
    """In place of the ten: one that passes, one that is skipped, one that breaks in an unforeseen way."""

    def breaks(subject: Subject) -> Outcome:
        raise ZeroDivisionError("sk-secret")

    table = {
        "good": Check("good", "Good", lambda subject: passed("It works.")),
        "not-now": Check("not-now", "Not now", lambda subject: skipped("It cannot be tried.")),
        "broken": Check("broken", "Broken", breaks),
    }
    monkeypatch.setattr(runner, "CHECKS", table)
    return table


def test_an_unforeseen_error_is_a_failed_check_and_no_traceback(three_checks):
    verification = new_verification(COMMAND_LINE, installation())
    execute(verification.pk)
    states = dict(verification.results.values_list("slug", "state"))
    assert states == {"good": "passed", "not-now": "skipped", "broken": "failed"}
    broken = verification.results.get(slug="broken")
    assert "ZeroDivisionError" in broken.sentence and "sk-secret" not in broken.sentence
    verification.refresh_from_db()
    assert verification.state == "failed" and verification.finished_at


def test_a_verification_runs_once_and_only_what_was_chosen(three_checks):
    verification = new_verification(COMMAND_LINE, installation(), ["good"])
    execute(verification.pk)
    execute(verification.pk)
    verification.refresh_from_db()
    assert (verification.state, verification.results.count()) == ("passed", 1)


def test_the_command_prints_every_check_and_ends_by_the_outcome(three_checks, monkeypatch, capsys):
    here = installation()
    with pytest.raises(CommandError, match="1 of 3 checks failed: broken"):
        call_command("verify", here.name)
    three_checks["broken"] = Check("broken", "Broken", lambda subject: failed("No.", "Do this."))
    del three_checks["broken"]
    call_command("verify", str(here.pk))
    assert '"outcome": "passed"' in capsys.readouterr().out
    with pytest.raises(CommandError, match="No installation is called"):
        call_command("verify", "nothing")


def test_the_table_and_the_slugs_agree():
    assert all(slug == check.slug for slug, check in CHECKS.items()) and len(CHECKS) == 10


def test_a_verification_of_a_killed_process_is_free_once_its_successor_starts(three_checks, settings):
    verification = new_verification(COMMAND_LINE, installation())
    settings.PROCESS_NAME = "host-worker-1"
    Verification.objects.claim(verification.pk)
    tasks.release_process("host-worker-2")
    assert Verification.objects.claim(verification.pk) is None
    tasks.release_process("host-worker-1")
    assert Verification.objects.claim(verification.pk)


def test_the_flow_of_a_check_that_was_killed_is_removed_by_the_next_one(monkeypatch):
    subject = subject_of()
    create_defaults(subject.installation)
    load_samples(subject.installation, "")
    mapping = subject.installation.mappings.get(name="Product to Create response")
    kept = add_flow(COMMAND_LINE, subject.installation, mapping)
    add_flow(COMMAND_LINE, subject.installation, mapping, sample_only=True)
    monkeypatch.setattr(workflow, "_change_and_watch", lambda subject, flow, record: passed("It did."))
    assert workflow.run(subject).state == "passed"
    assert list(Flow.objects.all()) == [kept]
