"""The dashboard of what Zhipu answers."""

from tests.helm.dashboards.expressions import HERE, OF_MODEL, quantile, rate
from tests.helm.grafana import Dashboard, Panel, Query, Row

UPSTREAM = Dashboard(
    name="upstream",
    title="Upstream and accounts",
    about="What Zhipu answers, and which accounts it serves.",
    rows=(
        Row(
            "Accounts",
            (
                Panel(
                    title="Accounts that serve",
                    about="1 while the account is used by every process, 0 while one has set it aside.",
                    queries=(Query(f"min by (account) (glm_gateway_account_healthy{{{HERE}}})", "{{account}}"),),
                    kind="stat",
                    width=12,
                    height=6,
                ),
                Panel(
                    title="Slots in use, by account",
                    about="All processes together.",
                    queries=(
                        Query(
                            "sum by (account) (max by (account, model)"
                            f" (glm_gateway_account_slots_in_use{{{OF_MODEL}}}))",
                            "{{account}}",
                        ),
                    ),
                    width=12,
                    height=6,
                ),
            ),
        ),
        Row(
            "Failed calls",
            (
                Panel(
                    title="Failed calls by class",
                    about="What can be done about them: rate_limit is 1302, overload Zhipu's, billing yours.",
                    queries=(Query(rate("upstream_errors_total", "class"), "{{class}}"),),
                    stacked=True,
                ),
                Panel(
                    title="Failed calls by code",
                    about="Zhipu's business codes; none where the connection failed.",
                    queries=(
                        Query(
                            rate("upstream_errors_total", "business_code, http_status"),
                            "{{business_code}} ({{http_status}})",
                        ),
                    ),
                    stacked=True,
                ),
                Panel(
                    title="Failed calls by model",
                    about="One model, or all of them.",
                    queries=(Query(rate("upstream_errors_total", "model"), "{{model}}"),),
                    stacked=True,
                ),
                Panel(
                    title="Repeated calls",
                    about="Calls that were made again before the caller was sent anything.",
                    queries=(Query(rate("upstream_retries_total", "reason"), "{{reason}}"),),
                ),
                Panel(
                    title="Concurrency refused (1302)",
                    about="Should be nothing: the slots exist to keep it so.",
                    queries=(
                        Query(
                            rate("upstream_errors_total", "model", f'{OF_MODEL},business_code="1302"')
                            + " or vector(0)",
                            "{{model}}",
                        ),
                    ),
                    bad=0.001,
                ),
                Panel(
                    title="Answers without token counts",
                    about="Bills by tokens are short by these.",
                    queries=(Query(f"{rate('usage_missing_total', 'model')} or vector(0)", "{{model}}"),),
                ),
            ),
        ),
        Row(
            "Speed of GLM",
            (
                Panel(
                    title="Head of the answer, 95 in 100",
                    about="From the call to the head of GLM's answer.",
                    queries=(Query(quantile(0.95, "upstream_response_start", "model"), "{{model}}"),),
                    unit="s",
                    width=12,
                ),
                Panel(
                    title="Head of the answer",
                    about="How many took how long.",
                    queries=(Query(rate("upstream_response_start_seconds_bucket", "le"), "{{le}}"),),
                    kind="heatmap",
                    unit="s",
                    width=12,
                ),
            ),
        ),
    ),
)
