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
    "a drain that the grace period knows nothing of": (
        {"env": {"GATEWAY_DRAIN_SECONDS": 600}},
        "with drain.seconds",
    ),
    "a port that probes know nothing of": ({"env": {"GATEWAY_PORT": 80}}, "env names GATEWAY_PORT"),
    "a label that selectors go by": (
        {"podLabels": {"app.kubernetes.io/name": "mine"}},
        "podLabels names app.kubernetes.io/name",
    ),
    "a label that all objects have": (
        {"commonLabels": {"helm.sh/chart": "mine"}},
        "commonLabels names helm.sh/chart",
    ),
    "a budget of no pod": ({"podDisruptionBudget": {"maxUnavailable": 0}}, "keep nodes from being drained"),
    "a budget of no share": ({"podDisruptionBudget": {"maxUnavailable": "0%"}}, "keep nodes from being drained"),
    "a share that is every pod": (
        {
            "replicaCount": 3,
            "redis": {"elsewhere": True},
            "podDisruptionBudget": {"minAvailable": "90%", "maxUnavailable": None},
        },
        "minAvailable 90% of 3 pods would keep nodes",
    ),
    "a share that is none": (
        {"podDisruptionBudget": {"maxUnavailable": "most"}},
        "/podDisruptionBudget/maxUnavailable",
    ),
    "more pods at least than at most": (
        {"autoscaling": {"enabled": True, "minReplicas": 7}, "redis": {"elsewhere": True}},
        "autoscaling.minReplicas 7 is more than maxReplicas 6",
    ),
    "scaling by nothing": (
        {"autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": None}, "redis": {"elsewhere": True}},
        "autoscaling needs",
    ),
    "a share of a request that there is not": (
        {"autoscaling": {"enabled": True}, "resources": {"requests": None}, "redis": {"elsewhere": True}},
        "resources.requests.cpu, which is not set",
    ),
    "a scrape that outlasts its interval": (
        {"monitoring": {"monitor": "PodMonitor", "interval": "5000ms"}},
        "monitoring.scrapeTimeout 10s is longer than monitoring.interval 5000ms; lower it",
    ),
    "an alert that there is not": (
        {"monitoring": {"rules": {"enabled": True, "disabled": ["Saturated"]}}},
        "there is no such alert; there are GlmGateway",
    ),
    "a Secret mounted twice": ({"secretMounts": ["one", "one"]}, "/secretMounts"),
    "an address that is none": ({"redis": {"url": "redis.example.com:6379"}}, "redis.url is no URL of Redis"),
    "keys without names": ({"keys": {"value": "sk-0123456789abcdef"}}, "keys.value must read name:key:tier"),
    "a Secret's key without a name": ({"keys": {"existingSecretKey": ""}}, "/keys/existingSecretKey"),
    "a group of nothing": ({"drain": None}, "missing property 'drain'"),
    "a drain of nothing": ({"drain": {"seconds": None}}, "missing property 'seconds'"),
    "a route without a Gateway": ({"httpRoute": {"enabled": True}}, "parentRefs"),
    "an Ingress without a host": ({"ingress": {"enabled": True}}, "ingress.hosts"),
}
