"""The dashboards that the chart ships: as they are written, of figures that exist, in Grafana's terms."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from gateway.catalog import Model
from gateway.metrics import Metrics, Slots
from tests.helm.dashboards import DASHBOARDS, FOLDER, text
from tests.helm.engine import Rendered
from tests.helm.grafana import Dashboard, as_json, panels
from tests.helm.test_rules import RULES, promtool, rules
from tests.helm.test_watching import as_of_now

RECORDED_AND_ALERTS = [rule for path in RULES for rule in rules(yaml.safe_load(path.read_text("utf-8"))["groups"])]
NAME = re.compile(r"\b(?:\w+:)?(?:glm_gateway|process)_\w+(?::\w+)?")
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "gauge": ("",)}


def known() -> Iterator[str]:
    """Yield every name that an expression may use."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    Metrics(registry, models=(Model(id="glm-realtime", operations=("realtime",)),)).slots.take(Slots())
    for family in registry.collect():
        yield from (family.name + suffix for suffix in SUFFIXES[family.type])
    yield from (rule["record"] for rule in RECORDED_AND_ALERTS if "record" in rule)


def expressions() -> Iterator[tuple[str, str]]:
    for dashboard in DASHBOARDS:
        for panel in panels(dashboard):
            for query in panel.queries:
                yield f"{dashboard.name}: {panel.title}", as_of_now(query.expr)
    for rule in RECORDED_AND_ALERTS:
        yield rule.get("record") or rule["alert"], rule["expr"]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.name)
def test_file_is_as_it_is_written(dashboard: Dashboard) -> None:
    """``make contract`` writes it anew."""
    assert (FOLDER / f"{dashboard.name}.json").read_text("utf-8") == text(dashboard)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.name)
def test_dashboard_is_one_that_grafana_imports_anywhere(dashboard: Dashboard) -> None:
    """No data source by name, no number of its own, panels that do not lie on each other."""
    told = as_json(dashboard)
    drawn = [panel for panel in told["panels"] if panel["type"] != "row"]

    assert "id" not in told
    assert "__inputs" not in told
    assert re.fullmatch(r"[a-z-]{1,40}", told["uid"])
    assert {panel["datasource"]["uid"] for panel in drawn} == {"${datasource}"}
    assert all(panel["title"] and panel["description"] and panel["targets"] for panel in drawn)
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in drawn)
    assert len({panel["id"] for panel in told["panels"]}) == len(told["panels"])
    places = sorted(
        (place["y"], place["x"], place["w"]) for place in (panel["gridPos"] for panel in told["panels"])
    )
    for (top, left, width), (next_top, next_left, _) in pairwise(places):
        assert left + width <= 24
        assert next_top > top or next_left >= left + width


def test_names_differ() -> None:
    assert len({as_json(one)["uid"] for one in DASHBOARDS}) == len(DASHBOARDS)
    assert {path.stem for path in FOLDER.glob("*.json")} == {one.name for one in DASHBOARDS}


@pytest.mark.parametrize(("where", "expr"), [*expressions()])
def test_expression_is_one_and_of_figures_that_exist(where: str, expr: str) -> None:
    """A figure that is renamed is missed here, before a panel is empty or an alert is silent."""
    promql_parser.parse(expr)

    assert set(NAME.findall(expr)) <= set(known()), where


def expression(dashboard: str, title: str) -> str:
    (board,) = (one for one in DASHBOARDS if one.name == dashboard)
    (panel,) = (one for one in panels(board) if one.title == title)
    return as_of_now(panel.queries[0].expr)


def test_panels_tell_of_gateways_alone_and_of_no_failure(tmp_path: Path) -> None:
    """Other programs' processes have figures of the same names; where nothing failed yet, that is said."""
    path = tmp_path / "panels.yaml"
    series = {
        'glm_gateway_build_info{job="llm",instance="a"}': "1x40",
        'process_resident_memory_bytes{job="llm",instance="a"}': "5x40",
        'process_resident_memory_bytes{job="node-exporter",instance="b"}': "7x40",
        'glm_gateway_requests_total{job="llm",instance="a",outcome="ok",code="200"}': "0+60x40",
    }
    memory = {"labels": 'process_resident_memory_bytes{job="llm",instance="a"}', "value": 5}
    looks = [
        {"expr": expression("runtime", "Memory"), "eval_time": "5m", "exp_samples": [memory]},
        {
            "expr": expression("overview", "Failed"),
            "eval_time": "5m",
            "exp_samples": [{"labels": "{}", "value": 0}],
        },
    ]
    told = [{"series": name, "values": values} for name, values in series.items()]
    path.write_text(
        yaml.safe_dump({"tests": [{"interval": "15s", "input_series": told, "promql_expr_test": looks}]})
    )

    promtool("test", "rules", str(path))


def test_chart_ships_every_dashboard(account: Rendered) -> None:
    shipped = [one for one in account.of("ConfigMap") if "grafana_dashboard" in one["metadata"]["labels"]]
    titles = {json.loads(next(iter(one["data"].values())))["title"] for one in shipped}

    assert titles == {as_json(one)["title"] for one in DASHBOARDS}
    assert {one["metadata"]["annotations"]["grafana_folder"] for one in shipped} == {"GLM Gateway"}
    assert all(len(json.dumps(one)) < 256 * 1024 for one in shipped)
