"""Settings of the test suite: an environment of its own first, then the project's settings as they are."""

from __future__ import annotations

import base64
import os
import tempfile
from pathlib import Path

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
ROOM = Path(tempfile.mkdtemp(prefix=f"patchbay-{WORKER}-"))
os.environ |= {
    "VAR_DIR": str(ROOM),
    "SECRET_KEY": "the test suite's own signing secret, which signs nothing else",
    "SEALING_KEYS": base64.b64encode(b"the test suite's own sealing key").decode(),
    "ENVIRONMENT": "local",
    "PUBLIC_URL": "http://testserver",
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", f"sqlite:///{ROOM / 'patchbay.sqlite3'}"),
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
}

from config.settings import *  # noqa: E402, F403

# Argon2 is slow on purpose; the tests sign people in hundreds of times.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# SQLite's test database is a file: the gate writes on a connection of its own, as it does in the running program.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": str(ROOM / "test.sqlite3")}  # noqa: F405
