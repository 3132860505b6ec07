"""The rules that the chart ships: what Prometheus itself says of them, and when each alert fires and does not."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.alerts import JOB, SITUATIONS, Situation
from tests.helm.engine import CHART, Rendered
from tests.programs import program

RULES = sorted((CHART / "files" / "rules").glob("*.yaml"))
RUNBOOK = CHART.parents[1] / "deploy" / "runbook.md"


def rules(groups: Any) -> Iterator[Any]:
    return (rule for group in groups for rule in group["rules"])


ALERTS = {
    rule["alert"]: rule
    for path in RULES
    for rule in rules(yaml.safe_load(path.read_text("utf-8"))["groups"])
    if "alert" in rule
}


def promtool(*arguments: str, text: str = "") -> str:
    """Run ``promtool``; gives what it prints, whose first failure is the test's."""
    done = subprocess.run(
        [program("promtool", package="prometheus"), *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def as_promtool_has_it(situations: Sequence[Situation]) -> dict[str, Any]:
    """Put situations beside each other, each in a job of its own, as every one alone takes as long as all."""
    series, looks = [], []
    for number, situation in enumerate(situations):
        job = f"job-{number}: {situation.name}"
        series += [
            {"series": name.replace(JOB, job), "values": values} for name, values in situation.series.items()
        ]
        looks.append(
            {
                "expr": f'count by (job, alertname) (ALERTS{{alertstate="firing",job=~"|{job}"}}) > bool 0',
                "eval_time": f"{situation.minutes}m",
                "exp_samples": [
                    {"labels": f'{{alertname="{name}",job="{job}"}}', "value": 1}
                    for name in sorted(situation.fires)
                ],
            }
        )
    return {"interval": situations[0].interval, "input_series": series, "promql_expr_test": looks}


def test_prometheus_takes_the_rules() -> None:
    promtool("check", "rules", *map(str, RULES))


@pytest.mark.parametrize("interval", {one.interval: None for one in SITUATIONS})
def test_alerts_fire_when_they_should_and_only_then(tmp_path: Path, interval: str) -> None:
    """In each situation the alerts that burn are those that are named, and no other."""
    path = tmp_path / "situations.yaml"
    told = {
        "rule_files": [str(rule) for rule in RULES],
        "evaluation_interval": interval,
        "tests": [as_promtool_has_it([one for one in SITUATIONS if one.interval == interval])],
    }
    path.write_text(yaml.safe_dump(told), "utf-8")

    promtool("test", "rules", str(path))


def test_alert_fires_when_nothing_is_scraped(tmp_path: Path) -> None:
    """Without a gateway no other alert can fire."""
    path = tmp_path / "nothing.yaml"
    looks = [
        {
            "eval_time": "10m",
            "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
            "exp_samples": [{"labels": '{alertname="GlmGatewayAbsent"}', "value": 1}],
        }
    ]
    told = {
        "rule_files": [str(rule) for rule in RULES],
        "evaluation_interval": "1m",
        "tests": [{"input_series": [{"series": "up", "values": "1x20"}], "promql_expr_test": looks}],
    }
    path.write_text(yaml.safe_dump(told), "utf-8")

    promtool("test", "rules", str(path))


def test_every_alert_has_a_situation() -> None:
    tried = {name for situation in SITUATIONS for name in situation.fires}

    assert {*tried, "GlmGatewayAbsent"} == ALERTS.keys()


@pytest.mark.parametrize("name", ALERTS)
def test_alert_says_what_to_do(name: str) -> None:
    """A person who is woken reads a sentence, the numbers, and a section of the runbook that exists."""
    alert = ALERTS[name]
    headings = re.findall(r"^#+ (.*)$", RUNBOOK.read_text("utf-8"), re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}

    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert "{{" not in alert["annotations"]["summary"]
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert page == "deploy/runbook.md"
    assert anchor in anchors


def test_runbook_asks_for_all_lines_of_a_log() -> None:
    """By a selector kubectl gives the last ten of each pod unless it is told how many, whatever --since says."""
    asked = re.findall(r"kubectl logs -l [^`|]*", RUNBOOK.read_text("utf-8"))

    assert asked
    assert all("--tail=" in command for command in asked)


def test_chart_ships_every_rule(account: Rendered) -> None:
    shipped = [rule for one in account.of("PrometheusRule") for rule in rules(one["spec"]["groups"])]
    kept = [rule for path in RULES for rule in rules(yaml.safe_load(path.read_text("utf-8"))["groups"])]

    assert [rule["expr"] for rule in shipped] == [rule["expr"] for rule in kept]
    url = next(rule["annotations"]["runbook_url"] for rule in shipped if "alert" in rule)
    assert url.startswith("https://wiki.example.com/glm-gateway#")


def test_operator_leaves_alerts_out_and_changes_others(full: Rendered) -> None:
    shipped = {
        rule["alert"]: rule
        for one in full.of("PrometheusRule")
        for rule in rules(one["spec"]["groups"])
        if "alert" in rule
    }

    assert ALERTS.keys() - shipped.keys() == {"GlmGatewayUpstreamOverloaded"}
    assert shipped["GlmGatewayTierSaturated"]["labels"] == {"severity": "info", "team": "platform"}
    assert shipped["GlmGatewayDown"]["labels"] == {"severity": "critical", "team": "platform"}
