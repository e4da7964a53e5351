"""The real process, killed with SIGKILL while a message is on the wire."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path

from storage.store import Store
from tests.chaos import Bot
from tests.telegram.proxy import Actor, Proxy


def marked(data: Path) -> list[int]:
    """The messages that the bot's books say have arrived."""
    store = Store.open(data)
    with store.begin() as work:
        chat = work.chats.find("telegram:7:5")
        ids = work.outbox.message_ids(chat.client, datetime(2000, 1, 1, tzinfo=UTC)) if chat else []
    store.close()
    return ids


async def test_what_was_on_the_wire_is_sent_again_and_nothing_else(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with Proxy() as proxy:
        proxy.slowness = lambda call: 60.0 if call in proxy.sent(5)[1:2] else 0.0
        ana = Actor(proxy, 5)
        bot = Bot(tmp_path, proxy)
        await bot.start()
        await ana.says("/start")
        await proxy.until(lambda: len(proxy.sent(5)) == 2, 30)
        await proxy.until(lambda: len(marked(data)) == 1, 30)
        await bot.end(signal.SIGKILL)
        await bot.start()
        await proxy.until(lambda: len(proxy.sent(5)) == 3, 30)
        await ana.says("Show me in two minutes")
        await proxy.until(lambda: any("May I keep it" in text for text in proxy.texts(5)), 30)
        await bot.end(signal.SIGTERM)
    first, second, third, *others = proxy.sent(5)
    assert second.answered_at is None
    assert third.fields["text"] == second.fields["text"]
    assert marked(data) == [call.result["message_id"] for call in (first, third, *others)]
