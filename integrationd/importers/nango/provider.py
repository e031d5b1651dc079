"""A provider's block to a provider: who asks, where, and how; no streams, as it has none."""

from __future__ import annotations

import json
import re
from pathlib import PurePath
from typing import Final

from integrationd.config.problems import find_nearest
from integrationd.importers.draft import Draft
from integrationd.importers.naming import to_system
from integrationd.importers.nango.auth import read_auth
from integrationd.importers.nango.block import Block, read_block
from integrationd.importers.nango.keys import CODE, IDLE, KNOWN
from integrationd.importers.nango.proxy import (
    settle_hosts,
    write_base,
    write_paging,
    write_parameters,
    write_probe,
    write_waits,
)
from integrationd.importers.nango.texts import Names
from integrationd.importers.report import Imported, Report

_LONG: Final = 4
"""Of shorter names too many are near."""
_CATEGORIES: Final = {
    "accounting": "accounting",
    "invoicing": "accounting",
    "crm": "crm",
    "e-commerce": "shop",
    "payment": "payments",
    "storage": "files",
}


def import_nango(
    data: bytes, *, file: str, name: str | None = None, block: str | None = None
) -> Imported:
    """Translate a block.

    Args:
        data: The file as it is.
        file: How the report calls it.
        name: Of the provider; the block's by default.
        block: Which block, where the file has several.

    Raises:
        BlockError: There is no such block.
    """
    report = Report()
    found = read_block(data, file=file, wanted=block, report=report)
    names = Names(found)
    names.declare_all()
    draft = Draft(
        name=to_system(name or found.name or PurePath(file).stem),
        report=report,
        position=found.position,
        about=[
            f"Made of a provider's block in {PurePath(file).name}; it has no streams yet.",
            "Say under 'streams' and 'operations' what is read and called.",
        ],
        config=names.config,
        secrets=names.secrets,
    )
    _write_head(found, draft)
    write_base(found, names, draft)
    auth = read_auth(found, names)
    if auth is not None:
        draft.http["auth"] = auth
    write_parameters(found, names, draft)
    write_paging(found, draft)
    write_waits(found, draft)
    if found.flag("require_client_certificate"):
        pair = {"certificate": "{{ secrets.certificate }}", "key": "{{ secrets.private_key }}"}
        names.secrets.update({"certificate": {}, "private_key": {}})
        draft.http["tls"] = pair
    write_probe(found, names, draft)
    settle_hosts(draft)
    _tell_rest(found)
    _tell_idle(found, draft)
    return draft.finish()


def _write_head(block: Block, draft: Draft) -> None:
    title = block.text("display_name")
    if title:
        draft.head["title"] = title
    category = next(
        (_CATEGORIES[each] for each in block.listed("categories") if each in _CATEGORIES), None
    )
    if category is not None:
        draft.head["category"] = category
    docs = block.text("docs")
    if docs:
        draft.head["docs"] = docs


def _tell_rest(block: Block) -> None:
    """Tell every field that nothing above has used."""
    for path in block.unused():
        last = path.rpartition(".")[2]
        near = None if last in KNOWN or len(last) < _LONG else find_nearest(last, KNOWN)
        if path in IDLE or last in IDLE or path.startswith("connection_config."):
            block.note(path, IDLE.get(path) or IDLE.get(last) or "for Nango's own pages")
        elif path.startswith("credentials."):
            block.note(path, "for Nango's own pages")
        elif path in CODE:
            block.lose(path, CODE[path])
        elif last in KNOWN:
            block.lose(path, "not where this field belongs, or not of this kind of credentials")
        elif near is not None:
            block.note(path, f"no field that is known here; was {near!r} meant?")
        else:
            block.lose(path, "not known here")


def _tell_idle(block: Block, draft: Draft) -> None:
    """Tell what is declared and nothing uses, so that nobody is asked for it."""
    text = json.dumps([draft.http, draft.probe])
    used = set(re.findall(r"\b(?:config|secrets)\.\w+", text))
    named = [f"config.{each}" for each in draft.config]
    named += [f"secrets.{each}" for each in draft.secrets]
    idle = [each for each in named if each not in used]
    if idle:
        message = f"nothing uses {', '.join(idle)}, so that nobody is asked for it"
        block.report.note(block.position, f"{block.name or 'the block'}: {message}")
