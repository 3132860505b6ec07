"""Grafana's classic dashboards, as far as ours use them; ``dashboards`` says what is on them."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

SCHEMA_VERSION = 39
"""Of Grafana 11, which later ones take over."""
WIDTH = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
TAG = "glm-gateway"

Kind = Literal["timeseries", "stat", "table", "heatmap"]


class Query(Struct, frozen=True):
    """An expression, and what its series are called."""

    expr: str
    legend: str = ""


class Panel(Struct, frozen=True, kw_only=True):
    """
    What is drawn, in Grafana's unit. ``width`` is in columns of 24.

    ``bad`` is from where on a figure is red; None where there is no such place.
    """

    title: str
    about: str
    queries: Sequence[Query]
    unit: str = "short"
    kind: Kind = "timeseries"
    width: int = 8
    height: int = 8
    stacked: bool = False
    bad: float | None = None


class Row(Struct, frozen=True):
    """Panels below a heading."""

    title: str
    panels: Sequence[Panel]


class Dashboard(Struct, frozen=True, kw_only=True):
    """``name`` is that of the file and stays, as people keep links."""

    name: str
    title: str
    about: str
    rows: Sequence[Row]
    models: bool = True


def panels(dashboard: Dashboard) -> Iterator[Panel]:
    """Yield every panel."""
    return (panel for row in dashboard.rows for panel in row.panels)


def as_json(dashboard: Dashboard) -> dict[str, Any]:
    """Return what Grafana imports."""
    return {
        "uid": f"glm-gateway-{dashboard.name}",
        "title": f"GLM Gateway / {dashboard.title}",
        "description": dashboard.about,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": [_restarts()]},
        "links": [_link()],
        "templating": {"list": list(_variables(models=dashboard.models))},
        "panels": list(_laid_out(dashboard)),
    }


def _laid_out(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    number, top = 1, 0
    for row in dashboard.rows:
        place = {"x": 0, "y": top, "w": WIDTH, "h": 1}
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": place,
        }
        number, top, left, lowest = number + 1, top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > WIDTH:
                top, left, lowest = top + lowest, 0, 0
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            yield {"id": number, "gridPos": place, **_panel(panel)}
            number, left, lowest = number + 1, left + panel.width, max(lowest, panel.height)
        top += lowest


def _panel(panel: Panel) -> dict[str, Any]:
    instant = panel.kind in {"stat", "table"}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _OPTIONS[panel.kind],
        "transformations": _TABLE if panel.kind == "table" else [],
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend or "__auto",
                "instant": instant,
                "range": not instant,
                "format": _FORMATS.get(panel.kind, "time_series"),
            }
            for index, query in enumerate(panel.queries)
        ],
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.bad is not None:
        steps.append({"color": "red", "value": panel.bad})
    drawn = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 25 if panel.stacked else 8,
        "showPoints": "never",
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "off" if panel.bad is None else "dashed"},
    }
    return {
        "unit": panel.unit,
        "min": 0,
        "color": {"mode": "thresholds" if panel.kind == "stat" else "palette-classic"},
        "thresholds": {"mode": "absolute", "steps": steps},
        "custom": drawn if panel.kind == "timeseries" else {},
    }


def _variables(*, models: bool) -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}
    yield _values("namespace", "Namespace", "label_values(glm_gateway_build_info, namespace)")
    yield _values("job", "Release", 'label_values(glm_gateway_build_info{namespace=~"$namespace"}, job)')
    if models:
        yield _values("model", "Model", 'label_values(glm_gateway_concurrency_limit{job=~"$job"}, model)')


def _values(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "definition": query,
        "query": {"query": query, "refId": "values"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _restarts() -> dict[str, Any]:
    return {
        "name": "Starts",
        "datasource": SOURCE,
        "enable": True,
        "iconColor": "blue",
        "expr": 'changes(process_start_time_seconds{job=~"$job"}[2m]) > 0',
        "titleFormat": "{{instance}} started",
    }


def _link() -> dict[str, Any]:
    return {
        "title": "GLM Gateway",
        "type": "dashboards",
        "tags": [TAG],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
    }


_FORMATS = {"table": "table", "heatmap": "heatmap"}
_TABLE = [{"id": "organize", "options": {"excludeByName": {"Time": True}}}]
_OPTIONS: dict[Kind, dict[str, Any]] = {
    "timeseries": {
        "legend": {
            "displayMode": "table",
            "placement": "bottom",
            "showLegend": True,
            "calcs": ["lastNotNull", "max"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "textMode": "auto",
    },
    "table": {"showHeader": True, "cellHeight": "sm"},
    "heatmap": {
        "calculate": False,
        "yAxis": {"unit": "s"},
        "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
        "tooltip": {"mode": "single", "yHistogram": False},
    },
}
