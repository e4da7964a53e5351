"""The file a client asked for comes, also where the store was out of reach at the moment it was made."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from state_machine.model.outgoing import ExportFile, Message
from storage.repositories.dead_letters import DeadLetters
from storage.store import UnitOfWork
from tests.post_office import Post, carrying

MINE = ("mine.json", b"{}")


async def test_a_file_that_the_store_could_not_give_at_first_is_made_again_and_comes(post: Post) -> None:
    tries: list[str] = []

    def export(work: UnitOfWork, client: str) -> tuple[str, bytes]:
        tries.append(client)
        if len(tries) == 1:
            work.connection.execute(text("SELECT * FROM a_table_out_of_reach"))
        return MINE

    post.courier = post.new_courier(export=export)
    ana = await post.client()
    async with carrying(post.courier):
        await post.put(ana, ExportFile("All of it."), Message("There it is."))
        await post.until_nothing_waits(ana)
    assert len(tries) == 2
    assert [method for method, _ in post.request.calls] == ["sendDocument", "sendMessage"]
    assert post.courier.counts.rejected == 0


async def test_a_file_that_can_never_be_made_is_parked_and_the_rest_goes_on(post: Post) -> None:
    def export(_: UnitOfWork, client: str) -> tuple[str, bytes]:
        raise LookupError(client)

    post.courier = post.new_courier(export=export)
    ana = await post.client()
    async with carrying(post.courier):
        await post.put(ana, ExportFile("All of it."), Message("There it is."))
        await post.until_nothing_waits(ana)
        await asyncio.sleep(0)
    assert post.texts() == ["There it is."]
    assert await post.database.do(lambda work: [one.reason for one in DeadLetters(work).all()]) == ["LookupError"]
