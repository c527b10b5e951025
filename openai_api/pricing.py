"""What a call cost, by the price table that `genai-prices` keeps. Prices change, so the result is stored with the call."""

from __future__ import annotations

import logging
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import Any

from django.utils import timezone

from openai_api.reading import Reading
from openai_api.throttle import NANO

logger = logging.getLogger(__name__)


@cache
def _table() -> Any:
    """Imported at the first use: it takes a quarter of a second and 30 MB, which a page without calls need not pay."""
    import genai_prices

    return genai_prices


@cache
def _version() -> str:
    return version("genai-prices")


def cost(reading: Reading, model: str, at: datetime) -> tuple[Decimal | None, str]:
    """Dollars and the basis of the price; (None, reason) when it is not known. Unknown is never shown as 0."""
    tokens = reading.tokens
    if "input_tokens" not in tokens:
        return None, ""
    name = reading.model or model
    usage = _table().Usage(
        input_tokens=tokens["input_tokens"],
        output_tokens=tokens.get("output_tokens", 0),
        cache_read_tokens=tokens.get("cached_tokens", 0),
    )
    tier = {"service_tier": reading.tier} if reading.tier in ("flex", "priority") else None
    try:
        price = _table().calc_price(usage, name, provider_id="openai", genai_request_timestamp=at, price_context=tier)
    except LookupError:
        return None, f"no price known for {name}"
    except Exception:
        logger.exception("The price of a call could not be computed")
        return None, f"the price table failed for {name}"
    basis = f"genai-prices {_version()}, {price.model.id}"
    return price.total_price, f"{basis}, {reading.tier}" if tier else basis


def expected(model: str, incoming: int, outgoing: int) -> int:
    """Billionths of a dollar that so many tokens cost today; 0 where no price is known."""
    usage = {"input_tokens": incoming, "output_tokens": outgoing}
    price, _ = cost(Reading(model=model, usage=usage), model, timezone.now())
    return round(price * NANO) if price else 0
