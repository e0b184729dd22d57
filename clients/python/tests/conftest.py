from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from stub_server import StubServer

REPOSITORY = Path(__file__).resolve().parents[3]

CONFIG = """
targets:
  - {{ name: mock, provider: mock, model: mock-ok }}
  - {{ name: second, provider: mock, model: mock-ok }}
  - {{ name: lead, provider: mock, model: mock-stream-cut }}
routes:
  - {{ name: default, targets: [mock] }}
  - {{ name: broken, targets: [lead, second] }}
server:
  grpc_address: 127.0.0.1:{0}
  http_address: 127.0.0.1:{1}
  admin_address: 127.0.0.1:{2}
"""


@pytest.fixture
def server() -> Iterator[StubServer]:
    stub = StubServer()
    yield stub
    stub.stop()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real gateway whose providers are mocks."""
    if address := os.environ.get("UNDERSTUDY_ADDRESS"):
        yield address
        return
    if not (REPOSITORY / "bin" / "understudy.js").exists() or not (REPOSITORY / "node_modules").exists():
        pytest.skip("needs the repository with its packages installed (npm ci)")
    ports = [free_port() for _ in range(3)]
    config = tmp_path_factory.mktemp("gateway") / "config.yaml"
    config.write_text(CONFIG.format(*ports))
    with subprocess.Popen(
        ["npm", "exec", "--", "node", "bin/understudy.js", "--config", config],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            wait_for_port(ports[0], process)
            yield f"127.0.0.1:{ports[0]}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the gateway did not start")
