"""The hand-written floor: aiohttp, msgspec, one mapping function, sqlite3 executemany.

    python floor.py PORT DATABASE

reads every page of the page server and upserts 16 columns' worth of JSON, one transaction a page,
with the same durability as the daemon (WAL, synchronous=FULL).
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys

import aiohttp
import msgspec

encode = msgspec.json.Encoder(order="deterministic").encode


def mapped(r):
    """Map one record by hand, as fast as it gets while null-safe where the data needs it."""
    address, company, meta = r["address"], r["company"], r["meta"]
    return {
        "name": r["full_name"],
        "email": r["email"],
        "status": r["status"],
        "created_at": r["created_at"],
        "updated_at": r["updated_at"],
        "balance": r["balance"],
        "currency": r["currency"],
        "street": address["street"],
        "city": address["city"],
        "postcode": address["postcode"],
        "country": address["country"],
        "company_id": company["id"],
        "company": company["name"],
        "score": meta["score"],
        "owner": meta["owner"]["email"],
        "tag": r["tags"][0],
    }


async def main(port: int, database: str) -> None:
    """Read and write everything."""
    db = sqlite3.connect(database, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE IF NOT EXISTS r(id TEXT PRIMARY KEY, data BLOB)")
    cursor = "0"
    async with aiohttp.ClientSession() as session:
        while cursor is not None:
            url = f"http://127.0.0.1:{port}/records?limit=500&cursor={cursor}"
            async with session.get(url) as answer:
                page = msgspec.json.decode(await answer.read())
            db.execute("BEGIN IMMEDIATE")
            db.executemany(
                "INSERT INTO r VALUES(?,?) ON CONFLICT(id) DO UPDATE SET data=excluded.data",
                [(str(r["id"]), encode(mapped(r))) for r in page["data"]],
            )
            db.execute("COMMIT")
            cursor = page["next_cursor"]


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
