"""Runs each target for its share of the time, in a process of its own, and says what came of it.

``python -m fuzz [--seconds N] [--corpus DIR] [TARGET ...]``: one line a target, then the total. The exit status is the
number of targets with a finding; of each the traceback is shown, and its input is kept in the folder it names.

``python -m fuzz --cases N [--seed S] [TARGET ...]`` needs no atheris: it gives each target that can ``generate`` inputs
N of them, for targets of which a case costs more than it is worth to know what it covers.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random

from . import TARGETS

CHILD = """
import sys, atheris
with atheris.instrument_imports(include=["smswire.codec", "smswire.wire"]):
    import smswire.codec, smswire.wire
from fuzz import TARGETS
target = TARGETS[sys.argv.pop(1)]
calls = 0
def check(data):
    global calls
    target.check(data)
    calls += 1
    if hasattr(target, "tally") and calls % 1000 == 0:
        print("tally:", target.tally(), flush=True)
atheris.Setup(sys.argv, check)
atheris.Fuzz()
"""
# libFuzzer's own alarms: a hang is an input of more than 10 s, a memory bomb one of more than 1 GiB.
LIMITS = ["-timeout=10", "-rss_limit_mb=1024", "-max_len=4096", "-print_final_stats=1"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz the codecs and the plain lane.")
    parser.add_argument("--seconds", type=float, default=60, help="time for all targets together (%(default)s)")
    parser.add_argument("--corpus", type=Path, help="a folder in which found inputs are kept from run to run")
    parser.add_argument("--cases", type=int, help="so many inputs from the generator of each target, without atheris")
    parser.add_argument("--seed", type=int, default=0, help="where the generators start (%(default)s)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)} (all)")
    options = parser.parse_args()
    targets = options.targets or [
        name for name in TARGETS if options.cases is None or hasattr(TARGETS[name], "generate")
    ]
    if unknown := set(targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    if options.cases is None and importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed: pip install 'smswire[fuzz]'")
    folder = Path(tempfile.mkdtemp(prefix="smswire-fuzz-"))
    if options.cases is None:
        share = max(1, round(options.seconds / len(targets)))
        runs = [run(name, share, options.corpus or folder, folder) for name in targets]
    else:
        if unable := [name for name in targets if not hasattr(TARGETS[name], "generate")]:
            parser.error(f"no generator: {', '.join(unable)}")
        runs = [generate(name, options.cases, options.seed, folder) for name in targets]
    findings = sum(found for _, found in runs)
    if not findings:
        shutil.rmtree(folder)
    print(f"{'total':16}{sum(count for count, _ in runs):>12,} executions, {findings} findings")
    return findings


def run(name: str, seconds: int, corpora: Path, findings: Path) -> tuple[int, bool]:
    """The executions of one target, and whether it found something."""
    corpus = corpora / name
    corpus.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(TARGETS[name].SEEDS):
        (corpus / f"seed-{index}").write_bytes(seed)
    tokens = findings / f"{name}.dict"
    tokens.write_text("".join(f'"{as_escapes(token)}"\n' for token in TARGETS[name].TOKENS), encoding="ascii")
    artifacts = f"-artifact_prefix={findings}/{name}-"
    command = [sys.executable, "-c", CHILD, name, *LIMITS, f"-max_total_time={seconds}", f"-dict={tokens}", artifacts]
    started = time.monotonic()
    ran = subprocess.run([*command, str(corpus)], stderr=subprocess.STDOUT, stdout=subprocess.PIPE, check=False)
    report = ran.stdout.decode("utf-8", "replace")
    counted = re.search(r"stat::number_of_executed_units:\s*(\d+)", report)
    executions = int(counted[1]) if counted else 0
    found = ran.returncode != 0 or not executions
    tallies = re.findall(r"^tally: (.*)$", report, re.MULTILINE)
    say(name, executions, started, findings if found else None, tallies[-1] if tallies else None)
    if found:
        print("\n".join(report.splitlines()[-60:]), flush=True)
    return executions, found


def generate(name: str, cases: int, seed: int, findings: Path) -> tuple[int, bool]:
    """As `run`, with inputs of the target's own making."""
    target = TARGETS[name]
    random = Random(seed)
    started = time.monotonic()
    found = False
    executions = 0
    while executions < cases and not found:
        data = target.generate(random)
        try:
            target.check(data)
        except Exception:  # noqa: BLE001  (whatever it is, it is the finding)
            found = True
            (findings / f"{name}-finding").write_bytes(data)
            traceback.print_exc()
        executions += 1
    say(name, executions, started, findings if found else None, target.tally() if hasattr(target, "tally") else None)
    return executions, found


def say(name: str, executions: int, started: float, findings: Path | None, tally: str | None) -> None:
    outcome = "no finding" if findings is None else f"FINDING in {findings}"
    counted = f"{executions:>12,} executions in {time.monotonic() - started:.0f} s"
    print(f"{name:16}{', '.join(filter(None, (counted, tally, outcome)))}", flush=True)


def as_escapes(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


if __name__ == "__main__":
    sys.exit(main())
