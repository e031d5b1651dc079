"""Whatever becomes of good files, reading them gives problems or a bundle and never raises."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.problems import Problem
from integrationd.spec.build import build_bundle
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile

GOOD = Path(__file__).parents[2] / "good"
FILES = {
    str(path.relative_to(GOOD)): path.read_bytes()
    for path in sorted(GOOD.rglob("*.yaml"))
    if path.name != "integrationd.yaml"
}
WORDS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b": ",
    b"- ",
    b"null",
    b"&a ",
    b"*a",
    b"'",
    b'"{{ x }}"',
    b"\n",
    b"\xff",
]


def flip(data, at, byte):
    """Change one byte."""
    at %= max(len(data), 1)
    return data[:at] + bytes([byte]) + data[at + 1 :]


def cut(data, at, _byte):
    """Lose the end, as a file that is still being written does."""
    return data[: at % (len(data) + 1)]


def drop_line(data, at, _byte):
    """Lose one line."""
    lines = data.splitlines(keepends=True)
    return b"".join(line for index, line in enumerate(lines) if index != at % max(len(lines), 1))


def repeat_line(data, at, _byte):
    """Have one line twice."""
    lines = data.splitlines(keepends=True)
    index = at % max(len(lines), 1)
    return b"".join([*lines[: index + 1], *lines[index : index + 1], *lines[index + 1 :]])


def insert(data, at, byte):
    """Have a sign of YAML where none was."""
    at %= len(data) + 1
    return data[:at] + WORDS[byte % len(WORDS)] + data[at:]


MUTATIONS = st.tuples(
    st.sampled_from([flip, cut, drop_line, repeat_line, insert]),
    st.integers(0, 5000),
    st.integers(0, 255),
)


def build(files):
    """Build a bundle of bytes by path."""
    return build_bundle(
        [read_file(SourceFile(path, data)) for path, data in files.items()], Settings()
    )


@given(path=st.sampled_from(sorted(FILES)), mutations=st.lists(MUTATIONS, min_size=1, max_size=3))
def test_a_mutated_file_gives_problems_or_a_bundle(path, mutations):
    """Bytes flipped, lines lost, files cut: the answer is a bundle and a list, at known places."""
    data = FILES[path]
    for mutate, at, byte in mutations:
        data = mutate(data, at, byte)

    bundle = build({**FILES, path: data})

    assert all(isinstance(problem, Problem) and problem.message for problem in bundle.problems)
    assert len(set(bundle.problems)) == len(bundle.problems)
    assert {problem.position.file for problem in bundle.problems} <= FILES.keys()
    assert not bundle.refused & bundle.integrations.keys()


@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_problems_or_a_document(data):
    """A file of anything is read without raising."""
    read = read_file(SourceFile("x.yaml", data))

    assert read.has_errors == (read.document is None) or read.document is not None
    assert read.problems or read.document is not None


@given(order=st.permutations(sorted(FILES)))
def test_the_order_of_files_changes_nothing(order):
    """A bundle depends on what the files say, not on the order in which they are found."""
    bundle = build({path: FILES[path] for path in order})
    usual = build(FILES)

    assert bundle.problems == usual.problems
    assert {name: made.digest for name, made in bundle.integrations.items()} == {
        name: made.digest for name, made in usual.integrations.items()
    }
