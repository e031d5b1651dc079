"""Imported manifests ask for what airbyte-cdk asks for, page by page: tests/importers/compare."""

from pathlib import Path

import pytest

from tests.importers.compare.environment import find_python
from tests.importers.compare.reading import compare_manifest

PATHS = sorted((Path(__file__).parents[1] / "importers" / "own").glob("*.yaml"))


@pytest.mark.acceptance
@pytest.mark.needs("airbyte-cdk")
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_imported_streams_ask_for_the_same(path):
    """One local server answers both; every stream of our own manifests is read by both."""
    told = list(compare_manifest(path, find_python()))

    assert told
    assert [str(each) for each in told if not each.is_same] == []
