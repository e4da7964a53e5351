"""Counts the files of the product that one typed message passes through: `python -m tests.files_crossed`.

The message enters as a raw Telegram update at the poll loop and leaves as calls to the Bot API; only the network is
replaced. A file counts if one of its functions runs. The first messages are not counted, so that what is done once
(imports, compiled templates) is left out.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from bot import app as composition
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.settings import Settings
from bot.telegram.client import PollingBot
from bot.telegram.polling import Polling
from bot.telegram.sender import Sender
from bot.worker_thread import WorkerThread
from tests.telegram.stub import Answer, StubRequest, good, message

ROOT = Path(__file__).parent.parent
PACKAGES = ("bot", "dialogues", "state_machine", "storage")
CHAT = 5_000_001
UNCOUNTED = ("/start", "Show me in two minutes", "I'm 18 or over. Yes, keep it", "Only mine", "Germany", "Marigold")
COUNTED = "about a 4"


def update(number: int, text: str) -> dict[str, Any]:
    """A text message of the client as Telegram sends it."""
    who = {"id": CHAT, "is_bot": False, "first_name": "Ana"}
    chat = {"id": CHAT, "type": "private", "first_name": "Ana"}
    now = int(composition.now().timestamp())
    body = {"message_id": 1000 * number, "date": now, "chat": chat, "from": who, "text": text}
    return {"update_id": number, "message": body}


class Tracer:
    """Counts calls by file of the product while it is on, in every thread."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.on = False

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if self.on and event == "call":
            self.calls[frame.f_code.co_filename] += 1

    def files(self) -> list[tuple[str, int]]:
        """Files of the product below its root, with the number of calls, most calls first."""
        ours = [(Path(name), calls) for name, calls in self.calls.most_common() if name.startswith(str(ROOT))]
        below = [(path.relative_to(ROOT), calls) for path, calls in ours]
        return [(str(path), calls) for path, calls in below if path.parts[0] in PACKAGES]


async def trace(folder: Path, tracer: Tracer) -> None:
    """Send the uncounted messages, then the counted one, each until all that answers it is sent."""
    sent = 0

    def answer(method: str, _: dict[str, str]) -> Answer:
        nonlocal sent
        sent += method == "sendMessage"
        return good(message(sent, CHAT) if method == "sendMessage" else True)

    app = composition.build(Settings(data_dir=folder, _env_file=None))  # type: ignore[call-arg]
    worker = WorkerThread()
    database = DatabaseWorker(app.store, worker, composition.now)
    request = StubRequest(answer)
    bot = PollingBot("7:token", request=request, get_updates_request=request)
    await bot.initialize()
    courier = Courier(database, Sender(bot), app.export)
    polling = Polling(bot, database, app.conversation, courier)
    sending = asyncio.create_task(courier.run())
    for number, text in enumerate((*UNCOUNTED, COUNTED), 1):
        tracer.on = text == COUNTED
        await polling.take([update(number, text)])
        while await database.do(lambda work: work.outbox.ready("telegram:7", composition.now(), 1)):
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
    tracer.on = False
    courier.stop()
    await sending
    worker.close()
    app.store.close()


def main() -> None:
    """Print the files and their number."""
    tracer = Tracer()
    threading.setprofile(tracer)
    sys.setprofile(tracer)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(trace(Path(folder), tracer))
    sys.setprofile(None)
    files = tracer.files()
    for name, calls in files:
        print(f"{calls:6}  {name}")
    print(f"{len(files)} files")


if __name__ == "__main__":
    main()
