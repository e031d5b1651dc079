"""Every code has a bad file and a section in the reference, and no other code has."""

from __future__ import annotations

import re

from tests.meta.errors_page import PAGE, build_page, read_cases
from tests.meta.repository import codes_in_source


def test_every_code_has_a_bad_file():
    """The codes of the bad files are those in the source, all of them and no others."""
    assert {case.code for case in read_cases()} == codes_in_source()


def test_every_code_has_a_section():
    """The sections of the reference are the codes in the source, each once and in order."""
    sections = re.findall(r"^## (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert sections == sorted(codes_in_source())


def test_reference_is_current():
    """The page is what ``make errors`` would write."""
    assert PAGE.read_text(encoding="utf-8") == build_page(read_cases())


def test_each_case_tells_its_code():
    """What is expected of a case has the code that the case is named after."""
    wrong = [case.title for case in read_cases() if f" {case.code}: " not in case.told]

    assert wrong == []
