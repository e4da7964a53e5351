"""A reverse proxy between the bot and an independent Bot API emulator: it records, and it makes trouble.

The emulator keeps no texts, has no 403 or 429, gives the bot no username, queues messages and taps only,
and refuses two things that Telegram knows; the proxy makes up for that.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, ClientTimeout, MultipartReader, web
from lo_bot_api_emulator import LoBotApiEmulator

TOKEN = "7:token-of-nothing"  # noqa: S105
USERNAME = "CompanionBot"
UNKNOWN_TO_EMULATOR = ("link_preview_options",)


@dataclass
class Call:
    """One call of the bot. `answered_at`: when its answer was handed to the bot's end of the line, if it was."""

    method: str
    fields: dict[str, str]
    at: float
    result: Any = None
    status: int = 0
    answered_at: float | None = None
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def chat(self) -> int:
        return int(self.fields.get("chat_id", "0"))

    @property
    def markup(self) -> dict[str, Any]:
        return json.loads(self.fields.get("reply_markup", "{}"))  # type: ignore[no-any-return]


Fault = Callable[[Call], web.Response | str | None]
"""What happens to a call: an answer at once, `drop` (the reply is lost), `refuse` (it gets nowhere), or nothing."""


class Proxy:
    """The emulator with the proxy before it.

    `fault` decides over each call but getUpdates; `slowness` says how many seconds an answer takes.
    """

    def __init__(self) -> None:
        self.emulator = LoBotApiEmulator(max_updates=1000)
        self.calls: list[Call] = []
        self.polls = 0
        self.slowness: Callable[[Call], float] = lambda _: 0.0
        self.deliver_twice = False
        self.fault: Fault = lambda _: None
        self.heard = asyncio.Event()
        self.origin = ""
        self._runners: list[web.AppRunner] = []
        self._last_batch: list[dict[str, Any]] = []

    async def __aenter__(self) -> Proxy:
        emulator = await self._serve(self.emulator.app())
        self._session = ClientSession(emulator, timeout=ClientTimeout(total=None))
        front = web.Application(client_max_size=64 * 2**20)
        front.router.add_post("/bot{token}/{method}", self._handle)
        self.origin = await self._serve(front)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        for runner in reversed(self._runners):
            await runner.cleanup()

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        await runner.setup()
        setup = web.TCPSite(runner, "127.0.0.1", 0)
        await setup.start()
        self._runners.append(runner)
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        call = Call(request.match_info["method"], {}, _time())
        await _read(request, call)
        if call.method == "getUpdates":
            return await self._updates(request, call)
        self.calls.append(call)
        trouble = self.fault(call)
        if isinstance(trouble, web.Response):
            call.status, call.answered_at = trouble.status, _time()
            self.heard.set()
            return trouble
        if trouble == "refuse":
            return _hang_up(request)
        call.status, body = await self._pass_on(request, call)
        call.result = body.get("result")
        if call.method == "getMe":
            body["result"]["username"] = USERNAME
        self.heard.set()
        if trouble == "drop":
            return _hang_up(request)
        await asyncio.sleep(self.slowness(call))
        answer = web.json_response(body, status=call.status)
        await answer.prepare(request)
        await answer.write_eof()
        if request.transport is not None and not request.transport.is_closing():
            call.answered_at = _time()
        return answer

    async def _updates(self, request: web.Request, call: Call) -> web.StreamResponse:
        self.polls += 1
        status, body = await self._pass_on(request, call)
        if status == 200:
            fresh = [_as_it_is(update) for update in body["result"]]
            body["result"] = self._last_batch + fresh if self.deliver_twice else fresh
            self._last_batch = fresh or self._last_batch
        return web.json_response(body, status=status)

    async def _pass_on(self, request: web.Request, call: Call) -> tuple[int, dict[str, Any]]:
        fields = {name: value for name, value in call.fields.items() if name not in UNKNOWN_TO_EMULATOR}
        if call.method == "getUpdates":
            fields.pop("allowed_updates", None)
        path = f"/bot{request.match_info['token']}/{call.method}"
        if call.files:
            fields["document"] = self._document(call)
        async with self._session.post(path, data=fields) as answer:
            return answer.status, await answer.json()

    def _document(self, call: Call) -> str:
        """The emulator takes an uploaded file by the reference of one it holds."""
        name = f"held-{len(self.emulator.assets)}"
        self.emulator.assets[name] = {"data": next(iter(call.files.values())), "size": 1}
        return name

    # --- what the test asks --------------------------------------------------------

    def sent(self, chat: int | None = None, method: str = "sendMessage") -> list[Call]:
        """Calls that took effect, in order."""
        return [
            call
            for call in self.calls
            if call.method == method and call.status == 200 and (chat is None or call.chat == chat)
        ]

    def texts(self, chat: int | None = None) -> list[str]:
        """What arrived in a chat."""
        return [call.fields["text"] for call in self.sent(chat)]

    async def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait for something that a call of the bot brings about."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.heard.clear()
                try:
                    await asyncio.wait_for(self.heard.wait(), 0.05)
                except TimeoutError:
                    continue


