"""A connection is an encrypted credential and an address; an installation is a connection put to use."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from connections.sealing import SealedTextField
from connections.states import CONNECTION_STATES, STOPPED
from logs.models import Call
from logs.states import CALL_STATES
from openai_api.client import Origin
from openai_api.gate.circuits import Stop, stops
from openai_api.retries import RetryPolicy
from openai_api.throttle import NANO, Budget, Throttle
from ui.ids import id_in
from ui.states import State

CONNECTOR, CONNECTOR_VERSION = "OpenAI", "v1"
DEFAULT_BASE_URL = "https://api.openai.com/v1"
# A connection that is being tested is not under an installation's limits, yet nothing goes past the gate.
TEST_THROTTLE = {"limit": 60, "seconds": 60, "connections": 5, "batches": 1, "wait": True, "deadline": 20.0}


Row = TypeVar("Row", bound=models.Model)


class NamedQuerySet(models.QuerySet[Row]):
    """Rows that people call by name, on a page and on the command line."""

    def taken(self, name: str, but: int | None = None) -> bool:
        """Whether another row than `but` has this name; capitals make no difference to a reader, so none here."""
        return self.filter(name__iexact=name).exclude(pk=but).exists()

    def called(self, name_or_id: str) -> Row | None:
        """The row of this name or, when there is none, of this id. None when there is neither."""
        named = self.filter(name=name_or_id).first()
        return named or self.filter(pk=id_in(name_or_id)).first()


class InstallationQuerySet(NamedQuerySet["Installation"]):
    def with_last_call(self) -> InstallationQuerySet:
        """Adds `last_call_at` and `last_call_state`, read from the log in the same query."""
        calls = Call.objects.filter(installation_id=models.OuterRef("pk")).order_by("-created_at", "-id")
        return self.annotate(
            last_call_at=models.Subquery(calls.values("created_at")[:1]),
            last_call_state=models.Subquery(calls.values("state")[:1]),
        )


class ConnectionQuerySet(NamedQuerySet["Connection"]):
    def with_stops(self) -> list[Connection]:
        return read_stops(list(self))

    def in_trouble(self) -> ConnectionQuerySet:
        """What is in use and fails its tests or is stopped."""
        stopped = [key.rpartition(":")[2] for key in stops()]
        return self.filter(models.Q(status="failed") | models.Q(pk__in=stopped), installations__isnull=False).distinct()


class Connection(models.Model):
    """Where OpenAI is and with which key. `status` is what the last test said; `models_seen` is the account's list of
    models, rows of `{"id": str, "shutdown": "YYYY-MM-DD" | None}` by id. No background test begins before `retest_at`.
    `stopped_at` is set while the audit trail says that it is stopped; whether it is, the gate knows (`stop`).
    """

    name = models.CharField(max_length=120, unique=True)
    connector = models.CharField(max_length=40, default=CONNECTOR)
    connector_version = models.CharField(max_length=20, default=CONNECTOR_VERSION)
    base_url = models.CharField(max_length=500, default=DEFAULT_BASE_URL)
    organization = models.CharField(max_length=120, blank=True)
    project = models.CharField(max_length=120, blank=True)
    api_key = SealedTextField(blank=True, default="")
    key_last4 = models.CharField(max_length=4, blank=True)
    key_set_at = models.DateTimeField(null=True, blank=True)
    # For operations of the organization, which take no other key. Most connections have none.
    admin_key = SealedTextField(blank=True, default="")
    admin_key_last4 = models.CharField(max_length=4, blank=True)
    admin_key_set_at = models.DateTimeField(null=True, blank=True)

    status = models.CharField(max_length=12, default="untested")
    status_code = models.CharField(max_length=12, blank=True)
    status_text = models.TextField(blank=True)
    missing_permission = models.CharField(max_length=120, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    test_call_id = models.UUIDField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    retest_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    models_seen = models.JSONField(default=list, blank=True)
    models_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=150, blank=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_sandbox(self) -> bool:
        return bool(settings.SANDBOX_URL) and self.base_url == settings.SANDBOX_URL

    @property
    def host(self) -> str:
        """What a list shows of the address."""
        return "built in, no key" if self.is_sandbox else urlsplit(self.base_url).netloc

    @property
    def state_info(self) -> State:
        return STOPPED if self.stop else self.tested_info

    @property
    def tested_info(self) -> State:
        """What the last test said, whatever became of calls since."""
        return CONNECTION_STATES[self.status]

    @cached_property
    def stop(self) -> Stop | None:
        """Why the gate refuses this connection's calls, as it stood when it was first asked for."""
        return stops([self.hold_key]).get(self.hold_key)

    @property
    def trouble(self) -> str:
        """What keeps it from working, in a sentence; empty where nothing is known to."""
        if self.stop:
            return f"It failed {self.stop.failures} times in a row, so its calls are refused at once. {self.stop.words}"
        return self.status_text if self.status == "failed" else ""

    @property
    def hold_key(self) -> str:
        """What the gate calls this connection when it holds its calls back."""
        return Origin(connection_id=self.pk).hold_key

    @property
    def throttle(self) -> Throttle:
        return Throttle(key=f"connection:{self.pk}", **TEST_THROTTLE)  # type: ignore[arg-type]  # a plain table of mixed numbers

    def set_key(self, key: str) -> None:
        """Seals the key in this saved row and forgets what tests said of the former one. The caller saves."""
        self.api_key = key
        self.key_last4 = key[-4:] if len(key) >= 12 else ""
        self.key_set_at = timezone.now()
        self.forget_test()

    def set_admin_key(self, key: str) -> None:
        """Seals the admin key in this saved row, or takes it out where `key` is empty. The caller saves."""
        self.admin_key = key
        self.admin_key_last4 = key[-4:] if len(key) >= 12 else ""
        self.admin_key_set_at = timezone.now() if key else None

    def forget_test(self) -> None:
        self.status, self.status_code, self.status_text, self.missing_permission = "untested", "", "", ""
        self.tested_at = self.test_call_id = None


