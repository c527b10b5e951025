"""Filters one by one, search, what is new, what the pickers offer."""

from datetime import timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from logs import browse
from logs.filters import FilterForm
from logs.models import Call
from tests.logs.builders import ago, call, calls
from ui.paging import keyset_page

pytestmark = pytest.mark.django_db


def found(query="", **filters):
    form = FilterForm(QueryDict(query) if query else {name: str(value) for name, value in filters.items()})
    rows = list(browse.matching(form.filters()))
    assert not form.errors, form.errors
    return rows


@pytest.mark.parametrize(
    ("column", "mine", "other", "query"),
    [
        ("installation_id", 7, 8, "installation=7"),
        ("operation", "create_embedding", "list_models", "operation=create_embedding"),
        ("model", "gpt-6-luna", "gpt-6.1-sol", "model=gpt-6-luna"),
        ("state", "failed", "done", "state=failed"),
        ("state", "sending", "done", "state=open"),
        ("state", "queued", "unknown", "state=open"),
        ("http_status", 429, 200, "http=429"),
        ("http_status", 503, 429, "http=5xx"),
        ("http_status", 599, 499, "http=5XX"),
        ("http_status", None, 200, "http=none"),
        ("cause", "check", "form", "cause=check"),
        ("correlation_id", "abc", "abcd", "correlation=abc"),
        ("cause_id", "7", "77", "cause_id=7"),
        ("tags", "nightly", "nightly-2", "tag=nightly"),
        ("tags", "nightly, b", "nightly-2, b", "tag=Nightly"),
        ("tags", "a, nightly", "a, x-nightly", "tag=+nightly+"),
        ("tags", "a, nightly, b", "a, nightly.x, b", "tag=nightly"),
        ("tags", "100%_", "100abc", "tag=100%25_"),
    ],
)
def test_each_filter_keeps_what_it_names(column, mine, other, query):
    wanted = call(**{column: mine})
    call(**{column: other})
    assert found(query) == [wanted]


def test_filters_narrow_each_other():
    wanted = call(state="failed", model="m1")
    call(state="failed", model="m2")
    call(state="done", model="m1")
    assert found("state=failed&model=m1") == [wanted]


@pytest.mark.parametrize(("period", "seconds"), [("90m", 5400), ("1h", 3600), ("24h", 86400), ("7d", 604800)])
def test_since_is_a_length_of_time(period, seconds):
    wanted = call(created_at=ago(seconds=seconds - 5))
    call(created_at=ago(seconds=seconds + 5))
    assert found(f"since={period}") == [wanted]


def test_from_and_to_are_moments(settings):
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    before, inside, after = (call(created_at=noon + timedelta(hours=hours)) for hours in (-1, 1, 3))
    span = f"from={noon:%Y-%m-%dT%H:%M}&to={noon + timedelta(hours=2):%Y-%m-%dT%H:%M}"
    assert found(span) == [inside]
    assert {before, after}.isdisjoint(found(span))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("http=abc", "http"),
        ("http=999", "http"),
        ("http=1e3", "http"),
        ("since=yesterday", "since"),
        ("since=99999d", "since"),
        ("state=nothing", "state"),
        ("installation=abc", "installation"),
        ("installation=99999999999999999999", "installation"),
        ("from=21+November", "from"),
        ("to=0001-01-01T00:00", "to"),
        ("from=9999-12-31T23:59%2B00:00", "from"),
        ("q=" + "a" * 201, "q"),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field_and_not_applied(query, field):
    call(state="failed")
    form = FilterForm(QueryDict(query + "&state=failed" if field != "state" else query))
    assert browse.matching(form.filters()).count() == 1
    assert list(form.errors) == [field]


@pytest.mark.parametrize("strange", ["\0", "\0\0", "\ud800", "a\0b", "'; DROP TABLE logs_call; --"])
def test_strange_text_finds_nothing_and_breaks_nothing(strange):
    call(model="plain")
    query = QueryDict(mutable=True)
    query["q"] = query["model"] = strange
    list(browse.matching(FilterForm(query).filters()))
    assert Call.objects.count() == 1


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("correlation_id", "0af3c91b", "af3c"),
        ("request_id", "req_9b03f2", "9B03"),
        ("object_id", "resp_77", "resp_7"),
        ("model", "gpt-6-astra", "astra"),
        ("operation", "create_embedding", "create embed"),
        ("path", "/embeddings", "/embed"),
        ("error_code", "rate_limited", "rate_lim"),
        ("error_message", "OpenAI answered 401: the key is wrong.", "the key is"),
        ("cause_label", "Product HP-10733", "hp-107"),
        ("tags", "nightly, shop-2", "shop"),
    ],
)
def test_text_is_searched_in(column, value, text):
    wanted = call(**{column: value})
    call(**{column: "unlike"})
    assert found(q=text) == [wanted]


