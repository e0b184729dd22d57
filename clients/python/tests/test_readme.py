"""The README's snippets and the example run as they stand."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from test_processes import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[1]


def test_the_snippets_of_the_readme_run(gateway: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 5
    script = tmp_path / "readme.py"
    script.write_text("\n\n".join(blocks).replace("127.0.0.1:50051", gateway))
    names = runpy.run_path(str(script))
    names["client"].close()
    printed = capsys.readouterr().out
    assert " mock 0.000" in printed
    assert "StatusCode.UNAVAILABLE ALL_PROVIDERS_FAILED" in printed


def test_the_example_runs(gateway: str) -> None:
    command = [sys.executable, str(ROOT / "example" / "chat.py"), gateway]
    result = subprocess.run(command, env=ENVIRONMENT, text=True, capture_output=True, timeout=30, check=False)
    assert result.returncode == 0, result.stderr
    assert re.search(r"\n\[mock, mock-ok, \d+ tokens, 0\.000\d+ USD\]\n$", result.stdout)


def test_the_conformance_program_runs(gateway: str) -> None:
    cases = [
        "generate",
        "chat",
        "stream",
        "health",
        "list-models",
        "health-check",
        "health-watch",
        "deadline",
        "decoded-error",
        "restarted",
    ]
    result = subprocess.run(
        [sys.executable, str(ROOT / "conformance.py"), *cases],
        env={**ENVIRONMENT, "UNDERSTUDY_ADDRESS": gateway},
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert result.stdout.count('"ok": true') == len(cases)
