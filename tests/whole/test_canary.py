"""No secret stands in clear anywhere: not in the database, files, logs, pages, headers, or what commands print.

The real program does its main job with secrets that are looked for afterwards: set-up, sign-in, the guided form, tests with
a wrong and a right key, verification, push, pull, events, commands, pages that say no, a page that fails, and a far side
that repeats the key it was sent.
"""

from __future__ import annotations

import json
import re
import secrets as random
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from tests.conftest import wait_until
from tests.connections.builders import throttle
from tests.whole.parrot import parrot
from tests.whole.search import files_under, forms_of, leaks, rows_of
from tests.whole.witness import Browser, Program, running

pytestmark = pytest.mark.slow

# Where a secret must stand, and nowhere else.
KEY_FILES = {("sealing key", "secret file sealing_keys"), ("signing key of sessions", "secret file secret_key")}
SHOWN_ONCE = {
    # The start prints the address of the set-up page, which is the token.
    ("set-up token", "the console"),
    # That page knows its own address.
    ("set-up token", "GET /setup/"),
    ("set-up token", "POST /setup/"),
    # Apply and “make a new key” answer with the ready page, which shows the webhook key this one time.
    ("webhook key", "POST /installations/drafts/1/review/"),
    ("second webhook key", "POST /installations/1/webhook-key/"),
    # The command prints what the page shows.
    ("webhook key of the command", "manage.py create_installation"),
}
# A form that is not in order comes back to whoever typed it, as it was typed.
TYPED = {("password in an address", "POST /installations/drafts/1/connection/")}
# The sandbox stands for OpenAI. It keeps, in a file of its own for the owner alone, where to send and how to sign.
FAR_SIDE = {("second webhook key", "sandbox.json"), ("signing secret of the sandbox", "sandbox.json")}


def canary() -> str:
    return "canary" + random.token_hex(12)


def signing_secret() -> str:
    return "whsec_" + b64encode(random.token_bytes(30)).decode()


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    """Name → value; the walk adds what the program makes by itself."""
    return {
        "password": f"pass phrase {canary()}",
        "mistyped password": f"wrong phrase {canary()}",
        "second password": f"another phrase {canary()}",
        "password of Vera": f"phrase of Vera {canary()}",
        "password of Ben": f"phrase of Ben {canary()}",
        "API key": f"sk-{canary()}",
        "wrong API key": f"sk-proj-{canary()}.+/=~",
        # Of another server, whose keys look like nothing that Patchbay knows.
        "odd API key": f'{canary()}/+"\\<&>=',
        "API key that was not saved": f"sk-{canary()}",
        "password in an address": canary(),
        "signing secret": signing_secret(),
        "damaged signing secret": f"whsec_{canary()}!",
        "wrong webhook key": f"pbw_{canary()}",
    }


