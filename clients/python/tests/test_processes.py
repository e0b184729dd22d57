"""Processes: their end, forks, and what is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from stub_server import StubServer

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def run(script: str, address: str, *, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", script, address],
        env={**ENVIRONMENT, **(environment or {})},
        text=True,
        capture_output=True,
        timeout=180,
        check=False,
    )


ENDS = {
    "a stream that was left": """
import sys, understudy
client = understudy.Client(sys.argv[1])
for event in client.stream_chat("Hi"):
    break
""",
    "a stream under way": """
import sys, understudy
client = understudy.Client(sys.argv[1])
stream = client.stream_chat("Hi")
next(stream)
""",
    "an exception in a loop": """
import sys, understudy
with understudy.Client(sys.argv[1]) as client:
    for event in client.stream_chat("Hi"):
        sys.exit(0)
""",
    "a stream of asyncio that was left": """
import asyncio, sys, understudy
async def main():
    client = understudy.AsyncClient(sys.argv[1])
    async for event in client.stream_chat("Hi"):
        break
asyncio.run(main())
""",
    "a stream of asyncio under way": """
import asyncio, sys, understudy
async def main():
    global stream
    client = understudy.AsyncClient(sys.argv[1])
    stream = client.stream_chat("Hi")
    await anext(stream)
asyncio.run(main())
""",
    "a client of asyncio that nobody closes": """
import asyncio, sys, understudy
async def main():
    client = understudy.AsyncClient(sys.argv[1])
    await client.generate("Hi")
    await client.check()
asyncio.run(main())
""",
}


@pytest.mark.parametrize("script", ENDS.values(), ids=ENDS.keys())
def test_nothing_keeps_the_process_alive_or_writes_to_its_output(server: StubServer, script: str) -> None:
    begun_at = time.monotonic()
    result = run(script, server.address)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert time.monotonic() - begun_at < 8
    if "stream_chat" in script:
        server.left_after()


FORK_BEFORE_THE_FIRST_CALL = """
import os, sys, understudy
client = understudy.Client(sys.argv[1])
children = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if client.generate("child", timeout=60).text == "child" else 1)
    children.append(pid)
assert client.generate("parent", timeout=60).text == "parent"
assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
"""

FORK_BETWEEN_CALLS = """
import os, sys, understudy
client = understudy.Client(sys.argv[1])
assert client.generate("parent", timeout=60).text == "parent"
pid = os.fork()
if pid == 0:
    os._exit(0 if client.generate("child", timeout=60).text == "child" else 1)
assert os.waitpid(pid, 0)[1] == 0
assert client.generate("parent", timeout=60).text == "parent"
"""


def test_a_client_may_be_made_before_a_fork_and_used_behind_it(server: StubServer) -> None:
    result = run(FORK_BEFORE_THE_FIRST_CALL, server.address)
    assert result.returncode == 0, result.stderr
    assert len(set(server.peers)) == 4


def test_a_client_may_be_used_on_both_sides_of_a_fork_with_the_support_of_grpcio(server: StubServer) -> None:
    result = run(FORK_BETWEEN_CALLS, server.address, environment={"GRPC_ENABLE_FORK_SUPPORT": "1"})
    assert result.returncode == 0, result.stderr


INTERRUPTED = """
import signal, sys, threading, understudy
with understudy.Client(sys.argv[1]) as client:
    threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT)).start()
    try:
        for event in client.stream_chat("Hi"):
            pass
    except KeyboardInterrupt:
        print("interrupted")
        sys.stdin.readline()
"""


def test_ctrl_c_aborts_a_stream(server: StubServer) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, server.address],
        env=ENVIRONMENT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "interrupted\n"
        server.left_after(2)
        process.communicate("\n")
    assert process.returncode == 0
