"""The environment: `.env.example` and `config/env.py` say the same, and a wrong value stops the start by name."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READERS = {
    "sealing_keys",
    "database",
    "text",
    "boolean",
    "integer",
    "choice",
    "networks",
    "web_address",
    "secret",
    "time_zone",
}
SETTING = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def names_in_code() -> set[str]:
    tree = ast.parse((ROOT / "config" / "env.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    first = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id in READERS]
    return {str(argument.value) for argument in first if isinstance(argument, ast.Constant)}


def example() -> dict[str, str]:
    return dict(SETTING.findall((ROOT / ".env.example").read_text(encoding="utf-8")))


def read_env(**variables: str) -> subprocess.CompletedProcess[str]:
    """Reads the settings in a fresh Python, with these variables over those of the test run."""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from config import env; print({k: str(v) for k, v in vars(env).items() if k.isupper()})",
        ],
        env=os.environ | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_every_setting_is_in_the_example_and_every_line_of_the_example_is_a_setting():
    assert set(example()) == names_in_code()


def test_every_setting_of_the_example_has_a_line_of_help_above_it():
    above = None
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines():
        if SETTING.match(line):
            assert above, f"{line} has no help above it in .env.example."
        above = line


def test_the_defaults_of_the_example_are_the_real_ones(tmp_path):
    defaults = {name: value for name, value in example().items() if value and name not in {"VAR_DIR"}}
    nothing_set = dict.fromkeys(names_in_code() - {"SECRET_KEY", "SEALING_KEYS", "DATABASE_URL", "VAR_DIR"})
    environment = {k: v for k, v in os.environ.items() if k not in nothing_set}
    code = "from config import env; import json; print(json.dumps({k: str(v) for k, v in vars(env).items()}))"
    answer = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True)
    real = json.loads(answer.stdout)
    assert {name: real[name].lower() for name in defaults} == {name: v.lower() for name, v in defaults.items()}


def test_only_env_reads_the_environment():
    """A second reader would be a setting that nobody finds. Processes handing things to children are no settings."""
    allowed = {
        "start.py",
        "manage.py",
        "config/env.py",
        "config/asgi.py",
        "config/serve.py",
        "jobs",
        "tests",
        "sandbox",
    }
    # The key of one command, taken from its own environment so that it stands in no argument list.
    allowed |= {"connections/management/commands/create_installation.py"}
    for path in sorted(ROOT.glob("**/*.py")):
        place = path.relative_to(ROOT).as_posix()
        if place in allowed or place.split("/")[0] in {*allowed, ".venv", "var"}:
            continue
        found = re.search(r"os\.(environ|getenv)|from os import", path.read_text(encoding="utf-8"))
        assert not found, f"{place}: read the setting in config/env.py."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("WORKERS", "0"),
        ("ENVIRONMENT", "staging"),
        ("SANDBOX", "yes"),
        ("ALLOW_PRIVATE_ADDRESSES", "10.0.0.0/99"),
        ("PUBLIC_URL", "patchbay.example.com"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "nonsense"),
        ("SEALING_KEYS", "c2hvcnQ="),
        ("SEALING_KEYS", "not base64 at all"),
        ("LOG_LEVEL", "LOUD"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("MAX_THROTTLE_SECONDS", "-1"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_the_setting(name, value):
    answer = read_env(**{name: value})
    last = answer.stderr.strip().splitlines()[-1]
    assert answer.returncode != 0
    assert name in last, answer.stderr
    assert "environment or in .env" in last


def test_a_wrong_value_shows_one_sentence_and_no_traceback_from_manage_py():
    answer = subprocess.run(
        [sys.executable, "manage.py", "run_worker"],
        env=os.environ | {"PORT": "eighty", "DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("PORT is 'eighty'")
    assert "Traceback" not in answer.stderr


def test_a_missing_secret_stops_the_start_and_a_wrong_one_is_not_repeated(tmp_path):
    missing = read_env(SECRET_KEY="", VAR_DIR=str(tmp_path))
    assert "SECRET_KEY is not set" in missing.stderr
    wrong = read_env(SEALING_KEYS="canary-of-a-key")
    assert wrong.returncode != 0
    assert "canary-of-a-key" not in wrong.stderr


def test_a_secret_may_come_from_its_file_in_var_dir(tmp_path):
    (tmp_path / "secret_key").write_text("the signing secret of a file\n", encoding="utf-8")
    answer = read_env(SECRET_KEY="", VAR_DIR=str(tmp_path))
    assert "the signing secret of a file'" in answer.stdout


def test_the_sandbox_is_refused_in_production():
    answer = read_env(ENVIRONMENT="production", SANDBOX="true")
    assert "SANDBOX" in answer.stderr.splitlines()[-1]
    # and not there unless asked for
    assert "'SANDBOX': 'False'" in read_env(ENVIRONMENT="production", SANDBOX="").stdout


def test_the_database_lies_in_var_dir_whatever_its_name(tmp_path):
    answer = read_env(DATABASE_URL="", VAR_DIR=str(tmp_path / "a b%41#?"))
    assert str(tmp_path / "a b%41#?" / "patchbay.sqlite3") in answer.stdout


def test_a_database_that_cannot_be_reached_stops_a_command_with_one_sentence():
    answer = subprocess.run(
        [sys.executable, "manage.py", "calls"],
        env=os.environ
        | {"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3", "DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("The database that DATABASE_URL names can't be used. ")
    assert len(answer.stderr.splitlines()) == 1


def test_postgresql_without_its_driver_is_said_before_anything_fails():
    without = "import sys; sys.modules['psycopg'] = None; from config import env"
    given = os.environ | {"DATABASE_URL": "postgres://ada:hunter2@127.0.0.1/patchbay"}
    answer = subprocess.run([sys.executable, "-c", without], env=given, cwd=ROOT, capture_output=True, text=True)
    last = answer.stderr.strip().splitlines()[-1]
    assert "DATABASE_URL names PostgreSQL, and its driver is not installed." in last and "hunter2" not in answer.stderr
