"""Sample records, so that a new installation has something to push. Made up by us; marked as samples."""

from __future__ import annotations

from typing import Any

from connections.models import Installation
from flows.models import Record
from flows.records import save_record
from logs.audit import SYSTEM

PRODUCTS: list[dict[str, Any]] = [
    {"id": "PB-100", "name": "Oak side table", "description": "Small table, solid oak, oiled.", "price": "129.00",
     "currency": "EUR", "category": "Furniture", "brand": "Linden & Sons", "stock": 14},
    {"id": "PB-101", "name": "Wool throw 130 x 170", "description": "Woven wool throw, grey herringbone.",
     "price": "79.00", "currency": "EUR", "category": "Textiles", "brand": "Fell Mill", "stock": 52},
    {"id": "PB-102", "name": "Enamel kettle 1.8 l", "description": "Kettle for every hob, dark green.",
     "price": "44.50", "currency": "EUR", "category": "Kitchen", "brand": "Brisk", "stock": 8},
    {"id": "PB-103", "name": "Desk lamp", "description": "Lamp with a jointed arm and a dimmer.", "price": "95.00",
     "currency": "EUR", "category": "Lighting", "brand": "Gale", "stock": 23},
    {"id": "PB-104", "name": "Stoneware bowl", "description": "Hand-thrown bowl, 16 cm, speckled glaze.",
     "price": "22.00", "currency": "EUR", "category": "Tableware", "brand": "Pebble", "stock": 120},
]  # fmt: skip
CUSTOMERS: list[dict[str, Any]] = [
    {"id": "C-2001", "name": "Hollis Bakery", "email": "orders@hollis.example", "company": "Hollis Bakery",
     "country": "IE", "language": "en", "notes": "Orders every Monday. Asks for early delivery."},
    {"id": "C-2002", "name": "Marta Lindqvist", "email": "marta@lindqvist.example", "company": "",
     "country": "SE", "language": "sv", "notes": "Returned a lamp in spring, happy with the exchange."},
    {"id": "C-2003", "name": "Quay Street Hotel", "email": "housekeeping@quaystreet.example",
     "company": "Quay Street Hotel", "country": "GB", "language": "en", "notes": "Refits 40 rooms next year."},
    {"id": "C-2004", "name": "Tomas Novak", "email": "tomas@novak.example", "company": "Novak Studio",
     "country": "CZ", "language": "cs", "notes": "Designer. Wants samples before ordering."},
    {"id": "C-2005", "name": "Amara Obi", "email": "amara@obi.example", "company": "",
     "country": "NL", "language": "nl", "notes": "Gift orders, always with a card."},
]  # fmt: skip
MESSAGES: list[dict[str, Any]] = [
    {"id": "M-3001", "type": "email", "received date": "2026-11-02T08:14:00Z",
     "text": "Good morning, the kettle arrived with a dent in its lid. May I send it back? Marta Lindqvist"},
    {"id": "M-3002", "type": "email", "received date": "2026-11-02T09:40:00Z",
     "text": "We refit 40 rooms next year and need 80 desk lamps. Which price can you offer? Quay Street Hotel"},
    {"id": "M-3003", "type": "chat", "received date": "2026-11-02T10:05:00Z",
     "text": "When will order 5512 arrive? It was to be here yesterday."},
]  # fmt: skip
SAMPLES = {"Product": PRODUCTS, "Customer": CUSTOMERS, "Message": MESSAGES}


def load_samples(installation: Installation, webhook_url: str) -> None:
    """Add the samples that the hub does not have. What somebody changed meanwhile stays as it is."""
    for entity, rows in SAMPLES.items():
        known = set(Record.objects.of(entity).values_list("key", flat=True))
        for row in rows:
            fields = {name: value for name, value in row.items() if name != "id"}
            if row["id"] not in known:
                save_record(SYSTEM, entity, row["id"], fields, cause="sample", sample=True)
