"""Just enough for a worker: its own database and tasks, none of the rooms."""

from __future__ import annotations

import os

SECRET_KEY = "only for workers under test"
INSTALLED_APPS = ["django_tasks_db", "jobs"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["WORKER_DATABASE"],
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;"},
    }
}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}
USE_TZ = True
PROCESS_NAME = os.environ.get("PROCESS_NAME", "")
ON_PROCESS_START: list[str] = []
PERIODIC: dict[str, float] = {}
