"""As much of Kubernetes' API as Helm asks for when it installs, in memory; it runs nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

KINDS = {
    "v1": {
        "ConfigMap": "configmaps",
        "Pod": "pods",
        "Secret": "secrets",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
    },
    "apps/v1": {"Deployment": "deployments"},
    "autoscaling/v2": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
    "networking.k8s.io/v1": {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
    "gateway.networking.k8s.io/v1": {"HTTPRoute": "httproutes"},
    "keda.sh/v1alpha1": {"ScaledObject": "scaledobjects"},
    "monitoring.coreos.com/v1": {
        "PodMonitor": "podmonitors",
        "PrometheusRule": "prometheusrules",
        "ServiceMonitor": "servicemonitors",
    },
}
VERBS = ["create", "delete", "get", "list", "patch", "update"]

Objects = dict[str, dict[str, Any]]


def discovery(path: str) -> dict[str, Any] | None:
    """Give what the API tells about itself at a path, None where it tells nothing."""
    if path == "/version":
        return {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = []
        for name in KINDS.keys() - {"v1"}:
            version = {"groupVersion": name, "version": name.partition("/")[2]}
            group = {"name": name.partition("/")[0], "versions": [version], "preferredVersion": version}
            groups.append(group)
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    name = path.removeprefix("/apis/").removeprefix("/api/")
    if name in KINDS:
        resources = [
            {"name": plural, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": VERBS}
            for kind, plural in KINDS[name].items()
        ]
        return {"kind": "APIResourceList", "groupVersion": name, "resources": resources}
    return None


@contextmanager
def cluster() -> Iterator[tuple[str, Objects]]:
    """Serve such an API on a free port; gives its origin, and what it holds by path."""
    objects: Objects = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            self._answer(discovery(path) or objects.get(path))

        def do_POST(self) -> None:
            said = self._read()
            objects[f"{self.path.partition('?')[0]}/{said['metadata']['name']}"] = said
            self._answer(said, HTTPStatus.CREATED)

        def do_PUT(self) -> None:
            objects[self.path.partition("?")[0]] = said = self._read()
            self._answer(said)

        def do_PATCH(self) -> None:
            path = self.path.partition("?")[0]
            objects[path] = {**objects.get(path, {}), **self._read()}
            self._answer(objects[path])

        def do_DELETE(self) -> None:
            self._read()
            self._answer(objects.pop(self.path.partition("?")[0], None))

        def _read(self) -> dict[str, Any]:
            said = self.rfile.read(int(self.headers.get("content-length", 0)))
            fields: dict[str, Any] = json.loads(said) if said else {}
            return fields

        def _answer(self, said: dict[str, Any] | None, status: HTTPStatus = HTTPStatus.OK) -> None:
            if said is None:
                status = HTTPStatus.NOT_FOUND
                said = {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "status": "Failure",
                    "reason": "NotFound",
                    "code": 404,
                }
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", objects
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
