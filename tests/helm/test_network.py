"""What the network policies let through: what the release needs, and little else."""

from typing import Any

import pytest

from tests.helm.engine import Rendered

Peer = dict[str, Any]


def ports(rules: list[Any]) -> set[int | str]:
    return {port["port"] for rule in rules for port in rule["ports"]}


def policy(rendered: Rendered, name: str = "my-glm-gateway") -> Any:
    return rendered.one("NetworkPolicy", name=name)["spec"]


def labels_of(rendered: Rendered, kind: str, name: str) -> dict[str, str]:
    found = rendered.one(kind, name=name)
    labels: dict[str, str] = (found["spec"].get("template") or found)["metadata"]["labels"]
    return labels


def selects(peers: list[Peer], labels: dict[str, str]) -> bool:
    """Tell whether a pod of the release's own namespace is among the peers by its labels."""
    wanted = [one["podSelector"].get("matchLabels", {}) for one in peers if "podSelector" in one]
    return any(one and one.items() <= labels.items() for one in wanted)


@pytest.mark.parametrize(
    ("values", "redis"),
    [("accounts", {6380, 26380, 26379}), ("full", {6379, 6380}), ("keda", {6379}), ("account", {6379})],
)
def test_gateway_reaches_what_it_needs(matrix: dict[str, Rendered], values: str, redis: set[int]) -> None:
    """Names, Zhipu, and Redis at the ports of its address, sentinels too."""
    assert {53, 443} | redis == ports([one for one in policy(matrix[values])["egress"] if "ports" in one])


def test_test_may_call_the_gateway(full: Rendered, accounts: Rendered) -> None:
    """Whoever else may."""
    for rendered in (full, accounts):
        (public, _) = policy(rendered)["ingress"]

        assert {"http"} == ports([public])
        assert selects(public["from"], labels_of(rendered, "Pod", "my-glm-gateway-test"))


def test_only_the_gateway_may_ask_valkey(keda: Rendered) -> None:
    """It asks for no password, and holds what answers left behind."""
    valkey = policy(keda, "my-glm-gateway-valkey")
    (rule,) = valkey["ingress"]

    assert (
        valkey["podSelector"]["matchLabels"].items()
        <= labels_of(keda, "Deployment", "my-glm-gateway-valkey").items()
    )
    assert {"valkey"} == ports([rule])
    assert selects(rule["from"], labels_of(keda, "Deployment", "my-glm-gateway"))
    assert not selects(rule["from"], labels_of(keda, "Pod", "my-glm-gateway-test"))
    assert ["Ingress", "Egress"] == valkey["policyTypes"]
    assert "egress" not in valkey
