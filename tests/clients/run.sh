#!/usr/bin/env bash
# Runs other people's clients, unchanged, through a gateway that has the simulator behind it: real processes and
# sockets, nothing beyond this machine. Environments are made in .cache/clients, again only when a lock file changed.
# Takes the names of suites (python, llama-index, voice, node, zhipu); without any, all run.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly BIN=${VENV:-.venv}/bin
readonly HERE=tests/clients
readonly CACHE=.cache/clients
readonly KEY=sk-client-tests-0123456789
readonly ACCOUNT_KEY=5e1f0000000000000000000000000003.simulatorDemoV3a
readonly SUITES=(python llama-index voice node zhipu)
VERDICTS=()
PROCESSES=()

main() {
    mkdir -p "$CACHE"
    forget_settings
    start
    local suite
    for suite in "${@:-${SUITES[@]}}"; do
        echo "=== $suite"
        run "$suite"
    done
    summary
}

# What the caller's shell says about gateways, OpenAI and proxies is not meant for these tests.
forget_settings() {
    unset "${!GATEWAY_@}" "${!ZHIPU@}" "${!ZAI_@}" "${!OPENAI_@}" "${!LANGSMITH_@}" "${!LANGCHAIN_@}"
    # LlamaIndex brings its tokenizer's tables along, and uses them unless this names another place.
    unset TIKTOKEN_CACHE_DIR
    export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
}

start() {
    local simulator gateway metrics
    read -r simulator gateway metrics < <(free_ports)
    "$BIN/python" -m gateway simulate --port "$simulator" >"$CACHE/simulator.log" 2>&1 &
    PROCESSES+=($!)
    export SIMULATOR_URL=http://127.0.0.1:$simulator SIMULATOR_HEARS=
    # Empty where it tells no words from sound, for want of pocketsphinx: tests that need words are skipped.
    ! "$BIN/python" -c "import pocketsphinx" 2>/dev/null || SIMULATOR_HEARS=yes
    GATEWAY_PORT=$gateway GATEWAY_METRICS_PORT=$metrics GATEWAY_KEYS=clients:$KEY:V3 \
        GATEWAY_UPSTREAM_URL=$SIMULATOR_URL/api/paas/v4 ZHIPU_API_KEY=$ACCOUNT_KEY GATEWAY_ACCOUNT_TIER=V3 \
        GATEWAY_LIMITS=glm-4.7=20/20/20/20,glm-4.6=20/20/20/20,glm-4.6v=20/20/20/20 \
        "$BIN/python" -m gateway serve >"$CACHE/gateway.log" 2>&1 &
    PROCESSES+=($!)
    # The names by which the clients themselves look for an address and a key.
    export OPENAI_BASE_URL=http://127.0.0.1:$gateway/v1 OPENAI_API_KEY=$KEY
    await "$SIMULATOR_URL/_simulator/state" "$CACHE/simulator.log"
    await "http://127.0.0.1:$gateway/readyz" "$CACHE/gateway.log"
}

free_ports() {
    "$BIN/python" - <<'PYTHON'
import socket

sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(one.getsockname()[1] for one in sockets))
PYTHON
}

await() {
    "$BIN/python" - "$1" <<'PYTHON' || { cat "$2" >&2; exit 1; }
import sys, time, urllib.request

url, until = sys.argv[1], time.monotonic() + 60
while True:
    try:
        urllib.request.urlopen(url, timeout=5)
        break
    except OSError as error:
        if time.monotonic() > until:
            sys.exit(f"{url} does not answer: {error}")
        time.sleep(0.1)
PYTHON
}

stop() {
    local process
    for process in "${PROCESSES[@]}"; do
        kill -TERM "$process" 2>/dev/null || true
    done
    wait
}
trap stop EXIT

