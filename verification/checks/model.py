"""The installation's model answers a one-word prompt."""

from __future__ import annotations

from mappings.answers import text_of
from openai_api.errors import CallError
from verification.subject import (
    LOOK_AT_CALL,
    Outcome,
    Subject,
    call_ids,
    failed,
    failed_call,
    log_links,
    passed,
    skipped,
)

PROMPT = "Answer with the one word: ready"
# Room enough for a model that thinks before it says one word.
MOST_TOKENS = 512


def run(subject: Subject) -> Outcome:
    model = subject.installation.model
    if not model:
        return skipped("This installation names no model.", "Choose one on the installation's page.")
    request = {"model": model, "input": PROMPT, "max_output_tokens": MOST_TOKENS, "store": False}
    try:
        answer = subject.client.call("create_response", json=request, context=subject.context("model"))
    except CallError as error:
        return failed_call(error)
    calls = call_ids([answer.call_id])
    evidence = log_links(calls)
    if not text_of(answer.json):
        sentence = f"{model} took the prompt, but answered without a word ({answer.json.get('status', 'no status')})."
        return failed(sentence, f"{LOOK_AT_CALL} Choose another model if it stays so.", evidence=evidence, calls=calls)
    return passed(f"{model} answered a one-word prompt. {_listed(subject)}", evidence=evidence, calls=calls)


def _listed(subject: Subject) -> str:
    seen = subject.installation.connection.models_seen
    if not seen:
        return "The account's model list is not known."
    ids = {row.get("id") if isinstance(row, dict) else row for row in seen}
    return (
        "It is in the account's model list."
        if subject.installation.model in ids
        else "The model list does not name it."
    )
