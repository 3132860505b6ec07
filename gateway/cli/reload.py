"""What a running gateway does with a changed configuration: take it over, or refuse it whole and say why."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from gateway.app import Gateway, doubts
from gateway.exchange import Terms
from gateway.metrics import Metrics
from gateway.settings import Fingerprint, Settings, SettingsError, fingerprint, gone, needing_restart

REFUSED = "The changed configuration is refused and the running one stays: %s"

logger = logging.getLogger("gateway")


class Reload:
    """
    Reads the configuration again, each time that it is called.

    ``read`` gives the settings or raises SettingsError; it may take its time, in a thread. Nothing else that goes
    wrong may reach the exchanges under way either.
    """

    def __init__(
        self, running: Settings, *, read: Callable[[], Settings], gateway: Gateway, metrics: Metrics
    ) -> None:
        self._running = running
        self._files = running.files
        self._read = read
        self._gateway = gateway
        self._metrics = metrics

    async def __call__(self) -> Mapping[Path, Fingerprint]:
        """Take over what is there now, or refuse it; gives the files that it depends on, as they were."""
        try:
            settings, terms = await asyncio.to_thread(self._prepare)
        except SettingsError as error:
            self._refuse(" ".join(error.problems))
            return {**self._unread(), **error.files}
        except Exception:
            logger.exception("The configuration could not be read")
            self._refuse("that is a mistake of this program.")
            return self._unread()
        self._gateway.adopt(terms, settings)
        self._files = settings.files
        self._tell(settings, terms)
        return self._files

    def _prepare(self) -> tuple[Settings, Terms]:
        # To open a pipe would wait for who writes into it, and what is half written is not yet meant.
        if problems := list(gone(self._files)):
            raise SettingsError(problems, files={})
        settings = self._read()
        return settings, self._gateway.create_terms(settings)

    def _unread(self) -> dict[Path, Fingerprint]:
        return {path: fingerprint(path) for path in self._files}

    def _refuse(self, problems: str) -> None:
        logger.error(REFUSED, problems)
        self._metrics.process.count_reload(succeeded=False)

    def _tell(self, settings: Settings, terms: Terms) -> None:
        self._metrics.know(terms.catalog.models)
        self._metrics.process.count_reload(succeeded=True)
        logger.info(
            "The configuration was reloaded: %d tenants, %d issuers of tokens, %d accounts, %d models.",
            len(settings.tenants),
            len(settings.jwt),
            len(settings.accounts),
            len(terms.catalog.models),
        )
        for warning in doubts(settings, catalog=terms.catalog):
            logger.warning(warning)
        if waiting := needing_restart(self._running, settings):
            logger.warning("Changed, but in effect only after a restart: %s.", ", ".join(waiting))
