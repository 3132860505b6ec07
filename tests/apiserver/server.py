"""A real kube-apiserver with its etcd, on free ports, as the tests of the chart ask it."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.programs import program
from tests.redis_server import free_port

BUILT = Path(os.environ.get("KUBERNETES_BIN", Path(__file__).parents[2] / ".cache" / "kubernetes"))
"""Where ``.ci/kubernetes`` puts programs."""
START_SECONDS = 90.0
CUSTOM = {
    "HTTPRoute": ("gateway.networking.k8s.io", "v1", "httproutes"),
    "PodMonitor": ("monitoring.coreos.com", "v1", "podmonitors"),
    "PrometheusRule": ("monitoring.coreos.com", "v1", "prometheusrules"),
    "ScaledObject": ("keda.sh", "v1alpha1", "scaledobjects"),
    "ServiceMonitor": ("monitoring.coreos.com", "v1", "servicemonitors"),
}
"""Kinds that are not Kubernetes' own, declared with any content."""

Document = dict[str, Any]


def built(name: str) -> str | None:
    """Give the path of a program that was built, or that there is anyway."""
    return shutil.which(name, path=f"{BUILT}{os.pathsep}{os.environ['PATH']}")


class Apiserver:
    """An API server; ``kubeconfig`` is a file that lets programs in."""

    def __init__(self, url: str, *, token: str, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        headers = {"authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=url, headers=headers, verify=False, trust_env=False, timeout=30)  # noqa: S501 - its own certificate
        self._plurals: dict[tuple[str, str], str] = {}

    def close(self) -> None:
        self._client.close()

    def ready(self) -> bool:
        try:
            return self._client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def ask(self, path: str) -> httpx.Response:
        return self._client.get(path)

    def get(self, path: str) -> Any:
        answer = self.ask(path)
        assert answer.is_success, answer.text
        return answer.json()

    def listed(self, group: str, plural: str, *, namespace: str) -> list[str]:
        """Give the names of a namespace's objects."""
        path = f"{self._prefix(group)}/namespaces/{namespace}/{plural}"
        return [one["metadata"]["name"] for one in self.get(path)["items"]]

    def apply(self, document: Document, *, namespace: str = "", dry: bool = False) -> httpx.Response:
        """Apply an object as Helm 4 does, on the server, which refuses every field that it does not know."""
        version, name = document["apiVersion"], document["metadata"]["name"]
        where = f"/namespaces/{namespace}" if namespace else ""
        return self._client.patch(
            f"{self._prefix(version)}{where}/{self._plural(version, document['kind'])}/{name}",
            params={"fieldManager": "tests", "fieldValidation": "Strict", "force": "true", **_dry(dry=dry)},
            headers={"content-type": "application/apply-patch+yaml"},
            content=yaml.safe_dump(document),
        )

    def try_pod(self, template: Document, *, namespace: str) -> httpx.Response:
        """Ask whether a pod of this template would be let in, as the controller of its Deployment would."""
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            **template,
            "metadata": {**template["metadata"], "name": "tried"},
        }
        return self._client.post(
            f"/api/v1/namespaces/{namespace}/pods",
            params={"fieldValidation": "Strict", **_dry(dry=True)},
            json=pod,
        )

    def _prefix(self, version: str) -> str:
        return f"/apis/{version}" if "/" in version else f"/api/{version}"

    def _plural(self, version: str, kind: str) -> str:
        if (version, kind) not in self._plurals:
            for one in self.get(self._prefix(version))["resources"]:
                if "/" not in one["name"]:
                    self._plurals[version, one["kind"]] = one["name"]
        return self._plurals[version, kind]


def _dry(*, dry: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry else {}


@contextmanager
def started(folder: Path) -> Iterator[Apiserver]:
    """Start both, with kinds of other projects, classes that values name, and Pod Security."""
    etcd_port, peer_port, port = free_port(), free_port(), free_port()
    etcd = f"http://127.0.0.1:{etcd_port}"
    token = secrets.token_hex(16)
    tokens, key = folder / "tokens.csv", folder / "accounts.key"
    tokens.write_text(f"{token},tests,tests,system:masters\n", "utf-8")
    subprocess.run([program("openssl"), "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    programs = (
        [
            *("etcd", "--data-dir", str(folder / "etcd"), "--unsafe-no-fsync", "--log-level=error"),
            *(f"--listen-client-urls={etcd}", f"--advertise-client-urls={etcd}"),
            *(f"--listen-peer-urls=http://127.0.0.1:{peer_port}",),
            *(f"--initial-advertise-peer-urls=http://127.0.0.1:{peer_port}",),
            *(f"--initial-cluster=default=http://127.0.0.1:{peer_port}",),
        ],
        [
            *("kube-apiserver", f"--etcd-servers={etcd}", "--bind-address=127.0.0.1", f"--secure-port={port}"),
            *(f"--cert-dir={folder}", f"--token-auth-file={tokens}", "--authorization-mode=RBAC"),
            *("--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={key}"),
            *(f"--service-account-signing-key-file={key}", "--service-cluster-ip-range=10.99.0.0/24"),
            # Nobody makes the default account of a namespace here.
            "--disable-admission-plugins=ServiceAccount",
        ],
    )
    kubeconfig = folder / "kubeconfig"
    url = f"https://127.0.0.1:{port}"
    kubeconfig.write_text(yaml.safe_dump(_kubeconfig(url, token=token)), "utf-8")
    with ExitStack() as stack:
        for name, *options in programs:
            log = stack.enter_context(Path(folder, f"{name}.log").open("wb"))
            process = subprocess.Popen([str(built(name)), *options], stdout=log, stderr=log)
            stack.callback(_end, process)
        apiserver = Apiserver(url, token=token, kubeconfig=kubeconfig)
        stack.callback(apiserver.close)
        deadline = time.monotonic() + START_SECONDS
        while not apiserver.ready():
            assert time.monotonic() < deadline, (folder / "kube-apiserver.log").read_text("utf-8")[-2000:]
            time.sleep(0.2)
        _prepare(apiserver)
        yield apiserver


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _kubeconfig(url: str, *, token: str) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "tests",
        "clusters": [{"name": "tests", "cluster": {"server": url, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "tests", "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
    }


def _prepare(apiserver: Apiserver) -> None:
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    objects: list[Document] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "llm", "labels": restricted}},
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1},
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": "gvisor"},
            "handler": "runsc",
        },
        *(_definition(kind) for kind in CUSTOM),
    ]
    for one in objects:
        answer = apiserver.apply(one)
        assert answer.is_success, answer.text
    deadline = time.monotonic() + START_SECONDS
    for group, version, plural in CUSTOM.values():
        while not _served(apiserver, group, version, plural):
            assert time.monotonic() < deadline, plural
            time.sleep(0.1)


def _served(apiserver: Apiserver, group: str, version: str, plural: str) -> bool:
    answer = apiserver.ask(f"/apis/{group}/{version}")
    return answer.is_success and plural in {one["name"] for one in answer.json()["resources"]}


def _definition(kind: str) -> Document:
    group, version, plural = CUSTOM[kind]
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        # Names of the group gateway.networking.k8s.io are kept for the project itself.
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [served],
        },
    }
