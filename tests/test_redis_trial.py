"""`glm-gateway check` tries Redis, says what is wrong with it, and tells no secret."""

import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.cli.redis_trial import RIGHTS, try_redis
from gateway.limits.redis import RedisLimiter
from gateway.simulator import DEMO_KEY, create_simulator, running
from gateway.torture.cluster import RedisCluster
from gateway.torture.sentinel import PRIMARY, SentinelServer
from tests.limits.requests import scope
from tests.redis_server import RedisServer, need_redis
from tests.serving import own_variables


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    """Run the command with an account that works and a Redis at a URL."""
    for name in own_variables():
        monkeypatch.delenv(name)

    def run(url: str) -> Result:
        with running(create_simulator()) as glm:
            environ = {"ZHIPU_API_KEY": DEMO_KEY, "GATEWAY_UPSTREAM_URL": glm.url, "GATEWAY_REDIS_URL": url}
            return CliRunner(env=environ).invoke(main, ["check"], catch_exceptions=False)

    return run


def with_user(server: RedisServer, *rights: str) -> str:
    """Make a user with a password and some rights; gives its URL."""
    server.ask("ACL", "SETUSER", "gateway", "on", ">hush", *rights)
    return f"redis://gateway:hush@127.0.0.1:{server.port}/0"


def test_check_says_that_redis_works(own_redis: RedisServer, check: Callable[[str], Result]) -> None:
    """With how long it takes; and nothing of the trial is left."""
    result = check(own_redis.url)

    assert 0 == result.exit_code, result.output
    assert "  Redis: shares slots; a round trip takes " in result.output
    assert "replicas now: 0." in result.output
    assert [] == own_redis.ask("KEYS", "*")


def test_check_fails_when_redis_does_not_answer(check: Callable[[str], Result]) -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))

        result = check(f"redis://user:hush@127.0.0.1:{unused.getsockname()[1]}")

    assert 1 == result.exit_code
    assert "! Redis: cannot be reached. Check host, port and firewall" in result.output
    assert "hush" not in result.output


def read_only(server: RedisServer) -> str:
    server.ask("REPLICAOF", "127.0.0.1", 1)
    return server.url


def stranger(server: RedisServer) -> str:
    return with_user(server, *RIGHTS.split()).replace("hush", "wrong")


def mute(server: RedisServer) -> str:
    return with_user(server, *(one for one in RIGHTS.split() if not one.startswith("&")))


def strict(server: RedisServer) -> str:
    return with_user(server, *(one for one in RIGHTS.split() if one != "+@scripting"))


def forgetful(server: RedisServer) -> str:
    server.ask("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru")
    return server.url


def hoarding(server: RedisServer) -> str:
    server.ask("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "noeviction")
    return server.url


def numbered(server: RedisServer) -> str:
    return f"redis://127.0.0.1:{server.port}/99"


def alone(server: RedisServer) -> str:
    return f"redis+cluster://127.0.0.1:{server.port}"


def unwatched(server: RedisServer) -> str:
    return f"redis+sentinel://127.0.0.1:{server.port}/mymaster"


@pytest.mark.parametrize(
    ("harm", "works", "said"),
    [
        (read_only, False, "is a replica that takes no writes"),
        (stranger, False, "refuses the user or password"),
        (mute, False, "Its ACL needs: ~glm-gateway:*"),
        (strict, False, "Its ACL needs: ~glm-gateway:*"),
        (numbered, False, "has no database of the number in redis.url"),
        (alone, False, "is no Cluster. Name it with redis://"),
        (unwatched, False, "is no Sentinel. Name sentinels and their port, or the server with redis://"),
        (forgetful, True, "may evict slots when its memory is full: set maxmemory-policy to volatile-lru"),
        (hoarding, True, "takes no slots when its memory is full of what it remembers: set maxmemory-policy"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_trial_says_how_to_mend_what_is_wrong(
    own_redis: RedisServer, harm: Callable[[RedisServer], str], *, works: bool, said: str
) -> None:
    url = harm(own_redis)

    worked, verdict = await try_redis(url)

    assert (works, True) == (worked, said in verdict), verdict


async def test_trial_tells_a_primary_of_another_name_from_sentinels_that_are_away(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    watching = SentinelServer(tmp_path / "sentinel").watch(own_redis).start()
    url = f"redis+sentinel://127.0.0.1:{watching.port}"

    answers = [await try_redis(f"{url}/{name}") for name in (PRIMARY, "other")]
    watching.kill()
    away = await try_redis(f"{url}/{PRIMARY}")

    assert [True, False] == [works for works, _ in answers]
    assert answers[1][1] == "is not known to its sentinels by that name. End redis.url with theirs."
    assert away[1].startswith("cannot be reached.")


async def test_sentinels_are_told_the_password_when_they_ask_for_one(tmp_path: Path) -> None:
    """As in charts that give both the same; a Sentinel that has none would refuse one."""
    need_redis()
    password = "secret"
    closed = ("--requirepass", password)
    server = RedisServer(tmp_path / "server", *closed, password=password).start()
    watching = SentinelServer(tmp_path / "sentinel", *closed, password=password).watch(server).start()
    watching.ask("SENTINEL", "SET", PRIMARY, "auth-pass", password)
    try:
        told, mistold = [
            await try_redis(f"redis+sentinel://:{word}@127.0.0.1:{watching.port}/{PRIMARY}")
            for word in (password, "wrong")
        ]
    finally:
        watching.kill()
        server.kill()

    assert told[0], told
    assert mistold == (False, "refuses the user or password in redis.url.")


async def test_trial_knows_a_node_of_a_cluster(tmp_path: Path) -> None:
    """Two of three do not have what is asked for, and send the client on."""
    need_redis()
    cluster = RedisCluster(tmp_path)
    try:
        cluster.start()
        answers = [await try_redis(server.url) for server in cluster.servers]
    finally:
        cluster.kill()

    said = [verdict for works, verdict in answers if not works]
    assert ["is a node of a Cluster. Name it with redis+cluster://."] * 2 == said


async def test_trial_warns_of_nothing_where_memories_go_before_slots(own_redis: RedisServer) -> None:
    """As the README advises for a Redis that both are in."""
    own_redis.ask("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "volatile-lru")

    worked, verdict = await try_redis(own_redis.url)

    assert (True, False) == (worked, "maxmemory" in verdict), verdict


async def test_rights_that_are_named_are_enough_to_share_slots(own_redis: RedisServer) -> None:
    """They are what the limiter needs, not only the trial."""
    url = with_user(own_redis, *RIGHTS.split())
    assert (await try_redis(url))[0]
    limiter = RedisLimiter.create(url, queue_size=3, lease_seconds=1.2, on_outage="refuse")
    await limiter.start()

    limiter.release(await limiter.acquire(scope(), timeout_seconds=5))

    assert (False, True) == (limiter.degraded, limiter._listening.is_set())
    await limiter.aclose()
