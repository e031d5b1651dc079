"""Specs written by combining what the language has: who asks, how lists are walked, what is new."""

from __future__ import annotations

from dataclasses import dataclass, fields

AUTHS = {
    "none": "{type: none}",
    "basic": '{type: basic, username: ann, password: "{{ secrets.key }}"}',
    "bearer": '{type: bearer, token: "{{ secrets.key }}"}',
    "api_key": '{type: api_key, into: query.key, value: "{{ secrets.key }}"}',
    "digest": '{type: digest, username: ann, password: "{{ secrets.key }}"}',
    "jwt-hs": '{type: jwt, algorithm: HS256, key: "{{ secrets.key }}", '
    'claims: {jti: "{{ nonce }}"}}',
    "jwt-es": '{type: jwt, algorithm: ES384, key: "{{ secrets.key }}", claims: {u: "{{ path }}"}}',
    "jwt-ed": '{type: jwt, algorithm: EdDSA, key: "{{ secrets.key }}"}',
    "sigv4": "{type: sigv4, service: execute-api, region: r, access_key: a, "
    'secret_key: "{{ secrets.key }}"}',
    "shared_key": '{type: shared_key, account: a, key: "{{ secrets.key }}"}',
    "oauth1": '{type: oauth1, consumer_key: c, consumer_secret: "{{ secrets.key }}"}',
    "signed-header": '{type: signed, text: "{{ timestamp }}{{ method }}{{ url }}{{ body }}", '
    'algorithm: hmac-sha256, key: "{{ secrets.key }}", into: header.x-sign, '
    'with: {header.x-time: "{{ timestamp }}"}}',
    "signed-query": '{type: signed, text: "{{ query }}{{ secrets.key }}", algorithm: sha1, '
    'into: query.sign, with: {query.at: "{{ timestamp_ms }}", query.once: "{{ nonce }}"}}',
    "client-basic": '{type: oauth2, grant: client_credentials, token_url: "%s/token", '
    'client_id: c, client_secret: "{{ secrets.key }}"}',
    "client-post": '{type: oauth2, grant: client_credentials, token_url: "%s/token", '
    'client_id: c, client_secret: "{{ secrets.key }}", client_auth: post, send_as: json}',
    "client-jwt": '{type: oauth2, grant: client_credentials, token_url: "%s/token", '
    "client_id: c, client_auth: private_key_jwt, "
    'client_assertion: {key: "{{ secrets.key }}", algorithm: ES256}}',
    "refresh": '{type: oauth2, grant: refresh_token, token_url: "%s/token", client_id: c, '
    'client_secret: "{{ secrets.other }}", refresh_token: "{{ secrets.key }}"}',
    "password": '{type: oauth2, grant: password, token_url: "%s/token", username: ann, '
    'password: "{{ secrets.key }}"}',
    "jwt-bearer": '{type: oauth2, grant: jwt_bearer, token_url: "%s/token", '
    'assertion: {key: "{{ secrets.key }}", algorithm: EdDSA, claims: {iss: me}}}',
    "login": "{type: login, lifetime: 20s, into: header.x-session, steps: ["
    '{post: /login, json: {user: ann, password: "{{ secrets.key }}"}, '
    "read: {session: body.session.id}}]}",
    "login-cookie": '{type: login, into: cookie.sid, token: "{{ read.sid }}", steps: ['
    "{get: /form, read: {csrf: body.csrf}}, "
    '{post: /login, form: {csrf: "{{ read.csrf }}", password: "{{ secrets.key }}"}, '
    "read: {sid: cookies.sid}}]}",
}
PAGINGS = {
    "none": "none",
    "page": "{type: page, into: query.page, size: {into: query.per, value: 4}}",
    "page-total": '{type: page, into: query.page, total: headers."x-total"}',
    "page-path": "{type: page, into: path.page, total_pages: headers.pages}",
    "page-more": "{type: page, into: query.page, start: 0, has_more: body.more}",
    "offset": "{type: offset, into: query.skip, size: {into: query.limit, value: 3}}",
    "cursor": "{type: cursor, next: body.next, into: query.after, has_more: body.more}",
    "cursor-own": "{type: cursor, next: 'body.items[-1].id', into: query.after, "
    'stop_when: "!(body.more)"}',
    "cursor-empty": "{type: cursor, next: 'body.items[-1].id', into: query.after, "
    'stop_when: "!(body.items)"}',
    "cursor-header": '{type: cursor, next: headers."x-next", into: header.x-after}',
    "next_url": "{type: next_url, next: body.links.next}",
    "link": "link",
    "keyset": "{type: keyset, field: id, into: query.since_id, size: {into: query.n, value: 4}}",
}
IN_BODY = ("page-more", "cursor", "cursor-own", "cursor-empty", "next_url")
"""Pagings that read the body, which a format of rows alone has no room for."""
INCREMENTALS = {
    "none": "",
    "time": "{field: at, into: query.since}",
    "time-sorted": "{field: at, into: query.since, sorted: true}",
    "time-falls": "{field: at, into: query.since, sorted: descending}",
    "time-format": '{field: at, into: query.since, format: "%Y-%m-%d %H:%M:%S"}',
    "time-unix": "{field: at, into: query.since, format: unix, lookback: 10s}",
    "number": "{field: seq, into: query.since, type: number, bound: exclusive}",
    "client": "{field: at, filter: client}",
    "window": '{field: at, into: query.since, start: "2025-12-31T00:00:00Z", '
    "window: {step: 12h, into: query.until, granularity: 1s}}",
    "window-template": '{field: at, start: "2025-12-31T00:00:00Z", window: {step: 1d}}',
    "reset": "{field: at, into: query.since, sorted: true, reset_after: 8}",
    "token": '{cursor: headers."x-sync", into: query.sync}',
    "modified": "{field: at, into: header.if-modified-since, format: http_date}",
}
FEEDS = {
    "token": (
        "{cursor: body.sync, into: query.sync}",
        "{cursor: body.sync}",
        "key: id, deleted: removed, record: thing",
    ),
    "call": (
        "{cursor: body.sync, into: query.sync}",
        "{get: /start, cursor: body.begin}",
        "key: of, deleted: \"kind == 'gone'\", record: thing",
    ),
    "now": (
        "{field: at, into: query.since}",
        "now",
        "key: thing.id, deleted: removed, record: thing",
    ),
    "records": ("{field: at, into: query.since, type: number}", "records", "deleted: removed"),
    "fetch": (
        "{cursor: body.sync, into: query.sync}",
        "{cursor: body.sync}",
        "key: of, fetch: {get: '/things/one/{{ change.of }}', record: body.thing}",
    ),
    "address": (
        "{cursor: body.delta, into: url}",
        "{cursor: body.delta}",
        "key: id, deleted: removed, record: thing",
    ),
}
"""The stream's ``incremental``, where the feed begins, and what else it says."""
FORMATS = {
    "json": ("", "body.items"),
    "ndjson": ("decode: ndjson", "body"),
    "csv": ("decode: csv", "body"),
    "xml": ("decode: {type: xml, lists: [items.item]}", '"body.items.item || `[]`"'),
    "xlsx": ("decode: xlsx", "body"),
}


