"""What is passed on of a request: nothing in it can name another place, another key, or another request."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some

from openai_api.passing import NotPassedOn, answer_headers, headers, path

BASE = "https://api.openai.test/v1"
DOTS = [".", "..", "%2e", "%2E", "%2e%2e", ".%2e", "%252e%252e", "%252E."]
SLASHES = ["/", "%2f", "%2F", "%5c", "%255c", "%252f", "\\"]


@pytest.mark.parametrize(
    "plain",
    [
        "/responses",
        "/responses/resp_1/input_items",
        "/models/ft:gpt-6-luna:harbor::abc",
        "/files/file-1/content",
        "/no/such/thing/yet",
        "/vector_stores/vs_1/files/file%2D1",
        "/chat/completions/",
        "/..hidden/...",
        "/vector_stores/my%20store",
    ],
)
def test_a_path_below_the_base_url_is_passed_on_as_it_came(plain: str) -> None:
    assert path(plain) == plain


@pytest.mark.parametrize(
    "strange",
    [
        "https://elsewhere.test/v1/responses",
        "//elsewhere.test/responses",
        "/https://elsewhere.test/",
        "responses",
        "",
        "/",
        "/responses//",
        "/re sponses",
        "/responses?x=1",
        "/responses#top",
        "/responses\r\nx: y",
        "/responses%0d%0aX:y",
        "/responses%250d%250aX:y",
        "/responses%00",
        "/a\\b",
        "/a%5cb",
        "/@elsewhere.test:80/..",
        "/é",
    ],
)
def test_what_could_mean_another_place_is_refused(strange: str) -> None:
    with pytest.raises(NotPassedOn):
        path(strange)


@pytest.mark.parametrize("dots", DOTS)
@pytest.mark.parametrize("slash", SLASHES)
def test_no_spelling_of_dots_leads_out_of_the_base_url(dots: str, slash: str) -> None:
    for tried in (f"/models{slash}{dots}", f"/{dots}{slash}models", f"/models{slash}{dots}{slash}admin", f"/{dots}"):
        with pytest.raises(NotPassedOn):
            path(tried)


@given(some.lists(some.one_of(some.sampled_from(DOTS + SLASHES), some.text(max_size=6)), max_size=8))
def test_whatever_passes_stays_below_the_base_url(parts: list[str]) -> None:
    raw = "/" + "".join(parts)
    try:
        kept = path(raw)
    except NotPassedOn:
        return
    assert kept == raw
    reached = urlsplit(BASE + kept)
    assert (reached.scheme, reached.netloc, reached.query, reached.fragment) == ("https", "api.openai.test", "", "")
    for decoded in (kept, unquote(kept), unquote(unquote(kept))):
        assert not re.search(r"[\x00-\x1f\x7f]", decoded) and not {"..", "."} & set(
            decoded.replace("\\", "/").split("/")
        )


@given(some.text())
def test_quoted_text_never_breaks_the_check(text: str) -> None:
    try:
        path("/" + quote(text.encode("utf-8", "surrogatepass"), safe=""))
    except NotPassedOn:
        return


def test_headers_that_openai_reads_are_passed_on() -> None:
    sent = [("content-type", "application/json"), ("openai-beta", "responses=v1"), ("idempotency-key", "order-7")]
    sent += [("user-agent", "OpenAI/Python 2"), ("x-stainless-retry-count", "1")]
    assert headers(sent, {}) == dict(sent)


@pytest.mark.parametrize(
    "name",
    [
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "proxy-authorization",
        "proxy-connection",
        "host",
        "content-length",
        "expect",
        "accept-encoding",
        "cookie",
        "forwarded",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-real-ip",
        "authorization",
        "x-patchbay-tags",
    ],
)
def test_what_belongs_to_this_hop_or_to_us_stays_here(name: str) -> None:
    assert headers([(name, "something"), ("accept", "*/*")], {}) == {"accept": "*/*"}


def test_what_connection_names_stays_here_however_it_is_written() -> None:
    sent = [("connection", "close, X-Secret-Hop"), ("connection", "x-other"), ("x-secret-hop", "1"), ("x-other", "2")]
    assert headers(sent, {}) == {}


@pytest.mark.parametrize("name", ["api-key", "x-api-key"])
def test_another_way_to_send_a_key_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(NotPassedOn, match="own key is used"):
        headers([(name, "sk-other")], {})


@pytest.mark.parametrize("name", ["openai-organization", "openai-project"])
def test_the_connection_says_who_pays(name: str) -> None:
    own = {"OpenAI-Organization": "org-1", "OpenAI-Project": "proj-1"}
    with pytest.raises(NotPassedOn, match="pays"):
        headers([(name, "other")], own)
    with pytest.raises(NotPassedOn, match="pays"):
        headers([(name, "other")], {})
    assert headers([("openai-organization", "org-1"), ("openai-project", "proj-1")], own) == {}, (
        "the client adds its own"
    )


def test_a_header_that_comes_twice_is_one_list() -> None:
    assert headers([("openai-beta", "a"), ("openai-beta", "b")], {}) == {"openai-beta": "a, b"}


def test_headers_of_the_answer_come_back_but_those_of_its_hop() -> None:
    kept = [
        (b"x-request-id", b"req_1"),
        (b"x-ratelimit-remaining-requests", b"7"),
        (b"retry-after", b"1"),
        (b"openai-processing-ms", b"12"),
        (b"content-type", b"text/event-stream"),
        (b"content-encoding", b"gzip"),
        (b"link", b"<one>"),
        (b"link", b"<two>"),
    ]
    left = [
        (b"set-cookie", b"__cf_bm=1"),
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"close"),
        (b"date", b"today"),
    ]
    assert answer_headers([*kept, *left]) == kept
