"""Every address of the program, tried as nobody, without a role, and in each role, with every method.

`ROUTES` is the plan: who may open what, by which methods. The outcome must agree with it, and it with the view's policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import ROLES, User
from config.entry import MACHINE_PATHS, by_path
from connections import actions as connection_actions
from connections.models import Installation, InstallationDraft
from connections.testing import Verdict
from flows.models import Flow
from logs.audit import SYSTEM
from logs.models import Call
from mappings.models import MappingVersion
from mappings.once import Once
from operations import keeping
from operations.actions import create_preset
from operations.asking import Asked, FilePart
from operations.models import Answer, Listing, Preset
from proxy import knocks
from proxy.actions import create_token
from tests import people
from tests.flows.builders import push, ready_installation
from ui.access import policy_of
from verification.models import Verification
from webhooks.models import Event

READ, SEND, BOTH = ("GET",), ("POST",), ("GET", "POST")

# name of the route → the lowest role that may open it, and by which methods
ROUTES: dict[str, tuple[str, tuple[str, ...]]] = {
    "ui:home": ("viewer", READ),
    "ui:theme": ("public", SEND),
    "ui:help": ("viewer", READ),
    "ui:help_entry": ("viewer", READ),
    "accounts:setup": ("public", BOTH),
    "accounts:sign_in": ("public", BOTH),
    "accounts:sign_out": ("public", SEND),
    "accounts:password": ("viewer", BOTH),
    "accounts:people": ("administrator", READ),
    "accounts:add_person": ("administrator", BOTH),
    "accounts:person": ("administrator", BOTH),
    "connections:list": ("viewer", READ),
    "connections:new": ("administrator", BOTH),
    "connections:detail": ("viewer", READ),
    "connections:edit": ("administrator", BOTH),
    "connections:replace_key": ("administrator", BOTH),
    "connections:admin_key": ("administrator", BOTH),
    "connections:test": ("operator", SEND),
    "connections:delete": ("administrator", SEND),
    "installations:list": ("viewer", READ),
    "installations:new": ("administrator", BOTH),
    "installations:discard": ("administrator", SEND),
    "installations:step": ("administrator", BOTH),
    "installations:keep": ("administrator", SEND),
    "installations:model_note": ("administrator", READ),
    "installations:allowance": ("administrator", READ),
    "installations:detail": ("viewer", READ),
    "installations:edit": ("administrator", BOTH),
    "installations:ready": ("administrator", READ),
    "installations:new_webhook_key": ("administrator", SEND),
    "installations:signing_secret": ("administrator", BOTH),
    "mappings:list": ("viewer", READ),
    "mappings:new": ("administrator", BOTH),
    "mappings:gallery": ("administrator", BOTH),
    "mappings:detail": ("viewer", BOTH),
    "mappings:edit": ("administrator", BOTH),
    "mappings:delete": ("administrator", SEND),
    "mappings:activate": ("administrator", SEND),
    "mappings:versions": ("viewer", READ),
    "mappings:version": ("viewer", READ),
    "mappings:roll_back": ("administrator", SEND),
    "mappings:note": ("administrator", SEND),
    "mappings:clone": ("administrator", SEND),
    "mappings:turn_round": ("administrator", BOTH),
    "mappings:move": ("administrator", SEND),
    "mappings:order": ("administrator", SEND),
    "mappings:rule_switch": ("administrator", SEND),
    "mappings:export": ("viewer", READ),
    "mappings:import": ("administrator", BOTH),
    "mappings:passing": ("administrator", SEND),
    "mappings:connect": ("administrator", BOTH),
    "mappings:once": ("operator", SEND),
    "mappings:rule_new": ("administrator", BOTH),
    "mappings:rule_edit": ("administrator", BOTH),
    "mappings:rule_move": ("administrator", SEND),
    "mappings:rule_delete": ("administrator", SEND),
    "operations:list": ("viewer", READ),
    "operations:choose": ("viewer", READ),
    "operations:form": ("viewer", BOTH),
    "operations:run": ("operator", SEND),
    "operations:lists_help": ("viewer", READ),
    "operations:whole_list": ("operator", READ),
    "operations:list_items": ("operator", READ),
    "operations:stop_list": ("operator", SEND),
    "operations:go_on_list": ("operator", SEND),
    "operations:save": ("operator", SEND),
    "operations:save_raw": ("operator", SEND),
    "operations:presets": ("viewer", READ),
    "operations:preset_help": ("viewer", READ),
    "operations:preset": ("viewer", READ),
    "operations:preset_run": ("operator", SEND),
    "operations:preset_rename": ("operator", SEND),
    "operations:preset_delete": ("administrator", SEND),
    "operations:preset_version": ("viewer", READ),
    "operations:preset_roll_back": ("operator", SEND),
    "presets:record": ("viewer", READ),
    "presets:run": ("operator", SEND),
    "operations:raw_help": ("viewer", READ),
    "operations:raw": ("viewer", READ),
    "operations:send_raw": ("operator", SEND),
    "operations:answer": ("operator", READ),
    "operations:body": ("operator", READ),
    "operations:part": ("operator", READ),
    "records:list": ("viewer", READ),
    "records:new": ("operator", BOTH),
    "records:detail": ("viewer", READ),
    "records:edit": ("operator", BOTH),
    "runs:list": ("viewer", READ),
    "runs:new": ("operator", BOTH),
    "runs:pull": ("operator", BOTH),
    "runs:detail": ("viewer", READ),
    "runs:progress": ("viewer", READ),
    "runs:items": ("viewer", READ),
    "runs:cancel": ("operator", SEND),
    "runs:retry": ("operator", SEND),
    "runs:decide": ("operator", SEND),
    "runs:decide_all": ("operator", SEND),
    "flows:list": ("viewer", READ),
    "flows:new": ("administrator", BOTH),
    "flows:switch": ("administrator", SEND),
    "flows:remove": ("administrator", SEND),
    "flows:run": ("operator", SEND),
    "webhooks:list": ("viewer", READ),
    "webhooks:detail": ("viewer", READ),
    "webhooks:replay": ("operator", SEND),
    "webhooks:first_event": ("viewer", READ),
    "proxy:list": ("viewer", READ),
    "proxy:new": ("administrator", BOTH),
    "proxy:detail": ("viewer", READ),
    "proxy:revoke": ("administrator", SEND),
    "proxy:installation": ("viewer", READ),
    "verification:list": ("viewer", READ),
    "verification:page": ("viewer", READ),
    "verification:start": ("operator", SEND),
    "verification:report": ("viewer", READ),
    "outcomes:list": ("viewer", READ),
    "outcomes:detail": ("viewer", READ),
    "outcomes:decide": ("operator", SEND),
    "logs:list": ("viewer", READ),
    "logs:detail": ("viewer", READ),
    "audit:list": ("administrator", READ),
}
EVERYBODY = ("nobody", "no role", *ROLES)


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from routes(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)
        else:
            yield f"{prefix}{entry.name}", entry


REAL = dict(routes(get_resolver()))


@pytest.fixture(scope="module")
def house(django_db_setup: None, django_db_blocker: Any) -> Iterator[SimpleNamespace]:
    """One row of each kind and a browser for everybody. Made once; what a test changes is undone after it, and they at
    the end.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield SimpleNamespace(browsers=everybody(), **rows())
        transaction.set_rollback(True)


