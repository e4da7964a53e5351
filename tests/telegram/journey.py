"""A client who walks through day 1, answering whatever is asked, also when it is asked again."""

from __future__ import annotations

from functools import partial

from tests.telegram.proxy import Actor, Call, Proxy

DAY_ONE = {
    "a program that helps you": "/start",
    "No person reads along": "Show me in two minutes",
    "May I keep it": "I'm 18 or over. Yes, keep it",
    "might somebody read along": "Only mine",
    "Which country are you in": "Germany",
    "What shall I call you": "Marigold",
    "How is it right now": "4",
    "was there a moment with someone": "A hard one",
    "Who was it": "the lodger upstairs",
    "What happened there": "We quarrelled",
    "What was it like for you": "hurt",
    "What would you have liked": "that she had asked me first",
    "Is that it?": "That's it",
    "One for today": "Notice one friendly moment",
    "When shall I look in": "18:00",
}
"""A piece of a question, and what the client says to it. The first opens the conversation."""
END = "Emergency (Germany)"
"""A piece of the last bubble: the card to pin."""


def answer_to(call: Call, script: dict[str, str] = DAY_ONE) -> str | None:
    """What the client says to a bubble; None if it asks nothing."""
    if call.method == "editMessageReplyMarkup":
        # Without a pick there is no "Done": a second tap has taken the first one back.
        return "Done" if "Done" in call.fields.get("reply_markup", "") else script["What was it like for you"]
    text = call.fields.get("text", "")
    return next((says for piece, says in list(script.items())[1:] if piece in text), None)


async def walk(
    proxy: Proxy, actor: Actor, script: dict[str, str], patience: float = 5.0, tapped_twice: str | None = None
) -> None:
    """Walk to the end of day 1. Raises TimeoutError if nothing is asked for `patience` seconds."""
    await actor.says(next(iter(script.values())))
    seen = 0
    while not any(END in text for text in proxy.texts(actor.chat)):
        await proxy.until(partial(_more, proxy, actor, seen), patience)
        fresh = shown(proxy, actor)[seen:]
        seen += len(fresh)
        question = next((call for call in reversed(fresh) if answer_to(call, script)), None)
        if question is not None:
            twice = tapped_twice is not None and tapped_twice in question.fields.get("text", "")
            await reply(actor, question, answer_to(question, script) or "", 2 if twice else 1)


def _more(proxy: Proxy, actor: Actor, seen: int) -> bool:
    return len(shown(proxy, actor)) > seen


def shown(proxy: Proxy, actor: Actor) -> list[Call]:
    """New bubbles and redrawn buttons of a chat, in order."""
    methods = ("sendMessage", "editMessageReplyMarkup")
    return [c for c in proxy.calls if c.method in methods and c.status == 200 and c.chat == actor.chat]


async def reply(actor: Actor, question: Call, words: str, times: int = 1) -> None:
    """Tap the button that says it, or type it."""
    try:
        await actor.taps(question, words, times)
    except LookupError:
        await actor.says(words)
