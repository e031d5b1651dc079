"""Blocks for the tests of the importer, and what came of them."""

from __future__ import annotations

from integrationd.config.nodes import to_json
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.importers.nango.provider import import_nango
from tests.importers.documents import check_files

PROXY = "  proxy: {base_url: https://api.desk.test}\n"


def imported(text, **more):
    """Import a block; whatever it is, what comes of it is loadable."""
    made = import_nango(text.encode(), file="p.yaml", **more)
    assert check_files(made.files) == ()
    return made


def desk(mode, lines="", proxy=PROXY):
    """Return a block of these lines."""
    head = "desk:\n  display_name: Desk\n  docs: https://docs.test\n"
    return f"{head}  auth_mode: {mode}\n{proxy}{lines}"


def spec(text):
    """Return the file of a block of which nothing was lost, as a value."""
    made = imported(text)
    assert [str(each) for each in made.losses] == []
    (file,) = made.files.values()
    return to_json(parse_yaml(file.encode(), file="x", problems=Problems()))


def losses(text):
    """Return what could not be said."""
    found = imported(text).losses
    return [f"{at.position.line}:{at.position.column}: {at.message}" for at in found]


def notes(text):
    """Return what was told besides."""
    return [each.message for each in imported(text).findings if not each.is_loss]