run() {
    local suite=$1 began=$SECONDS why
    why=$(missing_for "$suite")
    if [[ -n $why ]]; then
        VERDICTS+=("$suite: skipped, $why")
    elif "suite_$suite"; then
        VERDICTS+=("$suite: passed in $((SECONDS - began)) s")
    else
        VERDICTS+=("$suite: FAILED after $((SECONDS - began)) s")
    fi
}

missing_for() {
    if [[ $1 == zhipu && ! -e $HERE/zhipu/requirements.lock ]]; then
        echo "$HERE/zhipu is not there"
    elif [[ $1 == node ]] && ! command -v npm >/dev/null; then
        echo "Node and npm are not installed"
    elif [[ $1 == node ]] && ! node -e 'process.exit(require("node:zlib").crc32 ? 0 : 1)'; then
        echo "Node 20.15 or newer is needed, and this is $(node --version)"
    fi
}

suite_python() {
    python_environment python "$HERE/requirements.lock" && unpack_vocabulary \
        && TIKTOKEN_CACHE_DIR=$PWD/$CACHE/vocabularies pytest_in python
}

# LangChain cuts texts into token ids by a vocabulary that tiktoken would download; it looks for a copy first, named
# by the SHA-1 of the address.
unpack_vocabulary() {
    local url=https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken name
    name=$(printf %s "$url" | sha1sum | cut -d ' ' -f 1)
    mkdir -p "$CACHE/vocabularies" \
        && gzip -dc gateway/vocabularies/cl100k_base.tiktoken.gz >"$CACHE/vocabularies/$name"
}

suite_llama-index() {
    python_environment llama-index "$HERE/requirements-llama-index.lock" && pytest_in llama-index
}

suite_voice() {
    python_environment voice "$HERE/requirements-voice.lock" && pytest_in voice
}

suite_zhipu() {
    python_environment zhipu "$HERE/zhipu/requirements.lock" && pytest_in zhipu
}

suite_node() {
    local place=$CACHE/node
    node_environment "$place" || return
    # Modules are looked for beside the file that wants them, so the tests move to their modules.
    rm -f "$place"/*.mjs && cp "$HERE"/node/*.mjs "$place" || return
    run_node "$place" || { echo "Once more:"; run_node "$place"; }
}

run_node() {
    (cd "$1" && node --test --test-concurrency=1 --test-reporter=spec --test-timeout=60000)
}

pytest_in() {
    # Other people's clients have time-outs of their own; what fails may try once more.
    run_pytest "$1" || { echo "Once more, what failed:"; run_pytest "$1" --last-failed --last-failed-no-failures none; }
}

run_pytest() {
    local suite=$1
    shift
    OPENAI_AGENTS_DISABLE_TRACING=1 "$CACHE/$suite/bin/python" -m pytest --quiet "$@" \
        --config-file "$HERE/pytest.ini" --rootdir "$HERE" -o cache_dir="$PWD/$CACHE/$suite/.pytest_cache" "$HERE/$suite"
}

python_environment() {
    local place=$CACHE/$1 lock=$2
    cmp -s "$lock" "$place/.made-from" && return
    rm -rf "$place"
    .ci/new-venv "$place" || return
    if command -v uv >/dev/null; then
        UV_LINK_MODE=copy uv pip install --quiet --compile-bytecode --python "$place/bin/python" --require-hashes -r "$lock" || return
    else
        "$place/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" || return
    fi
    cp "$lock" "$place/.made-from"
}

node_environment() {
    local lock=$HERE/node/package-lock.json
    cmp -s "$lock" "$1/.made-from" && return
    rm -rf "$1" && mkdir -p "$1" && cp "$HERE"/node/package*.json "$1" || return
    (cd "$1" && npm ci --no-audit --no-fund --loglevel=error) || return
    cp "$lock" "$1/.made-from"
}

summary() {
    printf '\n%s\n' "Clients against the gateway:"
    printf '  %s\n' "${VERDICTS[@]}"
    [[ ${VERDICTS[*]} != *FAILED* ]] || { echo "The gateway's log: $CACHE/gateway.log"; return 1; }
}

main "$@"
