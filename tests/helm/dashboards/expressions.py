"""The expressions of which panels are made: over all processes, of the models that were chosen."""

from tests.helm.grafana import Query

HERE = 'namespace=~"$namespace",job=~"$job"'
OF_MODEL = f'{HERE},model=~"$model"'
WRITING = 'operation=~"chat|completions|responses"'
WINDOW = "$__rate_interval"
FAILED = 'outcome=~"upstream_error|upstream_timeout|gateway_error"'


def rate(family: str, by: str, selector: str = OF_MODEL) -> str:
    """Write a sum of rates of a counter."""
    return f"sum by ({by}) (rate(glm_gateway_{family}{{{selector}}}[{WINDOW}]))"


def gauge(family: str, by: str, selector: str = OF_MODEL, how: str = "sum") -> str:
    """Write a gauge over all processes."""
    return f"{how} by ({by}) (glm_gateway_{family}{{{selector}}})"


def of_gateways(expr: str) -> str:
    """Leave out other programs' processes, which tell figures of the same names."""
    return f"{expr} and on (namespace, job, instance) glm_gateway_build_info{{{HERE}}}"


def quantile(share: float, family: str, by: str = "", selector: str = OF_MODEL) -> str:
    """Write a quantile of a histogram."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({share:g}, {rate(f'{family}_seconds_bucket', labels, selector)})"


def mean(family: str, selector: str = OF_MODEL) -> str:
    """Write the mean of what a histogram saw."""
    return (
        f"sum(rate(glm_gateway_{family}_seconds_sum{{{selector}}}[{WINDOW}]))"
        f" / sum(rate(glm_gateway_{family}_seconds_count{{{selector}}}[{WINDOW}]))"
    )


def quantiles(family: str, selector: str = OF_MODEL) -> tuple[Query, ...]:
    return tuple(Query(quantile(share, family, "", selector), f"p{share * 100:g}") for share in (0.5, 0.95, 0.99))
