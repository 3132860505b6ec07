"""What the chart makes: valid for Kubernetes, safe by default, and in the gateway's own words."""

import itertools
import json
import re
from collections import Counter

import kubernetes_validate
import pytest
import yaml

from gateway import __version__
from gateway.cli.redis_trial import SAFE_POLICY
from gateway.settings.environment import KNOWN, PREFIX
from tests.helm.conftest import pods
from tests.helm.engine import CHART, Outcome, Rendered

KUBERNETES = ("1.30", "1.37")
"""Oldest and newest that are supported."""
CUSTOM = {"HTTPRoute", "PodMonitor", "PrometheusRule", "ScaledObject", "ServiceMonitor"}
PROBED = {"/livez", "/readyz"}


def test_helm_has_no_complaints(outcome: Outcome) -> None:
    assert outcome.complaints == ""


def test_every_set_of_values_renders(rendered: Rendered) -> None:
    assert rendered.error == ""
    assert rendered.one("Deployment")


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_every_object(rendered: Rendered, version: str) -> None:
    """No field is unknown to the oldest and newest Kubernetes that the chart promises."""
    for document in rendered.documents:
        if document["kind"] not in CUSTOM:
            kubernetes_validate.validate(document, version, strict=True)


def test_oldest_kubernetes_is_the_one_that_is_tried() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))

    assert chart["kubeVersion"] == f">={KUBERNETES[0]}.0-0"
    assert chart["appVersion"] == __version__


def test_names_are_unique(rendered: Rendered) -> None:
    names = Counter((one["kind"], one["metadata"]["name"]) for one in rendered.documents)

    assert names.most_common(1)[0][1] == 1


def test_every_pod_is_restricted(rendered: Rendered) -> None:
    """The profile "restricted" of Pod Security admits every pod."""
    for pod in pods(rendered):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        for container in [*pod["containers"], *pod.get("initContainers", ())]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_own_containers_write_nowhere_but_into_their_volumes(rendered: Rendered) -> None:
    for pod in pods(rendered):
        own = [one for one in pod["containers"] if one["name"] in {"gateway", "test", "valkey"}]
        assert own
        assert all(one["securityContext"]["readOnlyRootFilesystem"] is True for one in own)
        assert all("memory" in one["resources"]["limits"] for one in own)


def test_openshift_can_choose_the_user(openshift: Rendered) -> None:
    context = openshift.one("Deployment")["spec"]["template"]["spec"]["securityContext"]

    assert not {"runAsUser", "runAsGroup", "fsGroup"} & context.keys()


