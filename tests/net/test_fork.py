"""After a fork both processes go on: each with connections of its own, and the parent's untouched."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from smswire.sandbox import Limits

# In a process of its own: a fork in one that has threads is what Python 3.12 warns of, and what is tested here.
SCRIPT = """
    import os, sys, threading, warnings
    from smswire import Client, Pacer
    warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)

    origin, ca_file = sys.argv[1:]
    pacer = Pacer(window=0.5)
    client = Client(origin, trust=ca_file, pacer=pacer)
    def ask(client=client):
        return client.request("GET", "/api/balance", headers=[("X-Api-Key", "sandbox-key")]).status
    assert ask() == 200

    is_held, may_end = threading.Event(), threading.Event()
    def hold():
        with client._pool._lock:
            is_held.set()
            may_end.wait()
    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait()

    child = os.fork()
    if child == 0:
        code = 1
        try:
            slots = pacer.stats().live
            assert slots == pacer.limit, slots
            assert client.stats()[:5] == (0, 0, 0, 0, 0)
            assert ask() == 200
            client.close()
            code = 0
        finally:
            os._exit(code)
    may_end.set()
    holder.join()
    assert os.waitpid(child, 0)[1] == 0
    assert ask() == 200
    assert client.stats().opened == 1, client.stats()
    client.close()
    print("done")
"""


def test_parent_and_child_both_send_after_a_fork(make_sandbox):
    """With an idle TLS connection, and the pool's lock held at the fork: the parent's connection carries its next
    request, so that no byte of the child's was on it; the child has a connection of its own, and every slot taken.
    """
    sandbox = make_sandbox(limits=Limits(idle_seconds=60.0))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(SCRIPT), sandbox.url.removesuffix("/api"),
         str(sandbox.ca_file)],
        capture_output=True, env=environment, timeout=60, check=False, text=True,
    )  # fmt: skip
    assert (done.stderr, done.stdout) == ("", "done\n")
    assert [(call["connection"], call["status"]) for call in sandbox.calls()] == [(1, 200), (2, 200), (1, 200)]
