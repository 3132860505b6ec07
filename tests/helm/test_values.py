"""What the chart refuses, and that a release can be installed, changed and removed."""

import pytest

from tests.helm.engine import Outcome, Rendered
from tests.helm.values import REFUSED


@pytest.mark.parametrize("case", REFUSED)
def test_chart_refuses(case: str, refusals: dict[str, Rendered]) -> None:
    """What cannot work is refused when it is installed, in words that say why."""
    assert REFUSED[case][1] in refusals[case].error


@pytest.mark.parametrize("case", ["an address that is none", "keys without names"])
def test_what_may_be_secret_is_not_repeated(case: str, refusals: dict[str, Rendered]) -> None:
    (part,) = REFUSED[case][0].values()

    assert not any(str(said) in refusals[case].error for said in part.values())


def test_release_lives_and_leaves_nothing(outcome: Outcome) -> None:
    """Installed, upgraded to several pods, removed: the cluster holds what it should at each step."""
    if outcome.lived is None:
        pytest.skip("The program helm would need a cluster; its packaged engine brings one of its own.")
    installed, upgraded, removed = ([path.rsplit("/", 2)[-2] for path in step] for step in outcome.lived)

    assert "deployments" in installed
    assert set(upgraded) - set(installed) == {"horizontalpodautoscalers"}
    assert removed == []
