"""The weathers that worlds are drawn from: one strategy for everything at once, and one for each kind of trouble."""

from __future__ import annotations

from hypothesis import strategies as st

from .world import Weather

SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.sampled_from((0.0, 0.1, 0.5))
MANY = st.integers(10, 30)

ANY = st.builds(
    Weather,
    seed=SEEDS,
    calls=st.integers(1, 30),
    dials=st.booleans(),
    limit=st.integers(1, 8),
    connections=st.integers(1, 6),
    addresses=st.integers(1, 3),
    span=st.sampled_from((0.01, 1.0, 5.0)),
    timeout=st.sampled_from((60.0, 30.0, 5.0)),
    impatient=SHARES,
    interrupted=SHARES,
    repeatable=SHARES,
    trouble=SHARES,
    restarts=st.integers(0, 3),
    breaks=SHARES,
    loss=SHARES,
    hold=st.sampled_from((0.0, 0.05, 2.0, 8.0)),
    moods=SHARES,
    names=SHARES,
    partial=SHARES,
    buffer=st.sampled_from((65_536, 2000, 64)),
    max_requests=st.sampled_from((500, 5, 1)),
    idle=st.sampled_from((3.0, 0.3)),
    is_known=st.booleans(),
    hangs_up=SHARES,
    late=st.sampled_from((0.0, 0.0, 0.005, 0.05)),
    eager=SHARES,
    closes=st.booleans(),
)

ODD_GATEWAY = st.builds(
    Weather,
    seed=SEEDS,
    calls=MANY,
    dials=st.booleans(),
    limit=st.just(50),
    connections=st.integers(1, 10),
    timeout=st.sampled_from((60.0, 5.0)),
    repeatable=SHARES,
    interrupted=SHARES,
    trouble=st.sampled_from((1.0, 0.7)),
    restarts=st.integers(0, 1),
    partial=SHARES,
    buffer=st.sampled_from((65_536, 2000)),
    max_requests=st.sampled_from((500, 5)),
)

BAD_ROADS = st.builds(
    Weather,
    seed=SEEDS,
    calls=MANY,
    dials=st.booleans(),
    limit=st.integers(2, 20),
    connections=st.integers(1, 10),
    addresses=st.integers(1, 3),
    span=st.sampled_from((0.01, 1.0, 5.0)),
    breaks=st.sampled_from((0.5, 0.1)),
    loss=st.sampled_from((0.5, 0.1)),
    hold=st.sampled_from((8.0, 2.0)),
    moods=st.sampled_from((0.7, 0.3)),
    names=SHARES,
    late=st.sampled_from((0.0, 0.005)),
    eager=SHARES,
    closes=st.booleans(),
)

CROWD = st.builds(
    Weather,
    seed=SEEDS,
    calls=MANY,
    dials=st.booleans(),
    limit=st.integers(1, 6),
    connections=st.integers(1, 4),
    addresses=st.integers(1, 2),
    span=st.sampled_from((0.01, 1.0)),
    timeout=st.sampled_from((30.0, 5.0)),
    impatient=st.sampled_from((0.5, 0.1)),
    interrupted=st.sampled_from((0.8, 0.3)),
    hold=st.sampled_from((0.0, 2.0)),
    moods=SHARES,
    max_requests=st.sampled_from((500, 1)),
    hangs_up=SHARES,
    late=st.sampled_from((0.0, 0.005)),
    eager=SHARES,
    closes=st.booleans(),
)

FAIR = st.builds(
    Weather,
    seed=SEEDS,
    calls=MANY,
    dials=st.booleans(),
    tls=st.sampled_from((False, False, True)),
    limit=st.integers(2, 8),
    connections=st.integers(1, 6),
    addresses=st.integers(1, 2),
    span=st.sampled_from((0.01, 1.0, 5.0)),
    partial=SHARES,
    buffer=st.sampled_from((65_536, 2000)),
    max_requests=st.sampled_from((500, 5)),
    hangs_up=SHARES,
    late=st.sampled_from((0.0, 0.005)),
    eager=SHARES,
)

MOVING = st.builds(
    Weather,
    seed=SEEDS,
    calls=MANY,
    dials=st.booleans(),
    limit=st.integers(3, 20),
    connections=st.integers(2, 5),
    addresses=st.integers(2, 3),
    span=st.sampled_from((25.0, 40.0)),
    timeout=st.sampled_from((30.0, 5.0)),
    restarts=st.integers(0, 3),
    loss=st.sampled_from((0.7, 0.3)),
    moods=SHARES,
    names=st.sampled_from((0.5, 0.1)),
    hangs_up=st.sampled_from((1.0, 0.5)),
    eager=SHARES,
)

HANDSHAKES = st.builds(
    Weather,
    seed=SEEDS,
    tls=st.just(True),
    calls=st.integers(5, 12),
    dials=st.sampled_from((True, True, False)),
    limit=st.integers(4, 10),
    connections=st.integers(2, 6),
    addresses=st.integers(1, 2),
    span=st.just(0.01),
    loss=st.sampled_from((0.0, 0.3)),
    partial=st.just(0.5),
    late=st.sampled_from((0.0, 0.005)),
    eager=st.just(0.5),
)

SECURE = st.builds(
    Weather,
    seed=SEEDS,
    tls=st.just(True),
    calls=st.integers(5, 15),
    dials=st.booleans(),
    limit=st.integers(2, 8),
    connections=st.integers(1, 6),
    addresses=st.integers(1, 3),
    span=st.sampled_from((0.01, 1.0, 5.0)),
    impatient=SHARES,
    interrupted=SHARES,
    trouble=SHARES,
    breaks=SHARES,
    loss=SHARES,
    hold=st.sampled_from((0.0, 2.0, 8.0)),
    moods=SHARES,
    partial=SHARES,
    buffer=st.sampled_from((65_536, 2000)),
    eager=st.sampled_from((0.0, 0.5)),
    closes=st.booleans(),
)
