"""A list and its feed over real HTTP, page by page, by the commands that people use."""

import json

from tests.support.shops import configure, execute, serving

DRIVE = """\
integration: drive
http:
  base_url: "http://127.0.0.1:%d"
  retries: 0
  paginate: {type: cursor, next: body.next, into: query.page}
streams:
  files:
    get: /files
    records: body.files
    key: id
    incremental: {cursor: body.token, into: query.page}
    feed:
      get: /changes
      records: body.changes
      key: fileId
      deleted: removed
      fetch: {get: "/files/{{ change.fileId }}"}
      errors: [{when: status == `404`, then: restart}]
      from: {get: /start, cursor: body.token}
"""


def test_drive_is_followed_from_command_to_command(tmp_path, capsys):
    """The list, the feed over two pages, a token that is gone, and the list once more."""
    answers = {
        "/start": {"token": "t0"},
        "/files": {"files": [{"id": "a"}, {"id": "b"}], "next": "2"},
        "/files?page=2": {"files": [{"id": "c"}]},
        "/changes?page=t0": {"changes": [{"fileId": "a", "removed": True}], "next": "t1"},
        "/changes?page=t1": {"changes": [{"fileId": "d", "removed": False}], "token": "t2"},
        "/files/d": {"id": "d"},
    }
    served = {path: json.dumps(body).encode() for path, body in answers.items()}
    with serving(served) as port:
        root = configure(tmp_path, drive=DRIVE % port)
        codes = [execute(root, "sync", "drive") for _ in range(2)]
        explained = execute(root, "explain", "drive/files")
        asked = capsys.readouterr().out
        # /changes?page=t2 answers 404, and the list has lost another file meanwhile.
        served["/start"] = b'{"token": "t9"}'
        served["/files"] = b'{"files": [{"id": "b"}]}'
        served["/changes?page=t9"] = b'{"changes": [], "token": "t9"}'
        codes += [execute(root, "sync", "drive") for _ in range(2)]
        told = capsys.readouterr()
        execute(root, "records", "drive/files", "--format", "ndjson")
        rows = map(json.loads, capsys.readouterr().out.splitlines())
        living = [row["external_id"] for row in rows if row["deleted"] is None]
        execute(root, "runs", "list", "--json")
        runs = map(json.loads, capsys.readouterr().out.splitlines())
        modes = [(run["mode"], run["status"]) for run in runs]

    assert (codes, explained) == ([0, 0, 0, 0], 0)
    assert f"GET http://127.0.0.1:{port}/changes?page=t2" in asked
    assert "drive/files: done, 1 read (1 unchanged, 2 deleted)\n" in told.out
    assert living == ["b"]
    assert modes == [
        ("incremental", "done"),
        ("full", "done"),
        ("incremental", "stopped"),
        ("incremental", "done"),
        ("full", "done"),
    ]
