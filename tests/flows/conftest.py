"""The hub's entities and a far side that counts, for every test of this room."""

from __future__ import annotations

from importlib import import_module

import pytest

from flows.models import Entity
from tests.flows.builders import FarSide


def seed_entities() -> None:
    """What the migration put there; the test before this one may have emptied every table."""
    seeds = import_module("flows.migrations.0002_entities").ENTITIES
    for order, (name, values) in enumerate(seeds.items()):
        Entity.objects.get_or_create(name=name, defaults={"order": order, **values})


@pytest.fixture(autouse=True)
def entities(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("transactional_db")
        seed_entities()


@pytest.fixture
def openai(far_side) -> FarSide:
    counted = FarSide()
    far_side(counted)
    return counted
