"""The dashboard of where the time goes."""

from tests.helm.dashboards.expressions import HERE, OF_MODEL, WRITING, mean, quantile, quantiles, rate
from tests.helm.grafana import Dashboard, Panel, Query, Row

LATENCY = Dashboard(
    name="latency",
    title="Latency",
    about="How long callers wait, and where the time goes.",
    rows=(
        Row(
            "First token",
            (
                Panel(
                    title="First token",
                    about="From the request's first byte to the first streamed token of a text.",
                    queries=quantiles("time_to_first_token", f"{OF_MODEL},{WRITING}"),
                    unit="s",
                    bad=5,
                ),
                Panel(
                    title="First token, 95 in 100, by model",
                    about="Thinking counts: its first piece is a token too.",
                    queries=(
                        Query(
                            quantile(0.95, "time_to_first_token", "model", f"{OF_MODEL},{WRITING}"), "{{model}}"
                        ),
                    ),
                    unit="s",
                ),
                Panel(
                    title="First token: what it is made of",
                    about="Means: waiting for a slot, GLM until the head of its answer, the gateway itself.",
                    queries=(
                        Query(mean("concurrency_wait", f'{OF_MODEL},outcome="acquired"'), "waiting for a slot"),
                        Query(mean("upstream_response_start", f"{OF_MODEL},{WRITING}"), "GLM's head"),
                        Query(mean("overhead", f"{HERE},{WRITING}"), "gateway"),
                    ),
                    unit="s",
                    stacked=True,
                ),
            ),
        ),
        Row(
            "Streams",
            (
                Panel(
                    title="Time per token",
                    about="Mean gap between the tokens of one stream.",
                    queries=quantiles("time_per_output_token"),
                    unit="s",
                ),
                Panel(
                    title="Longest silence in a stream",
                    about="Stalls that a mean hides; a comment is sent every 15 s so that proxies wait.",
                    queries=quantiles("stream_max_gap"),
                    unit="s",
                ),
                Panel(
                    title="Callers that left early",
                    about="By how far their request had come.",
                    queries=(Query(rate("client_disconnects_total", "phase", HERE), "{{phase}}"),),
                    unit="reqps",
                ),
            ),
        ),
        Row(
            "Whole requests",
            (
                Panel(
                    title="Duration, whole answers",
                    about="First byte in to last byte out; calls are on the dashboard of voice.",
                    queries=quantiles("request_duration", f'{OF_MODEL},stream="false",operation!="realtime"'),
                    unit="s",
                ),
                Panel(
                    title="Duration, streams",
                    about="First byte in to last byte out.",
                    queries=quantiles("request_duration", f'{OF_MODEL},stream="true"'),
                    unit="s",
                ),
                Panel(
                    title="Spent in the gateway",
                    about="Duration less queue, GLM and the caller's own reading and writing.",
                    queries=quantiles("overhead", HERE),
                    unit="s",
                    bad=0.05,
                ),
            ),
        ),
    ),
)
