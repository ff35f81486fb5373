"""What ``constraints.txt`` pins can be installed by plain pip, and the Prefect server in it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deployments.block_types import BLOCK_TYPES
from tests.support.certificates import AS_IT_WAS, VARIABLE

ROOT = Path(__file__).resolve().parents[2]
START = """
import json, pathlib, sys, urllib.request
from deployments.local.prefect import local_prefect
with local_prefect(pathlib.Path(sys.argv[1])) as server:
    headers = {"Content-Type": "application/json"}
    types = urllib.request.Request(server.api_url + "/block_types/filter", b'{"limit": 200}', headers)
    print(json.dumps([each["slug"] for each in json.load(urllib.request.urlopen(types))]))
"""


def without_one_authority() -> dict[str, str]:
    """The variables with which pip reaches the package index."""
    return {name: value for name, value in os.environ.items() if name != VARIABLE} | AS_IT_WAS


@pytest.mark.slow
def test_a_server_starts_from_a_fresh_install(tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), str(ROOT)]
    subprocess.run(install, check=True, env=without_one_authority())
    home = tmp_path / "home"
    home.mkdir()
    elsewhere = {name: value for name, value in without_one_authority().items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), "-c", START, str(home)], cwd=tmp_path, env=elsewhere, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    ours = {block.get_block_type_slug() for block in BLOCK_TYPES}
    assert ours <= set(json.loads(done.stdout)), "a fresh server lists them without any register step"
