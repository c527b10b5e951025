"""Whole lists by form and by command: starting one, its page, stopping, going on, saving, and who may."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django_tasks_db.models import DBTaskResult

from logs.models import Call
from operations.asking import Asked
from operations.lists import actions, following
from operations.models import Answer, Listing
from tests import people
from tests.operations.builders import installation, said
from tests.operations.filling import Fields
from tests.operations.lists import FILES, OMAR, Files, ids, read
from tests.operations.test_forms import at

pytestmark = pytest.mark.django_db(transaction=True)


def page_of(browser: Browser, listing: Listing, **headers: str) -> Any:
    return browser.get(listing.get_absolute_url(), headers=headers)


def saved(browser: Browser, listing: Listing, query: str = "") -> bytes:
    answer = browser.get(f"{listing.get_absolute_url()}items/{query}")
    assert "attachment" in answer.headers["Content-Disposition"]

    async def gather() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(gather)()


def far_that_fails_at_page(far_side: Any, page: int) -> None:
    broken = httpx.Response(500, json={"error": {"message": "Out of order."}})
    far_side(Files(1000, lambda number, request: broken if number == page else None))


# By form


def test_a_list_is_followed_in_the_background(as_operator: Browser, far_side: Any) -> None:
    far_side(Files(300))
    form = at(as_operator, installation(), "list_files")
    form.values |= {"follow": "on", "follow_items": "1,000", "query/order": "asc"}
    address = form.press("run")["Location"]
    listing = Listing.objects.get()
    assert address == listing.get_absolute_url() and (listing.most_items, listing.most_pages) == (1000, 100)
    assert (listing.state, listing.actor, listing.parameter) == ("queued", "omar", "after")
    assert ["order", "asc"] in listing.asked["query"] and not Call.objects.exists()
    task = DBTaskResult.objects.get()
    assert task.task_path.endswith("read_list") and task.args_kwargs["args"] == [str(listing.pk)]
    page = as_operator.get(address)
    assert "In line" in said(page) and "0 items of at most 1,000" in said(page) and "Stop" in said(page)


def test_without_the_tick_one_page_is_asked_for(as_operator: Browser, far_side: Any) -> None:
    far_side(Files(300))
    at(as_operator, installation(), "list_files").press("run")
    assert Answer.objects.count() == 1 and not Listing.objects.exists()


@pytest.mark.parametrize(("field", "text"), [("follow_items", "0"), ("follow_items", "x"), ("follow_pages", "1001")])
def test_a_limit_that_is_none_is_said_beside_it(as_operator: Browser, far_side: Any, field: str, text: str) -> None:
    far_side(Files(300))
    form = at(as_operator, installation(), "list_files")
    form.values |= {"follow": "on", field: text}
    form.press("run")
    assert f'id="f-{field}-e"' in form.text and form.values[field] == text and form.values["follow"] == "on"
    assert not Listing.objects.exists()


def test_only_lists_with_pages_offer_it(as_operator: Browser) -> None:
    here = installation()
    assert 'name="follow"' in at(as_operator, here, "list_files").text
    for operation in ("list_models", "get_file", "create_response"):
        assert 'name="follow"' not in at(as_operator, here, operation).text


# Its page


def test_the_page_shows_the_whole_list_and_saves_it(as_operator: Browser, far_side: Any) -> None:
    far_side(Files(250))
    listing = read(installation())
    page = said(page_of(as_operator, listing))
    assert "250 items of at most" in page and "This is the whole list." in page
    assert "The first 100 of 250 items" in page and "file-0" in page and "Stop" not in page
    assert f"/log/?correlation={listing.correlation_id}" in page_of(as_operator, listing).content.decode()
    everything = [f"file-{number}" for number in range(250)]
    assert ids(saved(as_operator, listing, "?as=json")) == everything
    assert [json.loads(row)["id"] for row in saved(as_operator, listing).splitlines()] == everything


def test_the_page_asks_for_itself_until_the_list_has_ended(as_operator: Browser, far_side: Any) -> None:
    far_side(Files(5))
    listing = actions.new(OMAR, installation(), FILES, 1000, 100)
    asking = page_of(as_operator, listing, **{"HX-Request": "true"})
    assert asking.status_code == 200 and 'hx-trigger="every 1s"' in asking.content.decode()
    following.execute(listing.pk)
    ended = page_of(as_operator, listing, **{"HX-Request": "true"})
    assert ended.status_code == 286 and "hx-trigger" not in ended.content.decode() and "file-4" in said(ended)


def test_a_list_that_broke_off_says_what_came_and_goes_on(as_operator: Browser, far_side: Any) -> None:
    far_that_fails_at_page(far_side, 5)
    listing = read(installation(retry_count=0))
    page = said(page_of(as_operator, listing))
    assert "Page 5 did not come." in page and "The 400 items that had come are kept." in page and "Go on" in page
    assert len(ids(saved(as_operator, listing, "?as=json"))) == 400
    as_operator.post(f"{listing.get_absolute_url()}go-on/")
    listing.refresh_from_db()
    assert (listing.state, listing.note) == ("queued", "") and DBTaskResult.objects.count() == 1


def test_an_operator_stops_it(as_operator: Browser) -> None:
    listing = actions.new(OMAR, installation(), FILES, 1000, 100)
    assert as_operator.post(f"{listing.get_absolute_url()}stop/").headers["Location"] == listing.get_absolute_url()
    page = said(page_of(as_operator, listing))
    assert "omar stopped it." in page and "Go on" in page


def test_a_viewer_sees_no_items(as_viewer: Browser, far_side: Any) -> None:
    far_side(Files(5))
    listing = read(installation())
    for rest in ("", "items/"):
        assert as_viewer.get(f"{listing.get_absolute_url()}{rest}").status_code == 403
    assert as_viewer.post(f"{listing.get_absolute_url()}stop/").status_code == 403


def test_a_list_of_the_organization_is_gone_on_with_by_administrators(as_operator: Browser) -> None:
    asked = Asked("GET", "/organization/users", "list_users")
    listing = actions.new(OMAR, installation(), asked, 1000, 100)
    actions.stop(OMAR, listing)
    assert as_operator.post(f"{listing.get_absolute_url()}go-on/").status_code == 403
    ada = people.signed_in(people.administrator_ada())
    assert ada.post(f"{listing.get_absolute_url()}go-on/").status_code == 302
    assert DBTaskResult.objects.count() == 1


def test_the_form_leads_to_the_lists_that_were_read(far_side: Any) -> None:
    far_side(Files(7))
    here = installation()
    listing = read(here)
    omar, vera = people.signed_in(people.operator_omar()), people.signed_in(people.viewer_vera())
    assert listing.get_absolute_url() in at(omar, here, "list_files").text
    assert listing.get_absolute_url() not in at(vera, here, "list_files").text


def test_a_list_fills_its_form_again(as_operator: Browser, far_side: Any) -> None:
    far_side(Files(7))
    listing = read(installation(), Asked("GET", "/files", "list_files", query=(("order", "asc"),)))
    address = f"/operations/{listing.installation_id}/list_files/?again={listing.pk}"
    assert address in page_of(as_operator, listing).content.decode()
    assert Fields(as_operator.get(address).content.decode()).values["query/order"] == "asc"


def test_the_log_leads_to_the_list(as_operator: Browser, far_side: Any) -> None:
    far_side(Files(7))
    listing = read(installation())
    call = Call.objects.get()
    assert listing.get_absolute_url() in as_operator.get(f"/log/{call.pk}/").content.decode()


def test_subscribe_is_what_reads_and_publish_what_writes(as_viewer: Browser) -> None:
    here = installation()
    reads, writes = (
        as_viewer.get(f"/operations/{here.pk}/?entity=File&do={kind}") for kind in ("subscribe", "publish")
    )
    assert "List files" in said(reads) and "Upload file" not in said(reads)
    assert "Upload file" in said(writes) and "Delete file" in said(writes) and "List files" not in said(writes)


# By command


def by_command(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("operation", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_a_command_prints_the_answer(far_side: Any) -> None:
    far = Files(300)
    far_side(far)
    here = installation()
    found = by_command(here.name, "list_files", "--query", "limit==1 + 1", "--query", "order=asc")
    assert [item["id"] for item in found["data"]] == ["file-0", "file-1"]
    assert far.queries == [{"limit": "2", "order": "asc"}]
    call = Call.objects.get()
    assert (call.cause, call.operation, call.installation_id) == ("operation", "list_files", here.pk)


def test_a_command_follows_a_list(far_side: Any) -> None:
    far_side(Files(1000))
    found = by_command(str(installation().pk), "list_files", "--follow", "--limit", "250")
    assert len(found["data"]) == 250 and found["has_more"] is True
    assert Call.objects.count() == 3


def test_a_command_prints_what_came_and_fails(far_side: Any) -> None:
    far_that_fails_at_page(far_side, 5)
    here, out = installation(retry_count=0), io.StringIO()
    with pytest.raises(CommandError, match=r"Page 5 did not come.*400 items that had come"):
        call_command("operation", here.name, "list_files", "--follow", stdout=out)
    assert len(json.loads(out.getvalue())["data"]) == 400


def test_a_command_sends_a_body(far: Any, tmp_path: Path) -> None:
    side = far()
    here = installation()
    plain, built = tmp_path / "plain.json", tmp_path / "built"
    plain.write_text('{"model": "gpt-6-luna", "input": "Hi"}')
    built.write_text('= {"model": installation.model, "input": "Hi"}')
    for file in (plain, built):
        assert by_command(here.name, "create_response", "--body", str(file))["id"] == "resp_1"
    assert side.requests[0].content == side.requests[1].content


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["list_fils"], "No operation is called list_fils. Near it: list_files"),
        (["get_file"], "Add --path file_id=VALUE"),
        (["list_files", "--query", "limit"], "--query limit has no value"),
        (["list_files", "--query", "limit=x"], "--query limit: "),
        (["list_files", "--query", "limit==$foo()"], "--query limit: Line 1"),
        (["list_files", "--follow", "--limit", "0"], "--limit: Enter 1 to 100,000 items"),
        (["list_models", "--follow"], "list_models has no pages to follow"),
        (["list_files", "--record", "Product/none"], "There is no record “Product/none”"),
        (
            ["delete_file", "--path", "file_id=file-1"],
            "This deletes /files/file-1 at OpenAI. It can't be undone. Add --yes",
        ),
        (["create_video"], "OpenAI shut this down"),
        (["list_projects"], "It takes an admin key"),
        (["create_response", "--body", "/nowhere/x.json"], "/nowhere/x.json cannot be read"),
    ],
)
def test_a_command_that_is_not_right_sends_nothing(far: Any, arguments: list[str], sentence: str) -> None:
    side = far()
    with pytest.raises(CommandError) as error:
        call_command("operation", installation().name, *arguments)
    assert sentence in str(error.value) and not side.requests


def test_what_deletes_is_done_by_command_when_it_says_yes(far: Any) -> None:
    side = far()
    by_command(installation().name, "delete_file", "--path", "file_id=file-1", "--yes")
    assert (side.request.method, side.request.url.path.rpartition("/")[2]) == ("DELETE", "file-1")