class Actor:
    """A client with a phone."""

    def __init__(self, proxy: Proxy, chat: int) -> None:
        self._proxy = proxy
        self.chat = chat

    async def says(self, text: str, **more: Any) -> int:
        """Send a text. Returns its message id."""
        return await self.sends(text=text, **more)

    async def sends(self, **content: Any) -> int:
        """Send anything."""
        message = self._message(**content)
        await self._enqueue({"message": message})
        return int(message["message_id"])

    async def edits(self, message_id: int, text: str) -> None:
        """Change a message sent before."""
        message = self._message(text=text) | {"message_id": message_id}
        await self._enqueue({"message": {"as": "edited_message"} | message})

    async def blocks(self) -> None:
        """Block the bot."""
        user = {"id": 7, "is_bot": True, "first_name": "Fixture"}
        change = {
            "chat": self._chat(),
            "from": self._who(),
            "date": 1,
            "old_chat_member": {"user": user, "status": "member"},
            "new_chat_member": {"user": user, "status": "kicked", "until_date": 0},
        }
        await self._enqueue({"message": {"as": "my_chat_member"} | change})

    async def taps(self, call: Call, label: str, times: int = 1) -> None:
        """Tap a button under a message, or on the keyboard it brought."""
        for row in call.markup.get("inline_keyboard", []):
            for button in row:
                if button["text"].removeprefix("✓ ") == label:
                    for time in range(times):
                        await self._tap(call, button["callback_data"], time)
                    return
        for row in call.markup.get("keyboard", []):
            if label in [button["text"] for button in row]:
                for _ in range(times):
                    await self.says(label)
                return
        raise LookupError(label)

    async def _tap(self, call: Call, data: str, time: int) -> None:
        query = {
            "id": f"{call.result['message_id']}-{data}-{time}",
            "from": self._who(),
            "chat_instance": "1",
            "data": data,
            "message": call.result | {"date": 1700000000},
        }
        await self._enqueue({"callback_query": query})

    def _message(self, **content: Any) -> dict[str, Any]:
        number = self._proxy.emulator.next_id
        self._proxy.emulator.next_id += 1
        return {"message_id": number, "date": 1700000000, "chat": self._chat(), "from": self._who(), **content}

    def _chat(self) -> dict[str, Any]:
        if self.chat < 0:
            return {"id": self.chat, "type": "group", "title": "Friends"}
        return {"id": self.chat, "type": "private", "first_name": "Ana"}

    def _who(self) -> dict[str, Any]:
        return {"id": abs(self.chat), "is_bot": False, "first_name": "Ana"}

    async def _enqueue(self, update: dict[str, Any]) -> None:
        await self._proxy.emulator.enqueue_update(update, token=TOKEN)


def _as_it_is(update: dict[str, Any]) -> dict[str, Any]:
    """Kinds of update that the emulator can't queue travel as messages that say what they are."""
    message = update.get("message", {})
    if "as" not in message:
        return update
    kind = message["as"]
    return {"update_id": update["update_id"], kind: {k: v for k, v in message.items() if k != "as"}}


def _time() -> float:
    return asyncio.get_running_loop().time()


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _read(request: web.Request, call: Call) -> None:
    if not request.content_type.startswith("multipart/"):
        call.fields = {name: str(value) for name, value in (await request.post()).items()}
        return
    async for part in await request.multipart():
        assert not isinstance(part, MultipartReader)
        if part is None or part.name is None:
            continue
        content = bytes(await part.read())
        if part.filename is None:
            call.fields[part.name] = content.decode()
        else:
            call.files[part.name] = content


def refusal(status: int, description: str, **parameters: Any) -> web.Response:
    """An error as Telegram answers it."""
    body = {"ok": False, "error_code": status, "description": description, "parameters": parameters}
    return web.json_response(body, status=status)
