"""The words of a bubble without its tags: the longest it can become, and all that it may ever say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dialogues.templates import is_plain, parsed

STAND_IN = "Annamarianne"
"""Twelve characters that stand for a name or a number when a bubble is measured."""
_TURNS = 3
"""How often the words of a loop are counted: most lists said in a bubble are about that long."""


def longest(
    env: ImmutableSandboxedEnvironment,
    wording: str,
    refrains: Mapping[str, Sequence[str]],
    stand_in: str = STAND_IN,
) -> str:
    """The longest words that a wording can become, with `stand_in` for every name."""
    if is_plain(wording):
        return wording
    return _Longest(env, refrains, stand_in).of(parsed(env, wording).body)


def every_word(env: ImmutableSandboxedEnvironment, wording: str) -> str:
    """The words of all branches of a wording, one after the other, with “…” for every name."""
    if is_plain(wording):
        return wording
    parts: list[str] = []
    for output in parsed(env, wording).find_all(nodes.Output):
        parts.extend(node.data if isinstance(node, nodes.TemplateData) else "…" for node in output.nodes)
        parts.append(" ")
    return " ".join("".join(parts).split())


class _Longest:
    """Goes through a template and takes the longer way at every fork."""

    def __init__(
        self, env: ImmutableSandboxedEnvironment, refrains: Mapping[str, Sequence[str]], stand_in: str
    ) -> None:
        self._env = env
        self._refrains = refrains
        self._stand_in = stand_in

    def of(self, body: Sequence[nodes.Node]) -> str:
        return "".join(self._one(node) for node in body)

    def _one(self, node: nodes.Node) -> str:
        match node:
            case nodes.TemplateData():
                return node.data
            case nodes.Const(value=value):
                return str(value)
            case nodes.Output():
                return self.of(node.nodes)
            case nodes.If():
                branches = [node.body, *(branch.body for branch in node.elif_), node.else_]
                return max((self.of(branch) for branch in branches), key=len)
            case nodes.CondExpr():
                other = "" if node.expr2 is None else self._one(node.expr2)
                return max(self._one(node.expr1), other, key=len)
            case nodes.For():
                return max(self.of(node.body) * _TURNS, self.of(node.else_), key=len)
            case nodes.Getattr(node=nodes.Name(name="refrains"), attr=attr):
                wordings = self._refrains.get(attr, ())
                # Without itself, so that a refrain that holds itself can be measured all the same.
                others = {name: words for name, words in self._refrains.items() if name != attr}
                said = (longest(self._env, wording, others, self._stand_in) for wording in wordings)
                return max(said, key=len, default="")
        return self._stand_in
