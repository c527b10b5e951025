"""How the sandbox behaves by API key, so that failures can be tried from a form."""

from sandbox.errors import Json
from sandbox.faults import Fault

KEYS: dict[str, tuple[str, Fault]] = {
    "sk-sandbox-wrong": ("401 invalid_api_key", Fault("401")),
    "sk-sandbox-no-models": (
        "a restricted key that may not list models; everything else works",
        Fault("missing_scope", method="GET", path="/models*", scope="api.model.read", status=403),
    ),
    "sk-sandbox-no-responses": (
        "a restricted key that may not create responses; everything else works",
        Fault("missing_scope", method="POST", path="/responses*", scope="api.responses.write"),
    ),
    "sk-sandbox-no-credit": ("429 insufficient_quota, which no retry mends", Fault("insufficient_quota")),
    "sk-sandbox-rate-limited": (
        "429 rate_limit_exceeded with retry-after, always",
        Fault("rate_limit_exceeded", retry_after=2, retry_after_ms=2000),
    ),
    "sk-sandbox-slow": ("every answer takes 30 seconds", Fault("slow", seconds=30)),
    "sk-sandbox-broken": ("an HTML page instead of JSON, as from a wrong address", Fault("html")),
}


def fault_of(key: str, method: str, path: str, body: Json) -> Fault | None:
    if key not in KEYS:
        return None
    fault = KEYS[key][1]
    return fault if fault.fits(method, path, body) else None


def as_json() -> list[Json]:
    rows = [{"key": key, "behaviour": behaviour} for key, (behaviour, _) in KEYS.items()]
    return [{"key": "sk-… (any other)", "behaviour": "works"}, *rows]
