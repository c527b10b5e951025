import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.template import Context, Template
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ui.demo import STATES
from ui import formats
from ui.code import code_lines

EVIL = '<script>alert("x")</script>'
NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def draw(source, **context):
    return Template(source).render(Context(context))


def text_of(html):
    return re.sub(r"<[^>]*>", "", html)


@pytest.mark.parametrize(
    ("state", "css"),
    [
        ("passed", "status status-ok"),
        ("running", "status status-busy"),
        ("waiting", "status"),
        ("failed", "status status-bad"),
    ],
)
def test_a_state_is_shape_word_and_colour(state, css):
    html = draw("{% status state %}", state=STATES[state])
    assert html.startswith(f'<span class="{css}"><svg class="icon"')
    assert text_of(html) == STATES[state].label


def test_icons_come_from_the_sprite_and_are_silent():
    html = draw('{% icon "run" "s" %}')
    assert html == (
        '<svg class="icon icon-s" width="16" height="16" aria-hidden="true"><use href="/static/icons.svg#run"/></svg>'
    )


@pytest.mark.parametrize(
    "source",
    [
        "{% badge evil %}",
        "{% badge 'x' evil %}",
        "{% icon evil %}",
        "{% notice 'bad' evil evil %}",
        "{% environment evil %}",
        "{% copy_field 'a' evil evil %}",
        "{% empty evil evil icon=evil url=evil button=evil %}",
        "{% code_block evil label=evil %}",
        "{% code_block data %}",
        "{% help_code evil %}",
        "{{ evil|initials }}",
    ],
)
def test_values_cannot_become_markup(source):
    html = draw(source, evil=EVIL, data={EVIL: [EVIL]})
    assert "<script" not in html
    assert '"x"' not in html


def test_code_is_laid_out_line_by_line_with_its_tokens():
    html = draw("{% code_block body id='b' %}", body='{"model":"x","n":-1.5,"on":true,"none":null}')
    lines = re.findall(r"<li>(.*?)</li>", html)
    assert lines == [
        "{",
        '  <span class="k">&quot;model&quot;</span>: <span class="st">&quot;x&quot;</span>,',
        '  <span class="k">&quot;n&quot;</span>: <span class="nu">-1.5</span>,',
        '  <span class="k">&quot;on&quot;</span>: <span class="bo">true</span>,',
        '  <span class="k">&quot;none&quot;</span>: <span class="bo">null</span>',
        "}",
    ]


def test_what_was_redacted_is_hatched():
    lines = code_lines({"input": "Contact: [redacted: email, 24 characters], [redacted] [redacted: no length]"})
    assert '<span class="redacted">email, 24 characters</span>' in lines[1]
    assert lines[1].count("redacted") == 3


def test_text_that_is_no_json_stays_as_it_is():
    assert code_lines("data: {broken\n{") == ["data: {broken", "{"]
    assert code_lines("[" * 100_000)[0] == "[" * 100_000
    assert code_lines('{"half": "\\ud800"}')[1].encode()


# A busy machine is slow; that is no finding.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_the_viewer_shows_every_character_and_nothing_else(value):
    import html

    shown = "\n".join(html.unescape(text_of(line)) for line in code_lines([value]))
    assert json.loads(shown) == [value]


def test_the_log_tells_times_to_the_second_whatever_the_day():
    with time_machine.travel(NOON, tick=False):
        shown = [formats.log_clock(NOON - timedelta(days=days)) for days in (0, 2, 500)]
    assert shown == ["12:00:00", "19 Nov, 12:00:00", "9 Jul 2025, 12:00:00"]
    assert formats.log_clock(None) == "–"


@pytest.mark.parametrize(
    ("moment", "clock", "ago"),
    [
        (NOON - timedelta(seconds=20), "11:59:40", "20 s ago"),
        (NOON - timedelta(minutes=5, seconds=59), "11:54:01", "5 min ago"),
        (NOON - timedelta(hours=1), "11:00:00", "11:00:00"),
        (NOON + timedelta(minutes=1), "12:01:00", "12:01:00"),
        (NOON - timedelta(days=2), "19 November 2026, 12:00", "19 November 2026, 12:00"),
        (None, "–", "–"),
    ],
)
def test_times_are_exact_today_dated_else_and_relative_under_an_hour(moment, clock, ago):
    with time_machine.travel(NOON, tick=False):
        assert (formats.clock(moment), formats.ago(moment)) == (clock, ago)


def test_a_time_carries_its_machine_form():
    html = draw("{% when moment %}", moment=datetime(2026, 11, 19, 14, 32, tzinfo=UTC))
    assert '<time datetime="2026-11-19T14:32:00.000+00:00"' in html
    assert text_of(html) == "19 November 2026, 14:32"


@pytest.mark.parametrize(
    ("filter_name", "value", "shown"),
    [
        ("duration_ms", 840, "840 ms"),
        ("duration_ms", 999.6, "1.0 s"),
        ("duration_ms", 6200, "6.2 s"),
        ("duration_ms", 59_960, "1 min 0 s"),
        ("duration_ms", 250_000, "4 min 10 s"),
        ("duration_ms", 7_500_000, "2 h 5 min"),
        ("duration_ms", None, "–"),
        ("money", Decimal("0.000843"), "$0.000843"),
        ("money", Decimal("412.86"), "$412.86"),
        ("money", Decimal("1240.5"), "$1,240.50"),
        ("money", Decimal("0"), "$0.00"),
        ("money", Decimal("0.0000001"), "under $0.000001"),
        ("money", Decimal("-3"), "-$3.00"),
        ("money", None, "unknown"),
        ("number", 1240, "1,240"),
        ("number", None, "–"),
        ("bytes", 1, "1 byte"),
        ("bytes", 1048, "1,048 bytes"),
        ("bytes", 12_400, "12.4 kB"),
        ("bytes", 999_960, "1.0 MB"),
        ("initials", "Maren Okafor", "MO"),
        ("initials", "maren.okafor", "MO"),
        ("initials", "maren", "MA"),
        ("initials", "", ""),
        ("plain", "oak", "oak"),
        ("plain", ["Böhm", 12.5], "[&quot;Böhm&quot;, 12.5]"),
        ("plain", True, "true"),
    ],
)
def test_amounts_have_a_unit_and_a_readable_size(filter_name, value, shown):
    assert draw(f"{{{{ value|{filter_name} }}}}", value=value) == shown
