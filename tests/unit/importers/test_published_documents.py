"""Documents that providers publish, where they lie beside this checkout; see tests/importers."""

from pathlib import Path

import pytest

from tests.importers.contracts import find_documents, hold, load_checker
from tests.importers.documents import measure

SHARED = Path(__file__).parents[3].parent / "shared"
PATHS = find_documents(SHARED)
NAMES = [path.stem for path in PATHS]
OWN_FAULTS = {
    # Its schemas allow no members but those beside a reference, which version 3.0 does not read.
    "stripe_payment_intents_2023-10-16": 2,
}

pytestmark = pytest.mark.skipif(not PATHS, reason="needs the documents beside this checkout")


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_published_document_is_loadable_once_translated(path):
    """`check` finds nothing wrong, and each line of the report has its place."""
    outcome = measure(path)

    assert outcome.errors == ()
    assert outcome.imported is not None
    assert outcome.imported.streams or outcome.imported.operations
    assert all(finding.position.file == path.name for finding in outcome.imported.findings)


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_requests_keep_the_contract(path):
    """The first request of each stream and operation is one that the document allows."""
    held = hold(path, load_checker(SHARED))

    assert (len(held.found), held.skipped) == (OWN_FAULTS.get(path.stem, 0), ())
    assert held.looked > 0


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_contract_is_able_to_fail(path):
    """A parameter that the document does not know is found in each request."""
    held = hold(path, load_checker(SHARED), extra=("no_such_parameter", "1"))

    assert len(held.found) >= held.looked > 0
