"""Channels in the lane that is being tested: `conftest` runs every test of this folder in each."""

from __future__ import annotations

from typing import Any, Final, get_args

from smswire.wire import Channel
from smswire.wire.exchange import Lane

LANES: Final[tuple[Lane, ...]] = get_args(Lane)


class _Current:
    lane: Lane = "auto"


def take_lane(lane: Lane) -> None:
    _Current.lane = lane


def new_channel(host: str, **options: Any) -> Channel:
    return Channel(host, **{"lane": _Current.lane} | options)
