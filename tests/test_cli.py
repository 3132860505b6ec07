"""The command line says what is, what is wrong and what to do; `serve` needs nothing to be tried out."""

import re
import shlex
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from gateway import __version__
from gateway.auth import digest
from gateway.cli import main
from gateway.cli.demo import STEPS
from gateway.server import bind
from gateway.simulator import DEMO_KEY, Account, Simulator, create_simulator, running
from tests.serving import FREE_PORTS, Served, own_variables, serving

CLIENT_KEY = "sk-glm-0123456789abcdef"

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Give a way to run a command with nothing in the environment but what is said."""
    for name in own_variables():
        monkeypatch.delenv(name)

    def run(*arguments: str, environ: Mapping[str, str] | None = None) -> Result:
        return CliRunner().invoke(main, arguments, env=dict(environ or {}), catch_exceptions=False)

    return run


def sent_by_curl(line: str) -> httpx.Request:
    """Read a curl line as a shell would."""
    command, url, *options = shlex.split(line)
    said = list(zip(options[::2], options[1::2], strict=True))
    assert command == "curl"
    headers = dict(value.split(": ", 1) for option, value in said if option == "-H")
    (body,) = (value for option, value in said if option == "-d")
    return httpx.Request("POST", url, headers=headers, content=body)


def test_gateway_can_be_tried_without_any_configuration() -> None:
    """With no key it says that the simulator stands in; the curl line that it prints works as it stands."""
    with serving({}) as gateway, httpx.Client() as client:
        line = gateway.read_until("curl ")
        answer = client.send(sent_by_curl(line)).json()
        code, log = gateway.stop()

    assert answer["choices"][0]["message"]["content"]
    assert "simulator" in gateway.printed
    assert "Demo key: sk-glm-demo" in gateway.printed
    assert '"outcome":"ok"' in log
    assert "sk-glm-demo" not in log
    assert code == 0


def test_start_waits_for_nothing_that_most_do_without() -> None:
    """Decoders, Redis' client, what tokens take and rich, which httpx brings along, are not imported."""
    program = "import sys; from gateway.cli import main; main.get_command(None, 'serve'); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    packages = {module.partition(".")[0] for module in run.stdout.split()}

    assert {"gateway", "litestar", "httpx"} <= packages
    assert set() == packages & {"av", "jwt", "openai", "opentelemetry", "redis", "rich"}


def test_request_that_cannot_be_read_leaves_a_line() -> None:
    """Its answer has the id under which it is in the log."""
    with serving({}) as gateway:
        port = httpx.URL(gateway.read_until("GLM Gateway answers").split()[-1]).port
        with socket.create_connection(("127.0.0.1", port or 0)) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
        line = gateway.read_log_until('"event":"exchange"')

    told = re.search(r"x-request-id: (\S+)", answer)
    assert told is not None
    assert f'"request_id":"{told[1]}","operation":"none","status":400,"outcome":"client_error"' in line


def test_demo_key_is_unknown_when_there_are_tenants() -> None:
    """Naming tenants closes the door that was open for trying."""
    with serving({"GATEWAY_KEYS": f"team-a:{CLIENT_KEY}:V1"}) as gateway, httpx.Client() as client:
        url = gateway.read_until("GLM Gateway answers on ").split()[-1]
        asked = [client.get(f"{url}/models", headers={"api-key": key}) for key in ("sk-glm-demo", CLIENT_KEY)]

    assert [answer.status_code for answer in asked] == [401, 200]


def test_account_is_used_when_there_is_one() -> None:
    with running(create_simulator()) as glm:
        environ = {
            "ZHIPU_API_KEY": DEMO_KEY,
            "GATEWAY_UPSTREAM_URL": glm.url,
            "GATEWAY_KEYS": f"team-a:{CLIENT_KEY}:V1",
        }
        with serving(environ) as gateway, httpx.Client() as client:
            url = gateway.read_until("GLM Gateway answers on ").split()[-1]
            body = {"model": "glm-4.7", "messages": [{"role": "user", "content": "Hello!"}]}
            answer = client.post(f"{url}/chat/completions", json=body, headers={"api-key": CLIENT_KEY})
            gateway.stop()

        assert answer.status_code == 200
        assert [request.path for request in glm.simulator.book.seen] == ["/api/paas/v4/chat/completions"]
        assert "simulator" not in gateway.printed


@pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")  # as OpenAI's client does not
def test_demo_shows_every_step(invoke: Invoke) -> None:
    """OpenAI's own client goes through every capability that the demo has."""
    with serving({}) as gateway:
        url = gateway.read_until("GLM Gateway answers on ").split()[-1]
        result = invoke("demo", "--url", url)

    assert result.exit_code == 0, result.output
    assert result.output.count("✓") == len(STEPS)
    assert "Realtime call glm-realtime" in result.output


