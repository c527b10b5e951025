"""A far side that counts, for every test of this room that wants one."""

from __future__ import annotations

import pytest

from tests.flows.builders import FarSide


@pytest.fixture
def openai(far_side) -> FarSide:
    counted = FarSide()
    far_side(counted)
    return counted
