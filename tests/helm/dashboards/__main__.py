"""Writes the dashboards into the chart; ``make contract`` runs it."""

from tests.helm.dashboards import DASHBOARDS, FOLDER, text

for one in DASHBOARDS:
    (FOLDER / f"{one.name}.json").write_text(text(one), "utf-8")
