"""Secrets stand sealed, are opened in two places, and the files that hold keys are their owner's alone."""

from __future__ import annotations

import ast
import re
import stat

import pytest
from django.apps import apps

import start
from connections.sealing import SealedTextField
from tests.house.test_layers import ROOMS, ROOT, modules_of, place

OPENERS = {"connections/clients.py", "connections/sealing.py", "webhooks/signature.py"}
SECRETISH = re.compile(r"key|secret|token|password|credential", re.IGNORECASE)
# What only sounds like a secret: ids, counts, times, tails, digests, and names of columns.
HARMLESS = re.compile(r"_last4$|_digest$|_set_at$|_tokens$|_tokens_|^tokens$|^tokens_|key_field$")
ALLOWED = {
    "accounts.User.password": "a hash, made by Django",
    "flows.Record.key": "the name of a record",
    "flows.RecordChange.key": "the name of a record",
    "flows.Run.lease_token": "says who works on the run; opens nothing",
    "flows.Item.lease_token": "says who works on the item; opens nothing",
    "verification.Verification.lease_token": "says who runs the checks; opens nothing",
    "webhooks.Event.lease_token": "says who works on the event; opens nothing",
    "operations.Listing.lease_token": "says who reads the list; opens nothing",
    "openai_api.Permit.key": "the name of a limit",
    "openai_api.Tally.key": "the name of a limit",
    "openai_api.Permit.hold_key": "the name of a connection, or of one with a model",
    "openai_api.Hold.key": "the name of a connection, or of one with a model",
}


def test_every_column_whose_name_sounds_like_a_secret_is_sealed_or_explained():
    for model in (model for model in apps.get_models() if model._meta.app_label in ROOMS):
        for field in model._meta.get_fields():
            name = f"{model._meta.app_label}.{model.__name__}.{field.name}"
            if not SECRETISH.search(field.name) or HARMLESS.search(field.name) or name in ALLOWED:
                continue
            assert isinstance(field, SealedTextField) or _is_digest(field), (
                f"{name} sounds like a secret. Make it a SealedTextField, keep only a digest, or explain it in ALLOWED."
            )


def _is_digest(field: object) -> bool:
    """A primary key of 64 characters is a SHA-256 in hex: what it was made of can't be read from it."""
    return getattr(field, "max_length", None) == 64 and bool(getattr(field, "primary_key", False))


def test_sealed_fields_are_opened_in_two_places_only():
    """`.open()` of something named like a secret; files and streams are opened elsewhere."""
    for room in ROOMS:
        for path in modules_of(room):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (
                    isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "open"
                ):
                    continue
                opened = ast.unparse(node.func.value)
                assert not SECRETISH.search(opened) or place(path) in OPENERS, (
                    f"{place(path)}:{node.lineno} opens {opened}. Ask connections.clients or webhooks.signature."
                )


def test_only_the_sealing_module_unseals():
    for room in ROOMS:
        for path in modules_of(room):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"\bunseal\(|import unseal", text) or place(path) == "connections/sealing.py", place(
                path
            )


def test_the_first_start_makes_a_folder_and_keys_for_the_owner_only(tmp_path, monkeypatch):
    monkeypatch.setattr(start, "ROOT", tmp_path)
    for name in ("VAR_DIR", "SECRET_KEY", "SEALING_KEYS"):
        monkeypatch.delenv(name)
    folder = start.var_dir()
    start.make_secrets(folder)
    assert folder == tmp_path / "var"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {
        "secret_key": 0o600,
        "sealing_keys": 0o600,
    }
    assert len({file.read_text() for file in folder.iterdir()}) == 2


def test_keys_that_are_there_are_never_made_again(tmp_path):
    start.write_once(tmp_path / "sealing_keys", "first")
    start.write_once(tmp_path / "sealing_keys", "second")
    assert (tmp_path / "sealing_keys").read_text() == "first\n"
    assert [file.name for file in tmp_path.iterdir()] == ["sealing_keys"]


@pytest.mark.parametrize(
    "line", ["SECRET_KEY=from the file", "export SECRET_KEY='from the file'", '  SECRET_KEY = "from the file"  ']
)
def test_no_file_is_made_for_a_key_that_dot_env_gives(tmp_path, monkeypatch, line):
    monkeypatch.setattr(start, "ROOT", tmp_path)
    monkeypatch.delenv("SECRET_KEY")
    (tmp_path / ".env").write_text(f"#SECRET_KEY=\n{line}\nVAR_DIR=elsewhere\n", encoding="utf-8")
    assert start.setting("SECRET_KEY") == "from the file"
    start.make_secrets(tmp_path)
    assert not (tmp_path / "secret_key").exists()


def test_the_environment_wins_over_dot_env(tmp_path, monkeypatch):
    monkeypatch.setattr(start, "ROOT", tmp_path)
    (tmp_path / ".env").write_text("VAR_DIR=elsewhere\n", encoding="utf-8")
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "here"))
    assert start.var_dir() == tmp_path / "here"
    monkeypatch.delenv("VAR_DIR")
    assert start.var_dir() == tmp_path / "elsewhere"


def test_no_file_of_the_project_holds_a_host_of_a_package_index_or_a_key():
    for lock in ROOT.glob("requirements*.txt"):
        assert "://" not in lock.read_text(encoding="utf-8"), f"{lock.name} names a host; see LOCK_COMMAND in start.py."