def test_variables_are_the_gateways_and_there_once(rendered: Rendered) -> None:
    """The gateway refuses to start with a variable that it does not know, Helm 4 with one that is there twice."""
    names = Counter(one["name"] for one in rendered.container["env"])

    assert set(names.values()) == {1}
    assert {name for name in names if name.startswith(PREFIX)} <= set(KNOWN)
    assert rendered.one("Deployment")["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_operators_variables_win(full: Rendered) -> None:
    assert full.environment["GATEWAY_QUEUE_TIMEOUT_SECONDS"] == "20"
    assert full.environment["GATEWAY_LOGS_FORMAT"] == "text"


def test_variable_may_be_there_without_a_value(full: Rendered) -> None:
    """Kubernetes takes it for an empty one."""
    assert full.environment["NO_COLOR"] == ""


def test_every_secret_that_is_named_exists(rendered: Rendered) -> None:
    """A reference leads to an object of the chart, or to one that the values name."""
    made = {one["metadata"]["name"]: one["stringData"] for one in rendered.of("Secret")}
    said = json.dumps(rendered.values)
    for source in rendered.environment.values():
        if isinstance(source, dict) and "secretKeyRef" in source:
            name, key = source["secretKeyRef"]["name"], source["secretKeyRef"]["key"]
            assert key in made.get(name, ()) or f'"{name}"' in said


def test_valkey_lets_memories_go_before_slots(keda: Rendered) -> None:
    """Its memory ends before Kubernetes ends the pod, and what is full still takes slots."""
    (valkey,) = keda.one("Deployment", name="my-glm-gateway-valkey")["spec"]["template"]["spec"]["containers"]
    said = dict(itertools.pairwise(valkey["args"]))

    assert SAFE_POLICY == said["--maxmemory-policy"]
    assert ("192mb", "256Mi") == (said["--maxmemory"], valkey["resources"]["limits"]["memory"])


def test_secrets_are_not_in_the_pod(full: Rendered) -> None:
    text = json.dumps(full.one("Deployment"))

    for secret in ("id.secret", "sk-0123456789abcdef", ":password@"):
        assert secret not in text
        assert secret in json.dumps(full.one("Secret"))


def test_services_and_budgets_select_the_gateways_pods(rendered: Rendered) -> None:
    template = rendered.one("Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        one["spec"]["selector"] for one in rendered.of("Service") if "valkey" not in one["metadata"]["name"]
    ]
    selectors += [one["spec"]["selector"]["matchLabels"] for one in rendered.of("PodDisruptionBudget")]
    selectors += [one["spec"]["podSelector"]["matchLabels"] for one in rendered.of("NetworkPolicy")[:1]]
    selectors += [one["spec"]["selector"]["matchLabels"] for one in rendered.of("Deployment")[:1]]
    others = [one["metadata"]["labels"] for one in rendered.of("Pod")]

    assert len(selectors) >= 3
    for selector in selectors:
        assert selector.items() <= template.items()
        assert not any(selector.items() <= other.items() for other in others)


def test_operators_labels_win_over_common_ones(accounts: Rendered) -> None:
    """And none is there twice, which Kubernetes would refuse."""
    template = accounts.one("Deployment")["spec"]["template"]["metadata"]["labels"]

    assert ("platform", "edge") == (template["team"], template["tier"])
    assert "back" == accounts.one("Service")["metadata"]["labels"]["tier"]


def test_pods_beside_the_gateways_find_a_node_too(keda: Rendered) -> None:
    """Where only some nodes will do, a Valkey or a test that may not run there would wait forever."""
    assert 3 == len(pods(keda))
    for pod in pods(keda):
        assert {"kubernetes.io/arch": "arm64"} == pod["nodeSelector"]
        assert [{"key": "arm", "operator": "Exists"}] == pod["tolerations"]


def test_scaling_asks_for_this_releases_pods(keda: Rendered) -> None:
    """Not for another's whose name begins alike; and what Prometheus does not see takes no pods away."""
    (trigger,) = keda.one("ScaledObject")["spec"]["triggers"]
    query = trigger["metadata"]["query"]
    pattern = re.search(r'pod=~"([^"]+)"', query)

    assert pattern is not None
    assert re.fullmatch(pattern[1], "my-glm-gateway-5d4f9c7b8-x2k4z")
    assert not re.fullmatch(pattern[1], "my-glm-gateway-valkey-5d4f9c7b8-x2k4z")
    assert query.endswith(f"or 0 * sum(glm_gateway_build_info{query[query.index('{') : query.index('}') + 1]})")
    assert "false" == trigger["metadata"]["ignoreNullValues"]


def test_secrets_are_mounted_whatever_their_names(accounts: Rendered) -> None:
    """Names of Secrets may have dots and be long, those of volumes may not."""
    mounts = {one["name"]: one["mountPath"] for one in accounts.container["volumeMounts"]}
    volumes = accounts.one("Deployment")["spec"]["template"]["spec"]["volumes"]
    secrets = {one["name"]: one["secret"]["secretName"] for one in volumes if "secret" in one}

    assert {"secret-0": "zhipu.spare"} == secrets
    assert "/etc/glm-gateway/secrets/zhipu.spare" == mounts["secret-0"]


def test_monitors_find_the_metrics_and_nothing_else(account: Rendered, full: Rendered) -> None:
    wanted = account.one("ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
    found = [
        one["metadata"]["name"] for one in account.of("Service") if wanted <= one["metadata"]["labels"].items()
    ]

    assert found == ["my-glm-gateway-metrics"]
    assert account.one("ServiceMonitor")["metadata"]["labels"]["release"] == "prometheus"
    labels = full.one("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert full.one("PodMonitor")["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_ports_are_those_that_the_gateway_is_told(rendered: Rendered) -> None:
    ports = {one["name"]: str(one["containerPort"]) for one in rendered.container["ports"]}

    assert ports == {
        "http": rendered.environment["GATEWAY_PORT"],
        "metrics": rendered.environment["GATEWAY_METRICS_PORT"],
    }
    public = rendered.one("Service")["spec"]["ports"]
    assert [port["targetPort"] for port in public] == ["http"]


def test_probes_ask_the_gateway_alone(account: Rendered) -> None:
    probes = [account.container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")]

    assert {probe["path"] for probe in probes} == PROBED
    assert {probe["port"] for probe in probes} == {"http"}
    assert account.container["livenessProbe"]["httpGet"]["path"] == "/livez"


def test_probe_of_another_kind_takes_the_place_of_the_default(umbrella: Rendered) -> None:
    """Helm merges maps, and Kubernetes refuses a probe of two kinds."""
    assert umbrella.container["startupProbe"] == {
        "tcpSocket": {"port": "http"},
        "periodSeconds": 2,
        "failureThreshold": 30,
    }


def test_pods_can_be_replaced_all_at_once(umbrella: Rendered) -> None:
    """Kubernetes refuses ``rollingUpdate`` beside any other type."""
    assert umbrella.one("Deployment")["spec"]["strategy"] == {"type": "Recreate"}


def test_secrets_of_the_registry_may_be_bare_names(umbrella: Rendered) -> None:
    """Half of the charts have them so under ``global``, and all of an umbrella share that."""
    for pod in pods(umbrella):
        assert pod["imagePullSecrets"] == [{"name": "registry"}, {"name": "other"}]


def test_grace_outlasts_pause_and_drain(rendered: Rendered) -> None:
    """Nothing is killed that the gateway would still have let finish."""
    pod = rendered.one("Deployment")["spec"]["template"]["spec"]
    pause = rendered.container["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = float(rendered.environment["GATEWAY_DRAIN_SECONDS"])

    assert pod["terminationGracePeriodSeconds"] >= pause + drain + 10


def test_drain_is_said_once(full: Rendered) -> None:
    assert full.environment["GATEWAY_DRAIN_SECONDS"] == "600"
    assert full.one("Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 635


def test_pods_are_counted_in_one_place(rendered: Rendered) -> None:
    scalers = [*rendered.of("HorizontalPodAutoscaler"), *rendered.of("ScaledObject")]

    assert ("replicas" in rendered.one("Deployment")["spec"]) is not bool(scalers)


def test_configuration_is_mounted_as_a_directory(full: Rendered) -> None:
    """A single mounted file never changes, so that no reload would see it."""
    mounts = {one["mountPath"]: one for one in full.container["volumeMounts"]}
    path = full.environment["GATEWAY_CONFIG"]

    assert "subPath" not in mounts["/etc/glm-gateway/config"]
    assert path == "/etc/glm-gateway/config/gateway.toml"
    assert "heartbeat_seconds" in full.one("ConfigMap")["data"]["gateway.toml"]
    assert "/etc/glm-gateway/secrets/zhipu-keys" in mounts


def test_file_is_written_down_as_it_stands(umbrella: Rendered) -> None:
    """Also one whose first line is indented, by a tab even."""
    assert umbrella.one("ConfigMap")["data"]["gateway.toml"] == umbrella.values["config"]["toml"]


def test_routes_set_streams_no_time_limit(account: Rendered, full: Rendered) -> None:
    (rule,) = account.one("HTTPRoute")["spec"]["rules"]
    annotations = full.one("Ingress")["metadata"]["annotations"]

    assert rule["timeouts"] == {"request": "0s", "backendRequest": "0s"}
    assert annotations["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
    assert annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "3600"


def test_image_is_named_by_digest_where_there_is_one(minimal: Rendered, full: Rendered) -> None:
    assert minimal.container["image"] == f"glm-gateway:{__version__}"
    assert full.container["image"].startswith("registry.example.com/llm/glm-gateway@sha256:0123")


def test_notes_end_in_a_line_to_try(rendered: Rendered) -> None:
    assert rendered.notes.strip().splitlines()[-1].startswith("curl http://127.0.0.1:8080/v1/chat/completions ")