def everybody() -> dict[str, Browser]:
    known = [people.roleless_rolf(), people.viewer_vera(), people.operator_omar(), people.administrator_ada()]
    return {"nobody": Browser()} | dict(zip(EVERYBODY[1:], map(people.signed_in, known), strict=True))


def rows() -> dict[str, Any]:
    installation = ready_installation()
    mapping = installation.mappings.filter(rules__isnull=False).first()
    run = push(installation=installation)
    asked = Asked("POST", "/files", files=(FilePart("file", "a.jsonl"),))  # run, it leads to where the file is chosen
    version = create_preset(SYSTEM, installation, "Upload", asked)
    event = {"entity": "Product", "webhook_id": "wh_1", "event_type": "response.completed", "payload": "{}"}
    call = {"operation": "list_models", "method": "GET", "path": "/models", "state": "done", "cause": "form"}
    return {
        "connection": installation.connection,
        "installation": installation,
        "draft": InstallationDraft.objects.create(owner=User.objects.get(username="ada")),
        "mapping": mapping,
        "answer": kept_answer(installation),
        "listing": kept_list(installation),
        "version": version,
        "preset": Preset.objects.get(pk=version.preset_id),
        "flow": Flow.objects.create(name="On change", installation=installation, mapping=mapping),
        "rule": mapping.rules.first(),
        "run": run,
        "item": run.items.get(),
        "record": run.items.get().record,
        "event": Event.objects.create(installation_id=installation.pk, state="done", **event),
        "call": Call.objects.create(installation_id=installation.pk, correlation_id="c0ffee", **call),
        "token": create_token(SYSTEM, "Shop", [installation]).token,
        "unknown": Call.objects.create(correlation_id="c0ffee", **call | {"state": "unknown"}),
        "verification": Verification.objects.create(installation=installation, state="passed"),
    }


