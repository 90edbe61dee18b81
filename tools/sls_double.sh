#!/usr/bin/env bash
# Starts the test double of Alibaba Cloud SLS and prints the address it listens on.
#
#   tools/sls_double.sh --data-dir DIR [--listen 127.0.0.1:0] [--access-key ID:SECRET] ...
#
# `--help` has every option, tests/sls_double/README.md what it answers. Needs python3 with venv
# (tools/deps.sh) and installs the rest into build/python.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=$("$root/tools/python.sh")
export PYTHONPATH=$root/tests
exec "$python" -m sls_double "$@"
