"""The text of a template: its longest possible form, and the words of all its branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dialogues.templates import is_plain, parsed

STAND_IN = "Annamarianne"
"""A name of twelve characters, used in place of every variable when a bubble is measured."""
_TURNS = 3
"""How often the body of a loop is counted: most lists in a bubble have about this length."""


def longest(
    env: ImmutableSandboxedEnvironment,
    wording: str,
    refrains: Mapping[str, Sequence[str]],
    stand_in: str = STAND_IN,
) -> str:
    """Return the longest text that a wording can have, with `stand_in` in place of every variable."""
    if is_plain(wording):
        return wording
    return _Longest(env, refrains, stand_in).of(parsed(env, wording).body)


def every_word(env: ImmutableSandboxedEnvironment, wording: str) -> str:
    """Return the words of all branches of a wording, one after the other, with “…” in place of every variable."""
    if is_plain(wording):
        return wording
    parts: list[str] = []
    for output in parsed(env, wording).find_all(nodes.Output):
        parts.extend(node.data if isinstance(node, nodes.TemplateData) else "…" for node in output.nodes)
        parts.append(" ")
    return " ".join("".join(parts).split())


class _Longest:
    """Renders a template with the longer branch of every test."""

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
                # Without itself, so that a refrain that contains itself does not recurse forever.
                others = {name: words for name, words in self._refrains.items() if name != attr}
                said = (longest(self._env, wording, others, self._stand_in) for wording in wordings)
                return max(said, key=len, default="")
        return self._stand_in
