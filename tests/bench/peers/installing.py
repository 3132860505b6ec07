"""Programs of others, installed where the benchmark keeps its files, which are thrown away."""

import shutil
import subprocess
import sys
from pathlib import Path

INSTALL_SECONDS = 600


def install_from_pypi(directory: Path, *, name: str, requirement: str) -> Path:
    """Return the programs of a new virtual environment. Raises OSError or SubprocessError where that cannot be."""
    venv = directory / name
    uv = shutil.which("uv")
    commands = (
        [
            [uv, "venv", "--quiet", "--python", sys.executable, str(venv)],
            [uv, "pip", "install", "--quiet", "--python", str(venv / "bin/python"), requirement],
        ]
        if uv is not None
        else [
            [sys.executable, "-m", "venv", str(venv)],
            [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", requirement],
        ]
    )
    for command in commands:
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    return venv / "bin"


def install_from_npm(directory: Path, *, name: str, requirement: str) -> Path:
    """Return the folder of the installed package. Raises OSError or SubprocessError where that cannot be."""
    home = directory / name
    home.mkdir()
    command = ["npm", "install", "--silent", "--prefix", str(home), requirement]
    subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    return home / "node_modules" / requirement.rpartition("@")[0]
