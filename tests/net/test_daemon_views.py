"""SQL views follow the files of a running daemon; the administrator reads them beside it."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integrationd.cli.main import cli, run_command
from integrationd.cli.remote import is_running
from tests.support.syncing import SETTINGS

SCHOOL = """\
integration: school
http: {base_url: "http://127.0.0.1:%d", paginate: {type: none}, retries: 0}
streams:
  pupils: {get: /pupils, records: body, key: id, mapping: school.pupil}
  rooms: {get: /rooms, records: body, key: id}
"""
MAPPING = """\
mapping: school.pupil
entity: student
fields: {name: called, age: {path: years, type: integer}}
"""


class School(BaseHTTPRequestHandler):
    """Answers two pupils, and one room."""

    def do_GET(self):
        rows = [{"id": 1, "called": "Ada", "years": 12}, {"id": 2, "called": "Bob", "years": 13}]
        body = json.dumps(rows if self.path == "/pupils" else [{"id": "r1"}]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def places(tmp_path):
    """Write the files; give the options that lead there."""
    for folder in ("integrations", "mappings"):
        (tmp_path / "config" / folder).mkdir(parents=True)
    (tmp_path / "config" / "integrationd.yaml").write_text(SETTINGS)
    (tmp_path / "config" / "mappings" / "school.pupil.yaml").write_text(MAPPING)
    return ["--config", str(tmp_path / "config"), "--state", str(tmp_path / "state")]


@pytest.fixture
def daemon(tmp_path, places):
    """Run a daemon over a school."""
    with ThreadingHTTPServer(("127.0.0.1", 0), School) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        text = SCHOOL % server.server_address[1]
        (tmp_path / "config" / "integrations" / "school.yaml").write_text(text)
        command = [sys.executable, "-m", "integrationd", *places, "run"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            while not is_running(tmp_path / "state" / "control.sock"):
                assert process.poll() is None
                time.sleep(0.05)
            yield process
            if process.returncode is None:
                process.terminate()
                process.communicate()
        server.shutdown()
        thread.join()


def execute(places, *words):
    """Run a command."""
    return run_command(
        lambda: cli.main([*places, *words], prog_name="integrationd", standalone_mode=False)
    )


def query(tmp_path, sql):
    """Ask the database as an administrator does."""
    with closing(sqlite3.connect(tmp_path / "state" / "integrationd.db")) as conn:
        return conn.execute(sql).fetchall()


def test_views_are_there_from_the_start_and_follow_the_files(tmp_path, places, daemon):
    """Each entity is a table that can be read; a field more is a column more, a file less none."""
    assert query(tmp_path, "select * from student") == []
    execute(places, "sync", "school")
    rows = query(tmp_path, "select external_id, name, age from student order by age")
    rooms = query(tmp_path, "select integration, data from school_rooms")
    more = MAPPING.replace("{name:", "{grade: grade, name:")
    (tmp_path / "config" / "mappings" / "school.pupil.yaml").write_text(more)
    changed = execute(places, "reload", "--wait")
    grades = query(tmp_path, "select name, grade from student where age = 12")
    (tmp_path / "config" / "integrations" / "school.yaml").unlink()
    removed = execute(places, "reload", "--wait")
    left = query(tmp_path, "select name from sqlite_master where type = 'view'")

    assert rows == [("1", "Ada", 12), ("2", "Bob", 13)]
    assert rooms == [("school", '{"id":"r1"}')]
    assert (changed, removed) == (0, 0)
    assert grades == [("Ada", None)]
    assert left == []


def test_name_that_is_taken_is_told_once(tmp_path, places, daemon):
    """The daemon runs on, says so in the log, and not again with every load."""
    query(tmp_path, "drop view student")
    query(tmp_path, "create table student (x)")
    for _ in range(3):
        assert execute(places, "reload", "--wait") == 0
    daemon.terminate()
    log = [json.loads(line) for line in daemon.communicate()[1].splitlines()]

    advised = [line["advice"] for line in log if line["event"] == "view.advised"]
    remark = "no view student for entity 'student': something else has that name; "
    assert advised == [f"{remark}rename it to have the view"]
    assert query(tmp_path, "select * from student") == []
