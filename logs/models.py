"""Rows of history. They hold ids *and* names as they were, and no foreign keys: a deleted connection takes no log with it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from logs.ids import uuid7
from logs.states import AFTER_RETRY, ATTEMPT_STATES, CALL_STATES
from ui.states import State

# Operations of POST that OpenAI does not charge for.
FREE = frozenset(
    {"create_moderation", "upload_file", "create_upload", "add_upload_part", "complete_upload", "cancel_upload"}
)


class Call(models.Model):
    """One request that Patchbay was asked to make. Written before it is sent, completed after.

    Times are UTC; `queue_ms` is waiting at the gate over all attempts, `latency_ms` is time at OpenAI over all attempts.
    `cost` is in US dollars, null when unknown; `price_basis` says which price table and which tier it came from.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, default="queued")

    installation_id = models.BigIntegerField(null=True)
    installation_name = models.CharField(max_length=200, blank=True)
    connection_id = models.BigIntegerField(null=True)
    connection_name = models.CharField(max_length=200, blank=True)

    operation = models.CharField(max_length=80)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=500)
    model = models.CharField(max_length=120, blank=True)
    stream = models.BooleanField(default=False)

    attempts = models.PositiveIntegerField(default=0)
    http_status = models.PositiveSmallIntegerField(null=True)
    error_code = models.CharField(max_length=80, blank=True)
    error_message = models.TextField(blank=True)
    help_code = models.CharField(max_length=12, blank=True)
    queue_ms = models.PositiveIntegerField(default=0)
    latency_ms = models.PositiveIntegerField(null=True)

    request_id = models.CharField(max_length=120, blank=True)
    object_id = models.CharField(max_length=120, blank=True)
    input_tokens = models.PositiveBigIntegerField(null=True)
    cached_tokens = models.PositiveBigIntegerField(null=True)
    output_tokens = models.PositiveBigIntegerField(null=True)
    reasoning_tokens = models.PositiveBigIntegerField(null=True)
    total_tokens = models.PositiveBigIntegerField(null=True)
    cost = models.DecimalField(max_digits=16, decimal_places=9, null=True)
    price_basis = models.CharField(max_length=200, blank=True)

    correlation_id = models.CharField(max_length=40)
    cause = models.CharField(max_length=40)
    cause_id = models.CharField(max_length=60, blank=True)
    cause_label = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=150, blank=True)
    tags = models.CharField(max_length=220, blank=True)

    class Meta:
        # Upwards, though lists go down them: rows come in the order of time, and what is added at the end of an index leaves the
        # rest of it as it is (SQLite moves the rows of three pages about for each one that is added at the beginning).
        indexes = [
            models.Index(fields=["created_at", "id"], name="call_time"),
            models.Index(fields=["installation_id", "created_at", "id"], name="call_installation_time"),
            models.Index(fields=["state", "created_at", "id"], name="call_state_time"),
            models.Index(fields=["operation", "created_at", "id"], name="call_operation_time"),
            models.Index(fields=["model", "created_at", "id"], name="call_model_time"),
            models.Index(fields=["cause", "created_at", "id"], name="call_cause_time"),
            models.Index(fields=["correlation_id"], name="call_correlation"),
            models.Index(fields=["cause", "cause_id"], name="call_cause"),
            models.Index(fields=["request_id"], name="call_request"),
            models.Index(fields=["object_id"], name="call_object"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.short_id}"

    @property
    def short_id(self) -> str:
        """The last eight digits: the first ones are the time and alike for calls of one day."""
        return self.id.hex[-8:]

    @property
    def state_info(self) -> State:
        return CALL_STATES[self.state]

    @property
    def outcome(self) -> State:
        """Its state as lists word it: an answer that took more than one attempt says so."""
        return AFTER_RETRY if self.state == "done" and self.attempts > 1 else self.state_info

    @property
    def reason(self) -> str:
        """Why it did not go well, in a word for lists; empty for a call that did, or may still."""
        return self.error_code if self.state_info.final and self.state != "done" else ""

    @property
    def is_free(self) -> bool:
        """Whether OpenAI charges nothing for it: a cost that is not there is none then, else it is unknown."""
        refused = self.http_status is not None and 400 <= self.http_status < 500
        return self.method != "POST" or refused or not self.attempts or self.operation in FREE

    @property
    def title(self) -> str:
        """The operation in words: `create_response` is Create response."""
        return self.operation.replace("_", " ").capitalize()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise RuntimeError("The log is append-only. Retention removes rows in bulk, never one call.")


class Attempt(models.Model):
    """One time a call went over the wire. `wait_cause` names the limit of the gate that held it before."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    call_id = models.UUIDField()
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, default="sending")
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(default=timezone.now)
    headers_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    queue_ms = models.PositiveIntegerField(default=0)
    wait_cause = models.CharField(max_length=40, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    request_id = models.CharField(max_length=120, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    error_message = models.TextField(blank=True)
    retry_reason = models.CharField(max_length=200, blank=True)
    retry_after_ms = models.PositiveBigIntegerField(null=True)
    rate_limits = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call_id", "number"], name="attempt_once")]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.call_id}"

    @property
    def state_info(self) -> State:
        return ATTEMPT_STATES[self.state]


class Body(models.Model):
    """What was sent or came back, redacted and bounded. `attempt` 0 is the request, else the answer to that attempt."""

    call_id = models.UUIDField()
    attempt = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    content_type = models.CharField(max_length=120, blank=True)
    headers = models.JSONField(default=dict)
    text = models.TextField(blank=True)
    size = models.PositiveBigIntegerField(default=0)
    truncated = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call_id", "attempt"], name="body_once")]

    def __str__(self) -> str:
        return f"body {self.attempt} of {self.call_id}"


class AuditEntry(models.Model):
    """A change of configuration: who, when, from where, what it was and what it became. Secrets are masked before they get here."""

    created_at = models.DateTimeField(default=timezone.now)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    address = models.CharField(max_length=60, blank=True)
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=60, blank=True)
    object_name = models.CharField(max_length=200, blank=True)
    changes = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="audit_time"),
            models.Index(fields=["object_kind", "object_id"], name="audit_object"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.object_name}"

    @property
    def shown_changes(self) -> list[tuple[str, object, object]]:
        """`(field, before, after)`; `before` is None for what is new."""
        pairs = {name: change if isinstance(change, list) else [change] for name, change in self.changes.items()}
        return [(name, pair[0] if pair[1:] else None, pair[-1] if pair else None) for name, pair in pairs.items()]

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise RuntimeError("The audit trail is append-only.")
