"""Which files of a directory are meant for us; the others are told apart, never just skipped."""

from __future__ import annotations

import re
from typing import Final

DIRECTORIES: Final = (
    "specs",
    "integrations",
    "mappings",
    "templates",
    "routes",
    "flows",
    "cases",
)
"""Directories of the configuration that hold files of ours."""
SETTINGS_NAMES: Final = ("integrationd.yaml", "integrationd.yml")
"""The daemon's own settings, beside those directories."""
_ENDINGS: Final = (".yaml", ".yml", ".json")

# systemd's rules for drop-in directories, and what editors and package managers leave behind.
# Source: systemd v257, man/standard-conf.xml; dpkg(1) conffiles; rpm's %config; ucf(1).
_LEFTOVERS: Final = (
    (re.compile(r"\..*"), "a hidden file"),
    (re.compile(r".*~|#.*#|.*\.(?:swp|swo|swx|bak|orig|rej|tmp|part)"), "an editor's leftover"),
    (
        re.compile(r".*\.(?:dpkg-(?:new|old|dist|tmp|bak)|rpm(?:new|save|orig)|ucf-.*)"),
        "a package manager's leftover",
    ),
    (re.compile(r".*\.disabled"), "switched off by its name"),
)


def why_ignored(name: str) -> str | None:
    """Say why a file of this name is not read; None where it is."""
    for pattern, reason in _LEFTOVERS:
        if pattern.fullmatch(name):
            return reason
    if not name.endswith(_ENDINGS):
        return "its name does not end in .yaml, .yml or .json"
    return None


def why_refused(name: str) -> str | None:
    """Say why no file may have this name; None where it may."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "the name is not UTF-8; rename the file"
    if not name.isprintable():
        return "the name has characters that cannot be printed; rename the file"
    return None


def show_name(name: str) -> str:
    """Print any file's name on one line; a name that is told as it is stays as it is."""
    if why_refused(name) is None:
        return name
    # What is not UTF-8 comes as half surrogates, which only this can print.
    return (
        name.encode("utf-8", "surrogateescape")
        .decode("ascii", "backslashreplace")
        .translate({code: f"\\x{code:02x}" for code in (*range(32), 127)})
    )
