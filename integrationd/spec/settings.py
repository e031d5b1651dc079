"""The daemon's own settings, ``integrationd.yaml``. Everything has a default."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, TypeAlias

from typing_extensions import override

from integrationd.config.decode import SIZE, Bounds, Invalid, Site
from integrationd.config.leaves import decode_text
from integrationd.config.nodes import Fields, Node, Scalar
from integrationd.config.sites import Leaf
from integrationd.spec.database import EMBEDDED, Database
from integrationd.spec.names import SYSTEM_NAME, WORD_NAME
from integrationd.spec.references import refuse_literal
from integrationd.transform.clean import Region
from integrationd.transform.mapping import FIELD_NAME
from integrationd.transform.schema.record import FieldSchema
from integrationd.transform.zones import Zone

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Networks:
    """One range of addresses, ``10.20.0.0/16``."""

    FORM: ClassVar[Leaf] = Leaf("a network such as 10.20.0.0/16", {"type": "string"})

    network: Network

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Networks | Invalid:
        """Read a range; a single address is a range of one."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return site.expected(node, "a network such as 10.20.0.0/16")
        try:
            return cls(ipaddress.ip_network(node.value))
        except ValueError:
            return site.expected(node, "a network such as 10.20.0.0/16", "E111")


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the listener stands, ``127.0.0.1:8471``; port 0 takes any free one."""

    FORM: ClassVar[Leaf] = Leaf(
        "an address and a port such as 127.0.0.1:8471",
        {"type": "string", "pattern": "^.+:[0-9]{1,5}$"},
    )

    host: str
    port: int

    @override
    def __str__(self) -> str:
        """Print as it is written."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Listen | Invalid:
        """Read ``HOST:PORT``; an IPv6 host stands in brackets."""
        text = node.value if isinstance(node, Scalar) else None
        if isinstance(text, str):
            host, colon, port = text.rpartition(":")
            host = host.removeprefix("[").removesuffix("]")
            if colon and host and port.isascii() and port.isdigit() and int(port) < 1 << 16:
                return cls(host, int(port))
        return site.expected(node, "an address and a port such as 127.0.0.1:8471", "E111")


class PublicUrl(str):
    """An address as senders see it, without a slash at its end."""

    __slots__ = ()

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> PublicUrl | Invalid:
        """Read an address of scheme, host and perhaps port and path."""
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        if not _PUBLIC_URL.fullmatch(text):
            return site.expected(node, "an address such as https://hooks.example.org", "E111")
        return cls(text.rstrip("/"))


