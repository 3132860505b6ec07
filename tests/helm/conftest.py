"""The chart, rendered once for all the tests that look at it."""

from typing import Any

import pytest

from tests.helm import engine
from tests.helm.engine import Outcome, Rendered
from tests.helm.values import MATRIX, REFUSED


@pytest.fixture(scope="session")
def outcome() -> Outcome:
    """Give what Helm makes of the chart; the engine is started once."""
    if not engine.has_program() and not engine.has_library():
        pytest.skip("There is neither helm nor its packaged engine; .ci/helm-engine installs the latter.")
    return engine.run([*MATRIX.values(), *(values for values, _ in REFUSED.values())])


@pytest.fixture(scope="session")
def matrix(outcome: Outcome) -> dict[str, Rendered]:
    """Give the chart with each of the values under ci/."""
    return dict(zip(MATRIX, outcome.rendered, strict=False))


@pytest.fixture(scope="session")
def refusals(outcome: Outcome) -> dict[str, Rendered]:
    """Give what became of the values that must be refused."""
    return dict(zip(REFUSED, outcome.rendered[len(MATRIX) :], strict=True))


@pytest.fixture(params=MATRIX)
def rendered(request: pytest.FixtureRequest, matrix: dict[str, Rendered]) -> Rendered:
    """Give the chart with each of the values under ci/."""
    return matrix[request.param]


@pytest.fixture(scope="session")
def full(matrix: dict[str, Rendered]) -> Rendered:
    """Give the chart with nearly every value in use."""
    return matrix["full"]


@pytest.fixture(scope="session")
def minimal(matrix: dict[str, Rendered]) -> Rendered:
    """Give the chart as it is."""
    return matrix["minimal"]


@pytest.fixture(scope="session")
def account(matrix: dict[str, Rendered]) -> Rendered:
    """Give the chart as most will have it: secrets that exist, three pods, monitored."""
    return matrix["account"]


@pytest.fixture(scope="session")
def accounts(matrix: dict[str, Rendered]) -> Rendered:
    """Give the chart with accounts in its file, and a Redis behind Sentinel."""
    return matrix["accounts"]


@pytest.fixture(scope="session")
def openshift(matrix: dict[str, Rendered]) -> Rendered:
    """Give the chart without users of its own."""
    return matrix["openshift"]


@pytest.fixture(scope="session")
def keda(matrix: dict[str, Rendered]) -> Rendered:
    """Give the chart with its own Valkey, scaled by streams."""
    return matrix["keda"]


@pytest.fixture(scope="session")
def umbrella(matrix: dict[str, Rendered]) -> Rendered:
    """Give the chart as a part of another, with other forms of what has defaults."""
    return matrix["umbrella"]


def pods(rendered: Rendered) -> list[dict[str, Any]]:
    """Give the specification of every pod, of those that tests start too."""
    templates = [one["spec"]["template"]["spec"] for one in rendered.of("Deployment")]
    return [*templates, *(one["spec"] for one in rendered.of("Pod"))]
