#!/usr/bin/env bash
# Installs what is missing, builds Larder and serves it on a data directory of its own.
#
#   tools/run.sh [ARGUMENT...]      serve ./larder-data; arguments go to `larder serve`
#   tools/run.sh --demo [...]       also send traces of a small shop and show one found again
#   tools/run.sh --demo --once ...  the same, and stop instead of serving on
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

demo=false
once=false
arguments=()
for argument in "$@"; do
  case $argument in
    --demo) demo=true ;;
    --once) once=true ;;
    *) arguments+=("$argument") ;;
  esac
done

# Arguments of ours come first, so that the user's own win.
address=127.0.0.1:17271
admin=127.0.0.1:17270
for ((i = 0; i < ${#arguments[@]}; i++)); do
  case ${arguments[i]} in
    --grpc-listen=*) address=${arguments[i]#*=} ;;
    --grpc-listen) address=${arguments[i + 1]:-} ;;
    --admin-listen=*) admin=${arguments[i]#*=} ;;
    --admin-listen) admin=${arguments[i + 1]:-} ;;
  esac
done
if [[ " ${arguments[*]} " != *" --data-dir"* ]]; then
  arguments=(--data-dir larder-data "${arguments[@]}")
fi

tools/deps.sh
larder=${LARDER_BIN:-}
unset LARDER_BIN # Larder takes LARDER_* for its settings.
if [[ -z $larder ]]; then
  larder=build/release/plugin/larder
  echo "building Larder (some minutes the first time)"
  cmake --preset release >/dev/null
  cmake --build build/release --target larder -j "$(nproc)"
fi

if ! $demo; then
  exec "$larder" serve "${arguments[@]}"
fi

# In a session of its own, Larder gets one signal when Ctrl-C ends this script, not two.
setsid "$larder" serve "${arguments[@]}" &
server=$!
trap 'kill -TERM "$server" 2>/dev/null; wait "$server" || true' EXIT
trap 'exit 0' INT TERM
python=$(tools/python.sh)
"$python" tools/demo.py --larder "$address" --admin "$admin" --pid "$server"
if ! $once; then
  echo "Larder serves on. Ctrl-C ends it; the traces stay."
  wait "$server"
fi
