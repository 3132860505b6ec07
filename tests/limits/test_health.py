"""What is learned of accounts: set aside, tried again, used less, and used in full again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, QuotaExhausted, UpstreamFailed, UpstreamRejected
from gateway.limits.allowances import RECOVERY_SECONDS
from gateway.limits.health import (
    EVERY_MODEL,
    FAILURES_TO_BREAK,
    FIRST_ASIDE_SECONDS,
    FIRST_BREAK_SECONDS,
    MAX_ASIDE_SECONDS,
    TRIAL_SECONDS,
    Health,
)
from gateway.limits.limiter import AccountLimit

POOR = QuotaExhausted("No balance.", glm_code="1113")
LOCKED = UpstreamRejected("Locked.", glm_code="1112")
DOWN = UpstreamFailed("Down.")
TWO = (AccountLimit("main", 10), AccountLimit("spare", 4))


class Accounts:
    """Two accounts at a time of the test's choice."""

    def __init__(self, *accounts: AccountLimit) -> None:
        self.now = 1000.0
        self.health = Health(lambda: self.now)
        self.pools = {model: self.health.pool(model, accounts or TWO) for model in ("glm-4.7", "glm-4.5-flash")}

    def limits(self, model: str = "glm-4.7") -> list[int]:
        return [account.limit for account in self.pools[model]]

    def refuse(self, account: str = "main", model: str = "glm-4.7", error: GatewayError = POOR) -> bool:
        return self.health.refuse(account, model, error=error, asked_at=self.now)

    def fail(self, account: str = "main", times: int = FAILURES_TO_BREAK) -> None:
        for _ in range(times):
            self.health.fail(account, "glm-4.7", error=DOWN, asked_at=self.now)

    def trial(self) -> AccountLimit | None:
        return self.health.trial("glm-4.7", self.pools["glm-4.7"])


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


def test_accounts_are_used_as_their_tiers_say_when_nothing_is_known(accounts: Accounts) -> None:
    assert ([10, 4], []) == (accounts.limits(), accounts.health.standings("main"))
    assert TWO == (accounts.pools["glm-4.7"][0], *accounts.pools["glm-4.7"][1:])
    assert 2 == len(accounts.pools["glm-4.7"])


def test_what_zhipu_allows_is_told_whether_or_not_the_account_serves(accounts: Accounts) -> None:
    """Being aside is one thing, a learned limit another."""
    allowed = accounts.health.allowed
    accounts.health.crowd("main", "glm-4.7", in_use=8, asked_at=accounts.now)
    accounts.refuse(model=EVERY_MODEL)
    accounts.refuse("spare")

    assert (0, 4) == (accounts.limits()[0], allowed("spare", "glm-4.7", limit=4))
    assert (6, 5) == (allowed("main", "glm-4.7", limit=10), allowed("main", "glm-4.7", limit=5))
    assert 7 == allowed("main", "never-asked-for", limit=7)


def test_account_is_set_aside_for_the_model_that_it_refuses(accounts: Accounts) -> None:
    accounts.refuse()

    assert ([0, 4], [10, 4]) == (accounts.limits(), accounts.limits("glm-4.5-flash"))
    (standing,) = accounts.health.standings("main")
    assert ("glm-4.7", POOR, FIRST_ASIDE_SECONDS) == (standing.model, standing.error, standing.seconds)


def test_account_is_set_aside_for_every_model_when_all_of_it_is_refused(accounts: Accounts) -> None:
    accounts.refuse(model=EVERY_MODEL, error=LOCKED)

    assert [[0, 4]] * 2 == [accounts.limits(model) for model in accounts.pools]


def test_account_is_tried_by_one_request_at_a_time_when_its_time_is_over(accounts: Accounts) -> None:
    accounts.refuse()
    accounts.now += FIRST_ASIDE_SECONDS

    assert [1, 4] == accounts.limits()
    accounts.health.succeed("main", "glm-4.7", asked_at=accounts.now)
    assert ([10, 4], []) == (accounts.limits(), accounts.health.standings("main"))


