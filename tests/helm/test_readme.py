"""The chart's README has every value, and what it means; the project's, how much there is to watch with."""

import re

from tests.helm.dashboards import DASHBOARDS
from tests.helm.engine import CHART
from tests.helm.readme import README, renewed


def test_readme_has_the_values_as_they_are() -> None:
    """``make contract`` writes the table anew; a value without a comment ends it."""
    text = README.read_text("utf-8")

    assert renewed(text) == text


def test_front_page_counts_what_is_watched() -> None:
    text = (CHART.parents[1] / "README.md").read_text("utf-8")
    rules = "".join(path.read_text("utf-8") for path in (CHART / "files" / "rules").glob("*.yaml"))

    alerts, records = (len(re.findall(rf"^ *- {kind}:", rules, re.MULTILINE)) for kind in ("alert", "record"))
    assert f"{alerts} alerts, {records} recording rules, {len(DASHBOARDS)} dashboards" in text
