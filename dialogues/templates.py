"""Jinja templates of bubbles: a sandboxed environment with few filters, and a check of the tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from babel.lists import format_list
from jinja2 import Template, TemplateError, nodes
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

TRAITS = frozenset({"through_telegram", "can_pin", "can_take_out", "can_clear_chat"})
"""What is true in some messengers only: Telegram carries the chat; the client can pin a message; we can take messages
out of the chat; the client can delete the whole chat from a list. False in a terminal."""
VARIABLES = frozenset(
    {
        "people",
        "circles",
        "died_people",
        "dated",
        "today",
        "lines",
        "score",
        "operator",
        "plan",
        "part",
        "refrains",
        "open_title",
        "upcoming",
        "pattern",
        *TRAITS,
    }
)
"""The names that the program provides to every bubble. `person` is provided only in dialogues about a person."""

_MAX_QUOTE_LENGTH = 160
_LIST_LOCALE = {"en": "en_GB"}  # babel's plain "en" puts a comma before "and"
_ALLOWED_NODES = nodes.Template | nodes.Output | nodes.TemplateData | nodes.If | nodes.For | nodes.Expr | nodes.Helper
_BUILT_IN_FILTERS = {"first", "last", "length", "list", "lower", "join"}
_BUILT_IN_TESTS = {"defined", "undefined", "none"}


class UnknownMemory(Undefined):
    """A memory without a value: false in every test and comparison; raises `UndefinedError` when printed."""

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def _fail(self, *_: object) -> NoReturn:
        self._fail_with_undefined_error()

    def _false(self, _: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    __hash__ = Undefined.__hash__
    __str__ = __iter__ = __len__ = __getitem__ = _fail
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = _false  # type: ignore[assignment]


def is_plain(wording: str) -> bool:
    """Whether a wording has no tags, so that it needs no rendering."""
    return "{" not in wording


def environment(numbers: Sequence[str] = (), language: str = "en") -> ImmutableSandboxedEnvironment:
    """Make the environment for all bubbles. `numbers`: the words for 0, 1, 2 …, for the filter `in_words`."""
    # Bubbles are sent as plain text without markup, so nothing has to be escaped.
    env = ImmutableSandboxedEnvironment(undefined=UnknownMemory, autoescape=False)
    env.globals.clear()
    env.context_class = _Names
    for name in env.filters.keys() - _BUILT_IN_FILTERS:
        del env.filters[name]
    env.filters.update(quoted=quoted, cap=cap, names=_names(language), in_words=_in_words(numbers))
    for name in env.tests.keys() - _BUILT_IN_TESTS:
        del env.tests[name]
    return env


def compiled(env: ImmutableSandboxedEnvironment, wording: str) -> Template:
    """Compile one wording. Raises `jinja2.TemplateError` if `fault_in` finds a fault in it."""
    return env.from_string(wording)


def rendered(template: Template, names: Mapping[str, Any]) -> str:
    """The words of a template. Each of `names` is looked up when the template asks for it, and not before."""
    # `Template.render` would copy the names into a dictionary of its own, and work all of them out for it.
    context = template.new_context(names, shared=True)  # type: ignore[arg-type]  # any mapping will do
    return "".join(template.root_render_func(context))


class _Names(Context):
    """The names of a template as it asks for them, without asking first whether they are known."""

    def resolve_or_missing(self, key: str) -> Any:
        try:
            return self.parent[key]
        except KeyError:
            return missing


@lru_cache(maxsize=4096)
def parsed(env: ImmutableSandboxedEnvironment, wording: str) -> nodes.Template:
    """Return the syntax tree of one wording. Raises `jinja2.TemplateError` if it can't be parsed."""
    return env.parse(wording)


@lru_cache(maxsize=4096)
def fault_in(env: ImmutableSandboxedEnvironment, wording: str) -> str | None:
    """Return what is wrong with the tags of a wording, as a sentence, or None."""
    if is_plain(wording):
        return None
    try:
        tree = parsed(env, wording)
    except (TemplateError, ValueError, RecursionError) as error:  # the latter two: huge numbers, deep nesting
        return (
            f"The tags of this bubble can't be read ({str(error).rstrip('.')}); "
            "each tag opens and closes within one paragraph."
        )
    for node in tree.find_all(nodes.Node):
        if isinstance(node, nodes.Filter) and node.name not in env.filters:
            return f"There is no filter “{node.name}”; the filters are {', '.join(sorted(env.filters))}."
        if isinstance(node, nodes.Test) and node.name not in env.tests:
            return f"There is no test “{node.name}”; the tests are {', '.join(sorted(env.tests))}."
        if isinstance(node, nodes.Call) or not isinstance(node, _ALLOWED_NODES):
            return (
                f"“{type(node).__name__.lower()}” can't be used in a bubble; "
                "there are {{ name }}, {% if %}, {% for %} and the filters of the rule book."
            )
    return None


def quoted(line: object) -> str:
    """Return a client's words in quotation marks on a line of their own, shortened to 160 characters."""
    words = " ".join(str(line).split())
    if len(words) > _MAX_QUOTE_LENGTH:
        words = words[:_MAX_QUOTE_LENGTH].rsplit(" ", 1)[0].rstrip(" .,;:") + " …"
    return f"\n“{words}”\n"


def cap(text: object) -> str:
    """Return the text with its first letter in upper case and the rest unchanged."""
    words = str(text)
    return words[:1].upper() + words[1:]


def _names(language: str) -> Callable[[Iterable[object]], str]:
    locale = _LIST_LOCALE.get(language, language)

    def names(items: Iterable[object]) -> str:
        """Join names into one phrase: “Ana, Ben and Cy”. Takes strings, or objects with a `name`."""
        return format_list([str(getattr(each, "name", each)) for each in items], locale=locale)

    return names


def _in_words(numbers: Sequence[str]) -> Callable[[object], str]:
    def in_words(number: object) -> str:
        """Return a whole number as a word if the language lists it, else in digits."""
        digits = str(number)
        return numbers[int(digits)] if digits.isdecimal() and int(digits) < len(numbers) else digits

    return in_words