def test_account_stays_aside_for_longer_each_time_it_refuses(accounts: Accounts) -> None:
    """Twice as long, up to a quarter of an hour; a success makes it begin again."""
    aside = []
    for _ in range(6):
        accounts.refuse()
        aside.append(accounts.health.standings("main")[0].seconds)
        accounts.now += aside[-1]
    accounts.health.succeed("main", "glm-4.7", asked_at=accounts.now)
    accounts.refuse()

    assert [60, 120, 240, 480, MAX_ASIDE_SECONDS, MAX_ASIDE_SECONDS] == aside
    assert FIRST_ASIDE_SECONDS == accounts.health.standings("main")[0].seconds


def test_account_stays_aside_for_as_long_as_zhipu_says(accounts: Accounts) -> None:
    accounts.health.refuse("main", EVERY_MODEL, error=POOR, asked_at=accounts.now, seconds=7200)

    accounts.now += 7199
    assert [0, 4] == accounts.limits()
    accounts.now += 1
    assert [1, 4] == accounts.limits()


def test_answers_to_earlier_calls_are_no_news(accounts: Accounts) -> None:
    """Calls that were under way together do not count several times, and an old success cures nothing."""
    before = accounts.now
    accounts.now += 10
    assert accounts.refuse()

    assert not accounts.health.refuse("main", "glm-4.7", error=POOR, asked_at=before)
    accounts.health.succeed("main", "glm-4.7", asked_at=before)

    assert FIRST_ASIDE_SECONDS == accounts.health.standings("main")[0].seconds


def test_one_request_at_a_time_tries_an_account_when_none_is_left(accounts: Accounts) -> None:
    """The one that was heard of longest ago; whoever comes meanwhile is told why."""
    accounts.refuse("main")
    accounts.now += 1
    accounts.refuse("spare", model=EVERY_MODEL, error=LOCKED)
    assert [0, 0] == accounts.limits()

    assert AccountLimit("main", 10) == accounts.trial()
    assert AccountLimit("spare", 4) == accounts.trial()
    assert accounts.trial() is None
    accounts.health.end_trial("spare", "glm-4.7", asked_at=accounts.now)
    assert AccountLimit("spare", 4) == accounts.trial()
    accounts.now += TRIAL_SECONDS
    assert AccountLimit("main", 10) == accounts.trial()


def test_trial_goes_on_when_what_was_asked_before_it_ends(accounts: Accounts) -> None:
    """One request at a time tries, however many were under way when the accounts were set aside."""
    asked_at = accounts.now
    accounts.now += 1
    for account in ("main", "spare"):
        accounts.refuse(account)
        accounts.trial()

    for account in ("main", "spare"):
        accounts.health.end_trial(account, "glm-4.7", asked_at=asked_at)

    assert accounts.trial() is None


@pytest.mark.parametrize("model", ["glm-4.7", EVERY_MODEL])
def test_account_refuses_still_when_its_trial_only_fails(accounts: Accounts, model: str) -> None:
    """Without a balance is without a balance, though the platform fails as well; it is tried again soon."""
    accounts.refuse("main", model=model)
    accounts.now += FIRST_ASIDE_SECONDS
    assert [1, 4] == accounts.limits()

    accounts.fail("main", times=2 * FAILURES_TO_BREAK)

    assert [0, 4] == accounts.limits()
    accounts.refuse("spare")
    assert [0, 0] == accounts.limits()
    assert isinstance(accounts.health.why("glm-4.7", TWO), QuotaExhausted)
    accounts.health.succeed("spare", "glm-4.7", asked_at=accounts.now)
    accounts.now += FIRST_BREAK_SECONDS
    assert [1, 4] == accounts.limits()


