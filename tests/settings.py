"""The project's settings for a test run: throw-away secrets and a folder of its own, whatever `.env` and `var/` hold.

The type checker reads them too. Child processes (test workers, programs under test) inherit the variables.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

if "PATCHBAY_TEST_VAR_DIR" not in os.environ:
    os.environ["PATCHBAY_TEST_VAR_DIR"] = tempfile.mkdtemp(prefix="patchbay-test-")
    atexit.register(shutil.rmtree, os.environ["PATCHBAY_TEST_VAR_DIR"], ignore_errors=True)

os.environ |= {
    "VAR_DIR": os.environ["PATCHBAY_TEST_VAR_DIR"],
    "ENVIRONMENT": "local",
    "HOST": "127.0.0.1",
    "PORT": "8000",
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "ALLOWED_HOSTS": "testserver",
    "SANDBOX": "true",
    "SANDBOX_PORT": "8001",
    "SECRET_KEY": "a signing secret that only tests use, long enough for Django",
    "SEALING_KEYS": "dGVzdHMgc2VhbCB3aXRoIHRoaXMga2V5LCAzMiBieXQ=",
    "DATABASE_URL": os.environ.get(
        "TEST_DATABASE_URL", f"sqlite:///{os.environ['PATCHBAY_TEST_VAR_DIR']}/patchbay.sqlite3"
    ),
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
}

# The static files' middleware warns about a folder that is not there.
os.makedirs(f"{os.environ['PATCHBAY_TEST_VAR_DIR']}/static", exist_ok=True)

from config.settings import *  # noqa: E402, F403 - the environment must be set first

# Hashed file names need collectstatic, slow password hashes need time, and the static files' middleware, which is
# asynchronous, a loop and a thread for each request. None is what these tests are about; tests/whole has them all.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("servestatic.")]  # noqa: F405

# SQLite's test database is a file: the gate writes on a connection of its own, as it does in the running program.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # Nobody needs these rows after a power cut.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": f"{os.environ['PATCHBAY_TEST_VAR_DIR']}/test.sqlite3"}  # noqa: F405
