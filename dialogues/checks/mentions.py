"""Collects the names in a bubble, and whether the template tests for them before use."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dialogues.templates import is_plain, parsed

_TRUE_ONLY_IF_KNOWN = {"eq", "gt", "gteq", "lt", "lteq", "in"}


@dataclass(slots=True)
class Mentions:
    """Names in a template. `bare`: used without a test, `guarded`: within a test; `refrains`: refrains included."""

    bare: set[str] = field(default_factory=set)
    guarded: set[str] = field(default_factory=set)
    refrains: set[str] = field(default_factory=set)

    @property
    def names(self) -> set[str]:
        """All names, bare and guarded."""
        return self.bare | self.guarded


@lru_cache(maxsize=4096)
def mentions(env: ImmutableSandboxedEnvironment, wording: str) -> Mentions:
    """Return the names in one wording. Its tags must be valid; see `templates.fault_in`. The result is cached."""
    found = Mentions()
    if not is_plain(wording):
        _walk(parsed(env, wording), frozenset(), found)
    return found


def _walk(node: nodes.Node, sure: frozenset[str], found: Mentions) -> None:
    match node:
        case nodes.If():
            _in_test(node.test, found)
            _walk_all(node.body, sure | _known_if_true(node.test), found)
            sure |= _known_if_false(node.test)
            for branch in node.elif_:
                _in_test(branch.test, found)
                _walk_all(branch.body, sure | _known_if_true(branch.test), found)
                sure |= _known_if_false(branch.test)
            _walk_all(node.else_, sure, found)
        case nodes.CondExpr():
            _in_test(node.test, found)
            _walk(node.expr1, sure | _known_if_true(node.test), found)
            if node.expr2 is not None:
                _walk(node.expr2, sure | _known_if_false(node.test), found)
        case nodes.For():
            _walk(node.iter, sure, found)
            local = Mentions()
            _walk_all([*node.body, *node.else_, *([node.test] if node.test else [])], sure, local)
            own = {name.name for name in node.target.find_all(nodes.Name)} | _own_name(node.target) | {"loop"}
            found.bare |= local.bare - own
            found.guarded |= local.guarded - own
            found.refrains |= local.refrains
        case nodes.Getattr(node=nodes.Name(name="refrains"), attr=attr):
            found.refrains.add(attr)
        case nodes.Name(name=name):
            (found.guarded if name in sure else found.bare).add(name)
        case _:
            _walk_all(list(node.iter_child_nodes()), sure, found)


def _walk_all(those: list[nodes.Node], sure: frozenset[str], found: Mentions) -> None:
    for node in those:
        _walk(node, sure, found)


def _own_name(node: nodes.Node) -> set[str]:
    return {node.name} if isinstance(node, nodes.Name) else set()


def _in_test(test: nodes.Node, found: Mentions) -> None:
    """Add the names of a test: they may be unknown, except as the operand of a filter."""
    found.guarded |= _own_name(test) | {name.name for name in test.find_all(nodes.Name)}
    for filtered in [test] if isinstance(test, nodes.Filter) else test.find_all(nodes.Filter):
        _walk(filtered, frozenset(), found)


def _root(node: nodes.Node) -> frozenset[str]:
    """The first name of `name`, `name.code` or `name.number`."""
    while isinstance(node, nodes.Getattr):
        node = node.node
    return frozenset({node.name}) if isinstance(node, nodes.Name) else frozenset()


def _known_if_true(test: nodes.Node) -> frozenset[str]:
    match test:
        case nodes.And():
            return _known_if_true(test.left) | _known_if_true(test.right)
        case nodes.Or():
            return _known_if_true(test.left) & _known_if_true(test.right)
        case nodes.Not():
            return _known_if_false(test.node)
        case nodes.Compare(expr=expr, ops=[nodes.Operand(op=op, expr=nodes.Const() | nodes.List() | nodes.Tuple())]):
            return _root(expr) if op in _TRUE_ONLY_IF_KNOWN else frozenset()
        case nodes.Test(node=inner, name="defined"):
            return _root(inner)
        case nodes.Name() | nodes.Getattr():
            return _root(test)
    return frozenset()


def _known_if_false(test: nodes.Node) -> frozenset[str]:
    match test:
        case nodes.And():
            return _known_if_false(test.left) & _known_if_false(test.right)
        case nodes.Or():
            return _known_if_false(test.left) | _known_if_false(test.right)
        case nodes.Not():
            return _known_if_true(test.node)
        case nodes.Compare(expr=expr, ops=[nodes.Operand(op="ne", expr=nodes.Const())]):
            return _root(expr)
        case nodes.Test(node=inner, name="undefined"):
            return _root(inner)
    return frozenset()
