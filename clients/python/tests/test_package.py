"""The wheel and the sdist hold what they must."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_wheel_and_sdist(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    built = subprocess.run(command, text=True, capture_output=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("py.typed", "__init__.py", "types.py", "v1/llm_pb2.py", "v1/llm_pb2.pyi", "v1/llm_pb2_grpc.pyi"):
        assert f"understudy/{name}" in names
    assert any(name.endswith("LICENSE") for name in names)
    assert not any("test" in name or "tools" in name for name in names)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"README.md", "LICENSE", "conformance.py", "example/chat.py", "tests/conftest.py", "buf.gen.yaml"} <= held
