"""A local API of many records in pages: standard library only, so that it costs next to nothing.

    python pageserver.py --records 200000 [--latency-ms 5]

prints its port on the first line. ``GET /records?limit=500&cursor=…`` answers
``{"data": [...], "next_cursor": "…" or null, "total": n}``. Records are serialised once; a page is
a slice of one buffer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

CITIES = ("Lyon", "Porto", "Ghent", "Turin", "Bergen", "Kraków", "Graz", "Cork")


def record(i: int) -> dict[str, object]:
    """Return the record with number ``i``: nested objects, dates, a list, about 450 bytes."""
    return {
        "id": i + 1,
        "full_name": f"Customer Number {i}",
        "email": f"customer{i}@example.com",
        "status": ("active", "trial", "closed")[i % 3],
        "created_at": f"2023-{i % 12 + 1:02}-{i % 28 + 1:02}T{i % 24:02}:00:00Z",
        "updated_at": f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}T{i % 24:02}:30:00Z",
        "balance": (i * 37 % 100000) / 100,
        "currency": "EUR" if i % 2 else "USD",
        "tags": [f"t{i % 10}", f"t{i % 7}"],
        "address": {
            "street": f"{i % 200} Main Street",
            "city": CITIES[i % 8],
            "postcode": f"{10000 + i % 89999}",
            "country": "FR",
        },
        "company": {"id": i % 5000, "name": f"Company {i % 5000}", "vat": None if i % 5 else "FR1"},
        "meta": {"score": i % 100, "source": "import", "owner": {"id": i % 50, "email": "o@x.org"}},
    }


class Pages:
    """Every record's bytes in one buffer."""

    def __init__(self, records: int) -> None:
        self.count = records
        self.offsets = [0]
        parts = bytearray()
        for i in range(records):
            parts += json.dumps(record(i)).encode() + b","
            self.offsets.append(len(parts))
        self.buffer = bytes(parts)

    def page(self, cursor: int, limit: int) -> bytes:
        """Return one page's body."""
        end = min(cursor + limit, self.count)
        data = self.buffer[self.offsets[cursor] : max(self.offsets[end] - 1, self.offsets[cursor])]
        following = json.dumps(str(end) if end < self.count else None).encode()
        total = str(self.count).encode()
        return b'{"data":[' + data + b'],"next_cursor":' + following + b',"total":' + total + b"}"


async def serve(pages: Pages, latency_s: float) -> None:
    """Answer until killed."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode()
                query = parse_qs(urlsplit(target).query)
                if latency_s:
                    await asyncio.sleep(latency_s)
                cursor, limit = int(query.get("cursor", ["0"])[0]), int(query["limit"][0])
                body = pages.page(cursor, limit)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                    + str(len(body)).encode()
                    + b"\r\n\r\n"
                    + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, default=0)
    said = parser.parse_args()
    try:
        asyncio.run(serve(Pages(said.records), said.latency_ms / 1000))
    except KeyboardInterrupt:
        sys.exit(0)
