"""The house stands: imports run downwards, the core touches neither I/O nor clock, the judge shares no code."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "smswire"
FILES = sorted(PACKAGE.rglob("*.py"))

# What each layer may import of ours. Nobody imports what stands above, and `sandbox` only itself.
BELOW = {
    "errors": set(),
    "events": {"errors"},
    "logs": {"errors", "events"},
    "codec": {"errors"},
    "wire": {"errors", "codec"},
    "flow": {"errors", "events", "codec", "wire"},
    "net": {"errors", "events", "codec", "wire", "flow"},
    "gateway": {"errors", "events", "codec", "wire", "flow", "net"},
    "sandbox": set(),
    "cli": {"errors", "codec", "wire", "flow", "net", "gateway", "sandbox"},
    "__main__": {"cli"},
    "__init__": {"errors", "events", "codec", "wire", "flow", "net", "gateway"},
}
PURE = ("events", "codec", "wire", "flow")
IMPURE_MODULES = {"socket", "select", "selectors", "threading", "asyncio", "time", "random", "secrets", "os", "queue"}
# The parts of `gateway` that a host with a transport of its own uses alone.
SANS_IO_GATEWAY = {"auth", "call", "answer", "fields", "codes", "sms", "bundle", "errand", "batch"}
# Whatever is sent and received goes through `codec`, but for what the sandbox saw: an independent reader judges it.
CLIENT = ("wire", "flow", "net", "gateway", "cli")
READS_THE_JUDGE = "cli/sandboxed.py"
STANDARD_CODECS = {"json", "_json", "urllib", "ast", "html", "quopri", "base64", "ctypes"}
THIRD_PARTY = {"wire": {"h11"}, "net": {"certifi"}, "sandbox": {"h11", "trustme"}, "cli": {"click", "rich"}}


def layer_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(file: Path) -> Iterator[tuple[ast.AST, str, bool]]:
    """Each import: its node, the module in full, and whether it is relative. Imports within functions count too."""
    package = ["smswire", *file.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node, name.name, False
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from . import x` imports the module x, if there is one.
            for name in node.names:
                whole = f"{module}.{name.name}"
                path = PACKAGE.parent.joinpath(*whole.split("."))
                is_module = path.with_suffix(".py").exists() or path.is_dir()
                yield node, whole if is_module else module, node.level > 0


def name(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


def test_every_module_has_a_layer() -> None:
    """A new folder has to find its place in the table first."""
    assert {layer_of(file) for file in FILES} == set(BELOW)


@pytest.mark.parametrize("file", FILES, ids=name)
def test_imports_run_downwards_and_are_relative(file: Path) -> None:
    """A layer imports itself and what is below; relatively, so that the package can be vendored."""
    layer = layer_of(file)
    for node, module, is_relative in imports_of(file):
        parts = module.split(".")
        if parts[0] != "smswire":
            continue
        assert is_relative, f"line {node.lineno}: {module} is imported by its absolute name"
        if len(parts) > 1:
            assert parts[1] in BELOW[layer] | {layer}, f"line {node.lineno}: {layer} imports {module}"


@pytest.mark.parametrize("file", FILES, ids=name)
def test_dependencies_stay_where_they_belong(file: Path) -> None:
    """Beyond the standard library there is h11 in wire, certifi in net; extras in sandbox and cli."""
    for node, module, is_relative in imports_of(file):
        top = module.split(".")[0]
        if not is_relative and top not in sys.stdlib_module_names and top != "smswire":
            assert top in THIRD_PARTY.get(layer_of(file), set()), f"line {node.lineno}: {module}"


@pytest.mark.parametrize("file", [file for file in FILES if layer_of(file) in PURE], ids=name)
def test_the_core_has_no_socket_clock_thread_or_chance(file: Path) -> None:
    """Bytes and times in, bytes and verdicts out. `flow` is told what errno is, which is a table of numbers."""
    for node, module, _ in imports_of(file):
        assert module.split(".")[0] not in IMPURE_MODULES, f"line {node.lineno}: {module}"
        if layer_of(file) == "codec":
            assert module.split(".")[0] not in STANDARD_CODECS, f"line {node.lineno}: {module}"


@pytest.mark.parametrize(
    "file", [file for file in FILES if layer_of(file) in CLIENT and name(file) != READS_THE_JUDGE], ids=name
)
def test_the_client_reads_and_writes_with_our_codecs_only(file: Path) -> None:
    """No JSON or URL module of the standard library but in the judge and what reads it for the demonstration."""
    for node, module, is_relative in imports_of(file):
        assert is_relative or module.split(".")[0] not in {"json", "_json", "urllib"}, f"line {node.lineno}: {module}"


@pytest.mark.parametrize(
    "file", [file for file in FILES if layer_of(file) == "gateway" and file.stem in SANS_IO_GATEWAY], ids=name
)
def test_calls_and_answers_of_the_gateway_need_no_runtime(file: Path) -> None:
    """They import nothing of `net`, nor anything that waits."""
    for node, module, _ in imports_of(file):
        assert not module.startswith("smswire.net"), f"line {node.lineno}: {module}"
        assert module.split(".")[0] not in IMPURE_MODULES - {"time"}, f"line {node.lineno}: {module}"


def modules_after(statement: str) -> set[str]:
    """What a fresh interpreter has loaded, beyond what it starts with, after the statement."""
    code = f"import sys; before = set(sys.modules)\n{statement}\nprint(*sorted(set(sys.modules) - before))"
    ran = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n{code}"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return set(ran.stdout.split())


HEAVY = {"asyncio", "sqlite3", "http.client", "email", "urllib", "urllib.parse", "json", "logging", "certifi"}


def test_importing_the_clients_loads_nothing_heavy() -> None:
    """The trust store and whatever else is heavy loads on first use, or never."""
    assert not modules_after("from smswire import Client, Gateway") & HEAVY


def test_who_asks_for_no_events_loads_nothing_of_them() -> None:
    """Their names cost the import of one small module when they are used, and `logging` that of one more."""
    loaded = modules_after("from smswire import Client, Gateway; Client('http://127.0.0.1:1').close()")
    ours = {module.rpartition(".")[2] for module in loaded if module.startswith("smswire.")}
    assert not ours & {"events", "observed", "observing", "logs"}
    loaded = {module for module in modules_after("from smswire import events") if module.startswith("smswire")}
    assert loaded == {"smswire", "smswire.errors", "smswire.events"}
    assert "logging" not in modules_after("import smswire; smswire.Gateway('key', on_event=print).close()")
    assert "logging" in modules_after("from smswire.logs import log")


def test_importing_an_asyncio_name_loads_no_blocking_runtime() -> None:
    """And the other way round: the two never see each other."""
    loaded = modules_after("from smswire import AsyncClient, AsyncGateway")
    assert "asyncio" in loaded
    assert not loaded & {"smswire.net.blocking", "smswire.gateway.client", "smswire.gateway.threads"}
    assert not loaded & {"certifi", "sqlite3", "http.client"}
    loaded = modules_after("from smswire import Client, Gateway")
    assert not loaded & {"smswire.net.aio", "smswire.gateway.aio", "smswire.gateway.tasks"}


def test_importing_the_sans_io_parts_opens_no_runtime() -> None:
    """Somebody with a transport of their own pays for no pool, thread or trust store."""
    loaded = modules_after("from smswire.gateway import call, answer, bundle, errand, batch, Message, SmsOutcome")
    assert not {module for module in loaded if module.startswith("smswire.net")}
    assert not loaded & HEAVY


def test_every_public_name_is_there() -> None:
    """What `__all__` names can be had, and `dir` shows it."""
    import smswire

    for public in smswire.__all__:
        assert getattr(smswire, public) is not None
        assert public in dir(smswire)
