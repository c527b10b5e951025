"""Patchbay on PostgreSQL, where one is at hand: the parts that rest on the database's own locks, and the main job."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import ROOT
from tests.whole.witness import Program, running

HOST, PORT = os.environ.get("PGHOST", "127.0.0.1"), os.environ.get("PGPORT", "5432")
USER = os.environ.get("PGUSER", getpass.getuser())
# What counts places, holds leases, searches text, pages by key and keeps JSON.
GROUP = [
    "tests/house/test_migrations.py",
    "tests/openai_api/test_gate.py",
    "tests/openai_api/test_holds.py",
    "tests/openai_api/test_gauge.py",
    "tests/openai_api/test_client.py::test_what_no_text_column_takes_does_not_keep_a_call_open",
    "tests/jobs/test_lease.py",
    "tests/flows/test_recovery.py::test_a_run_is_worked_on_by_one_holder_and_taken_over_once_that_falls_silent",
    "tests/logs/test_browse.py",
    "tests/mappings/test_pages.py::test_a_lookup_table_comes_back_as_it_was_typed",
]
# Nobody needs these rows after a power cut, and waiting for the disk is most of the time that a test takes.
QUICK = {"PGOPTIONS": "-c synchronous_commit=off"}


def connect() -> psycopg.Connection:
    return psycopg.connect(host=HOST, port=PORT, user=USER, dbname="postgres", connect_timeout=2, autocommit=True)


def why_not() -> str:
    """Why these tests can't run here; empty where they can."""
    try:
        with connect() as server:
            row = server.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    except psycopg.OperationalError:
        return f"No PostgreSQL lets {USER} in at {HOST}:{PORT} (PGHOST, PGPORT, PGUSER and PGPASSWORD name another)."
    return "" if row and row[0] else f"PostgreSQL at {HOST}:{PORT} does not let {USER} make databases."


REASON = why_not()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(REASON), reason=REASON)]


@pytest.fixture
def database() -> Iterator[str]:
    """The address of an empty database that is gone after the test, and with it what a test run made beside it."""
    name = f"patchbay_{uuid.uuid4().hex[:12]}"
    with connect() as server:
        server.execute(f"CREATE DATABASE {name}")
        yield f"postgres://{USER}@{HOST}:{PORT}/{name}"
        for one in (name, f"test_{name}"):
            server.execute(f"DROP DATABASE IF EXISTS {one} WITH (FORCE)")


def test_what_rests_on_the_database_passes_on_postgresql(database):
    """The same tests once more, in a run of their own: the gate with four processes and after a kill -9, group commit,
    leases, search, pages by key, JSON. Its database is made by the migrations, from nothing.
    """
    ours = ("PATCHBAY_TEST_VAR_DIR", "PYTEST_", "VAR_DIR", "DATABASE_URL")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *GROUP, "-q", "--tb=short", "-rs"],
        cwd=ROOT, env=env | QUICK | {"TEST_DATABASE_URL": database}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-6000:]
    assert " passed" in run.stdout and "skipped" not in run.stdout, run.stdout[-2000:]


@pytest.fixture
def program(tmp_path: Path, database: str) -> Iterator[Program]:
    with running(tmp_path, DATABASE_URL=database, WORKERS="1", **QUICK) as started:
        yield started


def test_the_main_job_is_done_on_postgresql(program):
    assert not (program.var / "patchbay.sqlite3").exists()
    done(program.manage("create_admin", "--username", "ada", typed="one of many long pass phrases\n"))
    options = ["--name", "OpenAI - PostgreSQL", "--base-url", program.sandbox_url, "--model", "gpt-6-luna"]
    made = done(program.manage("create_installation", *options, OPENAI_API_KEY="sk-sandbox"))
    assert made["webhook_url"].endswith(made["webhook_key"])
    verified = done(program.manage("verify", "OpenAI - PostgreSQL"))
    assert {check["check"]: check["outcome"] for check in verified["checks"]} == dict.fromkeys(
        [check["check"] for check in verified["checks"]], "passed"
    )
    pushed = done(program.manage("push", "OpenAI - PostgreSQL", "--entity", "Product", "--all"))
    assert pushed["state"] == "done" and pushed["done"] == pushed["total"] > 0
    calls = program.manage("calls", "--installation", "OpenAI - PostgreSQL", "--since", "1h").stdout.splitlines()
    assert len(calls) > pushed["total"]


def done(run: subprocess.CompletedProcess[str]) -> dict:
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)
