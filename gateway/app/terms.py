"""What the settings say of models, callers and accounts."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.auth import Authenticator, KeyRing
from gateway.auth.derivation import Purpose, derive
from gateway.catalog import Catalog, CatalogError, Operation
from gateway.errors import ModelNotFound
from gateway.exchange import AccountTier, Terms
from gateway.limits.health import Health
from gateway.settings import Jwt, Settings, SettingsError
from gateway.settings.secret import Secret

if TYPE_CHECKING:
    from gateway.auth.keys import IssuerKeys

BUILT_IN_CATALOG = Path(__file__).parents[1] / "catalog.toml"


def load_catalog(settings: Settings) -> Catalog:
    """Return the built-in catalogue with the operator's rows, limits and aliases; raise SettingsError."""
    try:
        overrides = settings.models_file.read_text("utf-8") if settings.models_file is not None else None
    except (OSError, ValueError) as error:
        raise unusable(settings, f"models_file {settings.models_file} cannot be read: {error}.") from error
    try:
        catalog = Catalog.parse(
            BUILT_IN_CATALOG.read_text("utf-8"),
            overrides=overrides,
            limits=settings.limits,
            aliases=settings.aliases,
        )
    except CatalogError as error:
        raise unusable(settings, f"The catalogue cannot be used: {error}") from error
    if problems := [*unknown_models(settings, catalog=catalog), *unfit_models(settings, catalog=catalog)]:
        raise unusable(settings, *problems)
    return catalog


def unknown_models(settings: Settings, *, catalog: Catalog) -> Iterator[str]:
    """Say which models that the settings allow do not exist."""
    owners = [
        *((f"tenant {tenant.name}", tenant.models) for tenant in settings.tenants),
        *((f"issuer {issuer.name} in [[jwt]]", issuer.models) for issuer in settings.jwt),
    ]
    for owner, models in owners:
        for model in models or ():
            try:
                catalog.resolve(model)
            except ModelNotFound as error:
                yield f"The models of {owner}: {error.message}"


def unfit_models(settings: Settings, *, catalog: Catalog) -> Iterator[str]:
    """Say which models that the gateway itself asks do not exist, or do something else."""
    realtime = settings.realtime
    asked: Sequence[tuple[str, str, Operation]] = (
        ("audio.translation_model", settings.audio.translation_model, "chat"),
        ("realtime.text_model", realtime.text_model, "chat"),
        ("realtime.speech_model", realtime.speech_model, "speech"),
        ("realtime.transcription_model", realtime.transcription_model, "transcription"),
    )
    for setting, name, operation in asked:
        try:
            model = catalog.resolve(name)
        except ModelNotFound as error:
            yield f"{setting}: {error.message}"
            continue
        if operation not in model.operations:
            yield f"{setting}: {model.id} does not do {operation}; it does {', '.join(model.operations)}."


def doubts(settings: Settings, *, catalog: Catalog) -> Iterator[str]:
    """Say what is allowed and probably not meant, also of names that lead to another kind of model than usual."""
    yield from settings.warnings
    if not settings.aliases:
        return
    usual = Catalog.parse(BUILT_IN_CATALOG.read_text("utf-8"))
    for alias in settings.aliases:
        try:
            expected = usual.resolve(alias)
        except ModelNotFound:
            continue
        model = catalog.resolve(alias)
        if missing := [operation for operation in expected.operations if operation not in model.operations]:
            yield (
                f'aliases: programs ask "{alias}" for {", ".join(missing)}, which {model.id} does not do; '
                f"it does {', '.join(model.operations)}."
            )


def unusable(settings: Settings, *problems: str) -> SettingsError:
    return SettingsError(problems, files=settings.files)


def create_terms(settings: Settings, *, catalog: Catalog, key_ring: KeyRing, health: Health) -> Terms:
    return Terms(
        catalog=catalog,
        authenticator=Authenticator(
            settings.tenants,
            model_id=lambda name: catalog.resolve(name).id,
            issuers=[(issuer, issuer_keys(issuer, key_ring=key_ring)) for issuer in settings.jwt],
        ),
        accounts=[AccountTier(account.name, account.tier) for account in settings.accounts],
        health=health,
    )


def issuer_keys(issuer: Jwt, *, key_ring: KeyRing) -> "IssuerKeys":
    if issuer.secret is not None:
        from gateway.auth.keys import SharedSecret  # noqa: PLC0415 - see gateway.auth

        return SharedSecret(issuer.secret.reveal())
    return key_ring.published(issuer.jwks_url or "")


def api_keys(settings: Settings) -> dict[str, str]:
    return {account.name: account.api_key.reveal() for account in settings.accounts}


def secret_for(purpose: Purpose, settings: Settings, *, own: Secret | None) -> bytes:
    """Return what is sealed or signed with for a purpose; ``own`` is what the operator set for it, if anything."""
    return derive(purpose, own=None if own is None else own.reveal(), api_keys=api_keys(settings).values())
