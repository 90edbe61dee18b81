#!/usr/bin/env bash
# Builds Jaeger v2.13 (cmd/jaeger), its load generator (cmd/tracegen) and its own tests of a storage
# backend (suite/) from the Go module, and prints the folder that holds them. Nothing is built when
# they are there already.
#
#   tools/jaeger/build.sh [OUTPUT_DIR]        default: build/jaeger-bin
#
# Exit code 77: this machine has no Go that is new enough (the reason is on stderr).
set -euo pipefail

readonly kModule=github.com/jaegertracing/jaeger
readonly kVersion=v1.76.0 # The Go module's last release; its cmd/jaeger is Jaeger v2.13.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=${1:-$root/build/jaeger-bin}

if [[ -x $out/jaeger-$kVersion && -x $out/tracegen-$kVersion && -d $out/suite-$kVersion ]]; then
  echo "$out"
  exit 0
fi
if ! command -v go >/dev/null; then
  echo "building Jaeger needs Go, which is not installed" >&2
  exit 77
fi

mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOTOOLCHAIN=local GOFLAGS=-mod=mod

printf 'module larder.example/jaeger\n' >go.mod
go mod download -json "$kModule@$kVersion" >module.json
field() { sed -n "s/^\t\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" module.json; }

needed=$(sed -n 's/^go \([0-9.]*\)$/\1/p' "$(field GoMod)")
have=$(go env GOVERSION | sed 's/^go//')
if [[ $(printf '%s\n%s\n' "$needed" "$have" | sort -V | head -1) != "$needed" ]]; then
  echo "Jaeger $kVersion needs Go $needed, and this is Go $have" >&2
  exit 77
fi

# `go install MODULE@VERSION` refuses a module whose go.mod has a replace. So this module takes
# over Jaeger's own requirements, replacements and checksums, and builds Jaeger as a dependency.
sed -e 's|^module .*|module larder.example/jaeger|' "$(field GoMod)" >go.mod
printf '\nrequire %s %s\n' "$kModule" "$kVersion" >>go.mod
cp "$(field Dir)/go.sum" go.sum
chmod u+w go.sum
printf '%s %s %s\n%s %s/go.mod %s\n' "$kModule" "$kVersion" "$(field Sum)" \
  "$kModule" "$kVersion" "$(field GoModSum)" >>go.sum

for program in jaeger tracegen; do
  [[ -x $out/$program-$kVersion ]] && continue
  echo "building $program $kVersion with Go $have (minutes the first time)" >&2
  go build -o "$out/.$program" "$kModule/cmd/$program"
  mv "$out/.$program" "$out/$program-$kVersion"
done

# The suite runs in its own folder of Jaeger's tree and reads files relative to it.
suite=$out/.suite
tests=cmd/jaeger/internal/integration
rm -rf "$suite"
mkdir -p "$suite/$tests"
echo "building Jaeger's storage tests $kVersion" >&2
go test -c -o "$suite/$tests/integration.test" "$kModule/$tests"
cp "$(field Dir)"/cmd/jaeger/config-{remote-storage.yaml,ui.json} "$suite/cmd/jaeger/"
chmod u+w "$suite"/cmd/jaeger/*.*
ln "$out/jaeger-$kVersion" "$suite/cmd/jaeger/jaeger"
rm -rf "$out/suite-$kVersion"
mv "$suite" "$out/suite-$kVersion"
echo "$out"
