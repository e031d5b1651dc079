"""``play`` as a whole: calls answered and told, records that change, events that are posted."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request

import pytest

from integrationd.bundles.scan import Scanner, find_shipped_roots
from integrationd.bundles.shipped import shipped_dirs
from integrationd.errors import UnavailableError
from integrationd.spec.settings import Settings
from integrationd.testing import play as played
from integrationd.testing.options import PlayOptions
from integrationd.testing.play import Habits, play
from integrationd.testing.serving import bind, origin_of
from integrationd.testing.stage import stage
from integrationd.wire.messages import Answer

SHIPPED = [
    found.source for found in Scanner(find_shipped_roots(shipped_dirs())).scan().files.values()
]


class Receiver:
    """Takes events, and fails the second one."""

    def __init__(self) -> None:
        """Start with none."""
        self.requests: list[object] = []

    async def send(self, request):
        """Take one."""
        self.requests.append(request)
        if len(self.requests) == 2:
            raise UnavailableError("POST /hooks: no answer within 10 s")
        return Answer(status=202, headers={}, body=b"", url="")


async def fetch(url: str, key: str) -> int:
    """Ask as a client in another thread; returns the status."""

    def call() -> int:
        request = urllib.request.Request(url, headers={"x-api-key": key, "connection": "close"})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code

    return await asyncio.to_thread(call)


async def test_play_answers_changes_and_posts():
    """Calls are told with their status; changes wait until reading is over; posting goes on."""
    listening, heard, receiver = bind(), [], Receiver()
    origin = origin_of(listening)
    playing = asyncio.create_task(
        play(
            stage(SHIPPED, "demo-library", Settings(), origin),
            PlayOptions(records=50, bad=1),
            Habits(changes_every_s=0.1, webhook_url="http://hooks.test/x", webhook_every_s=0.05),
            listening=listening,
            http=receiver,
            tell=heard.append,
        )
    )
    await asyncio.sleep(0.3)
    before = [told["event"] for told in heard]
    statuses = [await fetch(f"{origin}/api/v1/items?page=1", key) for key in ("play-api-key", "x")]
    await asyncio.sleep(played.QUIET_S + 0.5)
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing

    assert statuses == [200, 401]
    assert before[0] == "playing"
    assert "changed" not in before
    calls = [told for told in heard if told["event"] == "called"]
    assert [(told["path"], told["status"]) for told in calls] == [
        ("/api/v1/items?page=1", 200),
        ("/api/v1/items?page=1", 401),
    ]
    changes = [told for told in heard if told["event"] == "changed"]
    assert [told["stream"] for told in changes[:2]] == ["items", "patrons"]
    assert len(changes[0]["changed"]) == 3
    posts = [told for told in heard if told["event"] == "posted"]
    assert posts[0] == {"event": "posted", "endpoint": "events", "number": 1, "status": 202}
    assert posts[1]["error"] == "POST /hooks: no answer within 10 s"
    assert len(posts) > 2
