"""A run, and the undoing of one, laid out for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from integrationd.cli.output import printable
from integrationd.model.json import Json

VALUE_CHARS: Final = 60
_SIGNS: Final = {"added": "+", "changed": "~", "deleted": "-"}
_MADE: Final = ("added", "changed", "unchanged", "deleted", "filtered", "quarantined", "held")


def run_lines(run: Json) -> Iterator[str]:
    """Lay out one run, as ``describe_run`` gives it."""
    how = f"{run['mode']}, by {run['trigger']}" + (", resumed" if run["resumed"] else "")
    yield f"{run['id']}: {run['integration']}/{run['stream']} ({run['tenant']}), {how}"
    yield f"  {run['status']}, {run['started_at']} to {run['ended_at'] or 'now'}"
    if run["input"]:
        told = ", ".join(f"{name}={_short(value)}" for name, value in run["input"].items())
        yield f"  with {told}"
    yield from _count_lines(run)
    yield from _cursor_lines(run["cursor"])
    if run["error"]:
        yield f"  {run['error']}" + (f" ({run['kind']})" if run["kind"] else "")
    yield from _undo_lines(run)
    for change in run["changes"]:
        yield from _change_lines(change)
    if run["more_changes"]:
        yield "  … and more, see --changes"


def _count_lines(run: Json) -> Iterator[str]:
    counts = run["counts"]
    made = [f"{counts[name]} {name}" for name in _MADE if counts[name]]
    if run["reverts"]:
        yield f"  {', '.join(made) or 'nothing to undo'}"
        return
    read = f"{counts['read']} read"
    yield f"  {', '.join([read, *made])}"
    yield (
        f"  {counts['pages']} pages, {counts['requests']} requests, "
        f"{counts['retries']} retries, {counts['waited_ms']} ms waited"
    )


def _cursor_lines(cursor: Json) -> Iterator[str]:
    before, after = cursor["before"], cursor["after"]
    if before != after:
        yield f"  cursor: {_cursor(before)} to {_cursor(after)}"
    elif after is not None:
        yield f"  cursor: stayed at {_cursor(after)}"


def _undo_lines(run: Json) -> Iterator[str]:
    if run["reverts"]:
        yield f"  undid {run['reverts']}"
    for other in run["reverted_by"]:
        yield f"  undone by {other}"
    if run["pruned"]:
        yield "  what it wrote over is no longer kept: it cannot be undone"


def _change_lines(change: Json) -> Iterator[str]:
    since = change["since"]
    later = "" if since is None else f" (changed since by {_who(since)})"
    yield f"  {_SIGNS[change['op']]} {change['entity']} {printable(change['external_id'])}{later}"
    before, after = change["before"], change["after"]
    for name in _fields(before, after):
        old, new = _value(before, name), _value(after, name)
        if not change["known"]:
            new = "not known"
        match change["op"]:
            case "added":
                yield f"      {name}: {new}"
            case "deleted":
                yield f"      {name}: {old}"
            case _ if old != new:
                yield f"      {name}: {old} to {new}"


def _fields(*sides: Json) -> list[str]:
    """Return the names of fields, in order; a record that is no object is one nameless field."""
    names: dict[str, None] = {}
    for side in sides:
        if side is not None:
            names.update(dict.fromkeys(side if isinstance(side, Mapping) else ("",)))
    return sorted(names)


def _value(side: Json, name: str) -> str:
    if side is None:
        return "nothing"
    if not isinstance(side, Mapping):
        return _short(side)
    return _short(side[name]) if name in side else "nothing"


def revert_texts(line: Json) -> Iterator[str]:
    """Lay out one thing that happened while a run was undone."""
    where = f"{line['integration']}/{line['stream']}"
    match line["event"]:
        case "started":
            run = line["reverts"]
            doing = f"looking what undoing {run} would do" if line["dry_run"] else f"undoing {run}"
            yield f"{where}: {doing}"
        case "conflict":
            record = f"{line['entity']} {printable(line['external_id'])}"
            yield f"{where}: {record} was changed since by {_who(line)}; left alone"
        case "skipped":
            yield f"{where}: skipped, {line['error']}"
        case "finished":
            yield f"{where}: {_outcome(line)}"
            yield from _advice(line, where)


def _outcome(line: Json) -> str:
    counts = line["counts"]
    words = (
        ("gone", "removed"),
        ("restored", "restored"),
        ("revived", "brought back"),
        ("same", "unchanged"),
        ("already", "undone earlier"),
        ("conflicts", "changed since and left alone"),
    )
    told = [f"{counts[name]} {text}" for name, text in words if counts[name]]
    would = "would be " if line["dry_run"] else ""
    by = f" by {line['run']}" if line["run"] else ""
    failed = f"{line['status']}, {line['error']}; run again to go on; "
    failed = "" if line["status"] == "done" else failed
    what = ", ".join(told) or "nothing to undo"
    return f"{failed}{line['reverts']} {would}undone{by}: {what}"


def _advice(line: Json, where: str) -> Iterator[str]:
    counts = line["counts"]
    if line["dry_run"] or not counts["gone"] + counts["restored"] + counts["revived"]:
        return
    again = f"integrationd sync {where} --full"
    if line["cursor"] is None:
        yield "the next reading takes over again what the provider says; mend the file before it"
    else:
        yield f"the cursor stays at {_cursor(line['cursor'])}; to read all of it again: {again}"
    yield f"to take this back: integrationd runs revert {line['run']}"


def _who(since: Json) -> str:
    return f"{since['run'] or 'a run that is no longer known'} at {since['at']}"


def _cursor(value: Json) -> str:
    return "none" if value is None else _short(value)


def _short(value: Json) -> str:
    text = f"'{printable(value)}'" if isinstance(value, str) else printable(value) or "null"
    return text if len(text) <= VALUE_CHARS else text[: VALUE_CHARS - 1] + "…"
