"""Asking for background responses whose webhook has not come: after 5 seconds, then less and less often."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from flows.items import finish, leave, pause
from flows.models import Item
from flows.session import Session
from openai_api.errors import CallError, NotFound


def poll(session: Session, item_id: int) -> None:
    """Ask OpenAI for a response that is due. A call that fails is no news: the next one asks again."""
    waiting = Item.objects.filter(pk=item_id, state="waiting")
    if (item := waiting.select_related("record__entity", "run__installation").first()) is None:
        return
    item.polls += 1
    Item.objects.filter(pk=item.pk).update(polls=F("polls") + 1, poll_at=timezone.now() + pause(item.polls))
    try:
        path = {"response_id": item.response_id}
        answer = session.client.call(
            "get_response", path=path, context=session.context(item), unlogged=tuple(item.unlogged)
        )
    except NotFound as error:
        leave(item, "failed", error=error.sentence, help_code=error.help_code)
    except CallError:
        return
    else:
        finish(item, answer.json, item.call_id)
