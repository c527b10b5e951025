"""Each check ends passed, failed or skipped, with a sentence; nothing that goes wrong inside one gets out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django import db
from django.core.management import CommandError, call_command
from django.utils import timezone

from flows.actions import add_flow
from flows.models import Flow
from flows.samples import load_samples
from logs.audit import COMMAND_LINE, Actor
from logs.models import Attempt, Call
from mappings.defaults import create_defaults
from tests.builders import installation
from tests.conftest import wait_until
from tests.webhooks.builders import SECRET
from verification import runner, tasks
from verification.checks import CHECKS, Check, logging, signing_secret, throttle, webhook, workflow
from verification.models import Verification
from verification.runner import execute, new_verification
from verification.subject import Outcome, Subject, passed, skipped

pytestmark = pytest.mark.django_db


def subject_of(**over) -> Subject:
    here = installation(**over)
    return Subject(here, Verification.objects.create(installation=here, actor="ada"))


def test_the_signing_secret_check_is_skipped_without_a_secret_and_passes_with_one():
    assert signing_secret.run(subject_of()).state == "skipped"
    here = subject_of(name="Second", webhook_key="other", signing_secret=SECRET)
    assert signing_secret.run(here).state == "passed"


def test_a_broken_signing_secret_fails():
    assert signing_secret.run(subject_of(signing_secret="x")).state == "failed"


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
    """In place of the eleven: one that passes, one that is skipped, one that breaks in an unforeseen way."""

    def breaks(subject: Subject) -> Outcome:
        raise ZeroDivisionError("sk-secret")

    table = {
        "good": Check("good", "Good", lambda subject: passed("It works."), "All", ""),
        "not-now": Check("not-now", "Not now", lambda subject: skipped("It cannot be tried."), "All", ""),
        "broken": Check("broken", "Broken", breaks, "All", ""),
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
    del three_checks["broken"]
    call_command("verify", str(here.pk))
    assert '"outcome": "passed"' in capsys.readouterr().out
    with pytest.raises(CommandError, match="No installation is called"):
        call_command("verify", "nothing")


def test_the_table_and_the_slugs_agree():
    assert all(slug == check.slug for slug, check in CHECKS.items()) and len(CHECKS) == 11


def test_a_check_that_was_cut_off_has_failed_and_the_rest_goes_on(three_checks):
    verification = new_verification(COMMAND_LINE, installation(), ["good", "not-now"])
    verification.results.filter(slug="good").update(state="running")
    Verification.objects.update(state="running", lease_until=timezone.now() - timedelta(seconds=1))
    execute(verification.pk)
    cut = verification.results.get(slug="good")
    assert (cut.state, "Patchbay stopped" in cut.sentence) == ("failed", True)
    assert cut.remedy.startswith("Run this check again.")
    assert verification.results.get(slug="not-now").state == "skipped"
    again = new_verification(COMMAND_LINE, verification.installation, ["good"])
    execute(again.pk)
    assert again.results.get().state == "passed"


def test_what_another_process_runs_is_left_to_it(three_checks):
    verification = new_verification(COMMAND_LINE, installation(), ["good"])
    Verification.objects.update(state="running", lease_until=timezone.now() + timedelta(seconds=9))
    execute(verification.pk)
    assert verification.results.get().state == "waiting"
    with pytest.raises(CommandError, match="still under way"):
        call_command("verify", verification.installation.name)


def test_a_result_that_comes_after_another_process_took_over_is_not_written(three_checks):
    def slow(subject: Subject) -> Outcome:
        Verification.objects.update(lease_token="another")
        return passed("Too late.")

    three_checks["good"] = Check("good", "Good", slow, "All", "")
    verification = new_verification(COMMAND_LINE, installation(), ["good"])
    execute(verification.pk)
    assert verification.results.get().state == "running"


def test_what_was_skipped_keeps_a_verification_from_passing_whole(three_checks):
    verification = new_verification(COMMAND_LINE, installation(), ["good", "not-now"])
    execute(verification.pk)
    verification.refresh_from_db()
    assert verification.state_info.label == "Passed in part"


def test_a_verification_in_which_nothing_could_be_tried_has_not_passed(three_checks):
    verification = new_verification(COMMAND_LINE, installation(), ["not-now"])
    execute(verification.pk)
    verification.refresh_from_db()
    assert (verification.state, verification.title) == ("skipped", "0 of 1 passed, 1 skipped")


def test_the_lease_is_renewed_while_a_check_takes_its_time(three_checks, monkeypatch):
    kept = []
    monkeypatch.setattr(runner, "RENEW", 0.01)
    monkeypatch.setattr(Verification, "keep", lambda self: kept.append(self.pk) or True)
    three_checks["good"] = Check("good", "Good", lambda subject: passed(str(wait_until(lambda: kept[2:]))), "All", "")
    execute(new_verification(COMMAND_LINE, installation(), ["good"]).pk)
    assert len(kept) > 2


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_press_at_once_one_starts_it_and_the_other_is_told(three_checks):
    here = installation()

    def press(name: str) -> str:
        try:
            return str(new_verification(Actor(name), here).results.count())
        except runner.UnderWay as reason:
            return str(reason)
        finally:
            db.connection.close()

    with ThreadPoolExecutor(2) as pool:
        ends = sorted(pool.map(press, ["ada", "omar"]))
    assert ends[0] == "3"
    assert "still under way" in ends[1]
    assert Verification.objects.count() == 1


def test_who_takes_over_does_not_begin_the_clock_anew(three_checks):
    began = timezone.now() - timedelta(seconds=40)
    verification = new_verification(COMMAND_LINE, installation(), ["good"])
    Verification.objects.update(state="running", lease_until=began, started_at=began)
    execute(verification.pk)
    verification.refresh_from_db()
    assert verification.started_at == began


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
