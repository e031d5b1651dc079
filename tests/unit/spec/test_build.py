"""Building a bundle: what runs, of which files, and what is told of the rest."""

import pytest

from integrationd.spec.build import build_bundle
from integrationd.spec.read import read_file
from integrationd.spec.settings import SecretSettings, Settings
from integrationd.spec.source import Layer, SourceFile

PROVIDER = """\
provider: shop
config:
  site: {type: string}
  level: {enum: [low, high], default: low}
secrets: {token: {}, hook: {}}
http:
  base_url: "https://{{ config.site }}.test"
  headers: {x-a: "1", x-b: "2"}
  paginate: {type: page, into: query.page}
  hosts: [a.test, b.test]
streams:
  orders: {get: /orders, key: id, schedule: 1h}
  people: {get: /people, key: id, schedule: 6h}
"""


def read(**files):
    """Read files by name; those with a layer are given as a pair."""
    return [
        read_file(SourceFile(f"{name}.yaml", text.encode(), layer))
        for name, (layer, text) in (
            (name, value if isinstance(value, tuple) else (Layer.CONFIGURED, value))
            for name, value in files.items()
        )
    ]


def build(settings=None, **files):
    """Build a bundle of files by name."""
    return build_bundle(read(**files), settings or Settings())


def told(bundle):
    """Return the problems as they are printed."""
    return [str(problem) for problem in bundle.problems]


def made(bundle, name="a"):
    """Return the integration, where nothing is wrong."""
    assert told(bundle) == []
    return bundle.integrations[name]


def test_config_is_supplied_and_filled_with_defaults():
    """What the integration says stands, what it leaves out has the provider's default."""
    bundle = build(shop=PROVIDER, a="integration: a\nuses: shop\nconfig: {site: north}\n")

    assert made(bundle).config == {"level": "low", "site": "north"}


def test_secrets_that_are_not_supplied_are_found_by_name():
    """A declared secret without a reference is there as None; one with a reference keeps it."""
    bundle = build(
        shop=PROVIDER,
        a="integration: a\nuses: shop\nconfig: {site: x}\n"
        "secrets: {token: {credential: shop-token}, hook: {}}\n",
    )

    secrets = made(bundle).secrets

    assert secrets["hook"] is None
    assert secrets["token"].to_json() == {"credential": "shop-token"}


def test_objects_are_merged_lists_replaced_and_null_removes():
    """Objects are laid over each other by key, lists and values are replaced, null takes away."""
    bundle = build(
        shop=PROVIDER,
        a="integration: a\nuses: shop\nconfig: {site: x}\n"
        "http: {headers: {x-b: null, x-c: '3'}, hosts: [c.test]}\n"
        "streams: {people: null, orders: {schedule: manual}}\n",
    )

    integration = made(bundle)

    assert sorted(integration.http.headers) == ["x-a", "x-c"]
    assert integration.http.hosts == ("c.test",)
    assert list(integration.streams) == ["orders"]
    assert str(integration.streams["orders"].schedule) == "manual"


def test_merged_values_keep_the_place_in_their_own_file():
    """A problem that only merging shows stands where its author wrote the value."""
    bundle = build(
        shop=PROVIDER,
        a="integration: a\nuses: shop\nconfig: {site: x}\n"
        "streams: {orders: {query: {page: '1'}}, more: {get: /more, key: id, mapping: gone}}\n",
    )

    assert told(bundle) == [
        (
            "a.yaml:4:19: E114: query.page is set twice, by streams.orders.query and by paginate; "
            "give one of them another place"
        ),
        "a.yaml:4:78: E302: uses mapping 'gone', which is in no file",
    ]


def test_an_integration_can_say_all_by_itself():
    """Inline, what is supplied counts as declared, and nothing else is needed."""
    bundle = build(
        a="integration: a\ntenant: acme\nconfig: {site: {name: north}}\nsecrets: {token: {}}\n"
        'http: {base_url: "https://{{ config.site.name }}.test", paginate: none,\n'
        '  auth: {type: bearer, token: "{{ secrets.token }}"}}\n'
        "streams: {orders: {get: /orders, key: id}}\n"
    )

    integration = made(bundle)

    assert (integration.tenant, integration.provider) == ("acme", None)
    assert (integration.config, integration.secrets) == (
        {"site": {"name": "north"}},
        {"token": None},
    )
    assert integration.entity_of("orders") == "a.orders"
    assert list(integration.files) == ["a.yaml"]


def test_an_integration_is_made_of_its_files_and_no_others():
    """The provider and the mappings in use count; a file that nothing names does not."""
    order = "mapping: order\nentity: order\nfields: {total: total}\n"
    bundle = build(
        shop=PROVIDER.replace("/orders,", "/orders, mapping: order,"),
        order=order,
        other=order.replace("mapping: order", "mapping: other"),
        a="integration: a\nuses: shop\nconfig: {site: x}\n",
    )

    integration = made(bundle)

    assert list(integration.files) == ["a.yaml", "order.yaml", "shop.yaml"]
    assert integration.entity_of("orders") == "order"


