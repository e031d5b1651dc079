"""The options of curl: which take a value, and what becomes of each here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from integrationd.config.nodes import Position
from integrationd.importers.curl.words import Word

SHORT: Final[Mapping[str, str]] = {
    "X": "request",
    "H": "header",
    "d": "data",
    "F": "form",
    "u": "user",
    "G": "get",
    "b": "cookie",
    "A": "user-agent",
    "e": "referer",
    "x": "proxy",
    "U": "proxy-user",
    "I": "head",
    "k": "insecure",
    "L": "location",
    "m": "max-time",
    "T": "upload-file",
    "E": "cert",
    "r": "range",
    "z": "time-cond",
    "g": "globoff",
    "n": "netrc",
    ":": "next",
    "K": "config",
    "o": "output",
    "O": "remote-name",
    "J": "remote-header-name",
    "s": "silent",
    "S": "show-error",
    "v": "verbose",
    "i": "include",
    "f": "fail",
    "w": "write-out",
    "c": "cookie-jar",
    "D": "dump-header",
    "#": "progress-bar",
    "N": "no-buffer",
    "q": "disable",
    "R": "remote-time",
    "Z": "parallel",
    "V": "version",
    "0": "http1.0",
    "1": "tlsv1",
    "2": "sslv2",
    "3": "sslv3",
    "4": "ipv4",
    "6": "ipv6",
    "C": "continue-at",
    "Y": "speed-limit",
    "y": "speed-time",
    "p": "proxytunnel",
    "a": "append",
    "B": "use-ascii",
    "h": "help",
    "j": "junk-session-cookies",
    "l": "list-only",
    "M": "manual",
    "P": "ftp-port",
    "Q": "quote",
    "t": "telnet-option",
}
_SAID: Final = """
    request header data data-ascii data-raw data-binary data-urlencode json form form-string
    user get cookie user-agent referer proxy proxy-user head max-time connect-timeout retry url
    oauth2-bearer basic digest url-query globoff cert key aws-sigv4 anyauth
"""
SAID: Final = frozenset(_SAID.split())
"""What is translated."""
_WITH_VALUE: Final = """
    request header data data-ascii data-raw data-binary data-urlencode json form form-string
    user cookie user-agent referer proxy proxy-user max-time connect-timeout retry url
    oauth2-bearer url-query cert key aws-sigv4 upload-file range time-cond config output
    output-dir write-out cookie-jar dump-header continue-at speed-limit speed-time ftp-port
    quote telnet-option abstract-unix-socket alt-svc cacert capath cert-type ciphers connect-to
    create-file-mode crlfile curves delegation dns-interface dns-ipv4-addr dns-ipv6-addr
    dns-servers doh-url egd-file engine etag-compare etag-save expect100-timeout ftp-account
    ftp-alternative-to-user ftp-method ftp-ssl-ccc-mode happy-eyeballs-timeout-ms hostpubmd5
    hostpubsha256 hsts interface keepalive-time key-type krb libcurl limit-rate local-port
    login-options mail-auth mail-from mail-rcpt max-filesize max-redirs netrc-file noproxy
    parallel-max pass pinnedpubkey preproxy proto proto-default proto-redir proxy-cacert
    proxy-capath proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key
    proxy-key-type proxy-pass proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers
    proxy-tlsauthtype proxy-tlspassword proxy-tlsuser proxy1.0 pubkey random-file rate
    request-target resolve retry-delay retry-max-time sasl-authzid service-name socks4 socks4a
    socks5 socks5-gssapi-service socks5-hostname stderr tftp-blksize tls-max tls13-ciphers
    tlsauthtype tlspassword tlsuser trace trace-ascii unix-socket variable ip-tos ech
    vlan-priority ipfs-gateway trace-config sigalgs
