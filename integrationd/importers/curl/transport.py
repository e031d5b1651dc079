"""How a command line is carried: times, tries, certificates and a proxy."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from integrationd.importers.curl.asked import Asked
from integrationd.importers.draft import Draft


def write_transport(asked: Asked, draft: Draft) -> None:
    """Say under ``http`` what curl was told of it."""
    http = draft.http
    http.update({key: f"{math.ceil(value)}s" for key, value in asked.seconds.items()})
    if asked.retries is not None:
        http["retries"] = asked.retries
    if asked.certificate:
        draft.secrets["certificate"] = {}
        draft.secrets["private_key"] = {}
        pair = {"certificate": "{{ secrets.certificate }}", "key": "{{ secrets.private_key }}"}
        http["tls"] = pair
    if asked.proxy:
        _write_proxy(asked, draft)


def _write_proxy(asked: Asked, draft: Draft) -> None:
    url = asked.proxy if "://" in asked.proxy else f"http://{asked.proxy}"
    parts = urlsplit(url)
    if parts.scheme != "http":
        asked.report.lose(asked.position, "--proxy: only an HTTP proxy is known here")
        return
    host = parts.netloc.rpartition("@")[2]
    user = asked.proxy_user or parts.netloc.rpartition("@")[0]
    if user:
        draft.secrets["proxy_user"] = {"description": "USER:PASSWORD for the proxy"}
        asked.report.note(asked.position, "the proxy's user is a secret; set 'proxy_user'")
        host = f"{{{{ secrets.proxy_user }}}}@{host}"
    draft.http["proxy"] = f"http://{host}"