def test_demo_fails_when_a_step_does(invoke: Invoke) -> None:
    with serving({}) as gateway:
        url = gateway.read_until("GLM Gateway answers on ").split()[-1]
        result = invoke("demo", "--url", url, "--key", "sk-glm-unknown")

    assert result.exit_code == 1
    assert result.output.count("✗") == len(STEPS)
    assert "no tenant of this gateway has it" in " ".join(result.output.split())


def test_demo_says_what_to_install_when_the_client_is_missing(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)

    result = invoke("demo")

    assert result.exit_code == 1
    assert re.search(r"pip install .*'openai>=2'", result.output)


def test_serve_explains_when_the_configuration_is_wrong(invoke: Invoke) -> None:
    """Every problem is one line; the exit code tells a supervisor not to try again."""
    result = invoke("serve", environ={"GATEWAY_PROT": "1", "GATEWAY_PORT": "x"})

    assert result.exit_code == 2
    assert result.stderr == (
        "The configuration cannot be used:\n"
        "  - GATEWAY_PROT is not a variable of this gateway; did you mean GATEWAY_PORT?\n"
        "  - GATEWAY_PORT must be a whole number from 0 to 65535, not 'x'.\n"
    )


@pytest.mark.parametrize("variable", ["GATEWAY_PORT", "GATEWAY_METRICS_PORT"])
def test_serve_names_the_variable_when_a_port_is_taken(invoke: Invoke, variable: str) -> None:
    with closing(bind("127.0.0.1", 0)) as taken:
        taken.listen()
        port = taken.getsockname()[1]

        result = invoke("serve", environ={**FREE_PORTS, variable: str(port)})

    assert result.exit_code == 2
    assert f"127.0.0.1 port {port} cannot be used: Address already in use." in result.stderr
    assert f"Choose another with {variable}." in result.stderr


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"], ids=["unknown", "another machine's"])
@pytest.mark.parametrize("variable", ["GATEWAY_HOST", "GATEWAY_METRICS_HOST"])
def test_serve_names_the_variable_when_a_host_is_not_here(invoke: Invoke, variable: str, host: str) -> None:
    result = invoke("serve", environ={**FREE_PORTS, variable: host})

    assert (2, True) == (result.exit_code, f"{host} port 0 cannot be used: " in result.stderr)
    assert f"Choose another with {variable}." in result.stderr


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        pytest.param(
            {"GATEWAY_LIMITS": "glm-47=1/1/1/1"},
            "there is no model of this id",
            id="limit",
        ),
        pytest.param({"GATEWAY_ALIASES": "gpt-4o=glm-47"}, "there is no model of this id", id="alias"),
        pytest.param({"GATEWAY_MODELS_FILE": "/nowhere"}, "models_file /nowhere cannot be read", id="catalogue"),
    ],
)
def test_check_refuses_what_the_catalogue_does_not_know(
    invoke: Invoke, environ: Mapping[str, str], problem: str
) -> None:
    result = invoke("check", environ=environ)

    assert result.exit_code == 2
    assert problem in result.stderr


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"GATEWAY_AUDIO_TRANSLATION_MODEL": "glm-asr"}, "audio.translation_model: glm-asr does not do chat"),
        ({"GATEWAY_REALTIME_TEXT_MODEL": "glm-tts"}, "realtime.text_model: glm-tts does not do chat"),
        ({"GATEWAY_REALTIME_SPEECH_MODEL": "glm-4.7"}, "glm-4.7 does not do speech; it does chat."),
        ({"GATEWAY_REALTIME_TRANSCRIPTION_MODEL": "glm-4.7"}, "realtime.transcription_model: glm-4.7 does not do"),
        ({"GATEWAY_REALTIME_TEXT_MODEL": "glm-47"}, "realtime.text_model: There is no model 'glm-47'."),
    ],
)
def test_check_refuses_a_model_for_what_it_does_not_do(
    invoke: Invoke, environ: Mapping[str, str], problem: str
) -> None:
    """Without, each of its requests would be refused, and nobody would know why."""
    result = invoke("check", "--offline", environ=environ)

    assert 2 == result.exit_code
    assert problem in result.stderr


def test_check_doubts_a_name_that_leads_to_another_kind_of_model(invoke: Invoke) -> None:
    """What programs ask of a name of OpenAI's is known; of a name of the operator's own it is not."""
    aliases = "whisper-1=glm-4.7,gpt-4o=glm-4.6,ours=glm-tts"

    result = invoke("check", "--offline", environ={"GATEWAY_ALIASES": aliases})

    doubt = '! aliases: programs ask "whisper-1" for transcription, which glm-4.7 does not do; it does chat.'
    assert (0, [doubt]) == (result.exit_code, re.findall("! aliases: .*", result.stdout))


