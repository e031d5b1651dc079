"""Files with a secret in every place that takes one, and calls that end in every way."""

from __future__ import annotations

from tests.support.echoing import WAYS

STREAMS = "\n".join(
    f"  {way}: {{get: /{way}, records: body.data, key: id, schedule: 1h}}"
    for way in WAYS
    if way not in {"next", "next_away", "link", "cursor", "loop"}
)
PAGED = "\n".join(
    f"""\
  {way}:
    {{get: /{way}, records: body.data, key: id, schedule: 1h, paginate: {{{paging}}}}}"""
    for way, paging in {
        "next": "type: next_url, next: body.next",
        "next_away": "type: next_url, next: body.next",
        "link": "type: link",
        "cursor": "type: cursor, next: body.next, into: query.after",
        "loop": "type: cursor, next: body.next, into: query.after",
    }.items()
)
FEW = "\n".join(
    line
    for line in STREAMS.splitlines()
    if line.split(":")[0].strip() in {"ok", "status", "unauthorized", "told", "close"}
)
"""For kinds that differ from others only in what they send."""
SHORT = frozenset({"digest", "oauth1", "sigv4", "shared_key"})
AUTHS = {
    "none": ("{type: none}", ()),
    "basic": (
        '{type: basic, username: "{{ secrets.user }}", password: "{{ secrets.password }}"}',
        ("user", "password"),
    ),
    "bearer": ('{type: bearer, token: "{{ secrets.token }}"}', ("token",)),
    "oauth2": (
        (
            '{type: oauth2, grant: refresh_token, token_url: "http://127.0.0.1:PORT/token", '
            'client_id: cid, client_secret: "{{ secrets.client }}", '
            'refresh_token: "{{ secrets.refresh }}"}'
        ),
        ("client", "refresh"),
    ),
    "login": (
        (
            '{type: login, token: "{{ read.one }}", steps: [{post: /token, json: {x: '
            '["{{ secrets.user }}", "{{ secrets.password }}"]}, read: {one: body.access_token}}, '
            '{post: /ok, form: {x: "{{ read.one }}"}}]}'
        ),
        ("user", "password"),
    ),
    "digest": (
        '{type: digest, username: "{{ secrets.user }}", password: "{{ secrets.password }}"}',
        ("user", "password"),
    ),
    "oauth1": (
        (
            '{type: oauth1, consumer_key: "{{ secrets.id }}", '
            'consumer_secret: "{{ secrets.key }}", signature_method: PLAINTEXT}'
        ),
        ("id", "key"),
    ),
    "sigv4": (
        (
            '{type: sigv4, service: s3, region: us-east-1, access_key: "{{ secrets.id }}", '
            'secret_key: "{{ secrets.key }}", session_token: "{{ secrets.session }}"}'
        ),
        ("id", "key", "session"),
    ),
    # A canary is no base64: what is told of a key that cannot be used is looked at here.
    "shared_key": ('{type: shared_key, account: a, key: "{{ secrets.key }}"}', ("key",)),
    "jwt": ('{type: jwt, algorithm: HS256, key: "{{ secrets.key }}"}', ("key",)),
    "signed": (
        (
            '{type: signed, text: "{{ secrets.text }}{{ nonce }}", algorithm: hmac-sha256, '
            'key: "{{ secrets.key }}", into: header.x-signature, '
            'with: {query.key: "{{ secrets.with }}"}}'
        ),
        ("key", "text", "with"),
    ),
    "api_key": ('{type: api_key, into: query.key, value: "{{ secrets.key }}"}', ("key",)),
}
"""One for each kind of authentication: what stands in the file, and its secrets."""
INTEGRATION = """\
integration: {name}
secrets: {{{secrets}}}
http:
  base_url: "http://127.0.0.1:{port}"
  auth: {auth}
  paginate: {{type: none}}
  retries: 1
  max_response: 100kB
  errors:
    - {{when: "status == `422`", then: fail, message: "{{{{ body.error.message }}}}"}}
streams:
{streams}
"""
EVERYWHERE = """\
integration: everywhere
secrets: {a: {}, b: {}, c: {}, d: {}, e: {}}
http:
  base_url: "http://127.0.0.1:%d"
  headers: {x-template: "a {{ secrets.a }}"}
  query: {template: "b {{ secrets.b }}"}
  paginate: {type: none}
  retries: 0
streams:
  body: {post: /status, json: {x: ["{{ secrets.c }}"]}, records: body.data, key: id, schedule: 1h}
  form: {post: /forbidden, form: {x: "{{ secrets.d }}"}, records: body.data, key: id, schedule: 1h}
  path: {get: "/status/{{ secrets.e }}/x", records: body.data, key: id, schedule: 1h}
  gone: {get: "/forbidden/bot{{ secrets.e }}/x", records: body.data, key: id, schedule: 1h}
  odd: {get: "/shape/{{ secrets.e }}/x", records: body.data, key: id, schedule: 1h}
"""
ASKED = """\
integration: asked
secrets: {a: %s}
http:
  base_url: "http://127.0.0.1:%d"
  headers: {x-a: "{{ secrets.a }}"}
  paginate: none
  retries: 0
  errors:
    - {when: "status == `422`", then: fail, message: "{{ body.error.message }}"}
probe: {get: "/told/{{ secrets.a }}"}
operations:
  status: {post: /status, query: {key: "{{ secrets.a }}"}}
  told: {post: /told, json: {x: ["{{ secrets.a }}"]}}
  forbidden: {post: /forbidden, form: {x: "{{ secrets.a }}"}}
  shape: {post: /shape, json: {x: ["{{ secrets.a }}"]}, output: "sum(body.data)"}
  path: {get: "/reason/{{ secrets.a }}"}
  close: {post: /close, json: {x: ["{{ secrets.a }}"]}}
"""
BROKEN_WAYS = """\
integration: tls
secrets: {t: {}, proxy: {}}
http:
  base_url: "https://127.0.0.1:%d/{{ secrets.t }}"
  query: {key: "{{ secrets.t }}"}
  paginate: {type: none}
  retries: 0
streams:
  plain: {get: /ok, records: body, key: id, schedule: 1h}
---
integration: proxied
secrets: {proxy: {}}
http:
  base_url: "http://127.0.0.1:%d"
  proxy: "{{ secrets.proxy }}"
  paginate: {type: none}
  retries: 0
streams:
  plain: {get: /ok, records: body, key: id, schedule: 1h}
---
integration: nowhere
secrets: {n: {}}
http:
  base_url: "http://127.0.0.1:9"
  query: {key: "{{ secrets.n }}"}
  paginate: {type: none}
  retries: 0
streams:
  plain: {get: "/{{ secrets.n }}", records: body, key: id, schedule: 1h}
"""
SPOILED = """\
integration: spoiled
secrets: {unusable: {file: %s/too-large}, empty: {env: INTEGRATIOND_SECRET_EMPTY}}
http:
  base_url: "http://127.0.0.1:9"
  headers: {x-a: "{{ secrets.unusable }}{{ secrets.empty }}"}
  paginate: {type: none}
streams:
  plain: {get: /ok, records: body, key: id, schedule: 1h}
"""
HOOKS = """\
integration: sender
secrets: {signing: {}}
streams:
  orders: {key: id}
webhooks:
  events:
    verify:
      type: hmac
      keys: ["{{ secrets.signing }}"]
      signature: {from: header.x-signature, encoding: hex}
    dedup: body.id
"""
LITERALS = """\
integration: literal
secrets: {token: %(text)s}
---
integration: literal
secrets: %(text)s
---
integration: literal
secrets: {token: {store: {%(text)s: 1}}}
---
integration: literal
secrets: {token: [%(text)s]}
---
integration: literal
secrets: {token: {env: INTEGRATIOND_SECRET_X}, token: %(text)s}
---
integration: literal
secrets: {token: !secret %(text)s}
---
integration: literal
secrets: {token: {credential: x}
http: %(text)s: [
"""
"""Files in which somebody wrote the secret itself."""
