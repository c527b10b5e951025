"""The guided form: what a page keeps while somebody types must not undo what its button did."""

from __future__ import annotations

import pytest

from connections.drafts import connection_of
from connections.models import InstallationDraft
from tests.connections.builders import always, models_answer, typed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def draft(as_administrator):
    as_administrator.post("/installations/new/", {"go": "continue"})
    return InstallationDraft.objects.get()


def filled_in(**over):
    """The page of a new connection as a browser posts it."""
    return {"connection": "new", **{f"new-{name}": text for name, text in typed().items()}, **over}


def test_what_is_typed_is_kept_without_the_key(as_administrator, draft):
    page = filled_in(seen=draft.stamp)
    answer = as_administrator.post(f"/installations/drafts/{draft.pk}/connection/keep/", page)
    draft.refresh_from_db()
    assert draft.answers["new-name"] == page["new-name"]
    assert page["new-api_key"] not in str(draft.answers)
    assert draft.stamp in answer.content.decode()  # for the next keeping


def test_what_a_page_keeps_too_late_does_not_undo_its_connection(as_administrator, draft, far_side):
    """OpenAI takes a second to be asked for its models; the page that waits for it may still want to keep what it has."""
    far_side(always(models_answer("gpt-6-luna")))
    as_administrator.post(f"/installations/drafts/{draft.pk}/connection/", filled_in(go="continue"))
    late = as_administrator.post(f"/installations/drafts/{draft.pk}/connection/keep/", filled_in(seen=draft.stamp))
    draft.refresh_from_db()
    assert late.status_code == 204
    assert connection_of(draft).status == "ok"
    assert "connection" in draft.done


def test_a_page_that_is_sent_wins_over_what_was_kept_from_another_window(as_administrator, draft):
    as_administrator.post(f"/installations/drafts/{draft.pk}/name/keep/", {"name": "OpenAI - Kept"})
    as_administrator.post(
        f"/installations/drafts/{draft.pk}/name/", {"name": "OpenAI - Sent", "seen": draft.stamp, "go": "continue"}
    )
    draft.refresh_from_db()
    assert draft.answers["name"] == "OpenAI - Sent"