def test_check_refuses_a_tenant_with_an_unknown_model(
    invoke: Invoke, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = tmp_path_factory.mktemp("config") / "gateway.toml"
    tenant = f'[[tenants]]\nname = "a"\ntier = "V1"\nkey_sha256 = ["{digest("k")}"]\nmodels = ["glm-47"]'
    config.write_text(tenant)

    result = invoke("check", "--config", str(config))

    assert result.exit_code == 2
    assert "The models of tenant a: There is no model 'glm-47'" in result.stderr


ISSUER = """
[[jwt]]
name = "company"
issuer = "https://login.example.com/"
audience = ["glm-gateway"]
algorithms = ["RS256"]
jwks_url = "https://login.example.com/keys"
ad_hoc = true
"""


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        pytest.param(ISSUER, 0, "(this machine only); issuers of tokens: 1.", id="tokens alone"),
        pytest.param(
            f'{ISSUER}[[tenants]]\nname = "a"\ntier = "V1"\nkey_sha256 = ["{digest("k")}"]',
            0,
            "(this machine only); tenants with keys: 1, issuers of tokens: 1.",
            id="keys and tokens",
        ),
        pytest.param(
            f'{ISSUER}models = ["glm-47"]',
            2,
            "The models of issuer company in [[jwt]]: There is no model 'glm-47'",
            id="unknown model",
        ),
    ],
)
def test_check_tells_of_issuers(invoke: Invoke, tmp_path: Path, text: str, code: int, said: str) -> None:
    (tmp_path / "gateway.toml").write_text(text)
    environ = {"ZHIPU_API_KEY": DEMO_KEY, "GATEWAY_CONFIG": str(tmp_path / "gateway.toml")}

    result = invoke("check", "--offline", environ=environ)

    assert (result.exit_code, said in result.output) == (code, True), result.output


def test_check_says_what_is_open(invoke: Invoke) -> None:
    """Whoever opens the gateway to a network, or to everybody, is told so."""
    environ = {"GATEWAY_HOST": "0.0.0.0", "GATEWAY_CORS_ORIGINS": "*", "GATEWAY_KEYS": "a:short:V1"}

    result = invoke("check", environ=environ)

    assert result.exit_code == 0
    assert re.sub(r"\d+ of \d+ models", "some models", result.stdout) == (
        "The configuration can be used.\n"
        "  Requests: port 8080 of 0.0.0.0 (every interface, plain HTTP: put TLS in front); tenants with keys: 1.\n"
        "  Metrics: port 9464 of 0.0.0.0 (every interface, plain HTTP: put TLS in front); no key is asked for.\n"
        "  Browsers: pages of * may call with a key that they have.\n"
        "  GLM: the built-in simulator; nothing leaves this machine.\n"
        "  Slots: of this process alone; a second one would allow as much again.\n"
        "  Limits: guessed for some models, as Zhipu documents none; set GATEWAY_LIMITS.\n"
        "! The key in GATEWAY_KEYS, entry 1 has fewer than 16 characters; make a long one with "
        "'glm-gateway keys new'.\n"
    )


@pytest.mark.parametrize(
    ("url", "on_outage", "said"),
    [
        (
            "redis://r",
            "share",
            "shared through Redis without TLS, so keep it inside; while it is away each replica",
        ),
        ("rediss://:secret@r", "refuse", "shared through Redis over TLS; while it is away requests are refused."),
    ],
)
def test_check_says_how_slots_are_shared(invoke: Invoke, url: str, on_outage: str, said: str) -> None:
    environ = {"GATEWAY_REDIS_URL": url, "GATEWAY_REDIS_ON_OUTAGE": on_outage}

    result = invoke("check", "--offline", environ=environ)

    assert f"  Slots: {said}" in result.stdout
    assert "secret" not in result.output


