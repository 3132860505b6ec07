"""The values that the chart is tried with: those under its ci/, and those that it must refuse."""

from pathlib import Path

import yaml

from tests.helm.engine import CHART, Values

MATRIX: dict[str, Values] = {
    path.name.removesuffix("-values.yaml"): yaml.safe_load(path.read_text("utf-8")) or {}
    for path in sorted(Path(CHART, "ci").glob("*-values.yaml"))
}

REFUSED: dict[str, tuple[Values, str]] = {
    "an unknown name": ({"replicas": 3}, "'replicas' not allowed"),
    "an unknown inner name": ({"redis": {"host": "redis"}}, "'host' not allowed"),
    "a wrong type": ({"replicaCount": "two"}, "want integer"),
    "an unknown tier": ({"zhipu": {"tier": "V4"}}, "/zhipu/tier"),
    "a digest that is none": ({"image": {"digest": "latest"}}, "/image/digest"),
    "several pods without Redis": ({"replicaCount": 2}, "Several pods without Redis"),
    "autoscaling without Redis": ({"autoscaling": {"enabled": True}}, "Several pods without Redis"),
    "two scalers": (
        {"autoscaling": {"enabled": True}, "keda": {"enabled": True}, "redis": {"elsewhere": True}},
        "enable one",
    ),
    "two keys of the account": ({"zhipu": {"apiKey": "a.b", "existingSecret": "c"}}, "keep one"),
    "two sets of keys": ({"keys": {"value": "a:b:V1", "existingSecret": "c"}}, "keep one"),
    "two Redis": ({"redis": {"url": "redis://a"}, "valkey": {"enabled": True}}, "keep one"),
    "a memory without a unit": ({"valkey": {"maxMemory": "192"}}, "/valkey/maxMemory"),
    "two configurations": ({"config": {"toml": "a", "existingSecret": "c"}}, "keep one"),
    "two budgets": ({"podDisruptionBudget": {"minAvailable": 1}}, "set the other to null"),
    "a budget that keeps a node from being drained": (
        {"podDisruptionBudget": {"minAvailable": 1, "maxUnavailable": None}},
        "keep nodes from being drained",
    ),
    "a variable that is there already": ({"extraEnv": [{"name": "GATEWAY_PORT", "value": "1"}]}, "GATEWAY_PORT"),
    "a route without a Gateway": ({"httpRoute": {"enabled": True}}, "parentRefs"),
    "an Ingress without a host": ({"ingress": {"enabled": True}}, "ingress.hosts"),
}
