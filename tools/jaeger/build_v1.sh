#!/usr/bin/env bash
# Builds the all-in-one programs of Jaeger v1.76, the last v1, and v1.57, the last with sidecars, and
# v1.57's collector and query, and prints the folder that holds them. Nothing is built that is there
# already.
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

build() { # VERSION PROGRAM...
  local version=$1 program
  shift
  for program in "$@"; do
    [[ -x $out/$program-$version ]] && continue
    if [[ ! -d $work/$version ]]; then
      mkdir "$work/$version"
      enter_module "$version" "$work/$version"
    fi
    echo "building Jaeger's $program $version with Go $have (minutes the first time)" >&2
    go build -o "$out/.$program" "$kModule/cmd/$program"
    mv "$out/.$program" "$out/$program-$version"
  done
}

build v1.76.0 all-in-one
build v1.57.0 all-in-one collector query
echo "$out"