def test_account_serves_all_again_when_its_trial_succeeds(accounts: Accounts) -> None:
    for account in ("main", "spare"):
        accounts.refuse(account)
    trial = accounts.trial()
    assert trial is not None

    accounts.health.succeed(trial.name, "glm-4.7", asked_at=accounts.now)

    assert [10, 0] == accounts.limits()


def test_reason_is_money_when_any_account_has_none(accounts: Accounts) -> None:
    """It is a copy: an error that is raised again and again gathers tracebacks."""
    accounts.refuse("main")
    assert accounts.health.why("glm-4.7", accounts.pools["glm-4.7"]) is None
    accounts.now += 1
    accounts.refuse("spare", error=LOCKED)

    why = accounts.health.why("glm-4.7", accounts.pools["glm-4.7"])

    assert isinstance(why, QuotaExhausted)
    assert why is not POOR
    assert ("No balance.", "1113", "insufficient_quota") == (why.message, why.glm_code, why.code)


def test_reason_says_when_the_account_is_tried_again(accounts: Accounts) -> None:
    for account in ("main", "spare"):
        accounts.refuse(account)
    accounts.now += 12

    why = accounts.health.why("glm-4.7", accounts.pools["glm-4.7"])

    assert why is not None
    assert (FIRST_ASIDE_SECONDS - 12, FIRST_ASIDE_SECONDS) == (why.retry_after_seconds, POOR.retry_after_seconds)


def test_nobody_is_sent_back_to_a_time_that_is_over(accounts: Accounts) -> None:
    """The account is on trial then, and who comes meanwhile may ask again soon."""
    for account in ("main", "spare"):
        accounts.refuse(account)
    accounts.now += FIRST_ASIDE_SECONDS + 12

    why = accounts.health.why("glm-4.7", accounts.pools["glm-4.7"])

    assert why is not None
    assert 1 == why.retry_after_seconds
    assert [0] == [standing.seconds for standing in accounts.health.standings("main")]


def test_it_is_news_when_an_account_refuses_for_another_reason(accounts: Accounts) -> None:
    assert accounts.refuse(error=POOR)
    accounts.now += 1

    assert not accounts.refuse(error=POOR)
    assert accounts.refuse(error=LOCKED)


def test_account_is_set_aside_when_it_only_fails(accounts: Accounts) -> None:
    """A success in between makes it no such account."""
    accounts.fail(times=FAILURES_TO_BREAK - 1)
    accounts.health.succeed("main", "glm-4.7", asked_at=accounts.now)
    accounts.fail(times=FAILURES_TO_BREAK - 1)
    assert [10, 4] == accounts.limits()

    accounts.fail(times=1)

    assert [0, 4] == accounts.limits()
    accounts.now += FIRST_BREAK_SECONDS
    assert [1, 4] == accounts.limits()
    accounts.fail(times=1)
    assert [0, 4] == accounts.limits()


def test_account_is_set_aside_when_it_only_fails_though_the_other_serves(accounts: Accounts) -> None:
    """What one account does well speaks for no other."""
    for _ in range(FAILURES_TO_BREAK):
        accounts.health.succeed("spare", "glm-4.7", asked_at=accounts.now)
        accounts.health.succeed("main", "glm-4.5-flash", asked_at=accounts.now)
        accounts.fail(times=1)

    assert ([0, 4], [10, 4]) == (accounts.limits(), accounts.limits("glm-4.5-flash"))


def test_accounts_that_fail_are_used_all_the_same_when_none_is_better(accounts: Accounts) -> None:
    """Then it is the platform that fails, and every caller gets an honest answer. One that refuses is no use."""
    accounts.fail("main")
    accounts.fail("spare")
    assert [10, 4] == accounts.limits()

    accounts.refuse("spare")

    assert [10, 0] == accounts.limits()


