"""Parts in one body, each behind a boundary."""

from __future__ import annotations

import hashlib
from typing import Final

from integrationd.model.secret import reveal
from integrationd.wire.messages import Pairs

_ESCAPES: Final = {"\r": "%0D", "\n": "%0A", '"': "%22"}


def encode_parts(pairs: Pairs) -> tuple[bytes, str]:
    """Return a body of the parts and its content type.

    The boundary is made of the parts themselves, so that the same call is the same bytes each time
    that it is tried.

    Raises:
        UnicodeEncodeError: A text is not valid Unicode.

    Source:
        RFC 7578; a name is escaped as browsers do, by the WHATWG's section "Multipart form data".
    """
    parts = [encode_part(name, reveal(value)) for name, value in pairs]
    boundary = _boundary(b"".join(parts))
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
    return body, f"multipart/form-data; boundary={boundary}"


def encode_part(name: str, value: str) -> bytes:
    """Return one part as it stands between two boundaries."""
    shown = "".join(_ESCAPES.get(sign, sign) for sign in name)
    return f'content-disposition: form-data; name="{shown}"\r\n\r\n{value}'.encode()


def _boundary(content: bytes) -> str:
    """Return what the content does not hold: nobody can write a digest into what it is of."""
    return f"part-{hashlib.sha256(content).hexdigest()[:32]}"
