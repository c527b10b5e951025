"""The one reader of the environment.

Every setting is read here, once, by name; `.env.example` lists them all and a test holds the two together. A wrong
value stops the start with a sentence that names the variable.
"""

from __future__ import annotations

import base64
import ipaddress
import zoneinfo
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ROOT = Path(__file__).resolve().parent.parent
env: Any = environ.Env()  # type: ignore[no-untyped-call]  # django-environ has no types
env.read_env(ROOT / ".env")


def wrong(name: str, what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} {what} Correct it in the environment or in .env, then start again.")


def text(name: str, default: str) -> str:
    """A variable that is set to nothing counts as not set."""
    return str(env.str(name, default="")).strip() or default


def boolean(name: str, default: bool) -> bool:
    value = text(name, "true" if default else "false").lower()
    if value not in {"true", "false"}:
        raise wrong(name, f"is {value!r}, which is neither true nor false.")
    return value == "true"


def integer(name: str, default: int, least: int, most: int) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise wrong(name, f"is {value!r}, but must be a whole number from {least} to {most}.")
    return int(value)


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in choices:
        raise wrong(name, f"is {value!r}, but must be one of: {', '.join(choices)}.")
    return value


def networks(name: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text(name, "").split(",") if part.strip())
    except ValueError as error:
        raise wrong(name, f"must list networks such as 10.0.0.0/8, separated by commas: {error}.") from None


def time_zone(name: str, default: str) -> str:
    value = text(name, default)
    try:
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise wrong(name, f"is {value!r}, but must be a time zone such as UTC or Europe/Berlin.") from None
    return value


def web_address(name: str, default: str) -> str:
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
        raise wrong(name, f"is {value!r}, but must be an address such as https://patchbay.example.com.")
    return value


def web_host(address: str) -> str:
    return urlsplit(address).hostname or ""


def secret(name: str, file: Path) -> str:
    """The variable's value, or the content of the file that `start.py` makes; no silent default."""
    value = text(name, "")
    if not value and file.is_file():
        value = file.read_text(encoding="utf-8").strip()
    if not value:
        raise wrong(name, f"is not set and {file.name} is not in VAR_DIR. `python3 start.py` makes one.")
    return value


def sealing_keys(name: str, file: Path) -> tuple[bytes, ...]:
    """32-byte keys in base64, separated by commas or lines; the first one seals, all of them open."""
    parts = secret(name, file).replace("\n", ",").split(",")
    try:
        keys = tuple(base64.b64decode(part.strip(), validate=True) for part in parts if part.strip())
    except ValueError:
        keys = ()
    if not keys or any(len(key) != 32 for key in keys):
        raise wrong(name, "must hold keys of 32 bytes in base64, separated by commas.")
    return keys


def database(name: str, default_file: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = env.db_url_config(text(name, f"sqlite:///{quote(str(default_file))}"))
    except Exception as error:
        raise wrong(name, f"is not a database address: {type(error).__name__}.") from None
    engine = str(config.get("ENGINE", ""))
    if engine.endswith("sqlite3"):
        config["NAME"] = ROOT / config["NAME"]
        config["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            # The gate's statements differ by how many rows they write; each is read by SQLite once.
            "cached_statements": 1024,
            # The workers carry the second file over (jobs.checkpoint); where none runs, commits do it at 80 MB.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=20000;",
        }
    elif not engine.endswith("postgresql"):
        raise wrong(name, "must begin with sqlite:// or postgres://.")
    elif find_spec("psycopg") is None:
        raise wrong(
            name, "names PostgreSQL, and its driver is not installed. README.md says how to, under In production."
        )
    return config


# A relative path counts from the project, wherever a command is typed.
VAR_DIR = ROOT / text("VAR_DIR", "var")
ENVIRONMENT = choice("ENVIRONMENT", "local", ("local", "production"))
HOST = text("HOST", "127.0.0.1")
PORT = integer("PORT", 8000, 1, 65535)
PUBLIC_URL = web_address("PUBLIC_URL", f"http://{'127.0.0.1' if HOST in {'0.0.0.0', '::'} else HOST}:{PORT}")  # noqa: S104
ALLOWED_HOSTS = [part.strip() for part in text("ALLOWED_HOSTS", "").split(",") if part.strip()]
SANDBOX = boolean("SANDBOX", ENVIRONMENT == "local")
SANDBOX_PORT = integer("SANDBOX_PORT", min(PORT + 1, 65535), 1, 65535)
WORKERS = integer("WORKERS", 2, 1, 32)
ALLOW_PRIVATE_ADDRESSES = networks("ALLOW_PRIVATE_ADDRESSES")
MAX_THROTTLE_SECONDS = integer("MAX_THROTTLE_SECONDS", 60, 1, 86_400)
MAX_CONCURRENT_CONNECTIONS = integer("MAX_CONCURRENT_CONNECTIONS", 10, 1, 10_000)
MAX_CONCURRENT_BATCHES = integer("MAX_CONCURRENT_BATCHES", 10, 1, 10_000)
CONNECTION_TEST_SECONDS = integer("CONNECTION_TEST_SECONDS", 900, 0, 86_400)
TIME_ZONE = time_zone("TIME_ZONE", "UTC")
LOG_LEVEL = choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
SECRET_KEY = secret("SECRET_KEY", VAR_DIR / "secret_key")
SEALING_KEYS = sealing_keys("SEALING_KEYS", VAR_DIR / "sealing_keys")
DATABASE = database("DATABASE_URL", VAR_DIR / "patchbay.sqlite3")
# Set by the supervisor for each of its children, so that a restarted child can give back what its predecessor held.
PROCESS_NAME = text("PROCESS_NAME", "")

if SANDBOX and ENVIRONMENT == "production":
    raise wrong("SANDBOX", "is true, but the sandbox cannot be reached in production settings.")
