"""Lists read to their end: each way that OpenAI has, what must not loop for ever, and what is there when it breaks off."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connections
from django.utils import timezone

from logs.models import Call
from openai_api.catalogue import OPERATIONS
from operations import keeping
from operations.asking import Asked
from operations.lists import actions, following, items, paging, tasks
from operations.models import Listing
from tests import builders
from tests.conftest import wait_until
from tests.operations.builders import installation
from tests.operations.lists import FILES, OMAR, Files, ids, listed, read
from tests.proxy.far import Link
from tests.proxy.far import far as sockets

pytestmark = pytest.mark.django_db(transaction=True)


def whole(listing: Listing) -> list[str]:
    return ids(b"".join(items.as_json(listing.pk, listing.pages, listing.more)))


def once(installation: Any) -> Any:
    """A far side that fails for good is asked once for each page."""
    return installation(retry_count=0)


def test_a_thousand_items_come_in_ten_pages_under_one_correlation(far_side: Any) -> None:
    far = Files(1000)
    far_side(far)
    listing = read(installation())
    assert (listing.state, listing.items, listing.pages, listing.more) == ("done", 1000, 10, False)
    assert listing.note == "This is the whole list."
    assert whole(listing) == [f"file-{number}" for number in range(1000)]
    assert far.queries[:2] == [{"limit": "100"}, {"limit": "100", "after": "file-99"}]
    calls = Call.objects.filter(correlation_id=listing.correlation_id, cause="operation list", cause_id=str(listing.pk))
    assert calls.count() == 10 and {call.actor for call in calls} == {"omar"}
    assert {call.operation for call in calls} == {"list_files"}


def test_json_lines_hold_one_item_each(far_side: Any) -> None:
    far_side(Files(250))
    listing = read(installation())
    rows = b"".join(items.as_lines(listing.pk, listing.pages)).splitlines()
    assert [json.loads(row)["id"] for row in rows] == [f"file-{number}" for number in range(250)]
    assert listing.size == sum(len(row) + 1 for row in rows)


def test_the_limit_of_items_holds_to_the_item(far_side: Any) -> None:
    far = Files(1000)
    far_side(far)
    listing = read(installation(), most_items=250)
    assert (listing.state, listing.items, listing.pages, listing.more) == ("done", 250, 3, True)
    assert "limit of 250 items" in listing.note and len(far.queries) == 3


def test_the_limit_of_pages_holds(far_side: Any) -> None:
    far_side(Files(1000))
    listing = read(installation(), most_pages=2)
    assert (listing.state, listing.items, listing.pages, listing.more) == ("done", 200, 2, True)
    assert "limit of 2 pages" in listing.note


def test_a_limit_that_the_list_just_fills_is_its_end(far_side: Any) -> None:
    far_side(Files(200))
    listing = read(installation(), most_items=200)
    assert (listing.note, listing.more) == ("This is the whole list.", False)


def test_what_the_query_says_is_kept_on_every_page(far_side: Any) -> None:
    far = Files(6)
    far_side(far)
    read(
        installation(),
        Asked("GET", "/files", "list_files", query=(("limit", "2"), ("order", "asc"), ("after", "file-1"))),
    )
    assert [query["order"] for query in far.queries] == ["asc", "asc"]
    assert [query["after"] for query in far.queries] == ["file-1", "file-3"]


def test_a_list_is_read_backwards_from_before(far_side: Any) -> None:
    def backwards(number: int, request: httpx.Request) -> httpx.Response:
        asked = request.url.params["before"]
        return (
            listed([{"id": "msg_3"}, {"id": "msg_4"}], True) if asked == "msg_5" else listed([{"id": "msg_2"}], False)
        )

    far = Files(0, backwards)
    far_side(far)
    asked = Asked("GET", "/vector_stores", "list_vector_stores", query=(("before", "msg_5"),))
    assert whole(read(installation(), asked)) == ["msg_3", "msg_4", "msg_2"]
    assert [query["before"] for query in far.queries] == ["msg_5", "msg_3"]


def test_usage_is_followed_by_page(far_side: Any) -> None:
    def usage(number: int, request: httpx.Request) -> httpx.Response:
        more = number < 3
        token = f"page_{number + 1}" if more else None
        return httpx.Response(
            200, json={"object": "page", "data": [{"id": number}], "has_more": more, "next_page": token}
        )

    far = Files(0, usage)
    far_side(far)
    here = installation()
    here.connection.set_admin_key("sk-admin-of-the-far-side")
    here.connection.save()
    asked = Asked("GET", "/organization/costs", "get_costs", query=(("start_time", "1790000000"),))
    listing = read(here, asked)
    assert (listing.state, listing.items) == ("done", 3), listing.note
    assert [query.get("page") for query in far.queries] == [None, "page_2", "page_3"]
    assert all(query["start_time"] == "1790000000" for query in far.queries)


def test_a_list_that_names_only_its_next_is_followed(far_side: Any) -> None:
    def groups(number: int, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [{"id": f"g{number}"}], "has_more": number < 2, "next": "cursor_2"})

    far = Files(0, groups)
    far_side(far)
    listing = read(installation(), FILES)
    assert (listing.state, listing.items, far.queries[1]["after"]) == ("done", 2, "cursor_2")


def test_a_list_that_names_no_cursor_goes_on_from_its_last_item(far_side: Any) -> None:
    def jobs(number: int, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [{"id": f"job{number}"}], "has_more": number < 3})

    far = Files(0, jobs)
    far_side(far)
    assert whole(read(installation())) == ["job1", "job2", "job3"]
    assert [query.get("after") for query in far.queries] == [None, "job1", "job2"]


def test_a_far_side_that_does_not_heed_the_cursor_is_asked_twice_and_no_more(far_side: Any) -> None:
    far = Files(0, lambda number, request: listed([{"id": "a"}, {"id": "b"}], True))
    far_side(far)
    listing = read(installation())
    assert (listing.state, listing.items, len(far.queries)) == ("failed", 2, 2)
    assert "Page 2 is page 1 again" in listing.note


def test_cursors_that_go_in_a_circle_end_the_reading(far_side: Any) -> None:
    circle = ["a", "b", "c", "a"]
    far = Files(0, lambda number, request: listed([{"id": circle[(number - 1) % 4]}], True))
    far_side(far)
    listing = read(installation())
    assert (listing.state, len(far.queries)) == ("failed", 4) and "used before" in listing.note


def test_more_without_a_cursor_ends_the_reading(far_side: Any) -> None:
    far = Files(0, lambda number, request: httpx.Response(200, json={"data": [], "has_more": True}))
    far_side(far)
    listing = read(installation())
    assert (listing.state, len(far.queries)) == ("failed", 1) and "names no cursor" in listing.note


def test_an_answer_without_a_list_is_said_to_be_none(far_side: Any) -> None:
    far_side(Files(0, lambda number, request: httpx.Response(200, json={"ok": True})))
    listing = read(installation())
    assert listing.state == "failed" and "no list in its field data" in listing.note


def failing_at(page: int) -> Files:
    """A thousand files, whose page fails until `mended` is set."""

    def instead(number: int, request: httpx.Request) -> httpx.Response | None:
        broken = request.url.params.get("after") == f"file-{(page - 1) * 100 - 1}" and not far.mended
        return httpx.Response(500, json={"error": {"message": "Out of order."}}) if broken else None

    far = Files(1000, instead)
    far.mended = False  # type: ignore[attr-defined]
    return far


def test_what_came_before_a_failure_stays_and_the_rest_comes_later(far_side: Any) -> None:
    far = failing_at(5)
    far_side(far)
    here = once(installation)
    listing = read(here)
    assert (listing.state, listing.items, listing.pages, listing.help_code) == ("failed", 400, 4, "PB-2012")
    assert listing.note.startswith("Page 5 did not come.") and "Out of order" in listing.note
    far.mended = True  # type: ignore[attr-defined]
    before = len(far.queries)
    assert actions.go_on(listing)
    following.execute(listing.pk)
    listing.refresh_from_db()
    assert (listing.state, listing.items) == ("done", 1000) and len(far.queries) - before == 6
    assert whole(listing) == [f"file-{number}" for number in range(1000)]
    assert Call.objects.filter(correlation_id=listing.correlation_id).count() == 11


def test_what_is_not_here_any_more_is_read_anew(far_side: Any) -> None:
    far = failing_at(5)
    far_side(far)
    listing = read(once(installation))
    keeping.path_of(listing.pk, 1).unlink()
    far.mended = True  # type: ignore[attr-defined]
    actions.go_on(listing)
    following.execute(listing.pk)
    listing.refresh_from_db()
    assert (listing.state, listing.items, listing.pages) == ("done", 1000, 10)
    assert whole(listing) == [f"file-{number}" for number in range(1000)]


def test_stopping_keeps_what_came(far_side: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "RENEW", 0.05)
    monkeypatch.setattr(following, "LOOK_EVERY", 0.02)
    here = installation()
    listing = actions.new(OMAR, here, FILES, 1000, 100)

    def stopped_at_the_third(number: int, request: httpx.Request) -> httpx.Response | None:
        if number == 3:
            actions.stop(OMAR, listing)
            time.sleep(0.3)
        return None

    far = Files(1000, stopped_at_the_third)
    far_side(far)
    following.execute(listing.pk)
    listing.refresh_from_db()
    assert (listing.state, listing.items, listing.note) == ("stopped", 200, "omar stopped it.")
    assert len(far.queries) == 3 and not actions.stop(OMAR, listing)


def test_stopping_hangs_up_on_the_page_that_is_on_its_way(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "RENEW", 0.05)
    gone: list[bool] = []

    def never_answer(link: Link) -> None:
        link.body()
        actions.stop(OMAR, listing)
        connections.close_all()
        gone.append(link.hung_up(60))

    with sockets() as side:
        side.answer = never_answer
        settings.SANDBOX_URL = side.url
        here = builders.installation(connection=builders.connection(base_url=side.url))
        listing = actions.new(OMAR, here, FILES, 1000, 100)
        following.execute(listing.pk)
        wait_until(lambda: gone)
    assert gone == [True]
    listing.refresh_from_db()
    assert (listing.state, listing.pages, Call.objects.get().state) == ("stopped", 0, "cancelled")


def test_who_lost_the_list_does_not_write_over_its_pages(far_side: Any) -> None:
    listing = actions.new(OMAR, installation(), FILES, 1000, 100)

    def taken_over(number: int, request: httpx.Request) -> None:
        Listing.objects.filter(pk=listing.pk).update(lease_token="another/1", pages=1, items=1)
        items.write(listing.pk, 0, [{"id": "of the other"}])

    far_side(Files(10, taken_over))
    following.execute(listing.pk)
    listing.refresh_from_db()
    assert (listing.items, whole(listing)) == (1, ["of the other"])


def test_two_workers_do_not_read_the_same_list(far_side: Any) -> None:
    far = Files(10)
    far_side(far)
    listing = actions.new(OMAR, installation(), FILES, 1000, 100)
    assert Listing.objects.claim(listing.pk) is not None
    following.execute(listing.pk)
    assert far.queries == []


def test_a_list_whose_worker_was_killed_goes_on_where_it_was(far_side: Any) -> None:
    far = Files(300)
    far_side(far)
    listing = actions.new(OMAR, installation(), FILES, 1000, 100)
    held = Listing.objects.claim(listing.pk)
    assert held is not None
    held.change(
        cursor="file-99", seen=["file-99"], items=100, pages=1, size=items.write(held.pk, 0, [{"id": "x"}] * 100)
    )
    Listing.objects.filter(pk=listing.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.sweep()
    listing.refresh_from_db()
    assert listing.state == "queued"
    following.execute(listing.pk)
    listing.refresh_from_db()
    assert (listing.state, listing.items, listing.pages) == ("done", 300, 3)
    assert [query["after"] for query in far.queries] == ["file-99", "file-199"]
    assert not held.change(items=7), "who lost the lease writes nothing"


def test_what_was_kept_long_enough_goes(far_side: Any) -> None:
    far_side(Files(10))
    here = installation()
    old, new = read(here), read(here)
    Listing.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=25))
    tasks.sweep()
    assert list(Listing.objects.values_list("pk", flat=True)) == [new.pk]


@pytest.mark.parametrize(
    ("operation", "pages"),
    [("list_files", True), ("get_costs", True), ("list_models", False), ("create_response", False)],
)
def test_only_lists_with_pages_are_followed(operation: str, pages: bool) -> None:
    assert paging.has_pages(OPERATIONS[operation]) is pages
