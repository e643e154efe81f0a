"""Loading trust: which certificate authorities vouch for the gateway.

One ``SSLContext`` a setting, built when it is first needed, shared, and never changed after: with certifi's list it
costs some 16 ms and 620 KiB, and changing one that other threads use has crashed processes.
"""

from __future__ import annotations

import os
import re
import ssl
import threading
from typing import Final
from weakref import WeakValueDictionary

from ..errors import ConfigurationError

Trust = str | os.PathLike[str] | ssl.SSLContext | None

_SYSTEM: Final = "system"
# What OpenSSL looks for in a folder: the hash of a subject, and a number.
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_contexts: WeakValueDictionary[tuple[object, ...], ssl.SSLContext] = WeakValueDictionary()
_lock = threading.Lock()


def load(trust: Trust) -> ssl.SSLContext:
    """The context for a trust setting.

    Args:
        trust: None for certifi's list; ``"system"`` for the operating system's; the path of a PEM file, or of a folder
            of hashed certificates; or a context of the caller's, which is used as it is.

    Raises:
        ConfigurationError: the file or folder is missing, unreadable, or holds no certificate.
    """
    if isinstance(trust, ssl.SSLContext):
        return trust
    key = _key(trust)
    with _lock:
        context = _contexts.get(key)
        if context is None:
            context = _contexts[key] = _build(trust)
        return context


def is_quick(trust: Trust) -> bool:
    """Whether loading it is cheap enough to be done at once, so that a wrong path shows early."""
    return trust is not None and trust != _SYSTEM


def _key(trust: str | os.PathLike[str] | None) -> tuple[object, ...]:
    if trust is None or trust == _SYSTEM:
        return (trust,)
    try:
        found = os.stat(trust)
    except OSError as error:
        raise ConfigurationError(f"the trust file {os.fspath(trust)!r} cannot be read: {error.strerror}") from None
    # A file that was replaced is another setting.
    return (os.path.abspath(trust), found.st_ino, found.st_mtime_ns, found.st_size)


def _build(trust: str | os.PathLike[str] | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    if trust is None:
        from certifi import where

        _load_path(context, where())
    elif trust == _SYSTEM:
        context.load_default_certs()
    else:
        _load_path(context, os.fspath(trust))
    return context


def _load_path(context: ssl.SSLContext, path: str) -> None:
    if os.path.isdir(path):
        try:
            is_usable = any(map(_HASHED.fullmatch, os.listdir(path)))
        except OSError as error:
            raise ConfigurationError(f"the trust folder {path!r} cannot be read: {error.strerror}") from None
        if not is_usable:
            raise ConfigurationError(
                f"the trust folder {path!r} holds no hashed certificate", advice="openssl rehash gives them such names"
            )
        context.load_verify_locations(capath=path)
        return
    try:
        context.load_verify_locations(path)
    except (OSError, ssl.SSLError):
        raise ConfigurationError(
            f"the trust file {path!r} holds no certificate that can be loaded", advice="it must be in PEM format"
        ) from None


def _restart_in_child() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_in_child)
