"""``glm-gateway check``: whether a configuration would work, and how to mend it where it would not."""

import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import click
import httpx

from gateway.app import doubts
from gateway.cli.configuration import catalog_or_explain, config_option, load_or_explain, posture
from gateway.cli.redis_trial import try_redis
from gateway.glm.errors import BUSINESS_CODES, Kind
from gateway.settings import Account, Secret
from gateway.translate.errors import kind_of, read_error

TRIAL_MODEL = "glm-4.5-flash"
TRIAL_TIMEOUT_SECONDS = 30.0
SOMETHING_FAILED = 1

CURES: Mapping[Kind, str] = {
    "auth": "The key is wrong or was withdrawn. Make one at open.bigmodel.cn, under API keys.",
    "account": "The account is not in order. Look at its state at open.bigmodel.cn, or ask Zhipu's support.",
    "billing": "There is no money or no valid plan. Top the account up at open.bigmodel.cn, under finance.",
    "quota": "The plan's quota is used up. Wait for its reset, or buy more.",
    "permission": "The account or its plan may not use this. Have it enabled at Zhipu.",
    "model_not_found": f"The account has no {TRIAL_MODEL}, which is unusual. Other models may work.",
    "gone": "Nothing answers to a chat request there. Check upstream_url.",
}
WORKS_ALL_THE_SAME: Mapping[Kind, str] = {
    "rate_limit": "works, but is busy: somebody else uses it, or its tier is set too high here.",
    "overload": "works; the trial model is overloaded at the moment.",
}


@click.command()
@config_option
@click.option("--offline", is_flag=True, help="Read the configuration only; call nobody.")
def check(config_path: Path | None, *, offline: bool) -> None:
    """Say whether the configuration works, what it opens, and how to mend it; tries Redis and every account."""
    settings = load_or_explain(config_path)
    catalog = catalog_or_explain(settings)
    click.echo("The configuration can be used.")
    for sentence in posture(settings, catalog=catalog):
        click.echo(f"  {sentence}")
    for warning in doubts(settings, catalog=catalog):
        click.echo(f"! {warning}")
    if not offline:
        works = [_try_redis(settings.redis.url)] if settings.redis.url is not None else []
        works += [_try(account, url=settings.upstream_url) for account in settings.accounts]
        sys.exit(0 if all(works) else SOMETHING_FAILED)


def _try_redis(url: Secret) -> bool:
    works, verdict = asyncio.run(try_redis(url.reveal()))
    click.echo(f"{' ' if works else '!'} Redis: {verdict}")
    return works


def _try(account: Account, *, url: str) -> bool:
    """Ask a free model for one token, in the account's name."""
    began = time.monotonic()
    try:
        answer = _ask(account, url=url)
    except httpx.HTTPError as error:
        works, verdict = False, f"{url} cannot be reached ({type(error).__name__}). Check address, DNS and TLS."
    else:
        works, verdict = _judge(answer, seconds=time.monotonic() - began)
    click.echo(f"{' ' if works else '!'} Account {account.name} ({account.tier}): {verdict}")
    return works


def _ask(account: Account, *, url: str) -> httpx.Response:
    return httpx.post(
        f"{url}/chat/completions",
        headers={"Authorization": f"Bearer {account.api_key.reveal()}"},
        json={"model": TRIAL_MODEL, "messages": [{"role": "user", "content": "1"}], "max_tokens": 1},
        timeout=TRIAL_TIMEOUT_SECONDS,
        trust_env=False,  # the gateway itself uses no proxy either
    )


def _judge(answer: httpx.Response, *, seconds: float) -> tuple[bool, str]:
    if answer.status_code == httpx.codes.OK:
        return True, f"answered in {seconds:.1f} s."
    if answer.is_redirect:
        return False, f"redirected (HTTP {answer.status_code}). Set upstream_url to the address it leads to."
    error = read_error(answer.content)
    code = str(error.code) if error is not None and error.code is not None else ""
    kind = kind_of(code, http_status=answer.status_code)
    if kind in WORKS_ALL_THE_SAME:
        return True, WORKS_ALL_THE_SAME[kind]
    known = BUSINESS_CODES.get(code)
    said = f"GLM {code}, {known.meaning}" if known is not None else f"HTTP {answer.status_code}"
    return False, f"refused ({said}). {CURES.get(kind, 'Try again later.')}"
