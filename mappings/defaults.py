"""The mappings that come with an installation: Product, Customer and Message, from the hub and back; and chosen tasks."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from connections.models import Installation
from logs.audit import SYSTEM, Actor
from mappings.actions import create_mapping
from mappings.apply import RuleSpec
from mappings.choices import EVENT, FROM_HUB, TO_HUB
from mappings.gallery import RESPONSE_DATE, RESPONSE_ID, TASKS, Default
from mappings.models import Mapping, Rule

RESPONSE_TEXT = "OpenAI Response Text"
PROMPT_TEXT = "OpenAI Last Prompt Text"
CUSTOM_FIELDS = [RESPONSE_TEXT, RESPONSE_ID, RESPONSE_DATE, PROMPT_TEXT]

# A line for each field that holds something: a condition without "else" yields nothing, and $each leaves that out.
FIELD_LINES = """$join($each(fields, function($value, $name) {(
    $text := $type($value) = "array" ? $join($map($value, $string), ", ") : $string($value);
    $text ? $name & ": " & $text
  )}), "\\n")"""
PRODUCT_PROMPT = (
    f'"Write a product description of two sentences. Use only these facts.\\nid: " & key & "\\n" & {FIELD_LINES}'
)
CUSTOMER_PROMPT = (
    f'"Summarise this customer in two sentences. Use only these facts.\\nid: " & key & "\\n" & {FIELD_LINES}'
)
MESSAGE_PROMPT = '"Answer this message in two sentences:\\n" & fields.text'


def _request(entity: str, prompt: str, description: str) -> Default:
    rules = (
        RuleSpec("field", "model", "model", required=True),
        RuleSpec("formula", "input", prompt, required=True),
        RuleSpec("field", "metadata.patchbay_key", "key", required=True),
        RuleSpec("static", "store", "true"),
    )
    return Default(
        f"{entity} to Create response", entity, FROM_HUB, "create_response", "add_and_update", description, rules
    )


def _answer(entity: str) -> Default:
    rules = (
        RuleSpec("field", f"custom.{RESPONSE_TEXT}", "text", required=True),
        RuleSpec("field", f"custom.{RESPONSE_ID}", "response.id", required=True),
        RuleSpec("field", f"custom.{RESPONSE_DATE}", "now"),
        RuleSpec("field", f"custom.{PROMPT_TEXT}", "request.input"),
    )
    description = "Writes the text, id and date of the answer and the prompt into custom fields."
    return Default(
        f"Create response to {entity}", entity, TO_HUB, "create_response", "add_and_update", description, rules
    )


EVENT_RULES = (
    RuleSpec("field", "fields.type", "event.type", required=True),
    RuleSpec("field", "fields.object id", "event.data.id"),
    RuleSpec("field", "fields.received date", "now", update_mode="if_new"),
    RuleSpec("field", "fields.text", "text"),
)
DEFAULTS = (
    _request("Product", PRODUCT_PROMPT, "Asks for a description, from the product's own fields."),
    _answer("Product"),
    _request("Customer", CUSTOMER_PROMPT, "Asks for a summary, from the customer's own fields."),
    _answer("Customer"),
    _request("Message", MESSAGE_PROMPT, "Asks for an answer to the message's text."),
    _answer("Message"),
    Default(
        "Webhook event to Message",
        "Message",
        TO_HUB,
        EVENT,
        "add_and_update",
        "Keeps each webhook event as a message: type, object, date and text.",
        EVENT_RULES,
    ),
)


def create_defaults(installation: Installation, webhook_url: str = "") -> None:
    """Give an installation the mappings it lacks, as far as it was set up to have them. Nothing is added twice."""
    with transaction.atomic():
        if installation.default_mappings:
            _add(SYSTEM, installation, DEFAULTS)
        add_tasks(SYSTEM, installation, installation.tasks)


def add_tasks(actor: Actor, installation: Installation, slugs: Iterable[str]) -> int:
    """Give an installation the mappings of these tasks; the number of mappings that it did not have."""
    tasks = [task for task in TASKS if task.slug in set(slugs)]
    return _add(actor, installation, [default for task in tasks for default in task.mappings])


@transaction.atomic
def _add(actor: Actor, installation: Installation, defaults: Iterable[Default]) -> int:
    there = set(installation.mappings.values_list("name", flat=True))
    missing = [default for default in defaults if default.name not in there]
    for order, default in enumerate(missing, start=len(there) + 1):
        _create(actor, installation, default, order)
    return len(missing)


def _create(actor: Actor, installation: Installation, default: Default, order: int) -> None:
    facts = {name: value for name, value in vars(default).items() if name not in ("rules", "protection")}
    protection = [list(pair) for pair in default.protection]
    mapping = Mapping(installation=installation, order=order, protection=protection, **facts)
    rules = [Rule(**{**vars(rule), "lookup": [list(pair) for pair in rule.lookup.items()]}) for rule in default.rules]
    create_mapping(actor, mapping, rules)
