"""A running gateway takes a changed configuration over, or refuses it whole; what is under way never notices."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest

from gateway.auth import digest
from gateway.simulator import DEMO_ACCOUNTS, DEMO_KEY, Running, create_simulator, running
from gateway.simulator.faults import Slow
from tests.auth.issuing import claims
from tests.serving import Served, serving

OLD, NEW = "sk-glm-the-key-that-there-was", "sk-glm-the-key-that-there-is-now"
RELOADED, REFUSED = "The configuration was reloaded", "The changed configuration is refused"
OTHER_ACCOUNT = DEMO_ACCOUNTS[1]


def configuration(glm: Running, key: str, *, account_key: str = DEMO_KEY, more: str = "") -> str:
    return f"""
        upstream_url = "{glm.url}"
        {more}
        [[accounts]]
        name = "main"
        api_key = "{account_key}"
        [[tenants]]
        name = "team-a"
        key_sha256 = ["{digest(key)}"]
        tier = "V2"
        """


class Configured:
    """A gateway in a process of its own that reads ``file``, and a client of it."""

    def __init__(self, served: Served, *, file: Path, client: httpx.Client) -> None:
        self.file = file
        self.wait_for = served.read_log_until
        self.hang_up = served.hang_up
        self._client = client
        self._url = served.read_until("GLM Gateway answers on ").split()[-1]
        port = served.read_log_until("Metrics: port ").partition("Metrics: port ")[2].split()[0]
        self.inside = f"http://127.0.0.1:{port}"

    def reload(self, text: str) -> None:
        self.file.write_text(text)
        self.hang_up()

    def status(self, key: str) -> int:
        return self.get("/models", key).status_code

    def get(self, path: str, key: str) -> httpx.Response:
        return self._client.get(self._url + path, headers={"authorization": f"Bearer {key}"})

    def chat(self, *, stream: bool = False) -> httpx.Request:
        body = {"model": "glm-4.7", "messages": [{"role": "user", "content": "Hello!"}], "stream": stream}
        headers = {"authorization": f"Bearer {OLD}"}
        return self._client.build_request("POST", f"{self._url}/chat/completions", json=body, headers=headers)

    def metric(self, name: str) -> float:
        lines = self._client.get(f"{self.inside}/metrics").text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f"glm_gateway_{name} "))


@pytest.fixture(scope="module")
def glm() -> Iterator[Running]:
    with running(create_simulator()) as standing:
        yield standing


@pytest.fixture
def gateway(glm: Running, tmp_path: Path) -> Iterator[Configured]:
    """Give a gateway that knows the old key."""
    file = tmp_path / "gateway.toml"
    file.write_text(configuration(glm, OLD))
    with serving({}, "--config", str(file)) as served, httpx.Client() as client:
        yield Configured(served, file=file, client=client)


def test_hangup_reloads_callers(gateway: Configured, glm: Running) -> None:
    """After SIGHUP the keys are those of the file."""
    before = gateway.metric("config_last_reload_success_timestamp_seconds")

    gateway.reload(configuration(glm, NEW))
    line = gateway.wait_for(RELOADED)

    assert (gateway.status(OLD), gateway.status(NEW)) == (401, 200)
    assert "1 tenants, 0 issuers of tokens, 1 accounts" in line
    assert gateway.metric('config_reloads_total{result="success"}') == 1
    assert gateway.metric("config_last_reload_success_timestamp_seconds") > before


def test_change_of_the_file_is_noticed(gateway: Configured, glm: Running) -> None:
    gateway.file.write_text(configuration(glm, NEW))

    gateway.wait_for(RELOADED)

    assert (gateway.status(OLD), gateway.status(NEW)) == (401, 200)


def test_stream_under_way_ends_as_it_began(gateway: Configured, glm: Running) -> None:
    """Its tenant, its account and its model are gone, and it is not cut."""
    glm.simulator.script.add([Slow(seconds=0.05)])
    with httpx.Client() as client:
        answer = client.send(gateway.chat(stream=True), stream=True)
        lines = answer.iter_lines()
        first = next(lines)

        gateway.reload(configuration(glm, NEW).replace('"main"', '"other"').replace(DEMO_KEY, OTHER_ACCOUNT.key))
        gateway.wait_for(RELOADED)

        rest = [line for line in lines if line]
        assert (first[:6], rest[-1]) == ("data: ", "data: [DONE]")
    assert gateway.status(OLD) == 401


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        pytest.param("port: 80", "is not TOML", id="no TOML"),
        pytest.param("prot = 80", "prot is not a setting; did you mean port?", id="unknown setting"),
        pytest.param("", "gateway.toml is empty now", id="nothing"),
        pytest.param("port = 80", "There is no account any more", id="no account"),
        pytest.param('models_file = "/nowhere"', "models_file /nowhere cannot be read", id="catalogue not there"),
        pytest.param('limits."glm-9".V0 = 1', "there is no model of this id", id="limit of no model"),
    ],
)
def test_old_configuration_stays_when_the_new_one_has(
    gateway: Configured, glm: Running, changed: str, problem: str
) -> None:
    """It is refused whole and in words, and a mended one is taken over."""
    gateway.reload(
        configuration(glm, NEW, more=changed) if "=" in changed and "account" not in problem else changed
    )
    line = gateway.wait_for(REFUSED)

    assert problem in line
    assert (gateway.status(OLD), gateway.status(NEW)) == (200, 401)
    assert gateway.metric('config_reloads_total{result="failure"}') == 1
    gateway.file.write_text(configuration(glm, NEW))
    gateway.wait_for(RELOADED)
    assert gateway.status(NEW) == 200


def test_rest_is_taken_over_when_some_settings_need_a_restart(gateway: Configured, glm: Running) -> None:
    gateway.reload(configuration(glm, NEW, more="drain_seconds = 7\nchat.heartbeat_seconds = 3"))

    line = gateway.wait_for("only after a restart")

    assert "in effect only after a restart: drain_seconds, chat.heartbeat_seconds." in line
    assert gateway.status(NEW) == 200


def test_limits_aliases_models_and_accounts_are_taken_over(
    gateway: Configured, glm: Running, tmp_path: Path
) -> None:
    """The next request goes by them, and so do the metrics."""
    (tmp_path / "models.toml").write_text('[[models]]\nid = "glm-9"\noperations = ["chat"]')
    more = f"""
        models_file = "{tmp_path / "models.toml"}"
        limits."glm-4.7" = {{ V2 = 17, V3 = 18 }}
        aliases = {{ newest = "glm-9" }}
        """
    gateway.reload(configuration(glm, OLD, account_key=OTHER_ACCOUNT.key, more=more))
    gateway.wait_for(RELOADED)

    with httpx.Client() as client:
        answer = client.send(gateway.chat())

    assert (answer.status_code, answer.headers["x-ratelimit-limit-requests"]) == (200, "17")
    assert gateway.get("/models/newest", OLD).json()["id"] == "glm-9"
    assert gateway.metric('concurrency_limit{model="glm-4.7",tier="V2"}') == 17
    assert gateway.metric('concurrency_slots_in_use{model="glm-9",tier="V0"}') == 0
    assert glm.simulator.book.seen[-1].headers["authorization"] == f"Bearer {OTHER_ACCOUNT.key}"


def test_file_that_settings_name_is_watched_too(gateway: Configured, glm: Running, tmp_path: Path) -> None:
    """A secret that is mounted later, or changed alone, needs no change of the configuration."""
    secret = tmp_path / "secret"
    issuer = (
        '[[jwt]]\nname = "company"\nissuer = "https://login.example.com/"\naudience = ["glm-gateway"]\n'
        f'algorithms = ["HS256"]\nsecret_file = "{secret}"'
    )
    gateway.reload(configuration(glm, OLD) + issuer)
    gateway.wait_for(REFUSED)

    secret.write_text("a-secret-that-the-issuer-and-the-gateway-share")
    gateway.wait_for(RELOADED)

    token = jwt.encode(claims(), "a-secret-that-the-issuer-and-the-gateway-share", algorithm="HS256")
    assert (gateway.status(token), gateway.status(OLD)) == (200, 200)
    secret.write_text("another-secret-that-the-issuer-and-the-gateway-share")
    gateway.wait_for(RELOADED)
    assert gateway.get("/models", token).json()["error"]["code"] == "invalid_token"


def test_file_behind_links_is_noticed_when_kubernetes_changes_it(glm: Running, tmp_path: Path) -> None:
    """A ConfigMap's file is a link to a link; what is replaced is the one in the middle."""
    for name, key in (("..1", OLD), ("..2", NEW)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gateway.toml").write_text(configuration(glm, key))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "gateway.toml").symlink_to("..data/gateway.toml")
    file = tmp_path / "gateway.toml"
    with serving({"GATEWAY_CONFIG": str(file)}) as served, httpx.Client() as client:
        gateway = Configured(served, file=file, client=client)
        assert gateway.status(OLD) == 200

        (tmp_path / "..data_tmp").symlink_to("..2")
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")
        gateway.wait_for(RELOADED)

        assert (gateway.status(OLD), gateway.status(NEW)) == (401, 200)


def test_simulator_stays_when_an_account_comes(tmp_path: Path) -> None:
    """What was started without an account is told to restart, and takes over the rest."""
    file = tmp_path / "gateway.toml"
    file.write_text("")
    with serving({}, "--config", str(file)) as served, httpx.Client() as client:
        gateway = Configured(served, file=file, client=client)

        gateway.reload(
            f'[[accounts]]\nname = "a"\napi_key = "k"\n[[tenants]]\nname = "a"\ntier = "V1"\n'
            f'key_sha256 = ["{digest(NEW)}"]'
        )
        gateway.wait_for("There is an account now; restart the gateway to use it.")

        assert (gateway.status("sk-glm-demo"), gateway.status(NEW)) == (401, 200)


def test_configuration_out_of_a_pipe_stays_and_lets_the_gateway_end(glm: Running, tmp_path: Path) -> None:
    """As in ``--config <(decrypt …)``. To read it again would wait for ever, or find that nobody may call."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with serving({}, "--config", str(pipe)) as served, httpx.Client() as client:
        pipe.write_text(configuration(glm, OLD))
        gateway = Configured(served, file=pipe, client=client)
        gateway.hang_up()
        line = gateway.wait_for(REFUSED)
        status = gateway.status(OLD)
        code, _ = served.stop()

    assert f"{pipe} is a pipe, which can be read only once" in line
    assert (status, code) == (200, 0)


def test_hangup_ends_no_gateway_that_has_just_begun(glm: Running, tmp_path: Path) -> None:
    """Who changes its file may start it in the same breath; here it is still reading."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with serving({}, "--config", str(pipe)) as served, pipe.open("w") as writing:
        served.hang_up()
        writing.write(configuration(glm, OLD))
        writing.close()
        served.read_until("GLM Gateway answers on ")


def test_callers_stay_when_the_file_that_lists_them_is_cut_off(glm: Running, tmp_path: Path) -> None:
    """Whoever writes it anew empties it first, and may take a while."""
    file = tmp_path / "gateway.toml"
    whole = configuration(glm, OLD)
    file.write_text(whole[whole.index("[[tenants]]") :])
    environ = {"ZHIPU_API_KEY": DEMO_KEY, "GATEWAY_UPSTREAM_URL": glm.url}
    with serving(environ, "--config", str(file)) as served, httpx.Client() as client:
        gateway = Configured(served, file=file, client=client)
        gateway.reload("")
        gateway.wait_for(REFUSED)

        assert gateway.status(OLD) == 200
