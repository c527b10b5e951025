"""Who asked for a call and why: carried from the page, run, event or check down to the log row."""

from __future__ import annotations

from dataclasses import dataclass, field

from logs import ids


def new_correlation() -> str:
    return ids.short()


@dataclass(slots=True)
class Context:
    """What a log row says about the origin of a call.

    `cause` is the kind of thing that asked (`connection test`, `run item`, `event`, `check`, `pull`, `form`, `preview`, `command`,
    `proxy`),
    `cause_id` its id in its own table, `cause_label` its name as it was. Everything that belongs to one story (a push, its
    call, the webhook that finished it) shares one `correlation_id`. `tags` are words that whoever asked wants to find it by.
    """

    cause: str
    cause_id: str = ""
    cause_label: str = ""
    actor: str = ""
    correlation_id: str = field(default_factory=new_correlation)
    tags: str = ""
