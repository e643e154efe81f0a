"""Every example in a docstring is run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import smswire

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(smswire.__path__, "smswire.")
    if not module.name.endswith("__main__")
)


def examples_of(name: str) -> list[doctest.DocTest]:
    tests = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name))
    return [test for test in tests if test.examples]


@pytest.mark.parametrize("test", [test for name in MODULES for test in examples_of(name)], ids=lambda test: test.name)
def test_an_example_is_true(test: doctest.DocTest) -> None:
    """What it shows is what comes."""
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    report: list[str] = []
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)
    assert runner.tries == len(test.examples)
