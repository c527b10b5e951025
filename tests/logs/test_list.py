"""The list page: columns, filters in the address, pages, live rows."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from logs import browse, views
from logs.models import Call
from logs.states import CALL_STATES
from tests.logs.builders import USAGE, ago, call, calls

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def page(browser, **query):
    answer = browser.get("/log/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def poll(browser, after, *shown, **query):
    pairs = [("after", after), *query.items(), *(("open", entry) for entry in shown)]
    return browser.get(f"/log/?{urlencode(pairs)}", headers=HTMX)


def ids(html):
    """The calls of the rows, in their order."""
    return re.findall(r'<tr role="row" id="call-([0-9a-f-]+)"', html)


def test_a_row_shows_what_happened(as_viewer):
    call(**USAGE, latency_ms=6200, cause_label="Product HP-10733", http_status=200, attempts=2)
    html = page(as_viewer)
    for text in (
        *("OpenAI - Test", "Create response", "gpt-6-luna", "After retry", "200", "6.2 s", "1,590", "$0.000843"),
        *("Product HP-10733", "req_1", "c0ffee", "1 call"),
    ):
        assert text in html


def test_a_row_that_failed_says_why_and_one_that_did_not_says_nothing(as_viewer):
    call(state="failed", error_code="insufficient_quota")
    call(state="retrying", error_code="server_error")
    html = page(as_viewer)
    assert '<code class="why">insufficient_quota</code>' in html
    assert html.count('class="why"') == 1


def test_a_call_under_way_is_not_said_to_have_got_no_answer(as_viewer):
    call(state="sending", http_status=None)
    assert "none yet" in page(as_viewer) and "no answer" not in page(as_viewer)


def test_what_caused_a_call_is_named_as_it_is(as_viewer):
    call(cause="event", cause_label="response.completed")
    call(cause="form", cause_label="")
    html = page(as_viewer)
    assert ">response.completed</td>" in html and ">Form</td>" in html


def test_further_filters_are_folded_away_until_one_is_in_use(as_viewer):
    assert '<details class="f-more">' in page(as_viewer)
    assert '<details class="f-more" open>' in page(as_viewer, http="abc")


@pytest.mark.parametrize("state", CALL_STATES)
def test_every_state_has_its_word(as_viewer, state):
    call(state=state, http_status=None, attempts=0)
    html = page(as_viewer)
    assert CALL_STATES[state].label in html
    assert "not sent" in html


def test_an_unknown_price_is_not_zero(as_viewer):
    call(**USAGE | {"cost": None})
    assert "unknown" in page(as_viewer)


def test_what_came_from_outside_is_text(as_viewer):
    evil = "<script>alert(1)</script>"
    call(model=evil, cause_label=evil, request_id=evil, installation_name=evil, operation=evil, correlation_id=evil)
    html = page(as_viewer, q=evil)
    assert evil not in html
    assert "&lt;script&gt;" in html


def test_pages_walk_through_everything_once(as_viewer):
    rows = calls(120)
    seen, address = [], "/log/"
    while address:
        html = as_viewer.get(address).content.decode()
        seen += ids(html)
        older = re.search(r'rel="next" href="([^"]+)"', html)
        address = "/log/" + older[1].replace("&amp;", "&") if older else ""
    assert seen == [str(row.pk) for row in rows]


def test_filters_stay_in_the_address_of_the_next_page(as_viewer):
    calls(60, state="failed")
    html = page(as_viewer, state="failed")
    assert re.search(r'rel="next" href="\?state=failed&amp;cursor=', html)


def test_what_is_on_is_shown_and_can_be_taken_away(as_viewer):
    call(state="failed", model="m")
    html = page(as_viewer, state="failed", model="m", cursor="x")
    assert re.search(r'href="\?model=m">Outcome: Failed', html)
    assert re.search(r'href="\?state=failed">Model: m', html)


def test_the_correlation_survives_another_filter(as_viewer):
    assert '<input type="hidden" name="correlation" value="abc"' in page(as_viewer, correlation="abc")


def test_a_wrong_filter_keeps_what_was_typed(as_viewer):
    html = page(as_viewer, http="4-0-4")
    assert 'value="4-0-4"' in html
    assert "This is no HTTP status." in html


def test_a_filter_that_nothing_matches_any_more_is_still_offered(as_viewer):
    html = page(as_viewer, model="gone-model")
    assert '<option value="gone-model" selected>' in html


def test_the_installation_column_goes_when_it_is_fixed(as_viewer):
    call()
    assert ">Installation</th>" in page(as_viewer)
    assert ">Installation</th>" not in page(as_viewer, installation="1")


def test_an_empty_log_says_what_will_be_here(as_viewer):
    assert "No calls yet" in page(as_viewer)


def test_no_match_says_how_to_see_more(as_viewer):
    call()
    assert "No call matches" in page(as_viewer, state="failed")


def test_a_large_log_costs_as_many_queries_as_a_small_one(as_viewer, django_assert_max_num_queries):
    calls(60, **USAGE)
    with django_assert_max_num_queries(11):
        page(as_viewer, state="done", q="luna")


def test_the_first_page_asks_for_newer_rows_and_others_do_not(as_viewer):
    rows = calls(60)
    html = page(as_viewer, state="done")
    assert f'hx-get="?state=done&amp;after={rows[0].pk}&amp;shown=0"' in html
    older = re.search(r'rel="next" href="([^"]+)"', html)[1].replace("&amp;", "&")
    assert "hx-get" not in as_viewer.get("/log/" + older).content.decode()


def test_live_rows_can_be_paused_without_script(as_viewer):
    call()
    assert '?live=off"' in page(as_viewer)
    html = page(as_viewer, live="off")
    assert "hx-get" not in html
    assert "Resume live rows" in html


def test_a_list_that_ended_in_the_past_does_not_poll(as_viewer):
    row = call(created_at=ago(hours=2))
    ended = (timezone.localtime() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    assert "hx-get" not in page(as_viewer, to=ended)
    assert poll(as_viewer, row.pk, to=ended).status_code == 286


def test_nothing_new_is_an_empty_answer(as_viewer):
    row = call()
    answer = poll(as_viewer, row.pk, f"{row.pk}:done")
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_poll_brings_newer_rows_only_and_asks_on_from_the_newest(as_viewer):
    shown = call(created_at=ago(minutes=5))
    first, second = call(created_at=ago(minutes=4)), call(created_at=ago(minutes=3))
    call(created_at=ago(minutes=2), state="failed")
    html = poll(as_viewer, shown.pk, state="done", shown="7").content.decode()
    assert ids(html) == [str(second.pk), str(first.pk)]
    assert f"?state=done&amp;after={second.pk}&amp;shown=9" in html
    assert "3 calls" in html
    assert poll(as_viewer, shown.pk, state="done").status_code == 200


def test_a_row_that_is_not_finished_is_brought_up_to_date(as_viewer):
    row = call(state="sending")
    assert f'name="open" value="{row.pk}:sending"' in page(as_viewer)
    assert poll(as_viewer, row.pk, f"{row.pk}:sending").status_code == 204
    Call.objects.update(state="done")
    html = poll(as_viewer, row.pk, f"{row.pk}:sending").content.decode()
    assert f'id="call-{row.pk}" hx-swap-oob="true"' in html
    assert 'name="open"' not in html
    assert f"after={row.pk}" in html


def test_the_first_rows_of_an_empty_list_reload_the_page(as_viewer):
    assert "after=&amp;" in page(as_viewer)
    assert poll(as_viewer, "").status_code == 204
    call()
    assert poll(as_viewer, "")["HX-Refresh"] == "true"


@pytest.mark.parametrize("shown", [0, 5])
def test_a_flood_ends_the_live_rows_with_a_link(as_viewer, monkeypatch, shown):
    monkeypatch.setattr(browse, "LIVE_ROWS", 3 if not shown else 100)
    monkeypatch.setattr(views, "MOST_LIVE", 500 if not shown else 8)
    first = call(created_at=ago(minutes=30))
    calls(4)
    answer = poll(as_viewer, first.pk, shown=str(shown), state="done")
    html = answer.content.decode()
    assert answer.status_code == 286
    assert ids(html) == []
    assert '<a href="?state=done">Many newer calls arrived.' in html
    assert "hx-get" not in html


def test_without_htmx_the_same_address_is_a_page(as_viewer):
    row = call()
    assert "<!doctype html>" in as_viewer.get(f"/log/?after={row.pk}").content.decode()


def test_a_poll_is_cheap(as_viewer, django_assert_max_num_queries):
    row = call()
    with django_assert_max_num_queries(6):
        poll(as_viewer, row.pk, f"{row.pk}:sending")
