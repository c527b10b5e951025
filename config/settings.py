"""Django's settings. Values that an operator may change come from `config.env`, and only from there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

DEBUG = False
SECRET_KEY = env.SECRET_KEY
ENVIRONMENT = env.ENVIRONMENT
VAR_DIR = env.VAR_DIR
HOST, PORT, PUBLIC_URL = env.HOST, env.PORT, env.PUBLIC_URL
ALLOWED_HOSTS = [*env.ALLOWED_HOSTS, env.HOST, "localhost", "127.0.0.1", "[::1]", env.web_host(PUBLIC_URL)]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE = PUBLIC_URL.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_tasks_db",
    "ui",
    "logs",
    "jobs",
    "openai_api",
    "accounts",
    "connections",
    "mappings",
    "outcomes",
    "operations",
    "flows",
    "webhooks",
    "proxy",
    "verification",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "ui.csp.ContentSecurityPolicy",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "ui.access.ClosedByDefault",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "builtins": ["ui.templatetags.ui", "django.templatetags.static", "django_htmx.templatetags.django_htmx"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ui.context.page",
            ],
        },
    }
]

DATABASES = {"default": env.DATABASE}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# A request's transaction must never be open while OpenAI is awaited, and must never be able to undo a log row.
ATOMIC_REQUESTS = False

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}
WORKERS = env.WORKERS
# Called with the process name when web or a worker starts: may it run with these keys, and what did a killed predecessor
# of that name hold? See `jobs.tables`.
ON_PROCESS_START = [
    "openai_api.pricing.warm",
    "connections.checks.assert_keys_open",
    "openai_api.sweep.release_process",
    "operations.lists.tasks.release_process",
    "flows.tasks.release_process",
    "webhooks.tasks.release_process",
    "verification.tasks.release_process",
]
# Called by every worker again and again; the number is seconds. See `jobs.tables`.
PERIODIC = {
    "jobs.checkpoint.checkpoint": 1.0,
    "jobs.lease.prune": 3600.0,
    "openai_api.sweep.sweep": 5.0,
    "connections.tasks.retest_due": 10.0,
    "connections.tasks.probe_stopped": 2.0,
    "outcomes.tasks.ask_due": 10.0,
    "operations.keeping.prune": 60.0,
    "operations.lists.tasks.sweep": 5.0,
    "flows.tasks.sweep": 5.0,
    "webhooks.tasks.sweep": 10.0,
    "verification.tasks.sweep": 10.0,
}

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
# Several copies run on one host under several ports; cookies do not know ports.
SESSION_COOKIE_NAME = f"patchbay_session_{env.PORT}"
CSRF_COOKIE_NAME = f"patchbay_csrf_{env.PORT}"
CSRF_FAILURE_VIEW = "ui.views.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = env.TIME_ZONE
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
}
SERVESTATIC_AUTOREFRESH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000  # forms of operations have a field for each part of a request
# Large uploads wait here and not in the system's folder, which may be memory.
FILE_UPLOAD_TEMP_DIR = env.VAR_DIR

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "class": "logs.redaction.Formatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "filters": {"not on purpose": {"()": "proxy.breaks.NotOnPurpose"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.LOG_LEVEL},
    "loggers": {
        # These two would print request lines (query strings and all) or every poll of the queue.
        "httpx": {"level": "WARNING"},
        "django_tasks": {"level": "WARNING"},
        "uvicorn.error": {"filters": ["not on purpose"]},
    },
}

# Patchbay's own
SEALING_KEYS = env.SEALING_KEYS
SANDBOX_PORT = env.SANDBOX_PORT
SANDBOX_URL = f"http://127.0.0.1:{env.SANDBOX_PORT}/v1" if env.SANDBOX else ""
ALLOW_PRIVATE_ADDRESSES = env.ALLOW_PRIVATE_ADDRESSES
MAX_THROTTLE_SECONDS = env.MAX_THROTTLE_SECONDS
MAX_CONCURRENT_CONNECTIONS = env.MAX_CONCURRENT_CONNECTIONS
MAX_CONCURRENT_BATCHES = env.MAX_CONCURRENT_BATCHES
CONNECTION_TEST_SECONDS = env.CONNECTION_TEST_SECONDS
PROCESS_NAME = env.PROCESS_NAME
# What stands above every page of an operator: functions without arguments that give `ui.banners.Banner`s.
BANNERS = ["connections.alerts.banners"]
# What the menu counts beside an entry, for operators: address name → a function that gives the number as text.
MENU_COUNTS = {"outcomes:list": "outcomes.counting.waiting"}
# Says what a call in line waits for: `(call) -> str`, empty where that is not known.
WAITS_FOR = "connections.waits.waits_for"
# Where forms of operations find records: a function from Entity/key to the record's parts or None, and one that gives the
# newest records as such names with their titles. The editor of mappings asks for those of one entity, and for its fields' names.
RECORDS = {
    "named": "flows.lookup.named",
    "recent": "flows.lookup.recent",
    "newest": "flows.lookup.newest",
    "names": "flows.lookup.names",
    "some": "flows.lookup.some",
}
# What an installation can begin with beside its default mappings: a function that gives slug, entity, name and sentence of each.
READY_MADE = "mappings.gallery.offered"
# What happens after an installation was applied, in this order. Rooms above `connections` are called through this
# table, because `connections` may not import them. Each is `(installation, webhook_url) -> None`.
AFTER_INSTALL = [
    "mappings.defaults.create_defaults",
    "flows.samples.load_samples",
    "webhooks.registration.register_at_sandbox",
]
# What happens after a new webhook key was made for an installation; the same shape.
AFTER_NEW_WEBHOOK_KEY = ["webhooks.registration.register_at_sandbox"]
