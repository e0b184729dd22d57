"""What a client is made with: TLS, keys, channel options, defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from understudy._address import Endpoints
from understudy._version import __version__

SERVICE_CONFIG: Final = '{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":""}}'
"""The service config of every channel: balance between addresses, leave out those that are not SERVING, no retry policy."""

RECEIVE_LIMIT: Final = 20 * 1024 * 1024
"""Largest message that is read, in bytes: the gateway's own limit. gRPC's default is 4 MiB."""

DEFAULT_TIMEOUTS: Final[Mapping[str, float | None]] = {
    "generate": 120.0,
    "chat": 120.0,
    "stream_chat": 600.0,
    "health": 5.0,
    "list_models": 120.0,
    "check": 5.0,
    "watch": None,
}
"""Deadlines of calls that set none, in seconds, by method; None for no deadline."""


@dataclass(frozen=True)
class Tls:
    """Certificates and keys.

    Each is PEM (text or bytes), or the path of a PEM file (``pathlib.Path``).

    Attributes:
        root_certificates: Authorities to trust. Default: those that come with grpcio.
        certificate_chain: Certificate of this client, for mTLS.
        private_key: Private key of this client, for mTLS.
        server_name: Name that the certificate of the gateway must have. Default: the host of the address.
    """

    root_certificates: str | bytes | os.PathLike[str] | None = None
    certificate_chain: str | bytes | os.PathLike[str] | None = None
    private_key: str | bytes | os.PathLike[str] | None = field(default=None, repr=False)
    server_name: str | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """Makes the credentials of a channel.

        Raises:
            ValueError: Of certificate and key of the client one is missing.
            OSError: A file cannot be read.
        """
        if (self.certificate_chain is None) != (self.private_key is None):
            raise ValueError("certificate_chain and private_key belong together")
        return grpc.ssl_channel_credentials(
            root_certificates=_pem(self.root_certificates),
            private_key=_pem(self.private_key),
            certificate_chain=_pem(self.certificate_chain),
        )


def _pem(value: str | bytes | os.PathLike[str] | None) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        if "-----BEGIN" not in value:
            raise ValueError("certificates and keys are PEM, or a pathlib.Path of a file")
        return value.encode()
    with open(value, "rb") as file:
        return file.read()


def channel_options(endpoints: Endpoints, tls: Tls | None, extra: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Makes the options of a channel; those of the caller win."""
    options: dict[str, Any] = {
        "grpc.primary_user_agent": f"understudy-python/{__version__}",
        "grpc.service_config": SERVICE_CONFIG,
        # Whatever a TXT record of the name says: a retry policy there could bill twice.
        "grpc.service_config_disable_resolution": 1,
        "grpc.max_receive_message_length": RECEIVE_LIMIT,
        "grpc.max_send_message_length": -1,
        "grpc.keepalive_time_ms": 30_000,
        "grpc.keepalive_timeout_ms": 10_000,
        "grpc.keepalive_permit_without_calls": 0,
        # Otherwise pings end after the second one while a model thinks in silence.
        "grpc.http2.max_pings_without_data": 0,
        # gRPC drops the details of an error by chance from 8 KiB of trailers on, and from 16 KiB always.
        "grpc.max_metadata_size": 64 * 1024,
        "grpc.absolute_max_metadata_size": 128 * 1024,
        # With a table for headers gRPC sends an earlier timeout again that is up to 3 % longer than that of the call.
        "grpc.http2.hpack_table_size.encoder": 0,
        # A gateway that was away is looked for every 10 s at least, instead of every 120 s.
        "grpc.initial_reconnect_backoff_ms": 200,
        "grpc.min_reconnect_backoff_ms": 5_000,
        "grpc.max_reconnect_backoff_ms": 10_000,
    }
    if endpoints.loopback:
        options["grpc.enable_http_proxy"] = 0
    if endpoints.authority is not None:
        options["grpc.default_authority"] = endpoints.authority
    if tls is not None and tls.server_name is not None:
        options["grpc.ssl_target_name_override"] = tls.server_name
        options["grpc.default_authority"] = tls.server_name
    options.update(extra)
    return list(options.items())


def merged_timeouts(timeouts: Mapping[str, float | None] | None) -> Mapping[str, float | None]:
    """Adds the defaults.

    Raises:
        ValueError: There is no such method.
    """
    merged = {**DEFAULT_TIMEOUTS, **(timeouts or {})}
    if unknown := sorted(set(merged) - set(DEFAULT_TIMEOUTS)):
        raise ValueError(f"timeouts has no method {unknown[0]!r}; it has {', '.join(DEFAULT_TIMEOUTS)}")
    return merged
