"""What the chart tells the gateway, the gateway takes: no pod is made that refuses to start."""

import re
from pathlib import Path

from gateway.settings.load import load
from tests.helm.engine import Rendered

MOUNTED = "/etc/glm-gateway"
ELSEWHERE = {
    "ZHIPU_API_KEY": "id.secret",
    "GATEWAY_KEYS": "team:sk-0123456789abcdef:V1",
    "GATEWAY_LEASE_SECONDS": "15",
}
"""What Secrets and ConfigMaps say that are there before the chart."""
EMPTY_FILE = "[chat]\nheartbeat_seconds = 10\n"


def in_pod(rendered: Rendered, folder: Path) -> dict[str, str]:
    """Mount what a pod finds into a folder, and give its variables, which name files there."""
    made = {key: text for one in rendered.of("Secret") for key, text in one["stringData"].items()}
    told = {**ELSEWHERE, "GATEWAY_REDIS_URL": "redis://there", **made}
    environ = {name: said if isinstance(said, str) else told[name] for name, said in rendered.environment.items()}
    for number, mount in enumerate(rendered.container["volumeMounts"]):
        if mount["mountPath"].startswith(f"{MOUNTED}/secrets/"):
            secret = folder / "secrets" / mount["mountPath"].rpartition("/")[2]
            secret.mkdir(parents=True)
            (secret / "key").write_text(f"id{number}.secret", "utf-8")
    if "GATEWAY_CONFIG" in environ:
        maps = [one["data"]["gateway.toml"] for one in rendered.of("ConfigMap") if "gateway.toml" in one["data"]]
        text = re.sub(MOUNTED, str(folder), maps[0] if maps else EMPTY_FILE)
        path = folder / "gateway.toml"
        path.write_text(text, "utf-8")
        environ["GATEWAY_CONFIG"] = str(path)
    return environ


def test_gateway_takes_what_it_is_told(rendered: Rendered, tmp_path: Path) -> None:
    settings = load(in_pod(rendered, tmp_path))

    assert 8080 == settings.port
    assert settings.drain_seconds == rendered.values.get("drain", {}).get("seconds", 60)


def test_accounts_of_the_file_have_tiers_of_their_own(accounts: Rendered, tmp_path: Path) -> None:
    """Beside them the gateway takes no tier for the key in the environment."""
    settings = load(in_pod(accounts, tmp_path))

    assert [("main", "V2"), ("spare", "V0")] == [(one.name, one.tier) for one in settings.accounts]
    assert () == settings.warnings


def test_account_has_its_tier_wherever_its_key_comes_from(umbrella: Rendered, tmp_path: Path) -> None:
    settings = load(in_pod(umbrella, tmp_path))

    assert [("default", "V2")] == [(one.name, one.tier) for one in settings.accounts]


def test_large_numbers_are_written_out(accounts: Rendered, tmp_path: Path) -> None:
    assert "536870912" == accounts.environment["GATEWAY_MAX_BODY_BYTES"]
    assert 512 * 2**20 == load(in_pod(accounts, tmp_path)).max_body_bytes