def test_a_call_is_found_by_its_id_and_by_a_part_of_it():
    wanted = call()
    call()
    assert found(q=wanted.pk) == [wanted]
    assert found(q=wanted.pk.hex) == [wanted]
    assert found(q=wanted.short_id) == [wanted]


@pytest.mark.parametrize("text", ["100%", "a_b", "back\\slash", "%", "_"])
def test_the_signs_of_patterns_stand_for_themselves(text):
    wanted = call(cause_label=f"has {text} in it", request_id="", operation="x", correlation_id="x", model="", path="")
    call(cause_label="has 100 ab backslash in it", request_id="", operation="x", correlation_id="x", model="", path="")
    assert found(q=text) == [wanted]


def test_a_whole_id_is_found_however_old(monkeypatch):
    monkeypatch.setattr(browse, "SEARCHED", 2)
    old = call(request_id="req_old", created_at=ago(days=3))
    calls(5, request_id="")
    assert found(q="req_old") == [old]
    assert found(q="req_ol") == []


def test_counting_stops_at_its_bound(monkeypatch):
    monkeypatch.setattr(browse, "COUNTED", 3)
    calls(3)
    assert browse.counted(Call.objects.all()) == browse.Count(3, more=False)
    call()
    assert browse.counted(Call.objects.all()) == browse.Count(3, more=True)


def test_newer_calls_are_those_after_the_named_one_also_within_one_moment():
    moment = ago(minutes=5)
    same = sorted((call(created_at=moment) for _ in range(3)), key=lambda row: row.pk)
    newer = call(created_at=ago(minutes=4))
    call(created_at=ago(minutes=6))
    assert browse.newer_than(browse.matching(FilterForm().filters()), str(same[0].pk)) == [newer, same[2], same[1]]


def test_calls_of_this_second_wait_until_they_are_settled():
    first = call()
    call(created_at=timezone.now())
    assert browse.newer_than(browse.matching(FilterForm().filters()), str(first.pk)) == []


@pytest.mark.parametrize("newest", ["nonsense", "018f0000-0000-7000-8000-000000000000"])
def test_an_id_that_nobody_has_brings_nothing(newest):
    call()
    assert browse.newer_than(browse.matching(FilterForm().filters()), newest) == []


def test_changed_calls_are_those_in_another_state_than_the_page_shows():
    waiting, finished = call(state="sending"), call(state="done")
    shown = [f"{waiting.pk}:sending", f"{finished.pk}:sending", "nonsense:done", "nonsense"]
    assert browse.changed_since(shown) == [finished]


def test_pickers_offer_what_stands_in_the_log_and_the_newest_name():
    call(installation_id=1, installation_name="Old name", created_at=ago(days=2), model="b", operation="get_model")
    call(installation_id=1, installation_name="New name", model="a", operation="list_models")
    call(installation_id=2, installation_name="Another", model="", operation="list_models")
    call(installation_id=None, installation_name="", model="a", cause="connection test")
    assert browse.installation_choices() == [("2", "Another"), ("1", "New name")]
    assert browse.choices_of("model") == [("a", "a"), ("b", "b")]
    assert browse.choices_of("operation") == [(name, name) for name in ("create_response", "get_model", "list_models")]
    assert browse.choices_of("cause") == [("connection test", "connection test"), ("form", "form")]


def test_pickers_of_an_empty_log_are_empty():
    assert browse.choices_of("model") == []
    assert browse.installation_choices() == []


def test_pickers_jump_along_an_index_and_read_no_table(django_assert_num_queries):
    from django.db import connection

    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if postgresql:  # which would read a table as small as this one whole, if it were left the choice
            cursor.execute("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN " if postgresql else "EXPLAIN QUERY PLAN "
        plan_of = browse._SKIP_SCAN.replace("column_name", "model").replace("name_of_value", "''")
        cursor.execute(explain + plan_of, [5])
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "index" in plan.lower()
    assert "SCAN logs_call" not in plan and "Seq Scan on logs_call" not in plan
    with django_assert_num_queries(1):
        browse.choices_of("model")


def test_a_page_that_holds_everything_is_counted_without_the_database(django_assert_num_queries):
    calls(3)
    page = keyset_page(browse.matching(FilterForm().filters()), None)
    with django_assert_num_queries(0):
        assert browse.counted(Call.objects.all(), page) == browse.Count(3, more=False)


def test_chunks_walk_the_whole_log_once(monkeypatch):
    rows = calls(23)
    rows += [call(created_at=rows[0].created_at - timedelta(days=1)) for _ in range(4)]
    everything = browse.matching(FilterForm().filters())
    walked = list(browse.in_chunks(everything, None, size=5))
    assert walked == list(everything)
    assert list(browse.in_chunks(everything, 7, size=5)) == walked[:7]
    assert list(browse.in_chunks(everything, 5, size=5)) == walked[:5]