class Walk:
    """The main job, as Ada does it. Secrets that the program makes are added to `secrets` on the way."""

    def __init__(self, program: Program, secrets: dict[str, str], odd_url: str) -> None:
        self.program, self.secrets, self.odd_url = program, secrets, odd_url
        self.ada, self.vera = program.browser(), program.browser()

    def all(self) -> None:
        self.set_up()
        self.sign_in()
        self.guided_form()
        self.connections()
        self.webhook_secrets()
        self.events()
        self.work()
        self.commands()
        self.people()
        self.failures()

    def set_up(self) -> None:
        path, nobody = self.program.set_up_path, self.program.browser()
        self.secrets["set-up token"] = path.split("/")[2]
        assert nobody.raw(path, b"", {}).status == 403  # without the form's own token
        assert self.ada.get(path).status == 200
        assert self.ada.post(path, {"username": "ada", **self.twice("mistyped password", again="x")}).status == 200
        assert self.ada.post(path, {"username": "ada", **self.twice("password")}).status == 302
        assert nobody.get(path).status == 404

    def twice(self, name: str, again: str = "") -> dict[str, str]:
        return {"password1": self.secrets[name], "password2": again or self.secrets[name]}

    def sign_in(self) -> None:
        self.ada.post("/sign-out/")
        self.ada.get("/sign-in/")
        for name, status in (("mistyped password", 200), ("password", 302)):
            form = {"username": "ada", "password": self.secrets[name]}
            assert self.ada.post("/sign-in/", form).status == status
        new = {"new_password1": self.secrets["second password"], "new_password2": self.secrets["second password"]}
        assert self.ada.post("/password/", {"old_password": self.secrets["mistyped password"], **new}).status == 200
        assert self.ada.post("/password/", {"old_password": self.secrets["password"], **new}).status == 302

    def guided_form(self) -> None:
        self.ada.post("/installations/new/")
        new = {"connection": "new", "new-kind": "sandbox", "new-name": ""}
        unsaved = new | {"new-api_key": self.secrets["API key that was not saved"]}
        assert self.step("connection", unsaved, "keep/").status == 200
        assert self.step("connection", unsaved | {"go": "continue"}).status == 200
        assert self.step("name", {"name": "OpenAI - Canary", "version": "v1"}).status == 302
        misplaced = f"http://ada:{self.secrets['password in an address']}@127.0.0.1:1/v1"
        for rest in ("", "keep/"):
            form = unsaved | {"new-kind": "other", "new-name": "Misplaced", "new-base_url": misplaced}
            assert self.step("connection", form, rest).status == 200
        good = new | {"new-name": "Sandbox", "new-api_key": self.secrets["API key"]}
        assert self.step("connection", good).status == 302
        assert self.step("model", {"model": "gpt-6-luna"}).status == 302
        assert self.step("throttle", throttle()).status == 302
        assert self.step("mappings", {"default_mappings": "on"}).status == 302
        ready = self.step("review", {"go": "apply"})
        assert ready.status == 200, ready.text
        self.secrets["webhook key"] = key_on(ready.text)
        again = self.ada.post("/installations/1/webhook-key/")
        self.secrets["second webhook key"] = key_on(again.text)

    def step(self, slug: str, form: dict[str, str], rest: str = ""):
        self.ada.get(f"/installations/drafts/1/{slug}/")
        return self.ada.post(f"/installations/drafts/1/{slug}/{rest}", {"go": "continue", **form})

    def connections(self) -> None:
        """A wrong key and a right one, at a far side that repeats both."""
        there = {"name": "Parrot", "kind": "other", "base_url": self.odd_url}
        wrong = there | {"api_key": self.secrets["wrong API key"]}
        assert self.ada.post("/connections/new/", wrong | {"name": ""}).status == 200
        assert self.ada.post("/connections/new/", wrong).status == 302
        assert "Check the API key for a typing error" in self.last_test()
        self.ada.post("/connections/2/key/", {"api_key": self.secrets["odd API key"]})
        assert "good for 1 model" in self.last_test()
        assert self.ada.post("/connections/2/edit/", wrong | {"base_url": f"{self.odd_url}/x"}).status in (200, 302)
        self.ada.post("/connections/2/edit/", there | {"api_key": self.secrets["odd API key"]})
        assert "good for 1 model" in self.last_test()

    def last_test(self) -> str:
        assert self.ada.post("/connections/2/test/").status in (200, 302)
        page = self.ada.get("/connections/2/").text
        return page[page.index("Last test") : page.index("Used by")]

    def webhook_secrets(self) -> None:
        sandbox = json.loads((self.program.var / "sandbox.json").read_text())
        self.secrets["signing secret of the sandbox"] = sandbox["webhook_endpoints"][0]["secret"]
        form = {"secret": self.secrets["damaged signing secret"]}
        assert self.ada.post("/installations/1/signing-secret/", form).status == 200

    def events(self) -> None:
        """True, forged, and with a wrong key; the true one twice."""
        body = json.dumps({"object": "event", "id": "evt_1", "type": "batch.completed", "data": {"id": "batch_1"}})
        true = signed(body, self.secrets["signing secret of the sandbox"])
        address = "/hookapi/v2/dynamic/OpenAI/Product?"
        forged = signed(body, self.secrets["signing secret"])
        for key, headers, status in (
            ("second webhook key", true, 200),
            ("second webhook key", true, 200),
            ("second webhook key", forged, 401),
            ("webhook key", true, 401),
            ("wrong webhook key", true, 401),
        ):
            given = self.ada.raw(address + self.secrets[key], body.encode(), headers).status
            assert given == status or (status == 401 and 400 <= given < 500), (key, given)
        # Mistaken addresses: another path, and the page's server asked by GET.
        for path in ("/hookapi/v1/OpenAI?", "/hook/?", "/hookapi/v2/dynamic/OpenAI/Nothing?"):
            self.ada.get(path + self.secrets["second webhook key"])

    def work(self) -> None:
        """Verification, push and pull by their pages, until each has ended."""
        assert self.ada.post("/installations/1/verification/start/").status == 302
        wait_until(lambda: "11 of 11" in self.ada.get("/installations/1/verification/").text, 120)
        push = {"entity": "Product", "which": "all", "installation": "1", "mode": "background"}
        for path, form in (("/runs/new/", push), ("/runs/pull/", {"installation": "1", "source": "responses"})):
            run = re.search(r"location: (/runs/\d+/)", self.ada.post(path, form).headers)
            assert run
            wait_until(lambda run=run: self.ada.get(f"{run[1]}progress/").status == 286, 120)

    def commands(self) -> None:
        manage, hidden = self.program.manage, self.secrets
        assert manage("create_admin", "--username", "ben", typed=hidden["password of Ben"] + "\n").returncode == 0
        options = ("--name", "OpenAI - Parrot", "--base-url", self.odd_url, "--model", "gpt-6-luna")
        made = manage("create_installation", *options, OPENAI_API_KEY=hidden["odd API key"])
        assert made.returncode == 0, made.stderr
        hidden["webhook key of the command"] = json.loads(made.stdout)["webhook_key"]
        misplaced = [
            "--name",
            "OpenAI - Misplaced",
            "--base-url",
            f"http://ada:{hidden['password in an address']}@127.0.0.1:1/v1",
            *options[4:],
        ]
        assert manage("create_installation", *misplaced, OPENAI_API_KEY=hidden["wrong API key"]).returncode == 1
        for name, code in (("damaged signing secret", 1), ("signing secret", 0)):
            assert manage("set_signing_secret", "OpenAI - Parrot", typed=hidden[name] + "\n").returncode == code
        for command in (["verify", "--check", "model"], ["push", "--entity", "Product", "--all"]):
            assert manage(command[0], "OpenAI - Parrot", *command[1:]).returncode == 1
        assert manage("calls", "--since", "1h").returncode == 0

    def people(self) -> None:
        """Vera may only look: pages that are closed to her, forms that are not hers."""
        form = {"username": "vera", "role": "viewer", **self.twice("password of Vera")}
        assert self.ada.post("/people/add/", form).status == 302
        self.vera.get("/sign-in/")
        assert self.vera.post("/sign-in/", {"username": "vera", "password": form["password1"]}).status == 302
        assert self.vera.get("/people/").status == 403
        key = {"api_key": self.secrets["API key that was not saved"]}
        assert self.vera.post("/connections/1/key/", key).status == 403
        assert self.vera.get("/nothing/here/").status == 404

    def failures(self) -> None:
        """A page that fails in the middle of a form with a key in it, an event that can't be stored."""
        with missing(self.program.var / "patchbay.sqlite3", "connections_connection"):
            form = {"name": "Lost", "kind": "openai", "api_key": self.secrets["API key that was not saved"]}
            assert self.ada.post("/connections/new/", form).status == 500
        with missing(self.program.var / "patchbay.sqlite3", "connections_installation"):
            address = f"/hookapi/v2/dynamic/OpenAI/Product?{self.secrets['second webhook key']}"
            assert self.ada.raw(address, b"{}", {}).status == 503


