"""A school: courses, and the people of each, whom a second stream reads once for each course."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.support.fakes import answer
from tests.support.worlds import plan_of

SCHOOL = """\
integration: school
config: {kinds: [exam, quiz]}
http:
  base_url: https://api.test
  retries: 0
  paginate: {type: cursor, next: body.next, into: query.after}
  limits: {concurrency: %(concurrency)s}
streams:
  courses: {get: /courses, records: body.data, key: id}
  enrolments:
    for_each: %(for_each)s
    get: "/courses/{{ each.course_id }}/people"
    records: body.data
    key: [course_id, id]
    %(more)s
"""
BY_COURSE = "{stream: courses, value: id, as: course_id, carry: {course_id: id}}"


@dataclass
class School:
    """A provider: courses, the people in each in pages of two, and what goes wrong where."""

    courses: list = field(default_factory=list)
    people: dict = field(default_factory=dict)
    wrong: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def __call__(self, line: str, headers: Mapping[str, str]):
        """Answer one call."""
        url = urlsplit(line.removeprefix("GET "))
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.asked.append(line.removeprefix("GET https://api.test"))
        if url.path == "/courses":
            return answer({"data": self.courses, "next": None})
        course = url.path.split("/")[2]
        if (failure := self.wrong.get(course)) is not None:
            return failure if isinstance(failure, Exception) else answer({}, status=failure)
        rows = [
            row for row in self.people.get(course, []) if row["at"] >= int(query.get("since", 0))
        ]
        first = int(query.get("after", 0))
        following = first + 2 if first + 2 < len(rows) else None
        return answer({"data": rows[first : first + 2], "next": following and str(following)})

    def people_asked(self):
        """Return the courses whose people were asked for, in order, each page."""
        return [line.split("/")[2] for line in self.asked if "/people" in line]


def school(*, for_each=BY_COURSE, more="schedule: manual", concurrency=1):
    """Compile both streams."""
    text = SCHOOL % {"for_each": for_each, "more": more, "concurrency": concurrency}
    return plan_of(text, "courses"), plan_of(text, "enrolments")


def people(*ids, at=1):
    """Return people of a course."""
    return [{"id": key, "at": at} for key in ids]


def two_courses():
    """Return a school with two courses."""
    return School(
        courses=[{"id": 5, "title": "Art"}, {"id": 7, "title": "Law"}],
        people={"5": people(1, 2, 3), "7": people(1)},
    )
