"""What came of the requests that people send, kept for a while so that it can be shown and saved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from connections.models import Installation
from logs.ids import uuid7
from logs.models import Call
from operations.asking import Asked
from operations.states import ANSWER_STATES
from ui.states import State, choices

KEPT_FOR = timedelta(hours=24)
STOPPED = "Stopped before its end. What had come until then is kept; OpenAI may charge for it."


class Answer(models.Model):
    """One request and its answer. The answer's body is a file of VAR_DIR (see `operations.keeping`), the call is in the log.

    `asked` is `Asked.to_json()`, `headers` are the answer's, `size` is that of its body in bytes, `whole` whether that came to
    its end. `error` is a sentence, `shown` what a page shows of the body (`operations.showing.Shown`), `debug` the request as
    it was sent, if that was asked for.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    installation = models.ForeignKey(Installation, models.CASCADE, related_name="+")
    actor = models.CharField(max_length=150)
    state = models.CharField(max_length=12, default="sending", choices=choices(ANSWER_STATES))
    asked = models.JSONField(default=dict)
    call_id = models.UUIDField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    size = models.PositiveBigIntegerField(default=0)
    whole = models.BooleanField(default=False)
    shown = models.JSONField(default=dict)
    debug = models.TextField(blank=True)
    error = models.TextField(blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    help_code = models.CharField(max_length=12, blank=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="answer_time")]

    def __str__(self) -> str:
        return f"answer {self.pk}"

    @property
    def state_info(self) -> State:
        return ANSWER_STATES[self.state]

    @property
    def request(self) -> Asked:
        given: dict[str, Any] = self.asked
        return Asked.from_json(given)

    @property
    def content_type(self) -> str:
        return str(self.headers.get("content-type", ""))

    def end_as(self, call: Call) -> None:
        """Take over how the call ended, as the log has it."""
        self.state = {"done": "done", "cancelled": "cancelled"}.get(call.state, "failed")
        self.status, self.finished_at = call.http_status, call.finished_at or timezone.now()
        self.error, self.error_code, self.help_code = call.error_message, call.error_code, call.help_code
        if call.state == "cancelled" and call.http_status:
            self.error = STOPPED
        self.save()

    def end_without_call(self, error: str, code: str = "", help_code: str = "") -> None:
        """Nothing was sent, and the log has nothing to say about it."""
        self.state, self.finished_at = "failed", timezone.now()
        self.error, self.error_code, self.help_code = error, code, help_code
        self.save()