def test_fewer_slots_are_used_when_zhipu_has_too_much_at_once(accounts: Accounts) -> None:
    """Three quarters of what was in use, and of what was allowed, at least one; once for calls sent together."""
    learned = []
    for in_use in (10, 20, 4, 1, 1):
        accounts.now += 1
        accounts.health.crowd("main", "glm-4.7", in_use=in_use, asked_at=accounts.now)
        accounts.health.crowd("main", "glm-4.7", in_use=in_use, asked_at=accounts.now - 0.5)
        learned.append(accounts.limits()[0])

    assert [7, 5, 3, 1, 1] == learned
    assert [10, 4] == accounts.limits("glm-4.5-flash")


def test_limit_creeps_back_when_zhipu_has_not_complained(accounts: Accounts) -> None:
    """A slot in half a minute, a twentieth of a large limit; never above the tier's."""
    wide = Accounts(AccountLimit("main", 500))
    accounts.health.crowd("main", "glm-4.7", in_use=4, asked_at=accounts.now)
    wide.health.crowd("main", "glm-4.7", in_use=500, asked_at=wide.now)
    seen, widely = [], []
    for _ in range(8):
        seen.append(accounts.limits()[0])
        widely.append(wide.limits()[0])
        accounts.now += RECOVERY_SECONDS
        wide.now += RECOVERY_SECONDS

    assert [3, 4, 5, 6, 7, 8, 9, 10] == seen
    assert [375, 400, 425, 450, 475, 500, 500, 500] == widely
    assert accounts.limits()[0] == 10
    assert accounts.health.is_calm()


def test_every_account_gets_another_chance_when_the_configuration_changes(accounts: Accounts) -> None:
    """Its key may be another now. What Zhipu takes at once has not changed."""
    accounts.refuse("main", model=EVERY_MODEL, error=LOCKED)
    accounts.fail("spare")
    accounts.health.crowd("spare", "glm-4.7", in_use=4, asked_at=accounts.now)

    accounts.health.forgive()

    assert [10, 3] == accounts.limits()
    accounts.fail("spare", times=FAILURES_TO_BREAK - 1)
    assert [10, 3] == accounts.limits()


def test_who_asked_under_an_earlier_tier_gets_no_more_than_that(accounts: Accounts) -> None:
    """A tier that was raised is for those who come after."""
    accounts.health.pool("glm-4.7", [AccountLimit("main", 100)])

    accounts.health.crowd("main", "glm-4.7", in_use=80, asked_at=accounts.now)

    assert [10, 4] == accounts.limits()


actions = st.tuples(
    st.sampled_from(["refuse", "bar", "fail", "crowd", "succeed", "trial", "wait"]),
    st.sampled_from(["main", "spare"]),
    st.sampled_from([0.0, 1.0, 30.0, 1000.0]),
)


@given(st.lists(actions, max_size=60))
def test_limits_are_never_above_the_tier_and_somebody_can_always_try(steps: list[tuple[str, str, float]]) -> None:
    """Whatever happens: where no account serves there is a reason, and a trial as soon as the last one is old."""
    accounts = Accounts()
    for action, name, seconds in steps:
        match action:
            case "refuse":
                accounts.refuse(name)
            case "bar":
                accounts.refuse(name, model=EVERY_MODEL)
            case "fail":
                accounts.fail(name, times=3)
            case "crowd":
                accounts.health.crowd(name, "glm-4.7", in_use=3, asked_at=accounts.now)
            case "succeed":
                accounts.health.succeed(name, "glm-4.7", asked_at=accounts.now)
            case "trial" if not any(accounts.limits()):
                accounts.trial()
            case _:
                accounts.now += seconds
        assert all(0 <= limit <= most.limit for limit, most in zip(accounts.limits(), TWO, strict=True))
        if not any(accounts.limits()):
            assert accounts.health.why("glm-4.7", TWO) is not None
    accounts.now += 1000
    assert any(accounts.limits()) or accounts.trial() is not None
