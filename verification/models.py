"""A verification is one run of checks against an installation; its results are kept as history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Max, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from connections.models import Installation
from jobs.tokens import LENGTH as TOKEN_LENGTH
from jobs.tokens import new_token
from logs.context import new_correlation
from ui.states import State, choices, final
from verification.states import CHECK_STATES, VERIFICATION_STATES

# Renewed every few seconds while the checks run. A holder that was silent for so long is taken for dead.
LEASE = timedelta(seconds=15)


class VerificationQuerySet(models.QuerySet["Verification"]):
    def open(self) -> VerificationQuerySet:
        return self.exclude(state__in=final(VERIFICATION_STATES))

    def claim(self, pk: int) -> Verification | None:
        """The verification under a fresh lease, or None where another process runs it or it has ended."""
        now, token = timezone.now(), new_token()
        free = Q(state="queued") | Q(state="running", lease_until__lt=now)
        won = self.filter(free, pk=pk).update(
            state="running", lease_token=token, lease_until=now + LEASE, started_at=Coalesce("started_at", now)
        )
        return self.select_related("installation__connection").get(pk=pk) if won else None


class Verification(models.Model):
    """All calls of a verification share its `correlation_id`."""

    installation = models.ForeignKey(Installation, on_delete=models.CASCADE, related_name="verifications")
    state = models.CharField(max_length=10, choices=choices(VERIFICATION_STATES), default="queued")
    actor = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    correlation_id = models.CharField(max_length=40, default=new_correlation)
    lease_token = models.CharField(max_length=TOKEN_LENGTH, blank=True)
    lease_until = models.DateTimeField(null=True)

    objects = VerificationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"Verification {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("verification:report", args=[self.pk])

    @property
    def state_info(self) -> State:
        return VERIFICATION_STATES[self.state]

    def keep(self) -> bool:
        """Renew the lease; False when somebody else has taken over."""
        mine = Verification.objects.filter(pk=self.pk, lease_token=self.lease_token, state="running")
        return mine.update(lease_until=timezone.now() + LEASE) == 1

    @property
    def log_url(self) -> str:
        return f"{reverse('logs:list')}?correlation={self.correlation_id}"

    @property
    def title(self) -> str:
        """How far it came: `9 of 11 passed, 1 failed, 1 skipped`."""
        states = [result.state for result in self.results.all()]
        rest = [f"{states.count(state)} {state}" for state in ("failed", "skipped") if state in states]
        return ", ".join([f"{states.count('passed')} of {len(states)} passed", *rest])


class CheckResultQuerySet(models.QuerySet["CheckResult"]):
    def newest(self, installation: Installation) -> CheckResultQuerySet:
        """The last result of each check, whichever verification it stands in."""
        last = self.filter(verification__installation=installation).values("slug").annotate(last=Max("pk"))
        return self.filter(pk__in=last.order_by().values("last")).select_related("verification")


class CheckResult(models.Model):
    """What one check found. `evidence` is `[{"label", "url"}]`; `call_ids` are rows of the integration log."""

    verification = models.ForeignKey(Verification, on_delete=models.CASCADE, related_name="results")
    slug = models.CharField(max_length=40)
    title = models.CharField(max_length=80)
    order = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=choices(CHECK_STATES), default="waiting")
    sentence = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    help_code = models.CharField(max_length=12, blank=True)
    evidence = models.JSONField(default=list)
    call_ids = models.JSONField(default=list)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = CheckResultQuerySet.as_manager()

    class Meta:
        ordering = ["order", "id"]
        constraints = [models.UniqueConstraint(fields=["verification", "slug"], name="check_once")]

    def __str__(self) -> str:
        return f"{self.slug} {self.state}"

    @property
    def state_info(self) -> State:
        return CHECK_STATES[self.state]

    @property
    def duration_ms(self) -> float | None:
        if not self.started_at or not self.finished_at:
            return None
        return (self.finished_at - self.started_at).total_seconds() * 1000

    def as_json(self) -> dict[str, Any]:
        return {
            "check": self.slug,
            "outcome": self.state,
            "sentence": self.sentence,
            "remedy": self.remedy,
            "help_code": self.help_code,
            "evidence": self.evidence,
            "duration_ms": self.duration_ms,
        }
