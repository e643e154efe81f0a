"""The two gateway objects under one face: blocking calls, made in this thread or in an event loop of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from smswire import AsyncGateway, Gateway
from smswire.gateway import AsyncSmsStream, SmsOutcome, SmsStream

from ..net.runtimes import LOOPS, LoopThread

# Which callbacks a loop has is the client's affair (``tests/net``), and nothing here knows of it.
RUNTIMES = ("blocking", "asyncio", "uvloop")


async def _called(function: Callable[[], None]) -> None:
    function()


class InLoopStream:
    """An ``AsyncSmsStream`` with the methods of an ``SmsStream``."""

    def __init__(self, stream: AsyncSmsStream, thread: LoopThread) -> None:
        self._stream = stream
        self._thread = thread

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SmsOutcome:
        try:
            outcome: SmsOutcome = self._thread.run(self._stream.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None
        return outcome

    def stop(self) -> None:
        self._thread.run(_called(self._stream.stop))

    def give_up(self) -> None:
        self._thread.run(_called(self._stream.give_up))

    def close(self) -> None:
        self._thread.run(self._stream.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class InLoopGateway:
    """An ``AsyncGateway`` with the methods of a ``Gateway``; ``end`` ends its loop, where no task may be left."""

    def __init__(self, runtime: str, *args: Any, **settings: Any) -> None:
        self.inner = AsyncGateway(*args, **settings)
        self._thread = LoopThread(LOOPS[runtime]())

    def sms(self, *args: Any, **options: Any) -> Any:
        return self._thread.run(self.inner.sms(*args, **options))

    def sms_many(self, *args: Any, **options: Any) -> Any:
        return self._thread.run(self.inner.sms_many(*args, **options))

    def sms_stream(self, *args: Any, **options: Any) -> InLoopStream:
        async def begin() -> AsyncSmsStream:
            return self.inner.sms_stream(*args, **options)

        return InLoopStream(self._thread.run(begin()), self._thread)

    def balance(self, *args: Any, **options: Any) -> Any:
        return self._thread.run(self.inner.balance(*args, **options))

    def call(self, *args: Any, **options: Any) -> Any:
        return self._thread.run(self.inner.call(*args, **options))

    def run(self, coroutine: Any) -> Any:
        return self._thread.run(coroutine)

    def close(self, drain: float = 5.0) -> None:
        self._thread.run(self.inner.aclose(drain))

    def end(self) -> None:
        self.close()
        self._thread.end()

    def __repr__(self) -> str:
        return repr(self.inner)


AnyGateway = Gateway | InLoopGateway
AnyStream = SmsStream | InLoopStream


def new_gateway(runtime: str, *args: Any, **settings: Any) -> AnyGateway:
    """A gateway object of that runtime."""
    if runtime == "blocking":
        return Gateway(*args, **settings)
    return InLoopGateway(runtime, *args, **settings)


def end(gateway: AnyGateway) -> None:
    """Closes it, and its loop if it has one."""
    if isinstance(gateway, InLoopGateway):
        gateway.end()
    else:
        gateway.close()
