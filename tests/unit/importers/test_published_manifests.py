"""Manifests that are published, where they lie beside this checkout; see tests/importers."""

from pathlib import Path

import pytest

from tests.importers.manifests import measure

FOLDER = Path(__file__).parents[3].parent / "shared" / "data" / "airbyte-manifests"
PATHS = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.skipif(not PATHS, reason="needs the manifests beside this checkout")
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_published_manifest_is_loadable_once_translated(path):
    """Whatever could not be said, `check` finds nothing wrong, and each line has its place."""
    outcome = measure(path)

    assert outcome.errors == ()
    assert outcome.imported is not None
    assert all(finding.position.file == path.name for finding in outcome.imported.findings)
