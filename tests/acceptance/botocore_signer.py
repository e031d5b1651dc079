"""Signs with botocore, in an environment of its own: JSON lines of requests in, signatures out."""

from __future__ import annotations

import datetime as dt
import json
import sys
from unittest import mock

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def sign(asked: dict) -> str:
    """Return the ``authorization`` header of one request."""
    request = AWSRequest(
        method=asked["method"],
        url=asked["url"],
        headers=asked["headers"],
        data=asked["body"].encode(),
    )
    kind = auth.S3SigV4Auth if asked["service"] == "s3" else auth.SigV4Auth
    credentials = Credentials(asked["access_key"], asked["secret_key"])
    signer = kind(credentials, asked["service"], asked["region"])
    moment = dt.datetime.fromisoformat(asked["at"])
    with mock.patch.object(auth, "get_current_datetime", return_value=moment):
        signer.add_auth(request)
    return request.headers["Authorization"]


for line in sys.stdin:
    print(json.dumps(sign(json.loads(line))), flush=True)
