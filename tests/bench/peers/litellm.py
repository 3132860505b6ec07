"""LiteLLM's proxy: Python, one worker."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.peers.installing import install_from_pypi
from tests.bench.processes import Bench, Server, free_port
from tests.bench.wire import GATEWAY_PATH, KEY, MODEL, UPSTREAM_BASE

REQUIREMENT = "litellm[proxy]==1.98.*"
"""Later ones need a certifi that there is not (2026-11)."""

START_SECONDS = 120.0


def install_litellm(directory: Path) -> Path:
    """Return the program, newly installed. Raises OSError or SubprocessError where that cannot be."""
    return install_from_pypi(directory, name="litellm", requirement=REQUIREMENT) / "litellm"


@contextmanager
def litellm(bench: Bench, *, program: Path, upstream: Server) -> Iterator[Server]:
    """Run LiteLLM in front of an upstream, one worker, without retries and callbacks."""
    base = f"http://127.0.0.1:{upstream.port}{UPSTREAM_BASE}"
    configuration = bench.directory / "litellm.yaml"
    configuration.write_text(f"""
model_list:
  - model_name: embedding-3
    litellm_params: {{model: openai/embedding-3, api_base: "{base}", api_key: bench}}
  - model_name: {MODEL}
    litellm_params: {{model: openai/{MODEL}, api_base: "{base}", api_key: bench}}
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
        yield Server(port=port, process_id=process.pid, path=GATEWAY_PATH)
