#!/usr/bin/env bash
# Builds Jaeger v2.13 (cmd/jaeger), its load generator (cmd/tracegen) and its own tests of a storage
# backend (suite/) from the Go module, and prints the folder that holds them. Nothing is built when
# they are there already.
#
#   tools/jaeger/build.sh [OUTPUT_DIR]        default: build/jaeger-bin
#
# Exit code 77: this machine has no Go that is new enough (the reason is on stderr).
set -euo pipefail

readonly kVersion=v1.76.0 # The Go module's last release; its cmd/jaeger is Jaeger v2.13.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tools/jaeger/module.sh"
out=${1:-$root/build/jaeger-bin}

if [[ -x $out/jaeger-$kVersion && -x $out/tracegen-$kVersion && -d $out/suite-$kVersion ]]; then
  echo "$out"
  exit 0
fi
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
enter_module "$kVersion" "$work"

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
