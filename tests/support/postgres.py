"""A place of its own on the PostgreSQL server that INTEGRATIOND_TEST_POSTGRES names."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest


def server_url() -> str:
    """Return the server's URL, or skip the test that asks for it."""
    found = os.environ.get("INTEGRATIOND_TEST_POSTGRES")
    if not found:
        pytest.skip("needs postgres: set INTEGRATIOND_TEST_POSTGRES, as .ci/run does")
    return found


@contextmanager
def schema_url() -> Iterator[str]:
    """Make an empty schema and yield the URL that leads into it; in the end it is gone."""
    server, name = server_url(), f"test_{secrets.token_hex(8)}"
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"create schema {name}")
        try:
            join = "&" if "?" in server else "?"
            yield f"{server}{join}options=-csearch_path%3D{name}"
        finally:
            # Whoever hangs in the schema would keep it from going.
            conn.execute(f"set lock_timeout = '10s'; drop schema {name} cascade")
