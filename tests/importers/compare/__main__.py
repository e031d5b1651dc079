"""``python -m tests.importers.compare FOLDER``: the requests of both sides, page by page.

Each manifest is imported, and read by airbyte-cdk and by us; one local server answers both. Of each
stream it prints whether the same was asked for, and with ``-v`` where not. A manifest may stand for
a folder; ``--only WORD`` takes the streams with that word in their names. airbyte-cdk is looked for
in ``.venv-airbyte``, or where INTEGRATIOND_TEST_AIRBYTE_CDK names a Python that has it; it is
installed from ``requirements/airbyte.txt`` where it is not there.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.importers.compare.environment import find_python
from tests.importers.compare.reading import Told, compare_manifest


def main(words: list[str]) -> int:
    """Compare; exits 1 where a stream differs."""
    parser = argparse.ArgumentParser(prog="compare")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--required", action="store_true", help="only what must be configured")
    parser.add_argument("-v", "--verbose", action="store_true")
    said = parser.parse_args(words)
    paths = [said.folder] if said.folder.is_file() else sorted(said.folder.glob("*.y*ml"))
    python = find_python()
    told: list[Told] = []
    for path in paths:
        for each in compare_manifest(path, python, only=said.only, optional=not said.required):
            told.append(each)
            print(each if said.verbose else str(each).split("\n", 1)[0], flush=True)
    same = sum(each.is_same for each in told)
    refused = sum(bool(each.theirs_failed) for each in told)
    print(f"{same} of {len(told)} streams are asked for the same; airbyte-cdk failed in {refused}")
    return 0 if same + refused >= len(told) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
