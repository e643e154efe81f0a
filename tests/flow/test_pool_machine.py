"""Any interleaving of what calls, dials, lookups and time do to a pool keeps its laws; the laws are the world's."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smswire.errors import Closed, PoolFull

from .kit import A, B
from .pool_world import PASSING, PERMANENT, World

indices = st.integers(0, 5)
EVENTS = ["nothing", "connect", "connect", "refuse", "unreachable", "at once", "abandon"]


class PoolMachine(RuleBasedStateMachine):
    """The rules are what a runtime may do, in any order; ``check`` holds after each, ``finish`` at the end."""

    world: World

    @initialize(
        addresses=st.sampled_from([[A], [A, B]]),
        known=st.booleans(),
        owned=st.booleans(),
        limit=st.sampled_from([1, 2, 4, 50]),
        max_connections=st.integers(1, 4),
        max_waiters=st.sampled_from([1, 3, 100]),
        max_requests=st.sampled_from([1, 2, 500]),
        idle_timeout=st.sampled_from([0.0, 0.3, 2.5]),
    )
    def begin(self, addresses, known, owned, limit, **options):
        self.world = World.new(addresses, known=known, owned=owned, limit=limit, **options)

    @rule(seconds=st.sampled_from([0.01, 0.25, 0.5, 1.01, 5.0, 11.0]))
    def time_passes(self, seconds):
        self.world.now += seconds

    @rule()
    def call(self):
        world = self.world
        before = world.pool.stats().waiting
        try:
            world.call()
        except Closed:
            assert world.closed
        except PoolFull:
            assert before >= world.pool.max_waiters
        else:
            assert not world.closed
            assert before < world.pool.max_waiters or world.pool.stats().waiting == before

    @precondition(lambda self: self.world.queue)
    @rule(index=indices)
    def step(self, index):
        """Wake-ups without a reason are allowed, and so is being slow to act on one."""
        self.world.step(self.world.queue[index % len(self.world.queue)])

    @precondition(lambda self: self.world.owned)
    @rule()
    def ask(self):
        self.world.ask()

    @precondition(lambda self: self.world.queue)
    @rule(index=indices)
    def leave(self, index):
        self.world.leave(self.world.queue[index % len(self.world.queue)])

    @precondition(lambda self: self.world.hands)
    @rule(index=indices, used=st.booleans())
    def give(self, index, used):
        self.world.give(self.world.hands[index % len(self.world.hands)], used=used)

    @precondition(lambda self: self.world.hands)
    @rule(index=indices, dead=st.booleans())
    def drop(self, index, dead):
        self.world.drop(self.world.hands[index % len(self.world.hands)], dead=dead)

    @precondition(lambda self: self.world.hands and not self.world.closed)
    @rule(index=indices)
    def go_back_to_the_head(self, index):
        """Its connection was stale: it takes the next, or waits before all others."""
        self.world.drop(self.world.hands[index % len(self.world.hands)], dead=False)
        self.world.check_book()
        self.world.call(head=True)

    @precondition(lambda self: self.world.hands)
    @rule(index=indices)
    def settle(self, index):
        self.world.settle(self.world.hands[index % len(self.world.hands)])

    @rule()
    def reap(self):
        self.world.reap()

    @precondition(lambda self: self.world.openings)
    @rule(index=indices, event=st.sampled_from(EVENTS), attempt=indices)
    def opening(self, index, event, attempt):
        openings = list(self.world.openings)
        self.world.happen(openings[index % len(openings)], event, attempt)

    @precondition(lambda self: self.world.lookups)
    @rule(index=indices, error=st.sampled_from([None, None, PASSING, PERMANENT]))
    def lookup(self, index, error):
        self.world.answer(self.world.lookups[index % len(self.world.lookups)], error)

    @precondition(lambda self: len(self.world.queue) > 1)
    @rule()
    def close(self):
        self.world.close()

    @invariant()
    def the_laws_hold(self):
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self):
        if hasattr(self, "world"):
            self.world.finish()


TestPool = PoolMachine.TestCase
