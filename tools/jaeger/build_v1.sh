#!/usr/bin/env bash
# Builds the all-in-one programs of Jaeger v1.76, the last v1, and v1.57, the last with sidecars, and
# prints the folder that holds them. Nothing is built when they are there already.
#
#   tools/jaeger/build_v1.sh [OUTPUT_DIR]        default: build/jaeger-bin
#
# Exit code 77: this machine has no Go that is new enough (the reason is on stderr).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tools/jaeger/module.sh"
out=${1:-$root/build/jaeger-bin}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for version in v1.76.0 v1.57.0; do
  [[ -x $out/all-in-one-$version ]] && continue
  mkdir "$work/$version"
  enter_module "$version" "$work/$version"
  echo "building Jaeger $version with Go $have (minutes the first time)" >&2
  go build -o "$out/.all-in-one" "$kModule/cmd/all-in-one"
  mv "$out/.all-in-one" "$out/all-in-one-$version"
done
echo "$out"
