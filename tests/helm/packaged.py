"""
Runs Helm as a library, for machines that have no ``helm``: values as JSON lines in, what became of them out.

A program of its own, as Helm reads ``HELM_DRIVER=memory`` from the environment that the process began with.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from cluster import Objects, cluster  # type: ignore[import-not-found]  # beside this script
from helm_sdkpy import Configuration, Install, Lint, Uninstall, Upgrade


def kubeconfig(origin: str, folder: str) -> str:
    path = Path(folder, "kubeconfig")
    told = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "clusters": [{"name": "one", "cluster": {"server": origin}}],
        "users": [{"name": "one", "user": {}}],
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one", "namespace": "default"}}],
    }
    path.write_text(yaml.safe_dump(told), "utf-8")
    return str(path)


async def render(helm: Configuration, chart: str, values: Any) -> dict[str, Any]:
    try:
        release = await Install(helm).run("my", chart, values=values, wait=False)
    except Exception as error:  # noqa: BLE001  # the caller judges
        return {"error": str(error)}
    finally:
        await forget(helm)
    return {
        "manifest": release["manifest"],
        "hooks": [hook["manifest"] for hook in release["hooks"]],
        "notes": release["info"]["notes"],
    }


async def forget(helm: Configuration) -> None:
    try:
        await Uninstall(helm).run("my", wait=False)
    except Exception as error:  # noqa: BLE001  # what was refused was never installed
        del error


async def live(helm: Configuration, chart: str, objects: Objects) -> list[list[str]]:
    """Install, upgrade and uninstall; gives what the cluster held after each."""
    held = []
    await Install(helm).run("my", chart, values={}, wait=False)
    held.append(sorted(objects))
    await Upgrade(helm).run(
        "my", chart, values={"autoscaling": {"enabled": True}, "redis": {"elsewhere": True}}, wait=False
    )
    held.append(sorted(objects))
    await Uninstall(helm).run("my", wait=False)
    held.append(sorted(objects))
    return held


async def main(chart: str) -> None:
    with cluster() as (origin, objects), tempfile.TemporaryDirectory() as folder:
        helm = Configuration(namespace="default", kubeconfig=kubeconfig(origin, folder))
        linted = await Lint(helm).run(chart)
        lived = await live(helm, chart, objects)
        rendered = [await render(helm, chart, json.loads(line)) for line in sys.stdin]
    sys.stdout.write(json.dumps({"lint": linted, "lived": lived, "rendered": rendered}, default=str))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
