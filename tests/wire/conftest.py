"""Every test of this folder runs in both lanes."""

from __future__ import annotations

import pytest

from .lanes import LANES, take_lane


@pytest.fixture(autouse=True, params=LANES)
def lane(request: pytest.FixtureRequest) -> None:
    take_lane(request.param)
