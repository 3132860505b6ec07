"""Who may call, and with what they are served: all that a reload changes, in one value that is replaced whole."""

from collections.abc import Sequence

from msgspec import Struct

from gateway.auth import Authenticator, Caller
from gateway.catalog import Catalog, Model, Tier
from gateway.errors import ModelNotFound
from gateway.limits.health import Health
from gateway.limits.limiter import AccountLimit, Scope

MAX_SCOPES = 10_000


class AccountTier(Struct, frozen=True):
    """A Zhipu account: its name and its own tier."""

    name: str
    tier: Tier


class Terms:
    """
    The catalogue, the callers and the accounts of one configuration.

    An exchange goes by the terms that it began with, whatever is reloaded meanwhile. ``health`` says what may be
    used of the accounts at each moment.
    """

    def __init__(
        self, *, catalog: Catalog, authenticator: Authenticator, accounts: Sequence[AccountTier], health: Health
    ) -> None:
        self.catalog = catalog
        self.authenticator = authenticator
        self.accounts = tuple(accounts)
        self._health = health
        self._scopes: dict[tuple[Caller, str], Scope] = {}
        self._tiers: dict[str, Tier] = {}

    def find_model(self, name: str, caller: Caller) -> Model:
        """
        Return the model that a caller asks for.

        Raises ModelNotFound when there is none, or not for this caller: what is not in its list does not exist.
        """
        model = self.catalog.resolve(name)
        if caller.models is not None and model.id not in caller.models:
            raise ModelNotFound(f"Your key may not use {model.id}; 'GET /v1/models' lists what it may.")
        return model

    def tier(self, tenant: str) -> Tier | None:
        """Return the tier of a tenant by its name, None when it has not called lately."""
        return self._tiers.get(tenant)

    def succeed(self, former: "Terms") -> None:
        """Take the place of ``former``: whoever called under its terms is not forgotten."""
        self._tiers = former._tiers | self._tiers  # noqa: SLF001 - it is another of the same class

    def scope(self, caller: Caller, model: Model) -> Scope:
        """Return what a caller's slots for a model are counted per."""
        scope = self._scopes.get((caller, model.id))
        if scope is None:
            # Tokens can bring any number of callers; what was made for the early ones is made again.
            if len(self._scopes) >= MAX_SCOPES:
                self._scopes.clear()
                self._tiers.clear()
            self._tiers[caller.name] = caller.tier
            scope = self._scopes[caller, model.id] = Scope(
                tenant=caller.name,
                model=model.id,
                limit=model.limits.of(caller.tier),
                accounts=self._health.pool(
                    model.id, [AccountLimit(one.name, model.limits.of(one.tier)) for one in self.accounts]
                ),
            )
        return scope
