"""TLS, mTLS, and keys that must not go over plaintext."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from certificates import Authority, Pair
from stub_server import StubServer

import understudy


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def serve(pair: Pair, client_authority: bytes | None = None) -> StubServer:
    return StubServer(
        credentials=grpc.ssl_server_credentials(
            [(pair.key, pair.certificate)], client_authority, require_client_auth=client_authority is not None
        )
    )


@pytest.fixture
def secure_server(authority: Authority) -> Iterator[StubServer]:
    server = serve(authority.pair("localhost"))
    yield server
    server.stop()


def test_tls_takes_pem_as_text_as_bytes_and_as_a_file(
    authority: Authority, secure_server: StubServer, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.certificate)
    for roots in (authority.certificate, authority.certificate.decode(), path):
        tls = understudy.Tls(root_certificates=roots)
        with understudy.Client(f"localhost:{secure_server.port}", tls=tls, api_key="secret") as client:
            assert client.generate("Hi").text == "Hi"
        with understudy.Client(f"https://{secure_server.address}", tls=tls) as client:
            assert client.generate("Hi").text == "Hi"
    assert secure_server.metadata[0]["authorization"] == "Bearer secret"


def test_several_secure_addresses_are_each_checked_for_their_own_name(
    authority: Authority, secure_server: StubServer
) -> None:
    other = serve(authority.pair("localhost"))
    try:
        tls = understudy.Tls(root_certificates=authority.certificate)
        with understudy.Client([secure_server.address, f"localhost:{other.port}"], tls=tls) as client:
            for _ in range(4):
                client.generate("Hi")
        assert len(secure_server.calls) == len(other.calls) == 2
    finally:
        other.stop()


def test_an_unknown_authority_or_another_name_is_refused(authority: Authority, secure_server: StubServer) -> None:
    with understudy.Client(f"https://localhost:{secure_server.port}", max_retries=0) as client:
        with pytest.raises(understudy.UnavailableError):
            client.generate("Hi", timeout=5)
    tls = understudy.Tls(root_certificates=authority.certificate, server_name="gateway.example")
    with understudy.Client(f"localhost:{secure_server.port}", tls=tls, max_retries=0) as client:
        with pytest.raises(understudy.UnavailableError):
            client.generate("Hi", timeout=5)


def test_the_name_of_the_certificate_can_be_given(authority: Authority) -> None:
    server = serve(authority.pair("gateway.example"))
    try:
        tls = understudy.Tls(root_certificates=authority.certificate, server_name="gateway.example")
        with understudy.Client(server.address, tls=tls) as client:
            assert client.generate("Hi").text == "Hi"
    finally:
        server.stop()


def test_mtls(authority: Authority) -> None:
    server = serve(authority.pair("localhost"), authority.certificate)
    own = authority.pair("caller")
    tls = understudy.Tls(
        root_certificates=authority.certificate, certificate_chain=own.certificate, private_key=own.key
    )
    assert "PRIVATE" not in repr(tls)

    async def main() -> str:
        async with understudy.AsyncClient(f"localhost:{server.port}", tls=tls) as client:
            return (await client.generate("Hi")).text

    try:
        assert asyncio.run(main()) == "Hi"
        without = understudy.Tls(root_certificates=authority.certificate)
        with understudy.Client(f"localhost:{server.port}", tls=without, max_retries=0) as client:
            with pytest.raises(understudy.UnavailableError):
                client.generate("Hi", timeout=5)
    finally:
        server.stop()


def test_options_of_tls_that_make_no_sense_are_refused(authority: Authority) -> None:
    with pytest.raises(ValueError, match="belong together"):
        understudy.Client("localhost:1", tls=understudy.Tls(private_key=authority.pair("a").key))
    with pytest.raises(ValueError, match=r"pathlib\.Path"):
        understudy.Client("localhost:1", tls=understudy.Tls(root_certificates="ca.pem"))
    with pytest.raises(ValueError, match="http://"):
        understudy.Client("http://localhost:1", tls=True)


@pytest.mark.parametrize("kind", [understudy.Client, understudy.AsyncClient])
def test_a_key_goes_over_plaintext_to_this_host_alone(kind: type[understudy.Client]) -> None:
    for address in (
        "localhost:1",
        "127.0.0.1:1",
        "[::1]:1",
        "http://127.8.0.1:1",
        "unix:/tmp/socket",
        "dns:///localhost:1",
    ):
        kind(address, api_key="secret")
    for address in (
        "gateway:1",
        "10.0.0.1:1",
        "http://gateway:1",
        "127.0.0.1:1,gateway:1",
        "dns:///gateway:1",
        "xds:///a",
    ):
        with pytest.raises(ValueError, match="plaintext") as caught:
            kind(address, api_key="secret")
        assert "secret" not in str(caught.value)
        kind(address, api_key="secret", allow_api_key_without_tls=True)
    kind("https://gateway:1", api_key="secret")


@pytest.mark.parametrize("key", ["", "two words", "line\nfeed", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_told(key: str) -> None:
    with pytest.raises(ValueError, match="printable") as caught:
        understudy.Client("localhost:1", api_key=key)
    assert not key or key not in str(caught.value)
