"""Addresses of gateways, as gRPC wants them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

_GRPC_SCHEMES = ("dns:", "unix:", "unix-abstract:", "ipv4:", "ipv6:", "xds:")
_HAS_PORT = re.compile(r":\d{1,5}$")
_INVALID = 'an address must be "host:port", "http://host:port", "https://host:port" or a name of gRPC such as "dns:///host:port"'


@dataclass(frozen=True)
class Endpoints:
    """Where the gateways are.

    Attributes:
        targets: Targets for gRPC, one for each channel. Calls take turns between channels, and within one by round_robin.
        secure: Whether TLS is used.
        loopback: Whether no byte leaves the machine.
        authority: The authority to send where gRPC would make one of a list of addresses.
    """

    targets: tuple[str, ...]
    secure: bool
    loopback: bool
    authority: str | None = None


@dataclass(frozen=True)
class _Host:
    name: str
    port: int
    secure: bool | None

    @property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        try:
            return ipaddress.ip_address(self.name)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"

    @property
    def loopback(self) -> bool:
        return _is_loopback(self.name)


def parse_addresses(addresses: str | Iterable[str], *, tls: bool) -> Endpoints:
    """Reads one or more addresses, also several in one text with commas between.

    Without a scheme an address is plaintext, or TLS where the caller has TLS options.

    Raises:
        ValueError: An address cannot be read, or they differ in TLS. The text does not repeat it: it may hold a secret.
    """
    texts = [addresses] if isinstance(addresses, str) else list(addresses)
    if len(texts) == 1 and texts[0].startswith(_GRPC_SCHEMES):
        return _passed_through(texts[0], tls=tls)
    hosts = [_parse_host(text.strip()) for joined in texts for text in joined.split(",")]
    if not hosts:
        raise ValueError(_INVALID)
    if len({host.secure for host in hosts if host.secure is not None}) > 1:
        raise ValueError("addresses of one client must all use TLS, or none")
    told = next((host.secure for host in hosts if host.secure is not None), None)
    if told is False and tls:
        raise ValueError('TLS options are given, but the address says "http://"')
    secure = tls if told is None else told
    loopback = all(host.loopback for host in hosts)
    hosts = list(dict.fromkeys(hosts))
    # One channel can hold several numeric addresses of one kind; their certificates would all be checked for one name.
    for scheme, version in (("ipv4", 4), ("ipv6", 6)):
        if all(host.ip is not None and host.ip.version == version for host in hosts) and (
            len(hosts) == 1 or not secure
        ):
            target = f"{scheme}:{','.join(host.authority for host in hosts)}"
            return Endpoints((target,), secure, loopback, hosts[0].authority)
    return Endpoints(tuple(_target(host) for host in hosts), secure, loopback)


def _target(host: _Host) -> str:
    if host.ip is None:
        return f"dns:///{host.authority}"
    return f"ipv{host.ip.version}:{host.authority}"


def _passed_through(text: str, *, tls: bool) -> Endpoints:
    if text.startswith(("unix:", "unix-abstract:")):
        return Endpoints((text,), tls, loopback=True)
    hosts = text.split(":", 1)[1].rsplit("/", 1)[-1].split(",")
    names = [_HAS_PORT.sub("", host).strip("[]") for host in hosts]
    return Endpoints((text,), tls, loopback=not text.startswith("xds:") and all(_is_loopback(name) for name in names))


def _parse_host(text: str) -> _Host:
    has_scheme = "://" in text
    if not has_scheme and _HAS_PORT.search(text) is None:
        raise ValueError(_INVALID)
    try:
        url = urlsplit(text if has_scheme else f"//{text}")
        port = url.port
    except ValueError:
        raise ValueError(_INVALID) from None
    if (has_scheme and url.scheme not in {"http", "https"}) or not url.hostname or url.path not in {"", "/"}:
        raise ValueError(_INVALID)
    if url.username is not None or url.query or url.fragment or re.search(r"[\s%]", url.hostname):
        raise ValueError(_INVALID)
    secure = {"http": False, "https": True}.get(url.scheme)
    if port is None:
        port = 443 if secure else 80
    if port == 0:
        raise ValueError(_INVALID)
    return _Host(url.hostname, port, secure)


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
