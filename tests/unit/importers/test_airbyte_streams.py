"""What streams of a manifest share, hand down, and have of their own."""

import pytest

from integrationd.importers.airbyte.provider import import_manifest

SELECTOR = "record_selector: {extractor: {field_path: []}}"


def imported(text):
    """Import a manifest of which nothing is lost."""
    made = import_manifest(text.encode(), file="acme.yaml")
    assert made.losses == ()
    return made


def stream(name, request, *, selector=SELECTOR, more=""):
    """Return one stream as it stands in a list."""
    return (
        f"  - type: DeclarativeStream\n    name: {name}\n    primary_key: id\n"
        f"    retriever:\n      requester: {{url_base: 'https://a.test', {request}}}\n"
        f"      {selector}\n{more}"
    )


def test_value_of_the_specification_is_secret_where_it_is_used_as_one():
    """Whatever the specification says of it."""
    auth = "{type: BearerAuthenticator, api_token: \"{{ config['login']['pass'] }}\"}"
    spec = (
        "spec: {connection_specification: {properties: {login: {type: object, properties: "
        "{pass: {type: string, title: Word}}}}}}\n"
    )

    made = imported(f"streams:\n{stream('a', f'path: /a, authenticator: {auth}')}{spec}")

    assert "secrets:\n  pass:\n    description: Word\n" in made.files["specs/acme.yaml"]


def test_what_lies_less_deep_has_the_plain_name():
    """A value inside an object has the object's name before its own where that is taken."""
    spec = (
        "spec: {connection_specification: {properties: {login: {type: object, properties: "
        "{id: {type: string}}}, id: {type: string}}}}\n"
    )
    query = "request_parameters: {a: \"{{ config['id'] }}\", b: \"{{ config['login']['id'] }}\"}"

    made = imported(f"streams:\n{stream('a', f'path: /a, {query}')}{spec}")

    assert (
        '    query:\n      a: "{{ config.id }}"\n      b: "{{ config.login_id }}"\n'
        in made.files["specs/acme.yaml"]
    )


@pytest.mark.parametrize(
    ("late", "written"),
    [
        ("", "    records: \"to_array(body || `[]`)[?kind == 'x'].merge(@, {kind: a})\"\n"),
        (
            ", transform_before_filtering: true",
            (
                '    records: "to_array(body || `[]`)[*].merge(@, {kind: a})"\n'
                "    key: id\n    where: \"kind == 'x'\"\n"
            ),
        ),
    ],
)
def test_condition_sees_what_it_sees_there(late, written):
    """Before fields are changed, unless the source says otherwise."""
    selector = (
        "record_selector: {extractor: {field_path: []}, record_filter: {condition: "
        "\"{{ record.kind == 'x' }}\"}" + late + "}"
    )
    more = (
        "    transformations: [{type: AddFields, fields: [{path: [kind], value: "
        '"{{ record.a }}"}]}]\n'
    )

    made = imported(f"streams:\n{stream('a', 'path: /a', selector=selector, more=more)}")

    assert written in made.files["specs/acme.yaml"]


def test_retries_are_the_most_that_a_stream_has():
    """There is one number for all of them here."""
    texts = [
        stream(name, f"path: /{name}, error_handler: {{max_retries: {retries}}}")
        for name, retries in (("a", 3), ("b", 7), ("c", 5))
    ]

    made = imported(f"streams:\n{''.join(texts)}")

    assert "  retries: 7\n" in made.files["specs/acme.yaml"]


def test_what_all_streams_say_stands_once():
    """Headers, paging and rules go up; what one says alone stays."""
    texts = [
        stream(name, f"path: /{name}, request_headers: {{X-Version: 2}}") for name in ("a", "b")
    ]

    made = imported(f"streams:\n{''.join(texts)}")

    head, _, streams = made.files["specs/acme.yaml"].partition("\nstreams:\n")
    assert head.endswith("  headers:\n    X-Version: 2\n  paginate: none\n")
    assert streams == (
        "  # streams[0], line 2\n  a:\n    get: /a\n    key: id\n\n"
        "  # streams[1], line 8\n  b:\n    get: /b\n    key: id\n"
    )


def test_empty_field_takes_the_parameter_of_its_name():
    """As there, where a false value counts as none."""
    text = stream("a", 'path: ""').replace("    name: a", "    name: a\n    $parameters: {path: x}")

    assert "    get: /x\n" in imported(f"streams:\n{text}").files["specs/acme.yaml"]


def test_parent_that_reads_something_else_is_a_stream_of_its_own():
    """One that is written inside another and reads the same is that one; this one does not."""
    inner = (
        "{type: DeclarativeStream, name: a, primary_key: id, retriever: {requester: {url_base: "
        f"'https://a.test', path: %s}}, {SELECTOR}}}}}"
    )
    router = (
        "      partition_router: {type: SubstreamPartitionRouter, parent_stream_configs: "
        "[{parent_key: id, partition_field: aId, stream: %s}]}\n"
    )
    same = stream("b", "path: '/b/{{ stream_slice.aId }}'", more=router % (inner % "/a"))
    other = stream("c", "path: '/c/{{ stream_slice.aId }}'", more=router % (inner % "/z"))

    made = imported(f"streams:\n{same}{other}{stream('a', 'path: /a')}")

    assert made.streams == ("a", "b", "a_2", "c")
    assert [str(found) for found in made.findings] == [
        (
            "acme.yaml:15:129: note: streams[1].retriever.partition_router.parent_stream_configs[0]"
            ".stream: read as the stream 'a_2', for its children"
        )
    ]


def test_names_of_ancestors_values_are_told_apart():
    """The source finds them by depth, ours by name."""
    router = (
        "      partition_router: {type: SubstreamPartitionRouter, parent_stream_configs: "
        "[{parent_key: id, partition_field: parent_id, stream: '#/streams/%s'}]}\n"
    )
    path = "path: '/a/{{ stream_slice.parent_slice.parent_id }}/b/{{ stream_slice.parent_id }}/c'"
    texts = [
        stream("a", "path: /a"),
        stream("b", "path: '/a/{{ stream_partition.parent_id }}/b'", more=router % 0),
        stream("c", path, more=router % 1),
    ]

    made = imported(f"streams:\n{''.join(texts)}").files["specs/acme.yaml"]

    assert '    get: "/a/{{ each.parent_id }}/b/{{ each.b_parent_id }}/c"\n' in made
    assert made.endswith("      stream: b\n      value: id\n      as: b_parent_id\n")


def test_job_is_left_to_whoever_knows_what_it_gives():
    """The word for it is named."""
    text = (
        "streams:\n  - type: DeclarativeStream\n    name: exports\n"
        "    retriever: {type: AsyncRetriever}\n"
    )

    made = import_manifest(text.encode(), file="acme.yaml")

    (told,) = made.losses
    assert told.message == (
        "streams[0].retriever: AsyncRetriever is not translated; write the stream with 'deferred'"
    )
    assert made.streams == ()
