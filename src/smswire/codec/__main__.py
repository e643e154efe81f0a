"""``python -m smswire.codec json|form FILE``: silence and 0 if the file is valid, else the fault on stderr and 1.

A form is read with ``errors="strict"``: what WHATWG's parser puts up with is a fault here. The limits are those of
``form.decode`` and ``json.decode``, by default; one that is passed is a fault too. ``-`` is standard input.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import DecodeError
from . import form, json
from .json.careful import place


def main(arguments: Sequence[str] | None = None) -> int:
    """Checks one file; returns the exit status. Wrong usage and a file that cannot be read end in 2."""
    parser = argparse.ArgumentParser(
        prog="python -m smswire.codec", description="Check a file to the letter, and to the default limits of decode()."
    )
    formats = parser.add_subparsers(dest="format", required=True)
    of_json = formats.add_parser("json", help="RFC 8259")
    of_json.add_argument("--duplicate-keys", choices=("error", "last", "first"), default="error")
    of_form = formats.add_parser("form", help="application/x-www-form-urlencoded, WHATWG URL")
    for each in (of_json, of_form):
        each.add_argument("file", help='"-" for standard input')
    options = parser.parse_args(arguments)
    try:
        data = _read(options.file)
    except OSError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        return 130  # as a shell has it
    try:
        if options.format == "json":
            json.decode(data, duplicate_keys=options.duplicate_keys)
        else:
            form.decode(data, errors="strict")
    except DecodeError as error:
        if error.line is None:
            before = data[: error.offset].decode("utf-8", "replace")
            error.line, error.column = place(before, len(before))
        sys.stderr.write(f"{options.file}: {error}\n")
        return 1
    return 0


def _read(file: str) -> bytes:
    if file != "-":
        return Path(file).read_bytes()
    if sys.stdin is None:
        raise OSError("standard input is closed")
    return sys.stdin.buffer.read()


if __name__ == "__main__":
    sys.exit(main())
