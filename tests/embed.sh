#!/usr/bin/env bash
# Runs the embedding example on a fresh data directory.
set -euo pipefail
data_dir=$(mktemp -d)
trap 'rm -rf "$data_dir"' EXIT
"$1" "$data_dir/store"
