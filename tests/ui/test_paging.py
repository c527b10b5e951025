from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ui.paging import NEWER, OLDER, keyset_page, read_cursor, write_cursor

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TIME = "expire_date"  # sessions stand in for any row with a time: Django's own smallest table that has one


def make_rows(seconds):
    Session.objects.all().delete()
    rows = [Session(session_key=f"s{i:03}", expire_date=START + timedelta(seconds=s)) for i, s in enumerate(seconds)]
    Session.objects.bulk_create(rows)
    return [row.pk for row in sorted(rows, key=lambda row: (row.expire_date, row.pk), reverse=True)]


def page(cursor=None, size=50):
    return keyset_page(Session.objects.all(), cursor, size, time_field=TIME)


def keys(shown):
    return [row.pk for row in shown.rows]


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5), max_size=25), st.integers(1, 7))
@example([], 1)
@example([0, 0, 0, 0, 0, 0], 2)
def test_walking_back_and_forth_loses_and_doubles_nothing(seconds, size):
    expected = make_rows(seconds)
    shown = page(size=size)
    there = [keys(shown)]
    while shown.older_cursor:
        shown = page(shown.older_cursor, size)
        there.append(keys(shown))
    back = [keys(shown)]
    while shown.newer_cursor:
        shown = page(shown.newer_cursor, size)
        back.append(keys(shown))
    assert sum(there, []) == expected
    assert back[::-1] == there


@pytest.mark.django_db
def test_rows_that_arrive_meanwhile_do_not_shift_the_next_page():
    make_rows([0, 1, 2, 3])
    first = page(size=2)
    Session.objects.create(session_key="new", expire_date=START + timedelta(hours=1))
    assert keys(page(first.older_cursor, 2)) == ["s001", "s000"]


@pytest.mark.django_db
def test_rows_are_fetched_in_one_query(django_assert_num_queries):
    make_rows(range(9))
    with django_assert_num_queries(1):
        page(size=4)


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["", "x", "%%%", "é", "bzE=", "A" * 300, "b3x4fHk", None])
def test_a_bad_cursor_gives_the_first_page(cursor):
    expected = make_rows([0, 1, 2])
    assert keys(page(cursor, 2)) == expected[:2]


@given(st.text(max_size=60))
def test_no_text_upsets_the_reader_of_cursors(text):
    read_cursor(Session, text)


@pytest.mark.django_db
def test_a_page_whose_rows_are_gone_gives_the_first_page():
    make_rows([0, 1, 2, 3])
    older = page(size=2).older_cursor
    Session.objects.filter(pk__in=["s000", "s001"]).delete()
    assert keys(page(older, 2)) == ["s003", "s002"]


@pytest.mark.parametrize("side", [OLDER, NEWER])
def test_a_cursor_is_fit_for_an_address(side):
    row = Session(session_key="a/b?c", expire_date=START)
    cursor = write_cursor(side, row, TIME)
    assert cursor.replace("-", "").replace("_", "").isalnum()
    edge = read_cursor(Session, cursor)
    assert edge and edge.pk == "a/b?c"