"""
WITH_VALUE: Final = frozenset(_WITH_VALUE.split())
_WITHOUT: Final = """
    get head insecure location globoff netrc next remote-name remote-header-name silent
    show-error verbose include fail progress-bar no-buffer disable remote-time parallel version
    http1.0 http1.1 http2 http3 http3-only http2-prior-knowledge http0.9 tlsv1 tlsv1.0 tlsv1.1
    tlsv1.2 tlsv1.3 sslv2 sslv3 ipv4 ipv6 proxytunnel append use-ascii help manual list-only
    junk-session-cookies anyauth basic digest ntlm ntlm-wb negotiate compressed compressed-ssh
    cert-status create-dirs crlf disable-eprt disable-epsv disallow-username-in-url
    doh-cert-status doh-insecure fail-early fail-with-body false-start form-escape
    ftp-create-dirs ftp-pasv ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-control
    haproxy-protocol ignore-content-length location-trusted mail-rcpt-allowfails metalink
    netrc-optional alpn npn clobber keepalive progress-meter sessionid parallel-immediate
    path-as-is post301 post302 post303 proxy-anyauth proxy-basic proxy-digest proxy-insecure
    proxy-negotiate proxy-ntlm proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxy-tlsv1 raw
    remote-name-all remove-on-error retry-all-errors retry-connrefused sasl-ir socks5-basic
    socks5-gssapi socks5-gssapi-nec ssl ssl-allow-beast ssl-auto-client-cert ssl-no-revoke
    ssl-reqd ssl-revoke-best-effort styled-output suppress-connect-headers tcp-fastopen
    tcp-nodelay tftp-no-options tr-encoding trace-time trace-ids xattr skip-existing ca-native
    proxy-ca-native mptcp buffer
"""
WITHOUT: Final = frozenset(_WITHOUT.split())
_SHOWS: Final = """
    silent show-error verbose include output remote-name remote-header-name remote-name-all
    remote-time output-dir create-dirs clobber write-out progress-bar progress-meter no-buffer
    buffer cookie-jar dump-header stderr styled-output trace trace-ascii trace-time trace-ids
    libcurl fail fail-early fail-with-body compressed disable parallel parallel-immediate xattr
    remove-on-error http1.1 http2 http3 ipv4 ipv6 keepalive keepalive-time tcp-nodelay
    tcp-fastopen no-keepalive sessionid alpn npn location max-redirs retry-delay retry-max-time
    retry-all-errors retry-connrefused speed-limit speed-time raw tlsv1 tlsv1.0 tlsv1.1 tlsv1.2
    path-as-is expect100-timeout suppress-connect-headers junk-session-cookies etag-save hsts
    alt-svc http2-prior-knowledge proxytunnel proxy-basic noproxy
"""
SHOWS: Final = frozenset(_SHOWS.split())
"""What only tells curl how to show or to carry an answer, and means nothing here."""
WHY: Final[Mapping[str, str]] = {
    "insecure": "certificates are always checked; say 'http.tls.ca' for one of your own",
    "upload-file": "files are not sent",
    "netrc": "no file of passwords is read; say 'http.auth'",
    "config": "further options in a file are not read",
    "next": "only the first request is imported",
    "cacert": "say the certificate's text under 'http.tls.ca'",
    "ntlm": "this way to log in is not known here",
    "negotiate": "this way to log in is not known here",
    "range": "parts of an answer are not asked for",
    "time-cond": "say 'incremental' with the header",
    "location-trusted": "credentials go only to the hosts that are declared",
    "resolve": "names are looked up as usual",
    "connect-to": "names are looked up as usual",
    "unix-socket": "only hosts are asked",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One option of a command line."""

    name: str
    """In its long form; ``url`` for a word that is no option."""
    value: str
    position: Position


def read_options(words: list[Word]) -> Iterator[Said]:
    """Yield the options in their order; those that curl does not have are called ``?``.

    A short option's value may follow at once, several may stand behind one hyphen.
    """
    waiting = iter(words)
    for word in waiting:
        text = word.text
        if text.startswith("--") and text != "--":
            name = text.removeprefix("--")
            name = _find(name) or name.removeprefix("no-")
            if name in WITH_VALUE:
                yield Said(name, _next(waiting), word.position)
            else:
                yield Said(name if name in WITHOUT else "?", "", word.position)
        elif text.startswith("-") and text not in ("-", "--"):
            yield from _read_short(text, word.position, waiting)
        elif text != "--":
            yield Said("url", text, word.position)


def _find(name: str) -> str | None:
    """Return the option that a name begins, as curl takes unique beginnings too."""
    if name in WITH_VALUE or name in WITHOUT:
        return name
    found = [each for each in sorted(WITH_VALUE | WITHOUT) if name and each.startswith(name)]
    return found[0] if len(found) == 1 else None


def _read_short(text: str, position: Position, waiting: Iterator[Word]) -> Iterator[Said]:
    rest = text[1:]
    while rest:
        name = SHORT.get(rest[0], "?")
        rest = rest[1:]
        if name in WITH_VALUE:
            yield Said(name, rest or _next(waiting), position)
            return
        yield Said(name, "", position)
        if name == "?":
            # What follows may be its value, and a secret.
            return


def _next(waiting: Iterator[Word]) -> str:
    found = next(waiting, None)
    return "" if found is None else found.text