def account(**fault: str | bool) -> Simulator:
    return create_simulator(accounts=[Account(name="ours", key=DEMO_KEY, **fault)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("glm", "key", "code", "verdict"),
    [
        pytest.param(account(), DEMO_KEY, 0, "  Account default (V0): answered in ", id="in order"),
        pytest.param(
            account(), "1234567890.abcdef", 1, "! Account default (V0): refused (GLM 100", id="wrong key"
        ),
        pytest.param(
            account(refusal="1113"), DEMO_KEY, 1, "Top the account up at open.bigmodel.cn", id="no balance"
        ),
        pytest.param(account(refusal="1112"), DEMO_KEY, 1, "The account is not in order.", id="locked"),
        pytest.param(account(refusal="1302"), DEMO_KEY, 0, "works, but is busy", id="busy"),
    ],
)
def test_check_tries_the_account(invoke: Invoke, glm: Simulator, key: str, code: int, verdict: str) -> None:
    """One token from a free model tells whether an account works, and how to mend it where it does not."""
    with running(glm) as stand_in:
        environ = {
            "ZHIPU_API_KEY": key,
            "GATEWAY_UPSTREAM_URL": stand_in.url,
            "GATEWAY_KEYS": f"a:{CLIENT_KEY}:V1",
        }
        result = invoke("check", environ=environ)

    assert (result.exit_code, verdict in result.stdout) == (code, True), result.stdout
    assert key not in result.output


def test_check_says_when_nobody_answers(invoke: Invoke) -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        result = invoke("check", environ={"ZHIPU_API_KEY": DEMO_KEY, "GATEWAY_UPSTREAM_URL": url})

    assert result.exit_code == 1
    assert f"{url} cannot be reached (ConnectError)" in result.stdout


class Redirect(BaseHTTPRequestHandler):
    """Sends every request elsewhere."""

    def do_POST(self) -> None:
        self.send_response(301)
        self.send_header("location", "https://elsewhere.example/")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_check_names_the_setting_when_it_is_redirected(invoke: Invoke) -> None:
    with HTTPServer(("127.0.0.1", 0), Redirect) as server:
        Thread(target=server.handle_request).start()
        url = f"http://127.0.0.1:{server.server_port}"
        result = invoke("check", environ={"ZHIPU_API_KEY": DEMO_KEY, "GATEWAY_UPSTREAM_URL": url})

    assert result.exit_code == 1
    assert "redirected (HTTP 301). Set upstream_url to the address it leads to." in result.stdout


def test_check_calls_nobody_when_offline(invoke: Invoke) -> None:
    with running(create_simulator()) as glm:
        result = invoke("check", "--offline", environ={"ZHIPU_API_KEY": DEMO_KEY, "GATEWAY_UPSTREAM_URL": glm.url})

        assert result.exit_code == 0
        assert not glm.simulator.book.seen


def test_new_key_fits_its_configuration(invoke: Invoke) -> None:
    """What is printed for the file is TOML, and holds the hash of the key and not the key."""
    result = invoke("keys", "new", "--name", "team-b", "--tier", "V3")

    key, _, configuration = result.stdout.partition("\n\n")
    assert re.fullmatch("sk-glm-[A-Za-z0-9_-]{43}", key)
    assert key not in configuration
    assert tomllib.loads(configuration) == {
        "tenants": [{"name": "team-b", "key_sha256": [digest(key)], "tier": "V3"}]
    }


@pytest.mark.parametrize("name", ["", "a\nb", 'te"am', "x" * 65])
def test_key_is_not_made_for_a_name_that_the_configuration_refuses(invoke: Invoke, name: str) -> None:
    result = invoke("keys", "new", "--name", name)

    assert (2, "") == (result.exit_code, result.stdout)
    assert "must be 1 to 64 letters, digits, spaces or ._@-." in result.stderr


@pytest.mark.parametrize(("option", "number"), [("--callers", "0"), ("--seconds", "-5"), ("--gateways", "0")])
def test_proof_is_not_begun_with_less_than_it_needs(invoke: Invoke, option: str, number: str) -> None:
    result = invoke("torture", option, number)

    assert 2 == result.exit_code
    assert option in result.stderr


def test_keys_differ(invoke: Invoke) -> None:
    assert invoke("keys", "new").stdout != invoke("keys", "new").stdout


@pytest.mark.parametrize(("options", "names_its_object"), [((), True), (("--wire", "2025"), False)])
def test_simulator_runs_alone(options: tuple[str, ...], names_its_object: bool) -> None:  # noqa: FBT001
    """`simulate` tells where it is and which key it takes, and answers in the shapes of the year asked for."""
    with closing(bind("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gateway", "simulate", "--port", str(port), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            simulator = Served(process)
            url = simulator.read_until("Zhipu's stand-in: ").split()[-1]
            key = simulator.read_until("ZHIPU_API_KEY=").split()[0].partition("=")[2]
            answer = chat_with(url, key=key)
        finally:
            process.terminate()

    assert (answer.status_code, key) == (200, DEMO_KEY)
    assert names_its_object == ("object" in answer.json())


@pytest.mark.parametrize("port", ["0", "65536"])
def test_simulator_is_not_begun_on_a_port_that_nobody_could_name(invoke: Invoke, port: str) -> None:
    result = invoke("simulate", "--port", port)

    assert (2, True) == (result.exit_code, "--port" in result.stderr)


def chat_with(url: str, *, key: str) -> httpx.Response:
    """Ask until somebody answers."""
    asked = {"model": "glm-4.5-air", "messages": [{"role": "user", "content": "Hello"}]}
    while True:
        try:
            return httpx.post(f"{url}/chat/completions", json=asked, headers={"Authorization": f"Bearer {key}"})
        except httpx.ConnectError:
            continue


def test_version_is_told(invoke: Invoke) -> None:
    assert invoke("--version").output == f"glm-gateway, version {__version__}\n"
