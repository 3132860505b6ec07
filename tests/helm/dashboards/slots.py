"""The dashboard of who holds slots and who waits."""

from tests.helm.dashboards.expressions import HERE, OF_MODEL, gauge, quantiles, rate
from tests.helm.grafana import Dashboard, Panel, Query, Row

SLOTS = Dashboard(
    name="slots",
    title="Tiers and slots",
    about="Who holds slots, who waits, and who got none.",
    rows=(
        Row(
            "Slots",
            (
                Panel(
                    title="Held, by tier",
                    about="Slots that the processes say they hold.",
                    queries=(Query(gauge("concurrency_slots_in_use", "tier"), "{{tier}}"),),
                    stacked=True,
                ),
                Panel(
                    title="Held, by model",
                    about="Slots that the processes say they hold.",
                    queries=(
                        Query(f"{gauge('concurrency_slots_in_use', 'model')} > 0 or vector(0)", "{{model}}"),
                    ),
                    stacked=True,
                ),
                Panel(
                    title="Booked and held by nobody",
                    about="What Redis has more than the processes hold; for more than 10 minutes it is a leak.",
                    queries=(
                        Query(
                            f"sum by (tier) (clamp_min(job_tier_model:glm_gateway_slots_booked:max{{{OF_MODEL}}}"
                            f" - job_tier_model:glm_gateway_slots_held:sum{{{OF_MODEL}}}, 0))",
                            "{{tier}}",
                        ),
                    ),
                    bad=1,
                ),
                Panel(
                    title="Accounts: slots in use",
                    about="Of what Zhipu allows an account for a model; what is below a tenth is left out.",
                    queries=(
                        Query(
                            f"job_account_model:glm_gateway_account_slots:ratio{{{OF_MODEL}}} > 0.1 or vector(0)",
                            "{{account}} {{model}}",
                        ),
                    ),
                    unit="percentunit",
                    bad=0.9,
                    width=12,
                ),
                Panel(
                    title="Accounts: learned limit",
                    about="Slots that Zhipu was found to allow, fewer than the tier says.",
                    queries=(
                        Query(
                            f"max by (account, model) (glm_gateway_account_limit{{{OF_MODEL}}})"
                            f" - min by (account, model) (glm_gateway_account_limit_learned{{{OF_MODEL}}})",
                            "{{account}} {{model}} missing",
                        ),
                    ),
                    width=12,
                ),
            ),
        ),
        Row(
            "Lines",
            (
                Panel(
                    title="Waiting, by tier",
                    about="Requests in line.",
                    queries=(Query(gauge("concurrency_waiting", "tier"), "{{tier}}"),),
                    stacked=True,
                ),
                Panel(
                    title="Longest wait now",
                    about="How long the first in any tenant's line has waited.",
                    queries=(Query(gauge("concurrency_oldest_wait_seconds", "tier", how="max"), "{{tier}}"),),
                    unit="s",
                    bad=15,
                ),
                Panel(
                    title="Wait for a slot",
                    about="Of requests that got one; most wait for nothing.",
                    queries=quantiles("concurrency_wait", f'{OF_MODEL},outcome="acquired"'),
                    unit="s",
                ),
                Panel(
                    title="Refused for want of a slot",
                    about="Waited to the end, line full, line too long for the caller's patience, no Redis.",
                    queries=(Query(rate("concurrency_rejections_total", "reason", HERE), "{{reason}}"),),
                    unit="reqps",
                    width=12,
                ),
                Panel(
                    title="What became of those who waited",
                    about="A slot, the end of patience, or the caller left.",
                    queries=(Query(rate("concurrency_wait_seconds_count", "outcome"), "{{outcome}}"),),
                    unit="reqps",
                    width=12,
                ),
            ),
        ),
        Row(
            "Limits",
            (
                Panel(
                    title="Slots of one tenant, by tier",
                    about="The limits that hold now.",
                    queries=(Query(f"max by (model, tier) (glm_gateway_concurrency_limit{{{OF_MODEL}}})"),),
                    kind="table",
                    width=24,
                ),
            ),
        ),
    ),
)
