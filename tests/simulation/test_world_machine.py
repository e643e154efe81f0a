"""Hypothesis as the weather: what happens, and when, is its choice step by step; the laws hold at the end."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule

from .calls import Call
from .laws import check_all
from .network import Mood
from .weathers import ANY
from .world import Weather, World


class WorldMachine(RuleBasedStateMachine):
    """A world without plans of its own: every call, interrupt, close, fork and change is a rule's."""

    calls: Bundle[Call] = Bundle("calls")
    world: World

    @initialize(weather=ANY)
    def begin(self, weather: Weather) -> None:
        self.world = World(weather)

    @rule(target=calls)
    def call(self) -> Call:
        call = self.world.new_call()
        self.world.start(call)
        return call

    @rule(seconds=st.sampled_from((0.0, 0.001, 0.02, 0.3, 1.0, 3.0, 11.0)))
    def time_passes(self, seconds: float) -> None:
        clock = self.world.clock
        until = clock.now + seconds
        clock.run(until)
        clock.now = until

    @rule(call=consumes(calls))
    def interrupt(self, call: Call) -> None:
        self.world.interrupt(call)

    @rule(call=calls, points=st.integers(1, 12))
    def interrupt_soon(self, call: Call, points: int) -> None:
        if call.interrupt_at_point == 0:
            call.interrupt_at_point = points

    @rule(place=st.integers(0), mood=st.sampled_from(Mood))
    def change_mood(self, place: int, mood: Mood) -> None:
        routes = list(self.world.network.routes.values())
        routes[place % len(routes)].mood = mood

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule()
    def stand_still(self) -> None:
        self.world.stand_still()

    @rule()
    def leap(self) -> None:
        self.world.leap()

    @rule()
    def fork(self) -> None:
        if len(self.world.processes) < 4:
            self.world.fork()

    @rule()
    def close(self) -> None:
        self.world.close_one()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            world = self.world
            world.clock.at(world.clock.now + world.weather.timeout + 5.0, world.close_all)
            world.clock.run()
            check_all(world)


TestWorldMachine = WorldMachine.TestCase