def kept_answer(installation: Installation) -> Answer:
    """An answer that was a picture and has a second one in it."""
    parts = [{"kind": "image", "content_type": "image/png", "size": 1}]
    answer = Answer.objects.create(
        installation=installation, state="done", asked={"method": "GET", "path": "/models"}, shown={"parts": parts}
    )
    for part in (None, 0):
        keeping.write(keeping.path_of(answer.pk, part), b"\x89PNG")
    return answer


def kept_list(installation: Installation) -> Listing:
    asked = {"method": "GET", "path": "/files", "operation": "list_files"}
    listing = Listing.objects.create(
        installation=installation, state="done", asked=asked, parameter="after", most_items=9, most_pages=9, pages=1
    )
    keeping.write(keeping.path_of(listing.pk, 0), b"{}\n")
    return listing


def arguments(name: str, house: SimpleNamespace) -> dict[str, Any]:
    """What the route's address needs, from the rows that there are."""
    room = name.split(":")[0]
    row = {
        "connections": house.connection,
        "installations": house.draft if name.split(":")[1] in {"step", "keep", "discard"} else house.installation,
        "mappings": mappings_row(name, house),
        "records": house.record,
        "runs": house.item if name == "runs:decide" else house.run,
        "webhooks": house.event,
        "verification": house.verification if name == "verification:report" else house.installation,
        "flows": house.flow,
        "operations": house.listing if "_list" in name or "list_" in name else presets_row(name, house),
        "presets": house.preset,
        "proxy": house.installation if name == "proxy:installation" else house.token,
        "logs": house.call,
        "outcomes": house.unknown,
        "accounts": User.objects.get(username="vera"),
    }.get(room)
    known = {
        "pk": getattr(row, "pk", None),
        "rule_pk": house.rule.pk,
        "installation": house.installation.pk,
        "slug": "get_file" if room == "operations" else "name",
        "code": "PB-1001",
        "token": "no-such-token",
        "number": 0,
    }
    return {needed: known[needed] for needed in REAL[name].pattern.converters}


def presets_row(name: str, house: SimpleNamespace) -> Any:
    """Presets and their versions have pages in the room of answers."""
    of_versions = {"operations:preset_version", "operations:preset_roll_back"}
    return house.version if name in of_versions else house.preset if "preset" in name else house.answer


def mappings_row(name: str, house: SimpleNamespace) -> Any:
    """Some pages of mappings are of a version, some of all mappings of an installation."""
    if name in {"mappings:version", "mappings:roll_back", "mappings:note"}:
        return MappingVersion.objects.of(house.mapping.pk).first()
    return house.installation if name in {"mappings:order", "mappings:export", "mappings:import"} else house.mapping


