#!/usr/bin/env bash
# What Larder costs a Jaeger: the same load through the real Jaeger v2.13, in turns in front of
# Larder and in front of a server that drops everything, and the ratio of the two.
#
#   bench/jaeger_in_front.sh [--rounds=N] [FLAG...]     FLAGs go to `larder-bench ingest`
#
# Wants `larder` and `larder-bench` in build/release (LARDER_BUILD names another folder) and a Go to
# build Jaeger with. LARDER_CAPTURE is replayed when it is set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=3
flags=()
for argument in "$@"; do
  case $argument in
    --rounds=*) rounds=${argument#*=} ;;
    *) flags+=("$argument") ;;
  esac
done
((${#flags[@]} > 0)) || flags=(--spans=300k --in-flight=16)

build=${LARDER_BUILD:-build/release}
capture=${LARDER_CAPTURE:-}
unset LARDER_BUILD LARDER_CAPTURE # Larder takes LARDER_* for its settings.
jaeger=$(tools/jaeger/build.sh)/jaeger-v1.76.0
work=$(mktemp -d)
programs=()

stop() {
  ((${#programs[@]} == 0)) || kill "${programs[@]}" 2>/dev/null || true
  wait || true
  programs=()
}
trap 'stop; rm -rf "$work"' EXIT

free_port() {
  local port
  while port=$((RANDOM % 10000 + 20000)); (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "127.0.0.1:$port"
}

wait_for() { # PID LOG COMMAND...: until the command succeeds, at most a minute
  local pid=$1 log=$2
  shift 2
  for ((i = 0; i < 600; i++)); do
    "$@" >"$work/wait" 2>&1 && return
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "a program did not start:" >&2
  tail -20 "$log" >&2
  exit 1
}

start_jaeger() { # STORE_ADDRESS; sets otlp and jaeger_pid
  local health
  health=$(free_port)
  otlp=$(free_port)
  local settings=(
    "extensions::jaeger_storage::backends::larder::grpc::endpoint: $1"
    "extensions::jaeger_query::http::endpoint: $(free_port)"
    "extensions::jaeger_query::grpc::endpoint: $(free_port)"
    "extensions::healthcheckv2::http::endpoint: $health"
    "receivers::otlp::protocols::grpc::endpoint: $otlp"
    "receivers::otlp::protocols::http::endpoint: $(free_port)"
    "service::telemetry::metrics::level: none"
    "service::telemetry::logs::level: warn"
  )
  # Jaeger's own traces would go to Jaeger's usual port.
  OTEL_TRACES_SAMPLER=always_off "$jaeger" --config=file:tools/jaeger/larder.yaml \
    "${settings[@]/#/--config=yaml:}" >"$work/jaeger.log" 2>&1 &
  jaeger_pid=$!
  programs+=("$jaeger_pid")
  wait_for "$jaeger_pid" "$work/jaeger.log" curl -sf "http://$health/status"
}

start_larder() { # ADDRESS
  local admin
  admin=$(free_port)
  rm -rf "$work/data"
  "$build/plugin/larder" serve --data-dir "$work/data" --grpc-listen "$1" --admin-listen "$admin" \
    >"$work/store.log" 2>&1 &
  programs+=("$!")
  wait_for "$!" "$work/store.log" curl -sf "http://$admin/readyz"
}

start_drop() { # ADDRESS
  "$build/bench/larder-bench" drop --listen="$1" >"$work/store.log" 2>&1 &
  programs+=("$!")
  wait_for "$!" "$work/store.log" grep -q dropping "$work/store.log"
}

measure() { # larder | drop; appends the spans per second to $work/NAME
  local store
  store=$(free_port)
  "start_$1" "$store"
  start_jaeger "$store"
  LARDER_CAPTURE=$capture "$build/bench/larder-bench" ingest --server="$otlp" "${flags[@]}" \
    >"$work/out" || { cat "$work/out" >&2; exit 1; }
  sed -n 's/^ *acknowledged  *\([0-9.,]*\) spans\/s.*/\1/p' "$work/out" | tr -d , >>"$work/$1"
  printf '%-6s %10s spans/s through Jaeger\n' "$1" "$(tail -1 "$work/$1")"
  stop
}

for ((round = 0; round < rounds; round++)); do
  measure drop
  measure larder
done
best() { sort -g "$work/$1" | tail -1; }
awk -v larder="$(best larder)" -v drop="$(best drop)" 'BEGIN {
  printf "best of each: Larder %.0f, drop %.0f spans/s, ratio %.0f %% (goal >= 85)\n",
    larder, drop, 100 * larder / drop }'
