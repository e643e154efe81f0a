"""When the interpreter ends with everything still open, it ends: at once, with its own status, and without a word."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

from .conftest import Authority
from .raw import OK, WITHIN_S, Peer, RawServer

pytestmark = pytest.mark.about("blocking")

CLIENT = """
    import sys
    from smswire import AsyncClient, Client, Pacer
    origin, ca_file = sys.argv[1:]
    client = Client(origin, trust=ca_file, pacer=Pacer())
    client.request("GET", "/answered")
"""
ENDS = {
    "a client that was never closed": CLIENT,
    "a daemon thread within a call": CLIENT
    + """
    import threading
    def hold():
        client.request("POST", "/held", timeout=600)
    threading.Thread(target=hold, daemon=True).start()
    while not client.stats().busy:
        pass
    """,
    "a lookup that never returns": CLIENT
    + """
    import threading
    named = Client(origin.replace("127.0.0.1", "localhost"), trust=ca_file, pacer=Pacer(),
                   resolve=lambda host: threading.Event().wait())
    threading.Thread(target=lambda: named.request("GET", "/", timeout=600), daemon=True).start()
    while not named.stats().waiting:
        pass
    """,
    "a call at exit": CLIENT
    + """
    import atexit
    atexit.register(lambda: client.request("GET", "/answered"))
    """,
    "a close at exit": CLIENT
    + """
    import atexit
    atexit.register(client.close)
    """,
    "a call in a finalizer at the very end": CLIENT
    + """
    class Last:
        def __del__(self):
            try:
                client.request("GET", "/answered", timeout=5)
            except Exception:
                pass
    last = Last()
    last.itself = last
    """,
    "an event loop that was left": """
    import asyncio, sys
    from smswire import AsyncClient, Pacer
    origin, ca_file = sys.argv[1:]
    async def main():
        client = AsyncClient(origin, trust=ca_file, pacer=Pacer())
        await client.request("GET", "/answered")
        return client
    client = asyncio.run(main())
    """,
    "a task within a call": """
    import asyncio, sys
    from smswire import AsyncClient, Pacer
    origin, ca_file = sys.argv[1:]
    async def main():
        client = AsyncClient(origin, trust=ca_file, pacer=Pacer())
        asyncio.ensure_future(client.request("POST", "/held", timeout=600))
        while not client.stats().busy:
            await asyncio.sleep(0)
        sys.exit(7)
    asyncio.run(main())
    """,
}


def answering_but_held(peer: Peer) -> None:
    """Answers what is not to be held."""
    while (request := peer.read_request()) is not None:
        if b"/held" in request:
            peer.read_to_end()
            return
        peer.send(OK)


@pytest.mark.parametrize("script", ENDS.values(), ids=ENDS)
def test_the_interpreter_ends(script: str, serve: Callable[..., RawServer], authority: Authority) -> None:
    """No thread of ours keeps it, and what it says at its end is what the program says."""
    server = serve(answering_but_held)
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), server.origin, authority.ca_file],
        capture_output=True, text=True, timeout=WITHIN_S,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (7 if "sys.exit(7)" in script else 0, "", "")
