"""What a call cost, by the price table that `genai-prices` keeps. Prices change, so the result is stored with the call."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache, partial
from importlib.metadata import version
from threading import Timer
from typing import Any

from django.utils import timezone

from openai_api.reading import Reading
from openai_api.throttle import NANO

logger = logging.getLogger(__name__)
# Prices may rise with the length of a request; up to so many tokens they are asked to be a straight line, or are looked up.
STRAIGHT_UP_TO = 100_000
HOUR = 3600
# A process that starts has other things to do first; by then its pages and its queue are served.
WARM_AFTER_SECONDS = 1.0


@cache
def _table() -> Any:
    """Imported when it is wanted, or by `warm`: it takes a quarter of a second, which a command without calls need not pay."""
    import genai_prices

    return genai_prices


def warm(process_name: str) -> None:
    """Load the prices when a process has started, so that neither its start nor its first call waits for them."""
    timer = Timer(WARM_AFTER_SECONDS, _asked, args=("gpt-6-luna", "", datetime.now(UTC), 1, 0, 1))
    timer.name, timer.daemon = "prices", True
    timer.start()


@cache
def _version() -> str:
    return version("genai-prices")


@dataclass(frozen=True)
class Rates:
    """Dollars a token, as far as a model's price is the same for every token; `basis` names the price table."""

    fresh: Decimal
    cached: Decimal
    answer: Decimal
    basis: str

    def of(self, fresh: int, cached: int, answer: int) -> Decimal:
        return fresh * self.fresh + cached * self.cached + answer * self.answer


def cost(reading: Reading, model: str, at: datetime) -> tuple[Decimal | None, str]:
    """Dollars and the basis of the price; (None, reason) when it is not known. Unknown is never shown as 0."""
    tokens = reading.tokens
    if "input_tokens" not in tokens:
        return None, ""
    name, tier = reading.model or model, reading.tier if reading.tier in ("flex", "priority") else ""
    incoming, answer = tokens["input_tokens"], tokens.get("output_tokens", 0)
    cached = min(tokens.get("cached_tokens", 0), incoming)
    try:
        rates = _rates(name, tier, int(at.timestamp() // HOUR)) if max(incoming, answer) <= STRAIGHT_UP_TO else None
        if rates is not None:
            return rates.of(incoming - cached, cached, answer), rates.basis
        return _asked(name, tier, at, incoming, cached, answer)
    except LookupError:
        return None, f"no price known for {name}"
    except Exception:
        logger.exception("The price of a call could not be computed")
        return None, f"the price table failed for {name}"


def _asked(name: str, tier: str, at: datetime, incoming: int, cached: int, answer: int) -> tuple[Decimal, str]:
    """The library's own answer. It takes a fifth of a millisecond, which a crowd of calls cannot spare."""
    usage = _table().Usage(input_tokens=incoming, output_tokens=answer, cache_read_tokens=cached)
    price = _table().calc_price(
        usage,
        name,
        provider_id="openai",
        genai_request_timestamp=at,
        price_context={"service_tier": tier} if tier else None,
    )
    basis = f"genai-prices {_version()}, {price.model.id}"
    return price.total_price, f"{basis}, {tier}" if tier else basis


@lru_cache(maxsize=512)
def _rates(name: str, tier: str, hour: int) -> Rates | None:
    """The rates of one hour (its number since 1970), found by asking the library; None where its price is no straight line."""
    ask = partial(_asked, name, tier, datetime.fromtimestamp(hour * HOUR, UTC))
    (fresh, basis), (cached, _), (answer, _) = ask(1000, 0, 0), ask(1000, 1000, 0), ask(0, 0, 1000)
    rates = Rates(fresh / 1000, cached / 1000, answer / 1000, basis)
    for usage in ((17, 5, 3), (STRAIGHT_UP_TO, 0, STRAIGHT_UP_TO), (STRAIGHT_UP_TO, STRAIGHT_UP_TO, 1)):
        incoming, found, out = usage
        if ask(*usage)[0] != rates.of(incoming - found, found, out):
            return None
    return rates


def expected(model: str, incoming: int, outgoing: int) -> int:
    """Billionths of a dollar that so many tokens cost today; 0 where no price is known."""
    usage = {"input_tokens": incoming, "output_tokens": outgoing}
    price, _ = cost(Reading(model=model, usage=usage), model, timezone.now())
    return round(price * NANO) if price else 0
