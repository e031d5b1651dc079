"""What ``runs show`` and ``runs revert`` say to a person."""

import pytest

from integrationd.cli.told_runs import revert_texts, run_lines
from integrationd.model.runs import COUNT_NAMES

ZERO = dict.fromkeys(COUNT_NAMES, 0)
NONE = dict.fromkeys(("gone", "restored", "revived", "same", "already", "conflicts"), 0)


def run_of(*changes, counts=None, **facts):
    """Build a run as ``describe_run`` gives it."""
    return {
        "id": "run_1",
        "tenant": "default",
        "integration": "shop",
        "stream": "orders",
        "trigger": "manual",
        "mode": "full",
        "status": "done",
        "resumed": False,
        "started_at": "T1",
        "ended_at": "T2",
        "counts": {**ZERO, **(counts or {})},
        "error": "",
        "kind": "",
        "cursor": {"before": None, "after": None},
        "input": {},
        "reverts": None,
        "reverted_by": [],
        "pruned": False,
        "changes": list(changes),
        "more_changes": False,
        **facts,
    }


def change_of(op, before, after, **facts):
    """Build one change."""
    return {
        "external_id": "1",
        "entity": "order",
        "op": op,
        "before": before,
        "after": after,
        "known": True,
        "since": None,
        **facts,
    }


def test_run_is_told_with_counts_cursor_and_error():
    """Who, how, when, what it made, what it cost, where the cursor went, and why it failed."""
    run = run_of(
        counts={"read": 5, "added": 2, "deleted": 1, "pages": 1, "requests": 3, "retries": 2},
        resumed=True,
        status="failed",
        cursor={"before": None, "after": "2026-01-02"},
        error="GET /orders answered 404",
        kind="permanent",
    )

    assert list(run_lines(run)) == [
        "run_1: shop/orders (default), full, by manual, resumed",
        "  failed, T1 to T2",
        "  5 read, 2 added, 1 deleted",
        "  1 pages, 3 requests, 2 retries, 0 ms waited",
        "  cursor: none to '2026-01-02'",
        "  GET /orders answered 404 (permanent)",
    ]


def test_run_that_undid_another_tells_which():
    """It read nothing, so nothing is said of reading."""
    run = run_of(
        mode="revert",
        counts={"changed": 2},
        reverts="run_0",
        reverted_by=["run_2"],
        cursor={"before": 3, "after": 3},
        error="1 record was changed since and stays as it is",
    )

    assert list(run_lines(run))[1:] == [
        "  done, T1 to T2",
        "  2 changed",
        "  cursor: stayed at 3",
        "  1 record was changed since and stays as it is",
        "  undid run_0",
        "  undone by run_2",
    ]
    assert list(run_lines({**run, "counts": ZERO}))[2] == "  nothing to undo"


def test_run_that_cannot_be_undone_says_so():
    """Its history is gone; and one that runs still has no end."""
    lines = list(run_lines(run_of(pruned=True, ended_at=None)))

    assert lines[1] == "  done, T1 to now"
    assert lines[-1] == "  what it wrote over is no longer kept: it cannot be undone"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            change_of("added", None, {"b": "x", "a": 1}),
            ["  + order 1", "      a: 1", "      b: 'x'"],
        ),
        (change_of("deleted", {"a": None}, None), ["  - order 1", "      a: null"]),
        (
            change_of("changed", {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": "2", "d": [4]}),
            [
                "  ~ order 1",
                "      b: 2 to '2'",
                "      c: 3 to nothing",
                "      d: nothing to [4]",
            ],
        ),
        (
            change_of("changed", [1], [2], since={"run": "run_9", "at": "T"}),
            ["  ~ order 1 (changed since by run_9 at T)", "      : [1] to [2]"],
        ),
        (
            change_of("changed", {"a": 1}, None, known=False, since={"run": None, "at": "T"}),
            [
                "  ~ order 1 (changed since by a run that is no longer known at T)",
                "      a: 1 to not known",
            ],
        ),
        (
            change_of("added", None, {"a": "\x1b[31m" + "x" * 99}, external_id="\x07"),
            ["  + order \ufffd", "      a: '\ufffd[31m" + "x" * 53 + "…"],
        ),
    ],
    ids=["added", "deleted", "changed", "no object", "not known", "hostile"],
)
def test_changes_are_told_field_by_field(change, expected):
    """Only what differs, cut to fit, and nothing that moves a terminal."""
    lines = list(run_lines(run_of(change, more_changes=True)))

    assert lines[4:] == [*expected, "  … and more, see --changes"]


def line_of(event, **facts):
    """Build one thing that happened."""
    about = {"reverts": "run_1", "integration": "shop", "stream": "orders", "dry_run": False}
    return {"event": event, **about, **facts}


def ending(counts=None, **facts):
    """Build the last line."""
    return line_of(
        "finished",
        **{
            "run": "run_2",
            "status": "done",
            "error": "",
            "counts": {**NONE, **(counts or {})},
            "cursor": None,
            **facts,
        },
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (line_of("started"), ["shop/orders: undoing run_1"]),
        (
            line_of("started", dry_run=True),
            ["shop/orders: looking what undoing run_1 would do"],
        ),
        (line_of("progress", counts=NONE), []),
        (
            line_of("conflict", entity="order", external_id="7", run="run_3", at="T"),
            ["shop/orders: order 7 was changed since by run_3 at T; left alone"],
        ),
        (
            line_of("skipped", error="another process reads this stream"),
            ["shop/orders: skipped, another process reads this stream"],
        ),
        (ending(), ["shop/orders: run_1 undone by run_2: nothing to undo"]),
        (
            ending({"already": 3, "same": 1}),
            ["shop/orders: run_1 undone by run_2: 1 unchanged, 3 undone earlier"],
        ),
        (
            ending({"gone": 1, "conflicts": 2}, run=None, dry_run=True, cursor=5),
            [
                "shop/orders: run_1 would be undone: 1 removed, 2 changed since and left alone",
            ],
        ),
        (
            ending({"gone": 1, "restored": 2, "revived": 3}),
            [
                "shop/orders: run_1 undone by run_2: 1 removed, 2 restored, 3 brought back",
                "the next reading takes over again what the provider says; mend the file before it",
                "to take this back: integrationd runs revert run_2",
            ],
        ),
        (
            ending({"restored": 2}, cursor="2026-01-02"),
            [
                "shop/orders: run_1 undone by run_2: 2 restored",
                (
                    "the cursor stays at '2026-01-02'; to read all of it again: "
                    "integrationd sync shop/orders --full"
                ),
                "to take this back: integrationd runs revert run_2",
            ],
        ),
        (
            ending({"gone": 1}, status="failed", error="disk full", cursor=1),
            [
                (
                    "shop/orders: failed, disk full; run again to go on; "
                    "run_1 undone by run_2: 1 removed"
                ),
                (
                    "the cursor stays at 1; to read all of it again: "
                    "integrationd sync shop/orders --full"
                ),
                "to take this back: integrationd runs revert run_2",
            ],
        ),
    ],
)
def test_undoing_is_told_with_what_comes_next(line, expected):
    """What became of the records, where the next reading begins, and how to take it back."""
    assert list(revert_texts(line)) == expected