def test_a_problem_of_the_provider_is_told_once():
    """Ten integrations do not repeat what their provider's file already says."""
    accounts = {f"a{n}": f"integration: a{n}\nuses: shop\nconfig: {{site: x}}\n" for n in range(10)}
    provider = PROVIDER.replace("  paginate: {type: page, into: query.page}\n", "")

    bundle = build(shop=provider, **accounts)

    assert len(bundle.integrations) == 10
    assert [problem.code for problem in bundle.problems] == ["W501", "W501"]


def test_a_bad_integration_leaves_the_others():
    """One that cannot be made is refused by name, and the others run."""
    bundle = build(
        shop=PROVIDER,
        a="integration: a\nuses: shop\n",
        b="integration: b\nuses: shop\nconfig: {site: x}\n",
    )

    assert (list(bundle.integrations), bundle.refused) == (["b"], {"a"})
    assert told(bundle) == ["a.yaml:1:1: E305: integration a needs config 'site'"]


def test_a_file_with_errors_is_refused_even_if_something_could_be_made_of_it():
    """A name that stands twice leaves one value, and nobody knows if it is the right one."""
    bundle = build(
        shop=PROVIDER, a="integration: a\nuses: shop\nconfig: {site: x}\ntitle: A\ntitle: B\n"
    )

    assert told(bundle) == [
        "a.yaml:5:1: E104: the document has 'title' twice, on lines 4 and 5; keep one of them"
    ]
    assert (dict(bundle.integrations), bundle.refused) == ({}, {"a"})


def test_all_problems_of_a_file_come_at_once():
    """What only merging shows is told together with what the text alone shows."""
    bundle = build(
        shop=PROVIDER,
        a="integration: a\nuses: shop\nconfig: {sight: 012}\nstreams: {orders: {scedule: no}}\n",
    )

    assert [(problem.position.line, problem.code) for problem in bundle.problems] == [
        (3, "E305"),
        (3, "E305"),
        (3, "E107"),
        (4, "E101"),
        (4, "E107"),
    ]


@pytest.mark.parametrize("higher", [Layer.CONFIGURED, Layer.GIVEN])
def test_a_thing_of_a_higher_layer_wins(higher):
    """An administrator's provider replaces the shipped one of the same name, without a word."""
    bundle = build(
        shipped=(Layer.SHIPPED, PROVIDER),
        own=(higher, PROVIDER.replace("orders", "sales")),
        a="integration: a\nuses: shop\nconfig: {site: x}\n",
    )

    assert sorted(made(bundle).streams) == ["people", "sales"]


@pytest.mark.parametrize("copy", ["a", "z"])
def test_a_copy_beside_a_broken_file_stands_for_nothing(copy):
    """Whichever of the two comes first: what breaks does not let another one run in its place."""
    good = "integration: one\nhttp: {base_url: https://a.test}\n"
    bundle = build(**{"m": "integration: one\nuses: [7]\n", copy: good})

    assert (bundle.refused, dict(bundle.integrations)) == ({"one"}, {})
    assert (
        f"{copy}.yaml:1:14: E304: integration 'one' is already defined at m.yaml; rename or remove "
        "one of them"
    ) in told(bundle)


def test_prefixes_and_directories_of_the_settings_are_open():
    """A reference may go where the settings say, and nowhere else."""
    settings = Settings(secrets=SecretSettings(env_prefix=("A_",), dirs=("/run/a/",)))
    text = "integration: a\nsecrets: {x: {env: A_KEY}, y: {file: /run/a/key}}\n"

    bundle = build(settings, a=text)

    assert sorted(made(bundle).secrets) == ["x", "y"]
    assert [problem.code for problem in build(a=text).problems] == ["E402", "E402"]


def test_only_what_a_reading_gives_counts_for_its_fingerprint():
    """Another schedule or timeout goes on where the last reading stopped, another query not."""
    account = "integration: a\nuses: shop\nconfig: {site: x}\n"
    before = made(build(shop=PROVIDER, a=account)).fingerprints
    idle = made(
        build(
            shop=PROVIDER,
            a=account + "http: {timeout: 9s}\nstreams: {orders: {schedule: 5h, max_pages: 7}}\n",
        )
    ).fingerprints
    asked = made(
        build(shop=PROVIDER, a=account + "streams: {orders: {query: {x: '1'}}}\n")
    ).fingerprints

    assert idle == before
    assert (asked["orders"] != before["orders"], asked["people"]) == (True, before["people"])


def test_a_provider_has_webhooks_for_its_integrations():
    """An endpoint that the provider declares is there in each integration."""
    hooks = (
        'webhooks: {events: {verify: {type: hmac, keys: ["{{ secrets.hook }}"], '
        "signature: {from: header.x-sig}}}}\n"
    )
    bundle = build(shop=PROVIDER + hooks, a="integration: a\nuses: shop\nconfig: {site: x}\n")

    assert list(made(bundle).webhooks) == ["events"]


def test_a_secret_is_never_shown():
    """No message repeats a text that stands where a secret is meant."""
    secret = "hunter2-hunter2"
    bundle = build(
        shop=PROVIDER.replace("token: {}", f"token: {secret}"),
        a=f"integration: a\nsecrets: {{x: {secret}}}\n",
        b=f"integration: b\nsecrets: {secret}\n",
        c=f"provider: c\nsecrets: {secret}\n",
    )

    assert len(bundle.problems) == 4
    assert secret not in "".join(told(bundle))
