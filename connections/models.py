"""A connection is an encrypted credential and an address; an installation is a connection put to use."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from connections.sealing import SealedTextField
from connections.states import CONNECTION_STATES
from openai_api.throttle import Throttle
from ui.states import State

CONNECTOR, CONNECTOR_VERSION = "OpenAI", "v1"
DEFAULT_BASE_URL = "https://api.openai.com/v1"
# A connection that is being tested is not under an installation's limits, yet nothing goes past the gate.
TEST_THROTTLE = {"limit": 60, "seconds": 60, "connections": 5, "batches": 1, "wait": True, "deadline": 20.0}


class Connection(models.Model):
    """Where OpenAI is and with which key. `status` is what the last test said; `models_seen` is the account's model list."""

    name = models.CharField(max_length=120, unique=True)
    connector = models.CharField(max_length=40, default=CONNECTOR)
    connector_version = models.CharField(max_length=20, default=CONNECTOR_VERSION)
    base_url = models.CharField(max_length=500, default=DEFAULT_BASE_URL)
    organization = models.CharField(max_length=120, blank=True)
    project = models.CharField(max_length=120, blank=True)
    api_key = SealedTextField(blank=True, default="")
    key_last4 = models.CharField(max_length=4, blank=True)
    key_set_at = models.DateTimeField(null=True, blank=True)

    status = models.CharField(max_length=12, default="untested")
    status_code = models.CharField(max_length=12, blank=True)
    status_text = models.TextField(blank=True)
    missing_permission = models.CharField(max_length=120, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    models_seen = models.JSONField(default=list)
    models_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_sandbox(self) -> bool:
        return bool(settings.SANDBOX_URL) and self.base_url == settings.SANDBOX_URL

    @property
    def state_info(self) -> State:
        return CONNECTION_STATES[self.status]

    @property
    def throttle(self) -> Throttle:
        return Throttle(key=f"connection:{self.pk}", **TEST_THROTTLE)  # type: ignore[arg-type]  # a plain table of mixed numbers


class Installation(models.Model):
    """A connection put to use: model, limits, webhook key. Limits hold across every process (see `openai_api.gate`)."""

    EXCESS = [("wait", "Wait in line"), ("reject", "Reject at once")]

    name = models.CharField(max_length=120, unique=True)
    version = models.CharField(max_length=20, default=CONNECTOR_VERSION)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="installations")
    model = models.CharField(max_length=120)
    throttle_limit = models.PositiveIntegerField(default=500)
    throttle_seconds = models.PositiveIntegerField(default=60)
    concurrent_connections = models.PositiveIntegerField(default=5)
    concurrent_batches = models.PositiveIntegerField(default=5)
    excess = models.CharField(max_length=8, choices=EXCESS, default="wait")
    deadline_seconds = models.PositiveIntegerField(default=120)
    default_mappings = models.BooleanField(default=True)

    # The key is shown once; only its SHA-256 is kept, and it is found and compared by that.
    webhook_key_digest = models.CharField(max_length=64, unique=True)
    webhook_key_last4 = models.CharField(max_length=4)
    signing_secret = SealedTextField(blank=True, default="")
    signing_secret_set_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def throttle(self) -> Throttle:
        return Throttle(
            key=f"installation:{self.pk}",
            limit=self.throttle_limit,
            seconds=self.throttle_seconds,
            connections=self.concurrent_connections,
            batches=self.concurrent_batches,
            wait=self.excess == "wait",
            deadline=float(self.deadline_seconds),
        )


class InstallationDraft(models.Model):
    """A half-filled installation form. One row per draft; each page saves what was typed, valid or not."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    answers = models.JSONField(default=dict)
    done = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-saved_at"]

    def __str__(self) -> str:
        return str(self.answers.get("name") or f"Draft {self.pk}")
