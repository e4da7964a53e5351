"""The words inside a bubble: what is unknown is never said, and what is said is ours to decide."""

from __future__ import annotations

import pytest
from jinja2 import TemplateError

from dialogues.checks.mentions import mentions
from dialogues.checks.template_text import STAND_IN, every_word, longest
from dialogues.templates import compiled, environment, fault_in, quoted

ENV = environment(("zero", "one", "two"))


def said(wording: str, **known: object) -> str:
    return compiled(ENV, wording).render(known)


def test_numbers_names_and_quotations_are_said_as_people_say_them() -> None:
    assert said("{{ n | in_words | cap }}.", n=2) == "Two."
    assert said("{{ n | in_words }}", n=12) == "12"
    assert said("{{ them | names }}", them=["Ana", "Ben", "Cy"]) == "Ana, Ben and Cy"
    assert said("{{ them | names }}", them=["Ana"]) == "Ana"
    assert said("{{ line | quoted }}", line="she\nhummed") == "\n“she hummed”\n"


def test_a_long_line_is_quoted_short_and_ends_between_words() -> None:
    short = quoted("word " * 100).strip()
    assert len(short) < 170
    assert short.endswith("word …”")


def test_what_is_unknown_is_false_in_every_test() -> None:
    for test in ("wish", "wish.code == 'a'", "wish.number > 3", "wish in ['a']", "wish is defined"):
        assert said(f"{{% if {test} %}}yes{{% else %}}no{{% endif %}}") == "no"


@pytest.mark.parametrize(
    "wording",
    [
        "{{ wish }}",
        "{{ wish.code }}",
        "{{ wish ~ '.' }}",
        "{% for x in wish %}x{% endfor %}",
        *(f"{{{{ wish | {name} }}}}" for name in ("quoted", "names", "cap", "in_words", "length", "join")),
    ],
)
def test_what_is_unknown_is_never_said(wording: str) -> None:
    with pytest.raises(TemplateError):
        said(wording)


@pytest.mark.parametrize(
    "wording",
    [
        "{% set a = 1 %}",
        "{% include 'x' %}",
        "{% macro m() %}{% endmacro %}",
        "{{ ''.upper() }}",
        "{{ range(9) }}",
        "{{ name | upper }}",
        "{{ name | quoted",
        "{% if name %}",
        "{% if name is odd %}{% endif %}",
        "{{ " + "9" * 5000 + " }}",
        "{{ " + "(" * 5000 + " }}",
    ],
)
def test_only_what_the_rule_book_names_can_be_written(wording: str) -> None:
    assert fault_in(ENV, wording)


def test_inner_parts_of_the_program_can_not_be_reached() -> None:
    assert said("{% if name.__class__ %}yes{% else %}no{% endif %}", name="Ana") == "no"


@pytest.mark.parametrize(
    ("wording", "bare", "guarded"),
    [
        ("{{ a }}", {"a"}, set()),
        ("{% if a %}{{ a }}{% endif %}", set(), {"a"}),
        ("{% if a %}x{% endif %}{{ a }}", {"a"}, {"a"}),
        ("{% if not a %}{{ a }}{% else %}{{ a }}{% endif %}", {"a"}, {"a"}),
        ("{% if a and b %}{{ a }}{{ b }}{% endif %}", set(), {"a", "b"}),
        ("{% if a or b %}{{ a }}{% endif %}", {"a"}, {"a", "b"}),
        ("{% if a.code == 'x' %}{{ a }}{% endif %}", set(), {"a"}),
        ("{% if a.code != 'x' %}{{ a }}{% endif %}", {"a"}, {"a"}),
        ("{% if not (a or b) %}x{% elif a %}{{ a }}{% endif %}", set(), {"a", "b"}),
        ("{{ a if a else b }}", {"b"}, {"a"}),
        ("{{ a if a }}", set(), {"a"}),
        ("{% if a is defined %}{{ a }}{% endif %}", set(), {"a"}),
        ("{% if a is undefined %}x{% else %}{{ a }}{% endif %}", set(), {"a"}),
        ("{% if a | length > 2 %}x{% endif %}", {"a"}, {"a"}),
        ("{% for p in people %}{{ p.name }}{{ loop.index }}{{ a }}{% endfor %}", {"people", "a"}, set()),
    ],
)
def test_a_mention_is_guarded_only_where_the_memory_is_surely_known(
    wording: str, bare: set[str], guarded: set[str]
) -> None:
    found = mentions(ENV, wording)
    assert (found.bare, found.guarded) == (bare, guarded)


def test_a_refrain_is_mentioned_by_its_name() -> None:
    found = mentions(ENV, "{{ refrains.purpose }} {{ name }}")
    assert (found.refrains, found.bare) == ({"purpose"}, {"name"})


def test_a_bubble_is_measured_at_its_longest() -> None:
    refrains = {"kept": ("Kept.", "That's kept for you.")}
    assert longest(ENV, "{% if a %}Short.{% else %}Much longer.{% endif %}", refrains) == "Much longer."
    assert longest(ENV, "Hello {{ name }}", refrains) == f"Hello {STAND_IN}"
    assert longest(ENV, "{{ refrains.kept }}", refrains) == "That's kept for you."
    assert longest(ENV, "{{ a if a else 'nobody at all' }}", refrains) == "nobody at all"
    assert longest(ENV, "{% for p in people %}x{% endfor %}", refrains) == "xxx"


def test_every_branch_is_read_for_words_that_are_never_said() -> None:
    assert every_word(ENV, "{% if a %}One.{% else %}Two.{% endif %} {{ name }}") == "One. Two. …"
