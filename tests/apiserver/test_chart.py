"""What a real API server says of the chart: of every object, of every pod, and of a release's life."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.server import Apiserver, built, started
from tests.helm import engine
from tests.helm.engine import CHART, Rendered
from tests.helm.values import MATRIX

pytestmark = pytest.mark.timeout(180)

NAMESPACE = "llm"
KINDS = (
    ("v1", "services"),
    ("v1", "configmaps"),
    ("v1", "secrets"),
    ("v1", "serviceaccounts"),
    ("apps/v1", "deployments"),
    ("policy/v1", "poddisruptionbudgets"),
    ("autoscaling/v2", "horizontalpodautoscalers"),
    ("networking.k8s.io/v1", "networkpolicies"),
    ("gateway.networking.k8s.io/v1", "httproutes"),
    ("monitoring.coreos.com/v1", "servicemonitors"),
    ("monitoring.coreos.com/v1", "prometheusrules"),
)


@pytest.fixture(scope="module")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apiserver]:
    missing = [name for name in ("kube-apiserver", "etcd", "helm") if built(name) is None]
    if missing:
        pytest.skip(f"There is no {', '.join(missing)}; .ci/kubernetes builds them where there is Go.")
    with started(tmp_path_factory.mktemp("apiserver")) as server:
        yield server


@pytest.fixture(scope="module")
def rendered(apiserver: Apiserver) -> Mapping[str, Rendered]:
    """Give the chart with each of the values under ci/."""
    assert apiserver.ready()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(str(built('helm'))).parent}{os.pathsep}{os.environ['PATH']}")
        return dict(zip(MATRIX, engine.run(list(MATRIX.values())).rendered, strict=True))


@pytest.mark.parametrize("values", MATRIX)
def test_server_takes_every_object(apiserver: Apiserver, rendered: Mapping[str, Rendered], values: str) -> None:
    """With every field known, and none there twice."""
    assert rendered[values].documents
    for document in rendered[values].documents:
        answer = apiserver.apply(document, namespace=NAMESPACE, dry=True)

        assert answer.is_success, answer.text
        assert "warning" not in answer.headers


@pytest.mark.parametrize("values", MATRIX)
def test_restricted_namespace_lets_every_pod_in(
    apiserver: Apiserver, rendered: Mapping[str, Rendered], values: str
) -> None:
    for document in rendered[values].documents:
        if document["kind"] in {"Deployment", "Pod"}:
            answer = apiserver.try_pod(template_of(document), namespace=NAMESPACE)

            assert answer.is_success, answer.text


def test_restricted_namespace_keeps_another_pod_out(
    apiserver: Apiserver, rendered: Mapping[str, Rendered]
) -> None:
    """What the test before this one says is enforced."""
    template = template_of(rendered["minimal"].one("Deployment"))
    spec = {name: said for name, said in template["spec"].items() if name != "securityContext"}

    answer = apiserver.try_pod({**template, "spec": spec}, namespace=NAMESPACE)

    assert 403 == answer.status_code
    assert 'violates PodSecurity "restricted' in answer.json()["message"]


def test_release_lives_and_leaves_nothing(apiserver: Apiserver, tmp_path: Path) -> None:
    """Installed, upgraded, rolled back and removed by Helm, which from version 4 on applies on the server."""
    before = held(apiserver)
    values = tmp_path / "values.json"
    values.write_text(json.dumps(MATRIX["account"]), "utf-8")
    told = ("my", str(CHART), "--values", str(values))

    assert "deployed" == helm(apiserver, "install", *told)["info"]["status"]
    installed = held(apiserver)
    helm(apiserver, "upgrade", *told, "--set", "autoscaling.enabled=true")
    upgraded = held(apiserver)
    deployment = apiserver.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/my-glm-gateway")
    helm(apiserver, "rollback", "my", "1")
    rolled_back = held(apiserver)
    helm(apiserver, "uninstall", "my")

    assert {"services/my-glm-gateway", "services/my-glm-gateway-metrics"} <= installed - before
    assert {"httproutes/my-glm-gateway", "servicemonitors/my-glm-gateway"} <= installed - before
    assert {"horizontalpodautoscalers/my-glm-gateway"} == upgraded - installed
    assert {"Apply"} == {one["operation"] for one in deployment["metadata"]["managedFields"]}
    assert installed == rolled_back
    assert before == held(apiserver)


def held(apiserver: Apiserver) -> set[str]:
    """Give what the namespace holds, but for Helm's own records."""
    return {
        f"{plural}/{name}"
        for version, plural in KINDS
        for name in apiserver.listed(version, plural, namespace=NAMESPACE)
        if not name.startswith("sh.helm.release")
    }


def template_of(document: dict[str, Any]) -> dict[str, Any]:
    template: dict[str, Any] = document["spec"].get("template") or {
        "metadata": {"labels": document["metadata"]["labels"]},
        "spec": document["spec"],
    }
    return template


def helm(apiserver: Apiserver, command: str, *arguments: str) -> Any:
    """Run Helm against the server; gives what it says of the release, where it does."""
    told = [str(built("helm")), command, *arguments, "--namespace", NAMESPACE]
    shown = ["--output", "json"] if command in {"install", "upgrade"} else []
    done = subprocess.run(
        [*told, "--kubeconfig", str(apiserver.kubeconfig), *shown],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if shown else None