@pytest.fixture(autouse=True)
def no_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shared rows stand in an open transaction, in which no call may be made."""
    monkeypatch.setattr("mappings.views.editor.run_once", lambda *rest: Once(refused="Nothing was sent."))
    monkeypatch.setattr(connection_actions, "probe_admin", lambda connection, context: Verdict("ok", "It works."))
    monkeypatch.setattr(connection_actions, "probe", lambda connection, context: Verdict("ok", "It works."))


def ask(known: Browser, method: str, address: str, *, careful: bool = False, **extra: Any) -> HttpResponse:
    """One request as whoever `known` is, whose changes are undone, in the database and in the browser."""
    browser = Browser(enforce_csrf_checks=careful)
    browser.cookies = deepcopy(known.cookies)
    with transaction.atomic():
        answer: HttpResponse = browser.generic(
            method, address, content_type="application/x-www-form-urlencoded", **extra
        )
        transaction.set_rollback(True)
    return answer


def test_every_route_stands_in_the_table_and_agrees_with_its_policy() -> None:
    for name, pattern in REAL.items():
        assert name in ROUTES, (
            f"{name} is not in ROUTES of {__name__}: add it, with the lowest role that may open it and its methods, "
            "and what its address needs to `arguments`."
        )
        assert policy_of(pattern.callback) == ROUTES[name][0], f"{name}: ROUTES and the view's decorator disagree."
    assert not ROUTES.keys() - REAL.keys(), "ROUTES names routes that are gone: take them out."


@pytest.mark.django_db
@pytest.mark.parametrize("name", ROUTES)
def test_a_route_opens_to_its_roles_and_to_nobody_else(name: str, house: SimpleNamespace) -> None:
    address = reverse(name, kwargs=arguments(name, house))
    for who, browser in house.browsers.items():
        for method in BOTH:
            wrong = what_is_wrong(ask(browser, method, address), who, name, method, address)
            assert not wrong, f"{who}, {method} {address}: {wrong}"


def what_is_wrong(answer: HttpResponse, who: str, name: str, method: str, address: str) -> str:
    """How the answer differs from the plan; empty where it does not."""
    needed, methods = ROUTES[name]
    said = f"answered {answer.status_code} {answer.headers.get('Location', '')}"
    if needed != "public" and who == "nobody":
        back = quote(address) if method in READ else "/"
        return "" if answer.headers.get("Location") == f"/sign-in/?next={back}" else f"{said}, not sign-in and back."
    if needed != "public" and EVERYBODY.index(who) < EVERYBODY.index(needed):
        told = f"This needs the role {needed}" in answer.content.decode()
        return "" if answer.status_code == 403 and told else f"{said}, not 403 with the role that is needed."
    if method not in methods:
        return "" if answer.status_code == 405 else f"{said}, not 405. Put require_safe or require_POST on the view."
    fine = {404} if name == "accounts:setup" else {200, 302}
    sent_away = "?next=" in answer.headers.get("Location", "")
    return "" if answer.status_code in fine and not sent_away else f"{said}, though this is open to {who}."


@pytest.mark.django_db
@pytest.mark.parametrize("name", ROUTES)
def test_pages_know_no_other_method(name: str, house: SimpleNamespace) -> None:
    answer = ask(house.browsers["administrator"], "DELETE", reverse(name, kwargs=arguments(name, house)))
    assert (answer.status_code, "This address cannot be opened like this" in answer.content.decode()) == (405, True)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name, (needed, _) in ROUTES.items() if needed != "public"])
def test_htmx_of_nobody_takes_the_whole_browser_to_sign_in(name: str, house: SimpleNamespace) -> None:
    address = reverse(name, kwargs=arguments(name, house))
    answer = ask(house.browsers["nobody"], "POST", address, HTTP_HX_REQUEST="true")
    assert (answer.status_code, answer.headers["HX-Redirect"], answer.content) == (200, "/sign-in/", b"")


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name, (_, methods) in ROUTES.items() if "POST" in methods])
def test_no_form_is_taken_without_its_token(name: str, house: SimpleNamespace) -> None:
    """Another site can make a browser send a form, but not with the token."""
    address = reverse(name, kwargs=arguments(name, house))
    answer = ask(house.browsers["administrator"], "POST", address, careful=True)
    assert answer.status_code == 403
    assert "This form is too old to be sent" in answer.content.decode()


JUNK = ("²", "a'\"<x-y>", "9" * 30, "%00", "-1", "%ff")
QUERY = (
    "cursor",
    "installation",
    "flow",
    "connection",
    "model",
    "state",
    "entity",
    "attempt",
    "after",
    "open",
    "shown",
    "q",
)
QUERY += (
    "tag",
    "cause_id",
    "since",
    "from",
    "to",
    "http",
    "request",
    "answer",
    "page",
    "rule",
    "record",
    "sample",
    "next",
    "models",
    "preset",
    "with",
    "mapping",
)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name, (_, methods) in ROUTES.items() if "GET" in methods])
def test_no_query_breaks_a_page(name: str, house: SimpleNamespace) -> None:
    address = reverse(name, kwargs=arguments(name, house))
    for number, junk in enumerate(JUNK):
        query = "&".join(f"{each}={quote(junk, safe='%')}" for each in QUERY)
        headers = {"HTTP_HX_REQUEST": "true"} if number % 2 else {}
        answer = ask(house.browsers["administrator"], "GET", f"{address}?{query}", **headers)
        assert answer.status_code < 500 and b"<x-y>" not in getattr(answer, "content", b""), f"{address}?{query}"


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name, pattern in REAL.items() if "pk" in pattern.pattern.converters])
def test_a_row_that_is_not_there_is_not_found(name: str, house: SimpleNamespace) -> None:
    known = arguments(name, house)
    by_uuid = {"logs:detail", "outcomes:detail", "operations:answer", "operations:body", "operations:part"}
    by_uuid |= {"operations:whole_list", "operations:list_items", "operations:stop_list", "operations:go_on_list"}
    for pk in [UUID(int=0)] if name in by_uuid else [0, 4_000_000, 2**63, 10**30]:
        address = reverse(name, kwargs=known | {"pk": pk})
        for method in {"GET", "POST"} & set(ROUTES[name][1]):
            assert ask(house.browsers["administrator"], method, address).status_code == 404, f"{method} {address}"


MACHINES = {
    "/hookapi/": [
        ("GET", "/hookapi/v2/dynamic/OpenAI/Product", 405, "method_not_allowed"),
        ("POST", "/hookapi/", 404, "not_found"),
    ],
    "/proxy/": [
        ("GET", "/proxy/1/v1/models", 401, "invalid_api_key"),
        ("POST", "/proxy/1/v1/responses", 401, "invalid_api_key"),
    ],
}


@pytest.mark.parametrize("prefix", MACHINE_PATHS)
def test_a_machine_gets_an_answer_of_its_own_and_no_sign_in(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says to a caller with a wrong key is tried where its room is tested."""
    monkeypatch.setattr(knocks, "_waiting", {})  # what is counted here is nobody else's
    assert prefix in MACHINES, f"{prefix} is not in MACHINES of {__name__}: add what it says to a caller without a key."
    for method, address, status, code in MACHINES[prefix]:
        answered, headers, body = by_machine(method, address)
        assert (answered, body["error"]["code"]) == (status, code)
        assert not {b"location", b"set-cookie"} & headers.keys()


def by_machine(method: str, address: str) -> tuple[int, dict[bytes, bytes], Any]:
    """Status, headers and JSON of the program's entry, whose pages must not be asked."""
    sent: list[Any] = []

    async def pages(*asked: Any) -> None:
        raise AssertionError(f"{address} went to the pages.")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": address, "raw_path": address.encode()}
    scope |= {"query_string": b"wrong", "headers": []}
    async_to_sync(by_path(pages))(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), json.loads(sent[1]["body"])
