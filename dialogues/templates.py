"""The words inside a bubble: a strict, sandboxed Jinja that can change words and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from babel.lists import format_list
from jinja2 import Template, TemplateError, nodes
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

TRAITS = frozenset({"through_telegram", "can_pin", "can_take_out", "can_clear_chat"})
"""What is true in some messengers only: Telegram carries the chat; the client can pin a message; we can take messages
out of the chat; the client can delete the whole chat from a list. False in a terminal."""
VARIABLES = frozenset(
    {
        "people",
        "circles",
        "died_people",
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
"""The names the program itself provides to every bubble. `person` is known only where a dialogue has one."""

_LONGEST_QUOTE = 160
_LIST_LOCALE = {"en": "en_GB"}  # babel's plain "en" puts a comma before "and"
_CLAIMED = nodes.Template | nodes.Output | nodes.TemplateData | nodes.If | nodes.For | nodes.Expr | nodes.Helper
_BUILT_IN_FILTERS = {"first", "last", "length", "list", "lower", "join"}
_BUILT_IN_TESTS = {"defined", "undefined", "none"}


class Unknown(Undefined):
    """A memory that is not known: false in every test, an error when it is printed."""

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def _print(self, *_: object) -> NoReturn:
        self._fail_with_undefined_error()

    def _never(self, _: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    __hash__ = Undefined.__hash__
    __str__ = __iter__ = __len__ = __getitem__ = _print
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = _never  # type: ignore[assignment]


def is_plain(wording: str) -> bool:
    """Whether a wording has no tags, so that it can be said as it stands."""
    return "{" not in wording


def environment(numbers: Sequence[str] = (), language: str = "en") -> ImmutableSandboxedEnvironment:
    """The one environment for all bubbles. `numbers` are the words for 0, 1, 2 … that `in_words` uses."""
    # Bubbles are plain text, without any mark-up that could be escaped or injected.
    made = ImmutableSandboxedEnvironment(undefined=Unknown, autoescape=False)
    made.globals.clear()
    for name in made.filters.keys() - _BUILT_IN_FILTERS:
        del made.filters[name]
    made.filters.update(quoted=quoted, cap=cap, names=_names(language), in_words=_in_words(numbers))
    for name in made.tests.keys() - _BUILT_IN_TESTS:
        del made.tests[name]
    return made


def compiled(env: ImmutableSandboxedEnvironment, wording: str) -> Template:
    """Compile one wording. Raises `jinja2.TemplateError` if it can't be read, which the check has ruled out."""
    return env.from_string(wording)


@lru_cache(maxsize=4096)
def parsed(env: ImmutableSandboxedEnvironment, wording: str) -> nodes.Template:
    """The syntax tree of one wording, for looking at. Raises `jinja2.TemplateError` if it can't be read."""
    return env.parse(wording)


@lru_cache(maxsize=4096)
def fault_in(env: ImmutableSandboxedEnvironment, wording: str) -> str | None:
    """What is wrong with the tags of a wording, as a sentence; None if nothing is."""
    if is_plain(wording):
        return None
    try:
        tree = parsed(env, wording)
    except (TemplateError, ValueError, RecursionError) as error:  # the latter: endless digits or brackets
        return (
            f"The tags of this bubble can't be read ({str(error).rstrip('.')}); "
            "each tag opens and closes within one paragraph."
        )
    for node in tree.find_all(nodes.Node):
        if isinstance(node, nodes.Filter) and node.name not in env.filters:
            return f"There is no filter “{node.name}”; the filters are {', '.join(sorted(env.filters))}."
        if isinstance(node, nodes.Test) and node.name not in env.tests:
            return f"There is no test “{node.name}”; the tests are {', '.join(sorted(env.tests))}."
        if isinstance(node, nodes.Call) or not isinstance(node, _CLAIMED):
            return (
                f"“{type(node).__name__.lower()}” can't be used in a bubble; "
                "there are {{ name }}, {% if %}, {% for %} and the filters of the rule book."
            )
    return None


def quoted(line: object) -> str:
    """A client's own line, shortened and set apart in quotation marks on a line of its own."""
    words = " ".join(str(line).split())
    if len(words) > _LONGEST_QUOTE:
        words = words[:_LONGEST_QUOTE].rsplit(" ", 1)[0].rstrip(" .,;:") + " …"
    return f"\n“{words}”\n"


def cap(text: object) -> str:
    """The text with its first letter upper case and the rest as it was."""
    words = str(text)
    return words[:1].upper() + words[1:]


def _names(language: str) -> Callable[[Iterable[object]], str]:
    locale = _LIST_LOCALE.get(language, language)

    def names(those: Iterable[object]) -> str:
        """Several names in one phrase: “Ana, Ben and Cy”. Takes names, or people by their names."""
        return format_list([str(getattr(each, "name", each)) for each in those], locale=locale)

    return names


def _in_words(numbers: Sequence[str]) -> Callable[[object], str]:
    def in_words(number: object) -> str:
        """A whole number as a word, if the language lists one for it, else in digits."""
        digits = str(number)
        return numbers[int(digits)] if digits.isdecimal() and int(digits) < len(numbers) else digits

    return in_words