def read_stops(rows: list[Connection]) -> list[Connection]:
    """The same rows, each knowing whether it is stopped, in one query for all."""
    found = stops(row.hold_key for row in rows) if rows else {}
    for row in rows:
        row.stop = found.get(row.hold_key)
    return rows


class Installation(models.Model):
    """A connection put to use: model, limits, webhook key. Limits hold across every process (see `openai_api.gate`).

    Without `tokens_per_minute` and budgets there are no such limits. Budgets are of the day and month in UTC, dollars and
    tokens; retry times are in seconds (see `openai_api.retries`).
    """

    EXCESS = [("wait", "Wait in line"), ("reject", "Reject at once")]
    WINDOW = [("strict", "Until it has ended"), ("sent", "From when it was sent")]
    RETRY_WAIT = [("backoff", "Longer each time"), ("fixed", "Always the same")]
    LIMITS = (
        "throttle_limit", "throttle_seconds", "window_mode", "concurrent_connections", "concurrent_batches", "excess",
        "deadline_seconds", "tokens_per_minute", "day_dollars", "day_tokens", "month_dollars", "month_tokens",
        "warn_percent", "retry_count", "retry_wait", "retry_delay", "retry_cap", "retry_all",
    )  # fmt: skip

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
    window_mode = models.CharField(max_length=8, choices=WINDOW, default="strict")
    tokens_per_minute = models.PositiveBigIntegerField(null=True, blank=True)
    day_dollars = models.DecimalField(max_digits=11, decimal_places=2, null=True, blank=True)
    day_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    month_dollars = models.DecimalField(max_digits=11, decimal_places=2, null=True, blank=True)
    month_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    warn_percent = models.PositiveSmallIntegerField(default=80)
    retry_count = models.PositiveSmallIntegerField(default=2)
    retry_wait = models.CharField(max_length=8, choices=RETRY_WAIT, default="backoff")
    retry_delay = models.FloatField(default=0.5)
    retry_cap = models.FloatField(default=60.0)
    retry_all = models.BooleanField(default=False)
    default_mappings = models.BooleanField(default=True)
    # Slugs of `settings.READY_MADE`: what more it began with.
    tasks = models.JSONField(default=list, blank=True)

    # The key is shown once; only its SHA-256 is kept, and it is found and compared by that.
    webhook_key_digest = models.CharField(max_length=64, unique=True)
    webhook_key_last4 = models.CharField(max_length=4)
    webhook_key_set_at = models.DateTimeField(default=timezone.now)
    signing_secret = SealedTextField(blank=True, default="")
    signing_secret_set_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=150, blank=True)

    objects = InstallationQuerySet.as_manager()

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
            from_sent=self.window_mode == "sent",
            tokens=self.tokens_per_minute or 0,
            budgets=self.budgets,
        )

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """Those of the day and of the month that set a limit."""
        periods = (("day", self.day_dollars, self.day_tokens), ("month", self.month_dollars, self.month_tokens))
        return tuple(
            Budget(period, None if dollars is None else int(dollars * NANO), tokens, self.warn_percent)
            for period, dollars, tokens in periods
            if dollars is not None or tokens is not None
        )

    @property
    def retry_policy(self) -> RetryPolicy:
        """Of every call that brings no policy of its own."""
        return RetryPolicy(
            count=self.retry_count,
            delay=self.retry_delay,
            backoff=self.retry_wait == "backoff",
            cap=self.retry_cap,
            on_all_errors=self.retry_all,
        )

    @property
    def last_call_info(self) -> State | None:
        """The state of the last call, for a row that `with_last_call` read."""
        return CALL_STATES.get(getattr(self, "last_call_state", None) or "")


class InstallationDraft(models.Model):
    """A half-filled installation form. One row per draft; each page saves what was typed, valid or not, but no secret.

    `answers` is field name → text as typed; `done` lists the steps that were valid. Applying sets `applied_at` by
    compare-and-set, so that one draft makes one installation however often Apply is pressed.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    answers = models.JSONField(default=dict, blank=True)
    done = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    saved_at = models.DateTimeField(default=timezone.now)
    applied_at = models.DateTimeField(null=True, blank=True)
    installation = models.ForeignKey(Installation, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        ordering = ["-saved_at"]

    def __str__(self) -> str:
        return str(self.answers.get("name") or f"Draft {self.pk}")

    @property
    def task_count(self) -> int:
        """How many ready-made tasks are chosen (see `connections.installation_forms.TASK`)."""
        return sum(1 for name, typed in self.answers.items() if name.startswith("task_") and typed)

    @property
    def stamp(self) -> str:
        """Another one after every saving."""
        return self.saved_at.isoformat()
