"""Helm, whichever there is: the program, or the library of the same engine that packaged.py runs."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

CHART = Path(__file__).parents[2] / "helm" / "glm-gateway"
PACKAGED = Path(__file__).with_name("packaged.py")
SECONDS = 50

Document = dict[str, Any]
Values = dict[str, Any]


class Rendered(Struct, frozen=True, kw_only=True):
    """What the chart makes of some values; ``error`` is why nothing, empty if it did."""

    values: Values
    documents: tuple[Document, ...] = ()
    notes: str = ""
    error: str = ""

    def of(self, kind: str) -> list[Document]:
        """Give the objects of one kind."""
        return [document for document in self.documents if document["kind"] == kind]

    def one(self, kind: str, *, name: str = "my-glm-gateway") -> Document:
        """Give the object of this kind and name."""
        (found,) = [document for document in self.of(kind) if document["metadata"]["name"] == name]
        return found

    @property
    def container(self) -> Document:
        """The gateway's container."""
        return next(
            container
            for container in self.one("Deployment")["spec"]["template"]["spec"]["containers"]
            if container["name"] == "gateway"
        )

    @property
    def environment(self) -> dict[str, Any]:
        """The variables of the gateway's container: the text, or where it comes from; one may have neither."""
        return {one["name"]: one.get("value", one.get("valueFrom", "")) for one in self.container["env"]}


class Outcome(Struct, frozen=True, kw_only=True):
    """
    What Helm said of the chart: its complaints, and what became of each of the values.

    ``lived`` is what a cluster held after an installation, an upgrade and a removal, None where none was tried.
    """

    complaints: str
    rendered: tuple[Rendered, ...]
    lived: list[list[str]] | None = None


def has_program() -> bool:
    """Tell whether there is a ``helm``."""
    return shutil.which("helm") is not None


def has_library() -> bool:
    """Tell whether the packaged engine is installed; ``.ci/helm-engine`` does that."""
    return importlib.util.find_spec("helm_sdkpy") is not None


def run(values: Sequence[Values]) -> Outcome:
    """Try the chart with each of these; all at once, as starting the engine takes longest."""
    if has_program():
        return Outcome(complaints=_lint(), rendered=tuple(_install(one) for one in values))
    told = _run_library(values)
    serious = [message for message in told["lint"]["Messages"] if message["Severity"] > 1]
    return Outcome(
        complaints=str(serious) if serious or told["lint"]["Errors"] else "",
        rendered=tuple(_rendered(said, values=one) for said, one in zip(told["rendered"], values, strict=True)),
        lived=told["lived"],
    )


def _run_library(values: Sequence[Values]) -> Any:
    done = subprocess.run(
        [sys.executable, str(PACKAGED), str(CHART)],
        input="".join(json.dumps(one) + "\n" for one in values),
        env={**os.environ, "HELM_DRIVER": "memory"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _install(values: Values) -> Rendered:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(values, file)
        file.flush()
        done = _helm("install", "my", str(CHART), "--dry-run=client", "--output=json", "--values", file.name)
    said = {"error": done.stderr} if done.returncode else _of_release(json.loads(done.stdout))
    return _rendered(said, values=values)


def _lint() -> str:
    done = _helm("lint", "--strict", str(CHART))
    return done.stdout if done.returncode else ""


def _of_release(release: Any) -> Any:
    hooks = [hook["manifest"] for hook in release.get("hooks", ())]
    return {"manifest": release["manifest"], "hooks": hooks, "notes": release["info"]["notes"]}


def _helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("helm")
    assert program is not None
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)


def _rendered(said: Any, *, values: Values) -> Rendered:
    if "error" in said:
        return Rendered(values=values, error=said["error"])
    texts = [said["manifest"], *said["hooks"]]
    documents = [document for text in texts for document in yaml.safe_load_all(text) if document]
    return Rendered(values=values, documents=tuple(documents), notes=said["notes"])
