import re

import pytest
from django.test import RequestFactory

from ui import views
from ui.help import ENTRIES
from ui.navigation import MENU


def body(answer):
    return answer.content.decode()


def test_the_menu_holds_what_exists_and_the_person_may_open(as_):
    labels = re.findall(r"</svg>([A-Z][a-z ]+)</a></li>", body(as_("viewer").get("/connections/")))
    assert labels == ["Connections", "Installations", "Integration log"]
    assert "People" in body(as_("administrator").get("/connections/"))


@pytest.mark.parametrize("address", ["/connections/", "/connections/5/"])
def test_the_page_one_is_on_is_marked_in_the_menu(as_, address):
    page = body(as_("viewer").get(address))
    assert '<a href="/connections/" aria-current="page">' in page
    assert page.count('aria-current="page">') == 2  # the menu and the crumbs


def test_every_icon_of_the_menu_is_in_the_sprite(settings):
    sprite = (settings.BASE_DIR / "static/icons.svg").read_text()
    missing = [item.icon for items in MENU.values() for item in items if f'id="{item.icon}"' not in sprite]
    assert not missing


def test_the_foot_names_the_person_and_signs_out_by_a_form(as_):
    page = body(as_("viewer").get("/connections/"))
    assert '<b class="clip">Maren Okafor</b><small>Viewer</small>' in page
    assert (
        '<form class="push" method="post" action="/sign-out/"><input type="hidden" name="csrfmiddlewaretoken"' in page
    )


def test_the_search_goes_to_the_integration_log(as_):
    assert 'role="search" action="/log/"' in body(as_("viewer").get("/connections/"))


def test_htmx_is_told_the_token_and_may_not_evaluate(as_):
    page = body(as_("viewer").get("/connections/"))
    assert re.search(r"""hx-headers='\{"X-CSRFToken": "[A-Za-z0-9]{64}"\}'""", page)
    assert '"allowEval":false' in page
    assert '"historyCacheSize":0' in page
    assert '<script src="/static/django_htmx/htmx-2.min.js" defer></script>' in page


def test_messages_are_notices_and_what_can_be_undone_is_a_toast(as_):
    page = body(as_("viewer").get("/tell/"))
    assert re.search(r'notice-ok message" role="status">.*?The connection is saved\.', page, re.S)
    assert re.search(r'notice-bad message" role="alert">.*?401: &lt;key&gt;', page, re.S)
    assert re.search(r'class="toast toast-ok" role="status">.*?2 records approved', page, re.S)


def test_pages_keep_their_filters_when_turned(as_):
    page = body(as_("viewer").get("/connections/?q=a%26b&cursor=old"))
    assert 'href="?q=a%26b&amp;cursor=older"' in page
    assert 'href="?q=a%26b">Newest' in page


def test_the_theme_is_switched_by_a_form_and_kept(as_):
    browser = as_("viewer")
    answer = browser.post("/theme/", {"next": "/connections/?q=1"})
    assert answer.headers["Location"] == "/connections/?q=1"
    assert '<html lang="en" data-theme="dark">' in body(browser.get("/connections/"))
    browser.post("/theme/")
    assert 'data-theme="light"' in body(browser.get("/connections/"))


def test_a_theme_we_do_not_know_is_no_theme(as_):
    browser = as_("viewer")
    browser.cookies["theme"] = '"><script>'
    assert '<html lang="en">' in body(browser.get("/connections/"))


@pytest.mark.parametrize("elsewhere", ["//evil.example/", "https://evil.example/", "javascript:x"])
def test_the_theme_switch_leads_nowhere_else(as_, elsewhere):
    assert as_().post("/theme/", {"next": elsewhere}).headers["Location"] == "/"


def test_the_theme_switch_takes_only_forms(as_):
    assert as_().get("/theme/").status_code == 405


@pytest.mark.parametrize("code", ENTRIES)
def test_every_code_has_a_help_page(as_, code):
    entry = ENTRIES[code]
    page = body(as_("viewer").get(f"/help/{code.lower()}/"))
    assert entry.title.replace("'", "&#x27;") in page
    assert code == entry.code


def test_help_lists_every_code(as_):
    page = body(as_("viewer").get("/help/"))
    assert [code for code in ENTRIES if f">{code}<" not in page] == []


def test_a_code_that_is_none_is_a_page_that_is_none(as_):
    assert as_("viewer").get("/help/PB-9999/").status_code == 404


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_help_keeps_the_house_wording(entry):
    text = f"{entry.title} {entry.what} {entry.why} {entry.todo}"
    assert "!" not in text
    assert not re.search(r"please|successfully|something went wrong", text, re.I)


@pytest.mark.parametrize(
    ("address", "status", "title"),
    [
        ("/garble/", 400, "This request cannot be read"),
        ("/deny/", 403, "This is not open to you"),
        ("/forgotten/", 403, "This page is closed"),
        ("/nowhere/", 404, "There is no such page"),
        ("/fail/", 500, "Patchbay failed to answer"),
    ],
)
def test_failures_are_pages_in_our_words(as_, address, status, title):
    answer = as_("viewer", raise_request_exception=False).get(address)
    page = body(answer)
    assert answer.status_code == status
    assert f"<h1>{title}</h1>" in page
    assert "What to do" in page
    assert "secret detail" not in page
    assert "Traceback" not in page


@pytest.mark.parametrize(
    ("address", "status", "kind", "code"),
    [
        ("/hookapi/fail/", 500, "server_error", "server_error"),
        ("/hookapi/nowhere/", 404, "invalid_request_error", "not_found"),
        ("/proxy/forgotten/", 403, "invalid_request_error", "no_policy"),
    ],
)
def test_machines_get_failures_in_the_shape_of_openai(as_, address, status, kind, code):
    answer = as_(raise_request_exception=False).get(address)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"], error["param"]) == (status, kind, code, None)
    assert "secret detail" not in error["message"]


def test_a_form_without_its_token_is_refused_in_our_words(as_):
    answer = as_("viewer", enforce_csrf_checks=True).post("/connections/", {"name": "x"})
    assert answer.status_code == 403
    assert "This form is too old to be sent" in body(answer)


def test_the_page_of_a_failure_needs_neither_database_nor_person():
    class Unreachable:
        def __bool__(self):
            raise AssertionError("touched the person")

    request = RequestFactory().get("/fail/")
    vars(request)["user"] = Unreachable()
    assert views.server_error(request).status_code == 500


def test_a_refused_form_keeps_what_was_typed(as_):
    page = body(as_("viewer").post("/connections/", {"name": "Harbor <b>", "seconds": "90"}))
    assert 'value="Harbor &lt;b&gt;"' in page
    assert "need a second look" in page


def test_bare_pages_have_no_menu(as_):
    page = body(as_().get("/sign-in/"))
    assert 'class="bare"' in page
    assert 'class="nav"' not in page


def test_every_page_has_one_heading_and_a_way_past_the_menu(as_):
    page = body(as_("viewer").get("/connections/"))
    assert page.count("<h1>") == 1
    assert '<a class="skip" href="#main">' in page
