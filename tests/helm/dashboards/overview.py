"""The dashboard of whether callers are served."""

from tests.helm.dashboards.expressions import FAILED, HERE, OF_MODEL, WINDOW, WRITING, quantile, rate
from tests.helm.grafana import Dashboard, Panel, Query, Row

OVERVIEW = Dashboard(
    name="overview",
    title="Overview",
    about="Whether callers are served, and whether the objectives hold.",
    rows=(
        Row(
            "Now",
            (
                Panel(
                    title="Requests a second",
                    about="All that ended, whatever became of them.",
                    queries=(Query(f"sum(rate(glm_gateway_requests_total{{{OF_MODEL}}}[{WINDOW}]))"),),
                    unit="reqps",
                    kind="stat",
                    width=4,
                    height=4,
                ),
                Panel(
                    title="Failed",
                    about="Share of the requests that were ours to answer: a fault of GLM's or of the gateway's.",
                    queries=(
                        Query(
                            # Before the first failure there is no series of it, and the share is 0.
                            f"(sum(rate(glm_gateway_requests_total{{{OF_MODEL},{FAILED}}}[{WINDOW}]))"
                            " or vector(0))"
                            f' / (sum(rate(glm_gateway_requests_total{{{OF_MODEL},outcome!~"client_.*|rejected"}}'
                            f"[{WINDOW}])) > 0)"
                        ),
                    ),
                    unit="percentunit",
                    kind="stat",
                    width=4,
                    height=4,
                    bad=0.005,
                ),
                Panel(
                    title="First token, 95 in 100",
                    about="Of streamed texts, from the request's first byte, waiting for a slot included.",
                    queries=(Query(quantile(0.95, "time_to_first_token", "", f"{OF_MODEL},{WRITING}")),),
                    unit="s",
                    kind="stat",
                    width=4,
                    height=4,
                    bad=5,
                ),
                Panel(
                    title="Under way",
                    about="Streams and realtime sessions that are open.",
                    queries=(Query(f"sum(glm_gateway_streams_active{{{OF_MODEL}}})"),),
                    kind="stat",
                    width=4,
                    height=4,
                ),
                Panel(
                    title="Waiting",
                    about="Requests in line for a slot.",
                    queries=(Query(f"sum(glm_gateway_concurrency_waiting{{{OF_MODEL}}})"),),
                    kind="stat",
                    width=4,
                    height=4,
                ),
                Panel(
                    title="Accounts that serve",
                    about="Accounts at Zhipu that are not set aside.",
                    queries=(Query(f"sum(max by (account) (glm_gateway_account_healthy{{{HERE}}}))"),),
                    kind="stat",
                    width=4,
                    height=4,
                ),
            ),
        ),
        Row(
            "Traffic",
            (
                Panel(
                    title="Requests by outcome",
                    about="client_… are faults of callers, rejected got no slot, the rest is GLM or the gateway.",
                    queries=(Query(rate("requests_total", "outcome"), "{{outcome}}"),),
                    unit="reqps",
                    stacked=True,
                ),
                Panel(
                    title="Requests by operation",
                    about="What callers ask for.",
                    queries=(Query(rate("requests_total", "operation"), "{{operation}}"),),
                    unit="reqps",
                    stacked=True,
                ),
                Panel(
                    title="Tokens by kind",
                    about="As GLM counts them; cached ones are among the input.",
                    queries=(Query(rate("tokens_total", "type"), "{{type}}"),),
                    unit="short",
                ),
            ),
        ),
        Row(
            "Objectives",
            (
                Panel(
                    title="Failures: budget burnt",
                    about="1 uses the budget of 0.5 % up just as the month ends; pages at 14.4 and at 6.",
                    queries=tuple(
                        Query(f"job:glm_gateway_request_failures:ratio_rate{window}{{{HERE}}} / 0.005", window)
                        for window in ("5m", "1h", "6h")
                    ),
                    bad=14.4,
                ),
                Panel(
                    title="Late first tokens: budget burnt",
                    about="1 uses the budget of 5 % of streams later than 5 s up just as the month ends.",
                    queries=tuple(
                        Query(f"job:glm_gateway_late_first_tokens:ratio_rate{window}{{{HERE}}} / 0.05", window)
                        for window in ("5m", "1h", "6h")
                    ),
                    bad=14.4,
                ),
                Panel(
                    title="Alerts",
                    about="Alerts of the gateway that burn or are about to.",
                    queries=(
                        Query(
                            'sum by (alertname, alertstate) (ALERTS{alertname=~"GlmGateway.*"}) or vector(0)',
                            "{{alertname}} {{alertstate}}",
                        ),
                    ),
                    kind="table",
                ),
            ),
        ),
    ),
)
