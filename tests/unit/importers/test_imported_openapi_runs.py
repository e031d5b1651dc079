"""A document is imported, an integration uses it, and a real server is read and called."""

import json

import pytest

from tests.unit.importers.openapi_samples import answer, at, document, listing, query
from tests.unit.importers.serving import SETTINGS, run, serving

LINES = {"type": "object", "properties": {"no": {"type": "integer"}, "id": {"type": "integer"}}}
PATHS = {
    "/shops": {"get": listing(parameters=[query("page"), query("per_page")])},
    "/shops/{shop_id}/orders": {"get": listing(parameters=[at("shop_id")])},
    "/shops/{shop_id}/orders/{id}/lines": {"get": listing(parameters=[at("shop_id"), at("id")])},
    "/shops/{shop_id}": {
        "put": {
            "operationId": "renameShop",
            "parameters": [at("shop_id")],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["name"],
                            "properties": {"name": {"type": "string"}, "note": {"type": "string"}},
                        }
                    }
                },
            },
            "responses": answer({"type": "object"}),
        }
    },
}


def respond(path, asked):
    """Answer as a shop with two pages of shops, each with two orders, each with one line."""
    if path == "/v1/shops":
        return [{"id": 1, "name": "a"}] if asked["page"] == ["1"] else []
    if path.endswith("/orders"):
        return [{"id": 7, "name": "x"}, {"id": 8, "name": "y"}]
    return {"ok": True} if path.endswith("/1") else [{"id": 1, "name": "line"}]


@pytest.fixture
def shop(tmp_path):
    """Import the document, and use it for a local server; yields its directory and requests."""
    source = tmp_path / "shop.json"
    with serving(respond) as (address, asked):
        source.write_text(json.dumps(document(PATHS, servers=[{"url": f"{address}/v1"}])))
        assert run("import", "openapi", source, "-o", tmp_path / "conf") == 0
        (tmp_path / "conf" / "integrationd.yaml").write_text(SETTINGS)
        (tmp_path / "conf" / "integrations").mkdir()
        mine = "integration: mine\nuses: shop\nstreams:\n  shops: {schedule: 1h}\n"
        mine += "  shops_orders: {schedule: 1h}\n  shops_orders_lines: {schedule: 1h}\n"
        (tmp_path / "conf" / "integrations" / "mine.yaml").write_text(mine)
        yield tmp_path, asked


def test_streams_are_read(shop, capsys):
    """Pages, children and their children; each record with the keys of those above it."""
    place, asked = shop
    where = ("--config", place / "conf", "--state", place / "state")
    capsys.readouterr()

    codes = [run(*where, "sync", f"mine/{name}") for name in ("shops", "shops_orders")]
    codes.append(run(*where, "sync", "mine/shops_orders_lines"))
    capsys.readouterr()
    run(*where, "records", "mine/shops_orders_lines", "--format", "ndjson")

    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert codes == [0, 0, 0]
    assert [(each["external_id"], each["data"]) for each in records] == [
        ("1/7/1", {"id": 1, "name": "line", "order_id": 7, "shop_id": 1}),
        ("1/8/1", {"id": 1, "name": "line", "order_id": 8, "shop_id": 1}),
    ]
    paths = [path for _, path, _, _ in asked]
    assert paths.count("/v1/shops?page=1&per_page=100") == 1
    assert {"/v1/shops/1/orders", "/v1/shops/1/orders/7/lines"} <= set(paths)


def test_operation_is_called(shop, capsys):
    """What is left out is not sent."""
    place, asked = shop
    where = ("--config", place / "conf", "--state", place / "state")

    code = run(*where, "call", "mine", "rename_shop", "shop_id=1", "name=b")

    method, path, headers, body = asked[-1]
    assert (code, method, path, body) == (0, "PUT", "/v1/shops/1", b'{"name":"b"}')
    assert headers["content-type"] == "application/json"
    assert json.loads(capsys.readouterr().out) == {"ok": True}
