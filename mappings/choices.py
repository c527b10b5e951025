"""The words of a mapping, said once: directions, operations, kinds of rule, modes."""

from __future__ import annotations

from ui.states import State, states

FROM_HUB, TO_HUB = "from_hub", "to_hub"
DIRECTIONS = [(FROM_HUB, "From hub"), (TO_HUB, "To hub")]
# Not an operation of OpenAI's API: the mapping takes what a webhook brings.
EVENT = "event"
RESPONSE, CHAT = "create_response", "create_chat_completion"
OPERATIONS = [
    (RESPONSE, "Create response"),
    (CHAT, "Create chat completion"),
    ("create_embedding", "Create embedding"),
    ("create_image", "Create image"),
    ("create_moderation", "Create moderation"),
    (EVENT, "Webhook event"),
]
SYNC_TYPES = [("add_and_update", "Add and update"), ("add", "Add"), ("update", "Update"), ("delete", "Delete")]
KINDS = [
    ("field", "Field"),
    ("static", "Static"),
    ("formula", "Formula"),
    ("lookup", "Lookup"),
    ("template", "Template"),
]
VALUE_TYPES = [
    ("", "Any"),
    ("text", "Text"),
    ("number", "Number"),
    ("integer", "Whole number"),
    ("boolean", "True or false"),
    ("date", "Date"),
    ("texts", "List of texts"),
    ("numbers", "List of numbers"),
    ("pairs", "List of names and values"),
]
NEVER_SEND, MASKED, REVERSIBLE, NEVER_LOG = "never send", "masked", "masked, put back", "never log"
# What is done with a protected field, in the words in which it is written and shown.
PROTECTIONS = {
    NEVER_SEND: "Not sent",
    MASKED: "Sent under a mask",
    REVERSIBLE: "Sent under a mask, put back in the answer",
    NEVER_LOG: "Sent, and not kept in the log",
}
UPDATE_MODES = [("overwrite", "Overwrite"), ("if_empty", "If empty"), ("if_new", "If new"), ("append", "Append")]
ENTITIES = ["Product", "Customer", "Message"]

MAPPING_STATES = states(
    State("active", "Active", "ok", "ok"),
    State("inactive", "Inactive", "quiet", "paused"),
)
OUTCOMES = states(
    State("written", "Written", "ok", "ok", final=True),
    State("default", "Default written", "info", "info", final=True),
    State("empty", "Empty", "note", "skip", final=True),
    State("kept", "Kept", "note", "skip", final=True),
    State("off", "Off", "quiet", "paused", final=True),
    State("failed", "Error", "bad", "bad", final=True),
)
