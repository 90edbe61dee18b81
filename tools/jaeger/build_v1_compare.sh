#!/usr/bin/env bash
# Builds tests/interface/v1_translation/compare.go against the translation that Jaeger uses, and prints
# the program.
#
#   tools/jaeger/build_v1_compare.sh [OUTPUT_DIR]        default: build/jaeger-bin
#
# Exit code 77: this machine has no Go that is new enough (the reason is on stderr).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tools/jaeger/module.sh"
out=${1:-$root/build/jaeger-bin}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

enter_module v1.76.0 "$work"
cp "$root/tests/interface/v1_translation/compare.go" .
go build -o "$out/v1-compare" .
echo "$out/v1-compare"
