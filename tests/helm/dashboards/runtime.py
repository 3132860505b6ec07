"""The dashboard of the processes and their Redis."""

from tests.helm.dashboards.expressions import HERE, WINDOW, gauge, of_gateways, quantile, rate
from tests.helm.grafana import Dashboard, Panel, Query, Row

RUNTIME = Dashboard(
    name="runtime",
    title="Runtime",
    about="The processes, and the Redis that they share.",
    models=False,
    rows=(
        Row(
            "Processes",
            (
                Panel(
                    title="What runs",
                    about="Version and revision, by process.",
                    queries=(
                        Query(gauge("build_info", "namespace, job, instance, version, revision", HERE, how="max")),
                    ),
                    kind="table",
                    width=16,
                    height=6,
                ),
                Panel(
                    title="Draining",
                    about="Processes that were told to stop and still have streams.",
                    queries=(Query(f"sum(glm_gateway_draining{{{HERE}}})"),),
                    kind="stat",
                    width=4,
                    height=6,
                ),
                Panel(
                    title="Configurations refused",
                    about="Processes that go by an older configuration than the one that is there.",
                    queries=(Query(f"sum(1 - glm_gateway_config_last_reload_successful{{{HERE}}})"),),
                    kind="stat",
                    width=4,
                    height=6,
                    bad=1,
                ),
                Panel(
                    title="CPU",
                    about="Cores in use; a process uses one at most, and more while it decodes recordings.",
                    queries=(
                        Query(of_gateways(f"rate(process_cpu_seconds_total{{{HERE}}}[{WINDOW}])"), "{{instance}}"),
                    ),
                    bad=0.9,
                ),
                Panel(
                    title="Memory",
                    about="What the process holds of the machine's.",
                    queries=(Query(of_gateways(f"process_resident_memory_bytes{{{HERE}}}"), "{{instance}}"),),
                    unit="bytes",
                ),
                Panel(
                    title="Event loop: late by, 99 in 100",
                    about="How late the process wakes up; every stream of it stutters by as much.",
                    queries=(Query(quantile(0.99, "event_loop_lag", "instance", HERE), "{{instance}}"),),
                    unit="s",
                    bad=0.1,
                ),
                Panel(
                    title="Open files",
                    about="Each stream takes two.",
                    queries=(Query(of_gateways(f"process_open_fds{{{HERE}}}"), "{{instance}}"),),
                ),
                Panel(
                    title="Streams, by process",
                    about="Whether the load is shared evenly.",
                    queries=(Query(gauge("streams_active", "instance", HERE), "{{instance}}"),),
                ),
                Panel(
                    title="Requests without a valid key",
                    about="By reason.",
                    queries=(Query(rate("auth_failures_total", "reason", HERE), "{{reason}}"),),
                    unit="reqps",
                ),
            ),
        ),
        Row(
            "Redis and memory of answers",
            (
                Panel(
                    title="Calls of Redis, 99 in 100",
                    about="By what was called.",
                    queries=(
                        Query(quantile(0.99, "redis_operation_duration", "operation", HERE), "{{operation}}"),
                    ),
                    unit="s",
                ),
                Panel(
                    title="Failed calls of Redis",
                    about="By kind.",
                    queries=(Query(rate("redis_errors_total", "kind", HERE), "{{kind}}"),),
                ),
                Panel(
                    title="Processes without Redis",
                    about="They go by their share of the slots, or refuse.",
                    queries=(Query(f"sum(glm_gateway_redis_degraded{{{HERE}}})"),),
                    bad=1,
                ),
                Panel(
                    title="Leases that ran out",
                    about="Slots that came back because nobody renewed them.",
                    queries=(
                        Query(f"sum(increase(glm_gateway_concurrency_leases_expired_total{{{HERE}}}[{WINDOW}]))"),
                    ),
                    bad=1,
                    width=12,
                ),
                Panel(
                    title="Texts to embed, known or not",
                    about="Hits of the cache, where one is configured.",
                    queries=(Query(rate("cached_texts_total", "result", HERE), "{{result}}"),),
                    width=12,
                ),
            ),
        ),
    ),
)
