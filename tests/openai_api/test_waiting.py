"""What the gate's thread gives to whoever waits, in a thread or in an event loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError

import pytest

from openai_api.gate.waiting import Outbox, Reply, together


def later(action: object) -> threading.Thread:
    thread = threading.Timer(0.02, action)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_a_thread_waits_for_what_is_given() -> None:
    reply: Reply[str] = Reply()
    later(lambda: reply.give("in"))
    assert reply.result(5) == "in"
    assert reply.result(0) == "in"


def test_a_thread_gets_the_error() -> None:
    reply: Reply[str] = Reply()
    later(lambda: reply.fail(ValueError("no")))
    with pytest.raises(ValueError, match="no"):
        reply.result(5)
    assert isinstance(reply.exception(), ValueError)


def test_nothing_is_given_in_time() -> None:
    with pytest.raises(TimeoutError):
        Reply().result(0.01)


def test_who_cancelled_is_not_given_anything() -> None:
    reply: Reply[str] = Reply()
    assert reply.cancel() and reply.cancel()
    assert not reply.claim()
    reply.give("in")
    assert reply.cancelled()
    with pytest.raises(CancelledError):
        reply.result(0)


def test_what_is_claimed_cannot_be_cancelled() -> None:
    reply: Reply[str] = Reply()
    assert reply.claim() and reply.claim()
    assert not reply.cancel()
    reply.give("in")
    reply.fail(ValueError("the first word counts"))
    assert reply.result(0) == "in"


def test_of_many_who_cancel_and_claim_at_once_one_side_wins() -> None:
    for _ in range(300):
        reply: Reply[str] = Reply()
        start = threading.Barrier(2)
        won: list[str] = []

        def cancel(reply: Reply[str] = reply, start: threading.Barrier = start, won: list[str] = won) -> None:
            start.wait()
            if reply.cancel():
                won.append("cancel")

        thread = threading.Thread(target=cancel)
        thread.start()
        start.wait()
        if reply.claim():
            won.append("claim")
        thread.join()
        assert len(won) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_loop_waits(when: str) -> None:
    async def wait() -> str:
        reply: Reply[str] = Reply()
        if when == "before":
            reply.give("in")
        else:
            later(lambda: reply.give("in"))
        return await asyncio.wait_for(reply.awaited(), 5)

    assert asyncio.run(wait()) == "in"


def test_a_loop_gets_errors_and_cancellations() -> None:
    async def wait() -> None:
        failed: Reply[str] = Reply()
        left: Reply[str] = Reply()
        later(lambda: failed.fail(ValueError("no")))
        later(left.cancel)
        with pytest.raises(ValueError, match="no"):
            await asyncio.wait_for(failed.awaited(), 5)
        with pytest.raises(asyncio.CancelledError):
            await left.awaited()

    asyncio.run(wait())


def test_what_is_told_together_wakes_a_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait() -> int:
        loop, wakes = asyncio.get_running_loop(), []
        real = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *rest: wakes.append(1) or real(*rest))
        replies: list[Reply[int]] = [Reply() for _ in range(5)]
        futures = [reply.awaited() for reply in replies]

        def turn() -> None:
            with together():
                for number, reply in enumerate(replies):
                    reply.give(number)

        thread = threading.Thread(target=turn)
        thread.start()
        assert await asyncio.wait_for(asyncio.gather(*futures), 5) == list(range(5))
        thread.join()
        return len(wakes)

    assert asyncio.run(wait()) == 1


def test_a_loop_that_is_gone_is_not_told() -> None:
    reply: Reply[str] = Reply()

    async def leave() -> None:
        reply.awaited()

    asyncio.run(leave())
    reply.give("in")
    assert reply.result(0) == "in"


def test_what_one_loop_says_is_handed_over_together():
    heard: list[list[str]] = []
    outbox = Outbox(heard.append, most=64)

    async def caller(name: str) -> None:
        outbox.put(name)

    async def crowd() -> None:
        outbox.put("Ada")
        await asyncio.gather(caller("Grace"), caller("Mary"))
        assert heard == []
        await asyncio.sleep(0.01)

    asyncio.run(crowd())
    assert heard == [["Ada", "Grace", "Mary"]]


def test_a_crowd_is_handed_over_before_it_grows_too_large():
    heard: list[list[int]] = []
    outbox = Outbox(heard.append, most=3)

    async def talker() -> None:
        for number in range(7):
            outbox.put(number)
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)

    asyncio.run(talker())
    assert [number for some in heard for number in some] == list(range(7))
    assert max(map(len, heard)) <= 4


def test_what_a_loop_left_behind_goes_with_what_is_said_next():
    heard: list[list[str]] = []
    outbox = Outbox(heard.append, most=64)

    async def last_words(name: str) -> None:
        outbox.put(name)

    asyncio.run(last_words("Ada"))
    asyncio.run(last_words("Grace"))
    outbox.put("Mary")
    assert [name for some in heard for name in some] == ["Ada", "Grace", "Mary"]


def test_outside_a_loop_it_is_handed_over_at_once():
    heard: list[list[str]] = []
    Outbox(heard.append, most=64).put("Ada")
    assert heard == [["Ada"]]
