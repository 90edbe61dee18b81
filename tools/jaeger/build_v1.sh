#!/usr/bin/env bash
# Builds the all-in-one programs of Jaeger v1.76, the last v1, of v1.57, the last with sidecars, and of
# v1.24, the oldest that Larder serves, and v1.57's collector and query, and prints the folder that holds
# them. Nothing is built that is there already.
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

# Jaeger v1.24 puts a codec in the place of gRPC's, and since Go 1.21 packages are initialized in
# another order: gRPC's would come last and win. In a copy, one file more in the codec's package makes
# gRPC's come first.
mend_order() { # in the module's directory
  cp -r "$(field Dir)" source
  chmod -R u+w source
  printf 'package gogocodec\n\nimport _ "google.golang.org/grpc/encoding/proto"\n' \
    >source/pkg/gogocodec/order.go
  go mod edit -replace "$kModule=./source"
}

build() { # VERSION PROGRAM...
  local version=$1 program
  shift
  for program in "$@"; do
    [[ -x $out/$program-$version ]] && continue
    if [[ ! -d $work/$version ]]; then
      mkdir "$work/$version"
      enter_module "$version" "$work/$version"
      [[ $version != v1.24.0 ]] || mend_order
    fi
    echo "building Jaeger's $program $version with Go $have (minutes the first time)" >&2
    go build -o "$out/.$program-$version" "$kModule/cmd/$program"
    mv "$out/.$program-$version" "$out/$program-$version"
  done
}

build v1.76.0 all-in-one
build v1.57.0 all-in-one collector query
export CGO_ENABLED=0 # linked statically, so that it also runs where there is no C library
build v1.24.0 all-in-one
echo "$out"
