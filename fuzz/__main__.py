"""Runs each target for its share of the time, in a process of its own, and says what came of it.

``python -m fuzz [--seconds N] [--corpus DIR] [TARGET ...]``: one line a target, then the total. The exit status is the
number of targets with a finding; of each the traceback is shown, and its input is kept in the folder it names.
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
from pathlib import Path

from . import TARGETS

CHILD = """
import sys, atheris
with atheris.instrument_imports(include=["smswire.codec"]):
    import smswire.codec
from fuzz import TARGETS
atheris.Setup(sys.argv[1:], TARGETS[sys.argv.pop(1)].check)
atheris.Fuzz()
"""
# libFuzzer's own alarms: a hang is an input of more than 10 s, a memory bomb one of more than 1 GiB.
LIMITS = ["-timeout=10", "-rss_limit_mb=1024", "-max_len=4096", "-print_final_stats=1"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz the codecs.")
    parser.add_argument("--seconds", type=float, default=60, help="time for all targets together (%(default)s)")
    parser.add_argument("--corpus", type=Path, help="a folder in which found inputs are kept from run to run")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)} (all)")
    options = parser.parse_args()
    targets = options.targets or list(TARGETS)
    if unknown := set(targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed: pip install 'smswire[fuzz]'")
    folder = Path(tempfile.mkdtemp(prefix="smswire-fuzz-"))
    share = max(1, round(options.seconds / len(targets)))
    runs = [run(name, share, options.corpus or folder, folder) for name in targets]
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
    outcome = f"FINDING in {findings}" if found else "no finding"
    print(f"{name:16}{executions:>12,} executions in {time.monotonic() - started:.0f} s, {outcome}", flush=True)
    if found:
        print("\n".join(report.splitlines()[-60:]), flush=True)
    return executions, found


def as_escapes(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


if __name__ == "__main__":
    sys.exit(main())
