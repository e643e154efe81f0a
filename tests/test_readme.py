"""The README's examples run as they stand, but for the sandbox's port and certificate; its claims about files hold."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from smswire.sandbox import Limits, Sandbox

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [
    textwrap.dedent(block) for block in re.findall(r"^ *```python\n(.*?)^ *```", README, re.DOTALL | re.MULTILINE)
]

# What each example prints, in the order of the README.
PRINTED = [
    r"77\d+\n",
    r"\+491716992343 Sent.YES 100 None\n\+491716992344 Sent.YES 100 None\n\+491716992345 Sent.YES 100 None\n",
    r"(?:\d \+49171699235\d Sent.YES None\n){3}",
    r".*900.*POST /api/sms to 127\.0\.0\.1:\d+; not sent.*\nmend it, then send again\n",
    r"200 text/plain; charset=utf-8 b'[0-9.]+'\n",
    r"b'GET /api/balance HTTP/1\.1\\r\\n.*'\n<Response 200, 5 bytes> True True\n",
    r"",
]


def test_the_commands_are_two_lines() -> None:
    """The first two fenced sh blocks are the demonstration and the tests, a line each."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert [block.count("\n") for block in blocks] == [1, 1]
    assert "smswire demo" in blocks[0]
    assert "pytest" in blocks[1]


@pytest.mark.parametrize(("block", "printed"), list(zip(BLOCKS, PRINTED, strict=True)))
def test_an_example_does_what_it_says(block: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each stands alone: it needs nothing of the one before."""
    with Sandbox(limits=Limits(reload_lock_seconds=0)) as sandbox:
        code = block.replace("https://127.0.0.1:8443/api", sandbox.url).replace('"ca.pem"', repr(sandbox.ca_file))
        code = code.replace("https://127.0.0.1:8443", sandbox.url.removesuffix("/api"))
        exec(compile(code, "README.md", "exec"), {})
    assert re.fullmatch(printed, capsys.readouterr().out, re.DOTALL)


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]), ids=lambda page: page.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Relative links, and files named in the text."""
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", text)
    named = re.findall(r"`((?:src|tests|docs)/[\w./-]+)`", text)
    assert all((page.parent / target).exists() for target in targets), targets
    assert all((ROOT / path).exists() for path in named), named


def test_the_whole_example_of_sending_many_holds() -> None:
    """The one in ``docs/gateway.md`` that brings a sandbox of its own; its assertions are in it."""
    text = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
    (example,) = (
        block for block in re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE) if "Sandbox()" in block
    )
    exec(compile(example, "docs/gateway.md", "exec"), {})
