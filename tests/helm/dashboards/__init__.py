"""What is on the dashboards, by the question that each answers."""

import json

from tests.helm.dashboards.latency import LATENCY
from tests.helm.dashboards.overview import OVERVIEW
from tests.helm.dashboards.runtime import RUNTIME
from tests.helm.dashboards.slots import SLOTS
from tests.helm.dashboards.upstream import UPSTREAM
from tests.helm.dashboards.voice import VOICE
from tests.helm.engine import CHART
from tests.helm.grafana import Dashboard, as_json

FOLDER = CHART / "files" / "dashboards"
DASHBOARDS = (OVERVIEW, SLOTS, UPSTREAM, LATENCY, VOICE, RUNTIME)


def text(dashboard: Dashboard) -> str:
    """Return the file of a dashboard."""
    return json.dumps(as_json(dashboard), indent=1, ensure_ascii=False) + "\n"
