"""``python drawing.py FILE.png < figures.json``: bars for each program. Needs matplotlib, and nothing of ours."""

import json
import sys

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

PANELS = (
    ("requests_per_second", "whole answers per second, 32 connections", "{:,.0f}"),
    ("added_p50_ms", "added to a direct call, median ms (log)", "{:.2f}"),
    ("events_per_second", "stream events per second", "{:,.0f}"),
    ("punctual_streams", "paced streams with a p99 within 10 ms", "{:,.0f}"),
)
OURS, OTHERS = "#c2410c", "#94a3b8"


def main() -> None:
    """Draw one panel for each measure, with the programs that have it."""
    figures = json.load(sys.stdin)
    drawing, axes = plt.subplots(2, 2, figsize=(11, 6), layout="constrained")
    for axis, (field, title, form) in zip(axes.flat, PANELS, strict=True):
        shown = [one for one in figures if one[field]][::-1]
        names = [one["name"] for one in shown]
        values = [one[field] for one in shown]
        bars = axis.barh(names, values, color=[OURS if "GLM" in name else OTHERS for name in names])
        axis.bar_label(bars, [form.format(value) for value in values], padding=3, fontsize=8)
        axis.set_xscale("log")
        axis.set_title(title, fontsize=10, loc="left")
        axis.margins(x=0.15)
        axis.spines[["top", "right"]].set_visible(False)
    drawing.suptitle("One core each, in turns, the same upstream and load", fontsize=11)
    drawing.savefig(sys.argv[1], dpi=110)


if __name__ == "__main__":
    main()
