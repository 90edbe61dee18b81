#!/usr/bin/env bash
# Prints the path of a Python that has OpenTelemetry's SDK, gRPC and pytest (tools/python.txt),
# in an environment of its own below build/. Made on first use and when the list changes.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/build/python
list=$root/tools/python.txt

if ! cmp -s "$list" "$venv/installed.txt"; then
  echo "installing Python packages into build/python" >&2
  python3 -m venv "$venv" >&2
  "$venv/bin/pip" install --quiet --requirement "$list" >&2
  cp "$list" "$venv/installed.txt"
fi
echo "$venv/bin/python"
