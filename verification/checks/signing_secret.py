"""The signing secret stored here accepts a true signature and refuses a forged and a stale one."""

from __future__ import annotations

from verification.subject import Outcome, Subject, failed, passed, skipped
from webhooks.signature import self_test


def run(subject: Subject) -> Outcome:
    if not subject.installation.signing_secret:
        return skipped(
            "No signing secret is stored, so events are taken on the webhook key alone.",
            "Enter the signing secret that OpenAI showed when the webhook was made.",
        )
    test = self_test(subject.installation)
    if test.passed:
        return passed("A true signature was accepted, a forged and a 6-minute-old one were refused.")
    if not test.true_accepted:
        sentence = "A signature made with the stored secret was not accepted, so the secret is not a usable one."
        return failed(sentence, "Enter the signing secret again, as OpenAI shows it (whsec_…).")
    return failed("A forged or stale signature was accepted.", "Take this installation out of use and report this.")
