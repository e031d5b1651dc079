"""A drive with a list of files and a feed of their changes, and its answers."""

from __future__ import annotations

from integrationd.engine.plans import StreamPlan
from integrationd.wire.messages import Answer
from tests.support.fakes import answer
from tests.support.worlds import plan_of

DRIVE = """\
integration: drive
http:
  base_url: https://api.test
  retries: 0
  paginate: {type: cursor, next: body.next, into: query.page}
streams:
  files:
    get: /files
    records: body.files
    key: id
    incremental: {%s}
    feed:
      get: /changes
      records: body.changes
      %s
"""
TOKEN = "cursor: body.token, into: query.since"
CALL = "from: {get: /changes/start, cursor: body.token}"
CHANGES = """\
key: fileId
      deleted: removed
      record: file
      """
LIST, FEED, START = (
    f"GET https://api.test{path}" for path in ("/files", "/changes", "/changes/start")
)


def files(*ids: str, then: str | None = None, token: str | None = None) -> Answer:
    """Answer with a page of the list."""
    data = [{"id": name, "v": 1} for name in ids]
    return answer({"files": data, "next": then, "token": token})


def changes(
    *rows: tuple[str, int | None], then: str | None = None, token: str | None = None
) -> Answer:
    """Answer with a page of the feed: (id, version), where none is a removal."""
    told = [
        {"fileId": name, "removed": version is None, "file": {"id": name, "v": version}}
        for name, version in rows
    ]
    return answer({"changes": told, "next": then, "token": token})


def drive(rule: str = TOKEN, feed: str = CHANGES + CALL) -> StreamPlan:
    """Compile the stream."""
    return plan_of(DRIVE % (rule, feed), "files")
