"""A copy of the codecs that counts its own work: in steps and characters touched, never in seconds.

The sources are compiled once more with every call, subscript, operator and loop reporting to ``TALLY``, which charges
one step each, and one more for every character (or element, or 30 bits of an integer) that C code walked through or
copied on the way: a slice costs its length, a search the stretch it searched, a join its result. So quadratic work
shows in the count however fast the machine is, and the count is the same on every run.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.machinery
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import smswire
from smswire import errors

SIZED = (str, bytes, list, tuple, dict, set, frozenset)
AT_ONCE = {"startswith", "endswith", "append", "pop", "get", "setdefault", "items", "keys", "values", "add", "remove"}


def size(value: Any) -> int:
    if isinstance(value, int):
        return value.bit_length() // 30
    return len(value) if isinstance(value, SIZED) else 0


class Tally:
    def __init__(self) -> None:
        self.steps = 0

    def value(self, value: Any) -> Any:
        """The result of an operator or an f-string, which was made anew."""
        self.steps += 1 + size(value)
        return value

    def item(self, container: Any, index: Any) -> Any:
        item = container[index]
        is_copy = isinstance(index, slice) or isinstance(container, re.Match)
        self.steps += 1 + (size(item) if is_copy else 0)
        return item

    def within(self, item: Any, container: Any) -> bool:
        self.steps += 1 + (len(container) if isinstance(container, (str, bytes, list, tuple)) else 0)
        return item in container

    def each(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self.steps += 1 + (item.end() - item.start() if isinstance(item, re.Match) else 0)
            yield item

    def call(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Any:
        self.steps += 1
        if isinstance(function, (types.FunctionType, types.MethodType)):
            return function(*arguments, **options)  # it counts for itself
        owner = getattr(function, "__self__", None)
        name = getattr(function, "__name__", "")
        before = size(owner) if isinstance(owner, SIZED) and name not in AT_ONCE and name != "join" else 0
        result = function(*arguments, **options)
        if isinstance(owner, re.Pattern):
            self.steps += span(name, result, *arguments)
        elif isinstance(owner, (str, bytes)) and name in ("find", "rfind", "index", "rindex", "count"):
            self.steps += stretch(owner, name, result, *arguments)
        elif name == "pop" and isinstance(owner, list) and arguments:
            self.steps += len(owner)
        elif function in (int, float):
            self.steps += size(arguments[0])
        else:
            self.steps += before + (size(result) if name not in AT_ONCE else 0)
        return result


def span(name: str, result: Any, subject: Any, *more: Any) -> int:
    """What a pattern walked through: up to the end of the match, or all there is."""
    if name in ("match", "search", "fullmatch"):
        start = more[0] if more else 0
        if result is not None:
            return result.end() - start
        return 0 if name == "match" else len(subject) - start
    subject = more[0] if name in ("sub", "subn") else subject
    return 0 if name == "finditer" else len(subject) + size(result)


def stretch(owner: Any, name: str, result: int, _: Any, start: int = 0, end: int | None = None) -> int:
    """What a search in a string walked through."""
    end = len(owner) if end is None else min(end, len(owner))
    if name in ("find", "index") and result >= 0:
        return result - start
    return end - result if name in ("rfind", "rindex") and result >= 0 else max(end - start, 0)


TALLY = Tally()


class Reporting(ast.NodeTransformer):
    """Sends what costs through ``TALLY``."""

    def report(self, method: str, node: ast.expr, *arguments: Any, keywords: list[ast.keyword] | None = None) -> Any:
        function = ast.Attribute(ast.Name("TALLY", ast.Load()), method, ast.Load())
        return ast.copy_location(ast.Call(function, list(arguments), keywords or []), node)

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        return self.report("call", node, node.func, *node.args, keywords=node.keywords)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        index = node.slice
        if isinstance(index, ast.Slice):
            bounds = [bound or ast.Constant(None) for bound in (index.lower, index.upper, index.step)]
            index = ast.Call(ast.Name("slice", ast.Load()), bounds, [])
        return self.report("item", node, node.value, index)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        return self.report("value", node, node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Any:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = self.visit(part.value)
        return self.report("value", node, node)

    def visit_Compare(self, node: ast.Compare) -> Any:
        self.generic_visit(node)
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            found = self.report("within", node, node.left, node.comparators[0])
            return found if isinstance(node.ops[0], ast.In) else ast.UnaryOp(ast.Not(), found)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        whole = ast.Name(node.target.id, ast.Load())
        made = whole if isinstance(node.op, ast.Add) else ast.Constant(0)
        # A list grows in place; text and integers are made anew.
        is_list = self.report(
            "call", node.value, ast.Name("isinstance", ast.Load()), whole, ast.Name("list", ast.Load())
        )
        cost = ast.IfExp(is_list, ast.Constant(0), made)
        return [node, ast.copy_location(ast.Expr(self.report("value", node.value, cost)), node)]

    def visit_While(self, node: ast.While) -> Any:
        self.generic_visit(node)
        node.body.insert(0, ast.copy_location(ast.Expr(self.report("value", node.test, ast.Constant(0))), node))
        return node

    def visit_For(self, node: ast.For) -> Any:
        self.generic_visit(node)
        node.iter = self.report("each", node.iter, node.iter)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> Any:
        self.generic_visit(node)
        node.iter = self.report("each", node.iter, node.iter)
        return node


def compiled(source: str | bytes, path: str) -> types.CodeType:
    return compile(ast.fix_missing_locations(Reporting().visit(ast.parse(source))), path, "exec", dont_inherit=True)


class Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> types.CodeType:
        return compiled(self.get_data(self.path), self.path)  # never from a .pyc, nor into one

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["TALLY"] = TALLY
        super().exec_module(module)


class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> Any:
        spec = super().find_spec(fullname, path, target) if fullname.startswith("tallied.") else None
        if spec is not None and spec.origin is not None:
            spec.loader = Loader(fullname, spec.origin)
        return spec


def load() -> Any:
    """The counting copy of ``smswire.codec``; it raises the errors of the real one."""
    package = types.ModuleType("tallied")
    package.__path__ = [str(Path(smswire.__file__).parent)]
    sys.modules |= {"tallied": package, "tallied.errors": errors}
    sys.meta_path.insert(0, Finder)
    try:
        return importlib.import_module("tallied.codec")
    finally:
        sys.meta_path.remove(Finder)


def work(function: Callable[..., Any], *arguments: Any, **options: Any) -> int:
    """The steps of one call, whatever comes of it."""
    before = TALLY.steps
    with contextlib.suppress(errors.CodecError):
        function(*arguments, **options)
    return TALLY.steps - before
