"""After a fork both processes go on: each with connections of its own, and the parent's untouched."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading

import pytest

from smswire.sandbox import Limits

from .raw import OK, WITHIN_S, Peer

pytestmark = pytest.mark.about("blocking")

# In a process of its own: a fork in one that has threads is what Python 3.12 warns of, and what is tested here.
SCRIPT = """
    import os, sys, threading, warnings
    from smswire import Client, Pacer
    warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)

    origin, ca_file, busy_origin = sys.argv[1:]
    pacer = Pacer(window=0.5)
    client = Client(origin, trust=ca_file, pacer=pacer)
    def ask(client=client):
        return client.request("GET", "/api/balance", headers=[("X-Api-Key", "sandbox-key")]).status
    assert ask() == 200

    # Other threads: one holds the pool's lock, one waits for its answer, one for a name.
    is_held, may_end, is_asked = threading.Event(), threading.Event(), threading.Event()
    def hold():
        with client._pool._lock:
            is_held.set()
            may_end.wait()
    def resolve(host):
        is_asked.set()
        may_end.wait()
        return ["127.0.0.1"]
    busy = Client(busy_origin, pacer=Pacer())
    named = Client(origin.replace("127.0.0.1", "localhost"), trust=ca_file, pacer=Pacer(window=0.5), resolve=resolve)
    answers = []
    threads = [threading.Thread(target=hold)]
    threads += [threading.Thread(target=lambda: answers.append(busy.request("POST", "/held").status))]
    threads += [threading.Thread(target=lambda: answers.append(ask(named)))]
    for thread in threads:
        thread.start()
    is_held.wait()
    is_asked.wait()
    assert sys.stdin.readline() == "held\\n"
    child = os.fork()
    if child == 0:
        code = 1
        try:
            slots = pacer.stats().live
            assert slots == pacer.limit, slots
            for each in (client, busy, named):
                assert each.stats()[:5] == (0, 0, 0, 0, 0)
                assert not each._sockets
            may_end.set()
            assert ask() == 200
            assert ask(named) == 200
            assert busy.request("POST", "/child").status == 200
            for each in (client, busy, named):
                each.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    may_end.set()
    print("child ended", flush=True)
    for thread in threads:
        thread.join()
    assert answers == [200, 200], answers
    assert ask() == 200
    assert client.stats().opened == 1, client.stats()
    assert busy.stats().opened == 1, busy.stats()
    for each in (client, busy, named):
        each.close()
    print("done")
"""


def test_parent_and_child_both_send_after_a_fork(make_sandbox, serve):
    """With an idle TLS connection, the pool's lock held, a call in flight and a lookup that hangs at the fork: each
    process goes on with connections of its own, no byte of the child's is on the parent's, and its slots are taken.
    """
    sandbox = make_sandbox(limits=Limits(idle_seconds=60.0))
    child_ended = threading.Event()

    def handler(peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            if b"/held" in request:
                child_ended.wait(WITHIN_S)
            peer.send(OK)

    busy = serve(handler)
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(SCRIPT),
         sandbox.url.removesuffix("/api"), str(sandbox.ca_file), busy.origin],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            busy.next_request()
            process.stdin.write("held\n")
            process.stdin.flush()
            told = process.stdout.readline()
            child_ended.set()
            assert (told + process.stdout.read(), process.stderr.read()) == ("child ended\ndone\n", "")
        finally:
            process.kill()
    assert [request.split(b" ")[1] for request in busy.requests] == [b"/held", b"/child"]
    assert busy.accepted == 2
    calls = [(call["connection"], call["status"]) for call in sandbox.calls()]
    assert calls == [(1, 200), (2, 200), (3, 200), (4, 200), (1, 200)]
