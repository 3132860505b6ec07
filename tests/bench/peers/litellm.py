"""LiteLLM's proxy, for comparison: installed where the benchmark keeps its files, which are thrown away."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .processes import Bench, Server, free_port
from .wire import EMBEDDINGS_PATH, KEY, UPSTREAM_BASE

REQUIREMENT = "litellm[proxy]==1.98.*"
"""Later ones need a certifi that there is not (2026-11)."""

INSTALL_SECONDS = 600
START_SECONDS = 120.0


def install_litellm(directory: Path) -> Path:
    """Return the program, newly installed. Raises OSError or SubprocessError where that cannot be."""
    venv = directory / "litellm"
    uv = shutil.which("uv")
    commands = (
        [
            [uv, "venv", "--quiet", "--python", sys.executable, str(venv)],
            [uv, "pip", "install", "--quiet", "--python", str(venv / "bin/python"), REQUIREMENT],
        ]
        if uv is not None
        else [
            [sys.executable, "-m", "venv", str(venv)],
            [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", REQUIREMENT],
        ]
    )
    for command in commands:
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    return venv / "bin/litellm"


@contextmanager
def litellm(bench: Bench, *, program: Path, upstream: Server) -> Iterator[Server]:
    """Run LiteLLM in front of an upstream, one worker, without retries and callbacks."""
    configuration = bench.directory / "litellm.yaml"
    configuration.write_text(f"""
model_list:
  - model_name: embedding-3
    litellm_params:
      model: openai/embedding-3
      api_base: "http://127.0.0.1:{upstream.port}{UPSTREAM_BASE}"
      api_key: bench
litellm_settings: {{num_retries: 0, callbacks: [], drop_params: true}}
general_settings: {{master_key: {KEY}}}
""")
    port = free_port()
    command = [str(program), "--config", str(configuration), "--host", "127.0.0.1", "--port", str(port)]
    with bench.running(
        [*command, "--num_workers", "1"],
        name="litellm",
        port=port,
        measured=True,
        environment={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        start_seconds=START_SECONDS,
    ) as process:
        yield Server(port=port, process_id=process.pid, path=EMBEDDINGS_PATH)