class NodeName(str):
    """What one daemon among several is called."""

    FORM: ClassVar[Leaf] = Leaf(
        "a name as hosts have", {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"}
    )

    __slots__ = ()

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> NodeName | Invalid:
        """Read a name as hosts have."""
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        if not _NODE_NAME.fullmatch(text):
            return site.expected(node, "letters, digits, '.', '_' and '-', at most 63", "E109")
        return cls(text)


_NODE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PUBLIC_URL: Final = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(?:/[A-Za-z0-9._~/%-]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """What may be called."""

    allow: tuple[Networks, ...] = ()
    """Private networks that specs may call; everything private is refused otherwise."""


@dataclass(frozen=True, slots=True)
class MasterKeyFile:
    """Where the master key of the encrypted store is: ``{file: /etc/integrationd/master-key}``."""

    FORM: ClassVar[Leaf] = Leaf(
        "{file: PATH}",
        {
            "type": "object",
            "properties": {"file": {"type": "string", "pattern": "^/"}},
            "required": ["file"],
            "additionalProperties": False,
        },
    )

    path: str
    """Absolute."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> MasterKeyFile | Invalid:
        """Read a path; nothing that may be the key itself is ever shown."""
        instead = "write {file: PATH}"
        if not isinstance(node, Fields):
            return refuse_literal(node, site, instead)
        path = node.get("file")
        if path is None or len(node.entries) != 1:
            return site.refuse(node.position, "E103", f"{site.path} names no file; {instead}")
        if not isinstance(path, Scalar) or not _ABSOLUTE.fullmatch(str(path.value)):
            message = f"{site.path}.file is not an absolute path, which is all that may stand here"
            return site.refuse(path.position, "E111", message)
        return cls(str(path.value))


_ABSOLUTE: Final = re.compile(r"/[^\x00]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSettings:
    """Where references to secrets may point, and the encrypted store's key."""

    env_prefix: tuple[str, ...] = ("INTEGRATIOND_SECRET_",)
    """Environment variables that ``{env: X}`` may name begin with one of these."""
    dirs: tuple[str, ...] = ("/etc/integrationd/secrets",)
    """Directories that ``{file: P}`` may read from."""
    master_key: MasterKeyFile | None = None
    """The file of the key that seals the encrypted store; a systemd credential goes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a spec does not say itself."""

    timeout: timedelta = timedelta(seconds=30)
    """For a whole outbound call."""
    retries: Annotated[int, Bounds(0, 20)] = 3
    """How often a call that may succeed later is tried again."""
    webhook_timeout: timedelta = timedelta(seconds=10)
    """For an inbound call to arrive in whole and be stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLimits:
    """How large things may be."""

    body: Annotated[int, SIZE] = 1_000_000
    """Of an inbound call."""
    response: Annotated[int, SIZE] = 16_000_000
    """Of a provider's answer, decompressed."""
    runs: Annotated[int, Bounds(1, 10_000)] = 50
    """Readings at the same time."""
    queue: Annotated[int, Bounds(1, 1_000_000)] = 2000
    """Transactions that may wait for the store; above it webhooks get 503."""
    lease: timedelta = timedelta(seconds=60)
    """How long the readings of a daemon that fell silent keep others from those streams."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a lease that a busy machine would lose."""
        if self.lease < LEASE_MIN:
            where = node.entries["lease"]
            return site.key("lease").expected(where, "at least 3s", "E111")
        return None


LEASE_MIN: Final = timedelta(seconds=3)
"""A daemon renews three times in that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """How long what is kept."""

    runs: timedelta = timedelta(days=90)
    """Which stream was read, when, and how it ended."""
    events: timedelta = timedelta(days=30)
    """Inbound calls."""
    history: timedelta = timedelta(days=365)
    """What records held before they changed."""
    quarantine: timedelta = timedelta(days=365)
    """Records that could not be mapped, since the last time that they came."""
    raw_pages: timedelta = timedelta(days=7)
    """Answers as they came. Taken and kept; this version stores none."""
    exchanges: timedelta = timedelta(days=7)
    """Calls and their answers. Taken and kept; this version stores none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionGuard:
    """When a deletion waits for a person: above both."""

    percent: Annotated[float, Bounds(0, 100)] = 10
    """Of a stream's living records."""
    rows: Annotated[int, Bounds(0)] = 50
    """And this many of them."""


class LogLevel(StrEnum):
    """The least important line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """``auto``: console on a terminal, journal levels under systemd, JSON otherwise."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"
    JOURNAL = "journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """How lines are written."""

    level: LogLevel = LogLevel.INFO
    """The least important line that is written."""
    format: LogFormat = LogFormat.AUTO
    """``auto``: console on a terminal, journal levels under systemd, JSON otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """What is one tenant's own; integrations say ``tenant: NAME``."""

    region: Region | None = None
    """Its country, ``EC``: that of telephone numbers that do not say theirs."""
    fields: Annotated[Mapping[str, Annotated[Mapping[str, FieldSchema], FIELD_NAME]], WORD_NAME] = (
        dataclasses.field(default_factory=dict)
    )
    """Fields that it adds to entities: by entity and name a JSON Schema, as in
    ``{student: {house: {type: string}}}``. Streams map them under ``custom``; one that has no value
    is left out of the record."""
    vars: Annotated[Mapping[str, Any], WORD_NAME] = dataclasses.field(default_factory=dict)
    """Values for its flows. Taken and kept; nothing reads them before there are flows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exec:
    """Which local programs may be run."""

    allow: tuple[str, ...] = ()
    """Paths of programs. Taken and kept; this version runs none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """Which directories may be read and written."""

    roots: Annotated[Mapping[str, str], WORD_NAME] = dataclasses.field(default_factory=dict)
    """Directories by name. Taken and kept; this version reads and writes no files of a site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole file."""

    listen: Listen = Listen("127.0.0.1", 8471)
    """Webhooks, health and metrics."""
    database: Database = EMBEDDED
    """Where everything is kept; ``sqlite`` is a file in the state directory."""
    node: NodeName | None = None
    """What this daemon is called among several on one PostgreSQL; the host's name by default."""
    public_url: PublicUrl | None = None
    """What senders see, ``https://hooks.example.org``; webhook addresses are printed with it."""
    timezone: Zone = Zone("UTC")  # noqa: RUF009 - immutable
    """Of schedules by cron and time of day that name none."""
    egress: Egress = Egress()
    """What may be called."""
    secrets: SecretSettings = SecretSettings()
    """Where references to secrets may point."""
    defaults: Defaults = Defaults()
    """What a spec does not say itself."""
    limits: SizeLimits = SizeLimits()
    """How large things may be, and how many."""
    retention: RetentionSettings = RetentionSettings()
    """How long what is kept."""
    deletions: DeletionGuard = DeletionGuard()
    """When a deletion waits for a person."""
    drain: timedelta = timedelta(seconds=25)
    """How long readings may go on after the daemon is told to stop."""
    log: LogSettings = LogSettings()
    """How lines are written."""
    tenants: Annotated[Mapping[str, Tenant], SYSTEM_NAME] = dataclasses.field(default_factory=dict)
    """What is a tenant's own, by its name. One that adds nothing need not stand here."""
    environment: str = ""
    """A word for people, ``production``. Taken and kept; nothing acts on it."""
    trusted_proxies: tuple[Networks, ...] = ()
    """Who may say where a call came from. Taken and kept; this version looks at no such header."""
    exec: Exec = Exec()
    """Which local programs may be run."""
    files: FileSettings = FileSettings()
    """Which directories may be read and written."""
