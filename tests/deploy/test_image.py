"""The image's recipe, and the compose file: what can be seen without a container engine."""

import itertools
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import __version__
from gateway.cli.redis_trial import SAFE_POLICY
from gateway.settings.environment import KNOWN
from tests.helm.dashboards import FOLDER
from tests.programs import program

TOP = Path(__file__).parents[2]
DEPLOY = TOP / "deploy"
RECIPE = (DEPLOY / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_hadolint_has_no_complaints() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")

    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stdout)


def test_image_runs_as_a_number_and_takes_signals_itself() -> None:
    """Kubernetes can see that it is not root; no shell stands between a signal and the gateway."""
    assert re.findall(r"^USER (.*)$", RECIPE, re.MULTILINE) == ["10001:10001"]
    assert 'ENTRYPOINT ["glm-gateway"]' in RECIPE
    assert 'CMD ["serve"]' in RECIPE
    assert f"ARG VERSION={__version__}" in RECIPE
    assert "GATEWAY_REVISION=${REVISION}" in RECIPE.partition("ENTRYPOINT")[0]


def test_image_takes_locked_dependencies_only() -> None:
    installs = re.findall(r"bin/pip install (.*)$", RECIPE.partition(" AS bill")[0], re.MULTILINE)

    assert len(installs) == 2
    assert all(one.startswith("--only-binary :all: --require-hashes --requirement /build/") for one in installs)


def test_image_installs_nothing_once_it_is_built() -> None:
    """What could fetch more programs is left behind, and out of the bill of materials."""
    assert "bin/pip uninstall --yes pip setuptools" in RECIPE
    assert "--pyproject /build/pyproject.toml" in RECIPE


def test_image_has_every_dependency() -> None:
    """The locks that the image is made of hold all of the gateway's, and agree in what both have."""
    locked = [
        set(re.findall(r"^([a-z0-9-]+==\S+)", (TOP / name).read_text("utf-8"), re.MULTILINE))
        for name in ("requirements.lock", "requirements-simulator.lock", "requirements-otel.lock")
    ]
    pinned = sorted(re.findall(r"^([a-z0-9-]+)==", "\n".join(locked[1] | locked[2]), re.MULTILINE))

    assert locked[0] <= locked[1] & locked[2]
    assert {"av"} >= {one for one in pinned if pinned.count(one) > 1}  # There is one for each Python.


def test_everything_that_is_copied_is_let_through() -> None:
    """The context holds what the recipe copies, and nothing else: no secrets, no caches."""
    ignored = [
        line for line in (TOP / ".dockerignore").read_text("utf-8").splitlines() if line[:1] not in {"", "#"}
    ]
    copied = {
        one for line in re.findall(r"^COPY (?!--from)(.*)$", RECIPE, re.MULTILINE) for one in line.split()[:-1]
    }

    assert ignored[0] == "*"
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert all((TOP / one).exists() for one in copied)


def test_compose_is_read_by_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("There is no docker compose.")
    monkeypatch.setenv("ZHIPU_API_KEY", "id.secret")
    monkeypatch.setenv("GATEWAY_KEYS", "me:sk-0123456789abcdef:V1")

    done = subprocess.run(
        [docker, "compose", "-f", DEPLOY / "compose.yaml", "--profile", "*", "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("name", SERVICES)
def test_service_may_do_little(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_every_file_that_is_mounted_is_there() -> None:
    """Rules and dashboards are the chart's own, so that there is one of each."""
    sources = [mount.partition(":")[0] for one in SERVICES.values() for mount in one.get("volumes", ())]
    files = [source for source in sources if source not in COMPOSE["volumes"]]

    assert all((DEPLOY / source).exists() for source in files)
    assert FOLDER in [(DEPLOY / source).resolve() for source in files]
    assert FOLDER.with_name("rules") in [(DEPLOY / source).resolve() for source in files]


def test_gateway_is_told_what_it_knows_and_has_time_to_drain() -> None:
    gateway = SERVICES["gateway"]

    assert set(gateway["environment"]) <= set(KNOWN)
    assert (
        int(gateway["stop_grace_period"].removesuffix("s"))
        >= int(gateway["environment"]["GATEWAY_DRAIN_SECONDS"]) + 10
    )
    assert gateway["image"].endswith(f":{__version__}}}")


def test_valkey_lets_memories_go_before_slots() -> None:
    said = dict(itertools.pairwise(SERVICES["valkey"]["command"]))

    assert SAFE_POLICY == said["--maxmemory-policy"]
    assert said["--maxmemory"]


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8")
    here = tmp_path / "prometheus.yml"
    here.write_text(text.replace("/etc/prometheus/rules", str(FOLDER.with_name("rules"))), "utf-8")

    done = subprocess.run(
        [program("promtool", package="prometheus"), "check", "config", here],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    assert "port: 9464" in text


def test_alertmanager_takes_its_configuration() -> None:
    amtool = shutil.which("amtool")
    if amtool is None:
        pytest.skip("There is no amtool.")

    done = subprocess.run(
        [amtool, "check-config", DEPLOY / "prometheus" / "alertmanager.yml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