@contextmanager
def missing(database: Path, table: str) -> Iterator[None]:
    """The running program's table is away for a moment."""

    def rename(name: str, other: str) -> None:
        with closing(sqlite3.connect(database, timeout=20, isolation_level=None)) as connection:
            connection.execute("PRAGMA legacy_alter_table=ON")
            connection.execute(f"ALTER TABLE {name} RENAME TO {other}")

    rename(table, f"{table}_away")
    try:
        yield
    finally:
        rename(f"{table}_away", table)


def key_on(page: str) -> str:
    found = re.search(r"OpenAI/Product\?(pbw_[\w-]+)", page)
    assert found, page
    return found.group(1)


def signed(body: str, secret: str) -> dict[str, str]:
    at = datetime.now(UTC)
    signature = Webhook(secret).sign("wh_canary", at, body)
    return {
        "webhook-id": "wh_canary",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
        "content-type": "application/json",
    }


def crawl(browser: Browser, most: int = 400) -> int:
    """Opens every page that links lead to from the first one; of a page with filters, six ways of filtering."""
    waiting, seen, ways = ["/"], {"/"}, {}
    while waiting and len(seen) <= most:
        answer = browser.get(waiting.pop(0))
        assert answer.status < 400, answer.asked
        found = re.findall(r'(?:href|hx-get|src)="(/[^"#]*)', answer.text) + re.findall(
            r"^location: (/\S*)", answer.headers, re.MULTILINE
        )
        for link in found:
            link = link.replace("&amp;", "&")
            path = link.split("?")[0]
            if link not in seen and not path.startswith("/static/") and ways.get(path, 0) < 6:
                ways[path] = ways.get(path, 0) + 1
                seen.add(link)
                waiting.append(link)
    return len(seen)


