"""What can be turned while it runs: ``POST /_sandbox/settings``."""

from dataclasses import asdict, dataclass, fields
from typing import Any

MOST_SECONDS = 3600.0
MOST_COUNT = 1_000_000_000


@dataclass
class Settings:
    """Times are seconds, `rpm` and `tpm` are requests and tokens per window of one project."""

    latency_seconds: float = 0.0
    stream_delay_seconds: float = 0.02
    """Pause before each piece of a stream."""
    background_seconds: float = 0.3
    """From the creation of a background response to its end."""
    batch_seconds: float = 1.0
    """From the creation of a batch to its end."""
    window_seconds: float = 60.0
    rpm: int = 10_000
    tpm: int = 2_000_000
    webhook_backoff_seconds: float = 1.0
    """Wait before the first retry of a delivery; doubles with each."""
    webhook_attempts: int = 5

    def update(self, changes: dict[str, Any]) -> None:
        """Take over `changes`, all or none. Raises ValueError with a sentence that names the setting."""
        kinds = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        accepted = {name: _checked(name, value, kinds) for name, value in changes.items()}
        for name, value in accepted.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _checked(name: str, value: Any, kinds: dict[str, type]) -> float | int:
    kind = kinds.get(name)
    if kind is None:
        raise ValueError(f"There is no setting {name!r}. Settings: {', '.join(kinds)}.")
    if isinstance(value, bool) or not isinstance(value, int | float) or (kind is int and not isinstance(value, int)):
        raise ValueError(f"{name} must be {'a whole number' if kind is int else 'a number of seconds'}, not {value!r}.")
    least, most = (1, MOST_COUNT) if kind is int else (0, MOST_SECONDS)
    if not least <= value <= most:
        raise ValueError(f"{name} must be from {least} to {most:g}, not {value}.")
    return kind(value)  # type: ignore[no-any-return]  # int or float, by the declaration above
