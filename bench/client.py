"""``python -m bench.client``: one client in a process of its own. A task on stdin, its figures on stdout."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from .job import NotThereYet, Task
from .measure import ACTIONS
from .peers import PEERS


def carry_out(task: Task) -> dict[str, Any]:
    if task.core is not None:
        os.sched_setaffinity(0, {task.core})
    try:
        with PEERS[task.peer].driver(task) as driver:
            return ACTIONS[task.action](task, driver)
    except Exception as error:  # noqa: BLE001  whatever a client raises is the row's failure, not the bench's
        is_not_there_yet = isinstance(error, NotThereYet)
        said = f"{error}" if is_not_there_yet else f"{type(error).__name__}: {error}"
        return {"error": said[:300], "is_not_there_yet": is_not_there_yet}


if __name__ == "__main__":
    # Not by the ordinary way out: a client that left threads or tasks behind would wait for them, or complain.
    sys.stdout.write(json.dumps(carry_out(Task.from_json(sys.stdin.read()))) + "\n")
    sys.stdout.flush()
    os._exit(0)