def places_of(program: Program) -> dict[str, bytes]:
    """Everything that the program has written, shown or said, by the name of its place."""
    files = {name: body for name, body in files_under(program.var).items() if not name.startswith("static/")}
    for name in ("secret_key", "sealing_keys"):
        files[f"secret file {name}"] = files.pop(name)
    said: dict[str, bytes] = {"the console": program.console.read_bytes()}
    said["rows of the database"] = rows_of(program.var / "patchbay.sqlite3")
    for answer in program.answers:
        said[answer.asked] = said.get(answer.asked, b"") + answer.body
        said["headers of " + answer.asked] = said.get("headers of " + answer.asked, b"") + answer.headers.encode()
    for command, output in program.outputs:
        said[command] = said.get(command, b"") + output.encode()
    return files | said


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory, secrets: dict[str, str]) -> Iterator[Walk]:
    good = (secrets["odd API key"],)
    with (
        parrot(*good) as (odd_url, heard),
        running(tmp_path_factory.mktemp("canary"), WORKERS="1", ALLOW_PRIVATE_ADDRESSES="127.0.0.0/8") as program,
    ):
        walk = Walk(program, secrets, odd_url)
        walk.all()
        secrets["sealing key"] = (program.var / "sealing_keys").read_text().strip()
        secrets["signing key of sessions"] = (program.var / "secret_key").read_text().strip()
        assert {secrets["odd API key"], secrets["wrong API key"]} <= heard
        yield walk


def test_no_secret_stands_in_clear_anywhere(walked, secrets):
    pages = crawl(walked.ada)
    places = places_of(walked.program)
    assert pages > 60 and {"patchbay.sqlite3", "patchbay.sqlite3-wal", "log/web.log", "GET /log/"} <= places.keys()
    found = leaks(secrets, places)
    assert found == KEY_FILES | SHOWN_ONCE | TYPED | FAR_SIDE


@pytest.mark.parametrize("where", ["file", "page"])
def test_a_secret_that_does_stand_somewhere_is_found(walked, secrets, where):
    """The search is not blind: a secret put into a log file, or saved under a name, is found where it was put."""
    planted = {"planted": canary()}
    if where == "file":
        with (walked.program.var / "log" / "web.log").open("ab") as log:
            log.write(b"Key " + b64encode(b"ab" + planted["planted"].encode()))
        expected = {"log/web.log"}
    else:
        walked.ada.post(
            "/connections/2/edit/", {"name": planted["planted"], "kind": "other", "base_url": walked.odd_url}
        )
        walked.ada.get("/connections/")
        walked.ada.get("/audit/")
        expected = {"rows of the database", "GET /connections/", "GET /audit/"}
    assert expected <= {place for _, place in leaks(planted, places_of(walked.program))}


@pytest.mark.parametrize("form", range(12))
def test_a_secret_is_found_in_each_of_its_forms(form):
    secret = f'{canary()}/+"\\<&>='
    ways = sorted(forms_of(secret))
    assert leaks({"x": secret}, {"place": b"<<" + ways[form % len(ways)] + b">>"}) == {("x", "place")}