@dataclass(frozen=True)
class Kind:
    """What one spec is made of."""

    auth: str = "none"
    paging: str = "none"
    incremental: str = "none"
    form: str = "json"
    family: str = "alone"
    deferred: bool = False
    feed: str = ""
    """How changes are followed once the list was read; empty for not at all."""
    marks: bool = False
    """Whether deleted records say so."""

    @property
    def label(self) -> str:
        """Return what is not the usual, as the id of a test."""
        usual = Kind()
        own = [
            f"{each.name}-{getattr(self, each.name)}"
            for each in fields(self)
            if getattr(self, each.name) != getattr(usual, each.name)
        ]
        return "_".join(own) or "usual"

    @property
    def is_possible(self) -> bool:
        """Tell whether the parts go together."""
        rows = self.form != "json"
        if self.feed and (rows or self.deferred or self.incremental != "none"):
            return False
        if self.feed and self.paging in ("page-path", "keyset"):
            return False  # the feed has another path, and changes have an order of their own
        if rows and self.paging in IN_BODY:
            return False
        if self.deferred and (self.paging == "page-path" or self.incremental == "modified"):
            return False
        falls = self.incremental in ("time-sorted", "time-falls", "reset")
        if falls and self.paging == "keyset":
            return False  # two orders at once
        # An empty answer of XML or CSV has no fields; its text has no numbers.
        return not (self.form in ("csv", "xml") and self.incremental == "number")

    def text(self, origin: str) -> str:
        """Return the file."""
        decode, records = FORMATS[self.form]
        auth = AUTHS[self.auth]
        where = "/things/{page}" if self.paging == "page-path" else "/things"
        lines = [f"paginate: {PAGINGS[self.paging]}".replace('\\"', '"'), f"records: {records}"]
        lines.append("key: id")
        rule = FEEDS[self.feed][0] if self.feed else INCREMENTALS[self.incremental]
        if rule:
            lines.append(f"incremental: {rule}")
        if self.marks:
            lines.append("deleted: \"gone == 'yes'\"")
        query = []
        if self.incremental == "window-template":
            query.append('between: "{{ window.start }}..{{ window.end }}"')
        family = {
            "alone": "",
            "list": "for_each: {list: [north, south], as: site}",
            "child": "for_each: {stream: groups, value: id, as: site, carry: {group: id}}",
            "batch": "for_each: {stream: groups, value: id, as: site, batch: 3}",
        }[self.family]
        if family:
            lines.append(family)
            query.append('site: "{{ each.site }}"')
        lines += self._request(query, where, decode)
        if self.feed:
            lines.append(self._feed(query))
        stream = "\n".join(f"    {line}" for line in lines)
        return f"""\
integration: shop
secrets: {{key: {{}}, other: {{}}}}
http:
  base_url: {origin}/api
  auth: {auth % origin if "%s" in auth else auth}
streams:
  groups: {{get: /groups, records: body, key: id, paginate: none, fields: {{}}}}
  things:
{stream}
""".replace(", fields: {}", "")

    def _request(self, query: list[str], where: str, decode: str) -> list[str]:
        if not self.deferred:
            own = [f"query: {{{', '.join(query)}}}"] if query else []
            return [f"get: {where!r}", *own, *([decode] if decode else [])]
        said = "".join(f", {one}" for one in query)
        how = f", {decode}" if decode else ""
        return [
            "deferred:",
            f"  create: {{post: /exports, json: {{what: things{said}}}, id: body.job.id}}",
            (
                "  poll: {get: '/exports/{{ job.id }}', every: 1s, "
                "done: body.state == 'done', failed: body.state == 'failed'}"
            ),
            f"  download: {{get: '{{{{ poll.body.url }}}}'{how}}}",
        ]

    def _feed(self, query: list[str]) -> str:
        _, begin, said = FEEDS[self.feed]
        asked = f", query: {{{', '.join(query)}}}" if query else ""
        return f"feed: {{get: /changes{asked}, records: body.items, from: {begin}, {said}}}"
