"""Any interleaving of what calls, dials, lookups and time do to a pool keeps its laws; the laws are the world's."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smswire.errors import Closed, PoolFull

from .kit import A, B
from .pool_world import PASSING, PERMANENT, World

indices = st.integers(0, 5)
EVENTS = ["nothing", "connect", "connect", "connect", "connect", "refuse", "unreachable", "at once", "abandon"]


class PoolMachine(RuleBasedStateMachine):
    """The rules are what a runtime may do, in any order; ``check`` holds after each, ``finish`` at the end."""

    world: World

    @initialize(
        addresses=st.sampled_from([[A], [A, B]]),
        known=st.sampled_from([True, True, False]),
        owned=st.booleans(),
        limit=st.sampled_from([50, 2, 4, 1]),
        max_connections=st.sampled_from([2, 1, 4]),
        max_waiters=st.sampled_from([100, 100, 2]),
        max_requests=st.sampled_from([500, 500, 1, 2]),
        idle_timeout=st.sampled_from([2.5, 0.3, 0.0]),
    )
    def begin(self, addresses, known, owned, limit, **options):
        self.world = World.new(addresses, known=known, owned=owned, limit=limit, **options)

    @rule(seconds=st.sampled_from([0.01, 0.25, 0.5, 1.01, 5.0, 11.0]))
    def time_passes(self, seconds):
        self.world.now += seconds

    @rule(count=st.integers(1, 3), asks=st.booleans())
    def call(self, count, asks):
        """Some calls begin; each asks at once, as it does where no other thread comes in between, or later."""
        world = self.world
        for _ in range(count):
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
                if asks and world.queue:
                    world.step(world.queue[-1])
                    world.ask_if_owned()

    @precondition(lambda self: any(caller.is_served for caller in self.world.queue))
    @rule(leaves=st.booleans())
    def served(self, leaves):
        """A call that was given a connection takes it, or leaves in that very instant."""
        caller = next(caller for caller in self.world.queue if caller.is_served)
        (self.world.leave if leaves else self.world.step)(caller)

    @precondition(lambda self: self.world.queue)
    @rule(index=indices)
    def step(self, index):
        """Wake-ups without a reason are allowed, and so is being slow to act on one."""
        self.world.step(self.world.queue[index % len(self.world.queue)])

    @precondition(lambda self: self.world.owned)
    @rule()
    def ask(self):
        self.world.ask_if_owned()

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
    @rule(chance=st.integers(0, 30))
    def close(self, chance):
        """Seldom, since little happens after."""
        if chance == 30:
            self.world.close()

    @invariant()
    def the_laws_hold(self):
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self):
        if hasattr(self, "world"):
            self.world.finish()


TestPool = PoolMachine.TestCase
