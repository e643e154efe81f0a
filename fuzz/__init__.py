"""Coverage-guided fuzzing of the decoders: ``python -m fuzz --seconds 300``, with the extra ``fuzz``.

Each target is a module whose first line is its invariant; ``check(data)`` raises if the invariant does not hold for
these bytes. ``SEEDS`` is where it starts, ``TOKENS`` what its inputs are made of. The targets need no atheris: the
tests run each over its seeds. What a target permits to differ from the standard library it lists by name.
"""

from __future__ import annotations

from types import ModuleType

from . import form_decode, json_decode, json_encode, percent_decode, plain_lane

TARGETS: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (percent_decode, form_decode, json_decode, json_encode, plain_lane)
}
