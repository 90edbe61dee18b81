# To be sourced: makes a Go module that builds programs of a Jaeger release.
#
# `go install MODULE@VERSION` refuses a module whose go.mod has a replace. So a module of our own
# takes over Jaeger's requirements, replacements and checksums, and builds Jaeger as a dependency.

readonly kModule=github.com/jaegertracing/jaeger

field() { sed -n "s/^\t\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" module.json; }

# Exits with 77 when this machine has no Go that is new enough; sets `have`, the version of Go.
enter_module() { # VERSION EMPTY_DIRECTORY
  if ! command -v go >/dev/null; then
    echo "building Jaeger needs Go, which is not installed" >&2
    exit 77
  fi
  cd "$2"
  export GOTOOLCHAIN=local GOFLAGS=-mod=mod
  printf 'module larder.example/jaeger\n' >go.mod
  go mod download -json "$kModule@$1" >module.json

  local needed
  needed=$(sed -n 's/^go \([0-9.]*\)$/\1/p' "$(field GoMod)")
  have=$(go env GOVERSION | sed 's/^go//')
  if [[ $(printf '%s\n%s\n' "$needed" "$have" | sort -V | head -1) != "$needed" ]]; then
    echo "Jaeger $1 needs Go $needed, and this is Go $have" >&2
    exit 77
  fi

  sed -e 's|^module .*|module larder.example/jaeger|' "$(field GoMod)" >go.mod
  printf '\nrequire %s %s\n' "$kModule" "$1" >>go.mod
  cp "$(field Dir)/go.sum" go.sum
  chmod u+w go.sum
  printf '%s %s %s\n%s %s/go.mod %s\n' "$kModule" "$1" "$(field Sum)" \
    "$kModule" "$1" "$(field GoModSum)" >>go.sum
}
