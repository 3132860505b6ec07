"""
From a file and an environment to ``Settings``, or to every reason why not.

Reads the file and the files that it names.
"""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from msgspec.structs import replace

from gateway.catalog import Tier
from gateway.settings.contradictions import contradictions, doubts
from gateway.settings.environment import CONFIG, overlay
from gateway.settings.files import fingerprint
from gateway.settings.kinds import Positive
from gateway.settings.problems import SettingsError
from gateway.settings.reader import Reader
from gateway.settings.schema import Settings

ON_LOST_LEASE = "on_lost_lease"
QUOTES = 'A name with a dot needs quotes, as in "glm-4.7".'


def load(environ: Mapping[str, str], *, config_path: Path | None = None) -> Settings:
    """
    Read the settings; the environment wins over the file at ``config_path``, or at ``GATEWAY_CONFIG``.

    Raises SettingsError with all problems that were found: the operator's fault.
    """
    reader = Reader(environ)
    table = _read_file(config_path or environ.get(CONFIG), reader=reader)
    warnings = overlay(environ, table, reader=reader)
    limits = _take_limits(table, reader=reader)
    _refuse_unquoted(table.get("aliases"), reader=reader)
    settings = reader.struct(Settings, table) or Settings()
    if settings.models_file is not None:
        reader.files[settings.models_file] = fingerprint(settings.models_file)
    # What could not be read is missing, and would seem to contradict the rest.
    problems = reader.problems or list(contradictions(settings))
    if problems:
        raise SettingsError(problems, files=reader.files)
    return replace(settings, limits=limits, warnings=(*warnings, *doubts(settings)), files=reader.files)


def _read_file(path: Path | str | None, *, reader: Reader) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(reader.file(Path(path)))
    except OSError as error:
        reader.problems.append(f"The configuration file {path} cannot be read: {error.strerror}.")
    except ValueError as error:
        reader.problems.append(f"The configuration file {path} is not TOML: {error}.")
    return {}


def _take_limits(table: dict[str, Any], *, reader: Reader) -> dict[str, dict[Tier, int]]:
    """Take ``[limits]`` out of the table: one key of it is a setting, every other a model with its tiers."""
    models = table.pop("limits", {})
    if not isinstance(models, dict):
        reader.problems.append('limits must be tables such as [limits."glm-4.7"].')
        return {}
    if ON_LOST_LEASE in models:
        table.setdefault(ON_LOST_LEASE, models.pop(ON_LOST_LEASE))
    values = [name for name, tiers in models.items() if not isinstance(tiers, dict)]
    for name in difflib.get_close_matches(ON_LOST_LEASE, values):
        reader.problems.append(f"limits.{name} is not a setting; did you mean {ON_LOST_LEASE}?")
        del models[name]
    return {model: _take_tiers(tiers, reader=reader, at=f'limits."{model}"') for model, tiers in models.items()}


def _refuse_unquoted(aliases: Any, *, reader: Reader) -> None:
    """Tell of aliases that TOML took for paths, and leave them out."""
    tables = (
        [name for name, model in aliases.items() if isinstance(model, dict)] if isinstance(aliases, dict) else []
    )
    for name in tables:
        reader.problems.append(f"aliases.{name} must be text. {QUOTES}")
        del aliases[name]


def _take_tiers(tiers: Any, *, reader: Reader, at: str) -> dict[Tier, int]:
    names = get_args(Tier)
    if not isinstance(tiers, dict):
        reader.problems.append(f"{at} must be a table with {', '.join(names)}.")
        return {}
    for name in sorted(tiers.keys() - set(names)):
        hint = "" if name.startswith("V") else f" {QUOTES}"
        reader.problems.append(f"{at}.{name} is not a tier; there are {', '.join(names)}.{hint}")
    read = {name: reader.value(Positive, tiers[name], at=f"{at}.{name}") for name in names if name in tiers}
    return {name: limit for name, limit in read.items() if limit is not None}
