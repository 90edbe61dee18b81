#!/usr/bin/env bash
# Installs the Debian 12 packages that Larder is built from. A no-op when all are there.
#
#   tools/deps.sh          what building and running need
#   tools/deps.sh --test   also what tools/test.sh needs
set -euo pipefail

packages=(
  # Compiler and build.
  g++ cmake ninja-build pkg-config ccache ca-certificates
  # storage/: shelf, sets of rows, compression, hashes, wire format, headers of segments, text search.
  librocksdb-dev libroaring-dev libzstd-dev libxxhash-dev libprotozero-dev
  libflatbuffers-dev flatbuffers-compiler libre2-dev libutf8proc-dev
  # plugin/: gRPC, settings, admin port.
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc
  libyaml-cpp-dev nlohmann-json3-dev libcpp-httplib-dev libssl-dev libboost-dev
  # tiering/: HTTP to SLS, compression of what goes there.
  libcurl4-openssl-dev liblz4-dev
  # Unit tests and benches are part of the build.
  libgtest-dev libbenchmark-dev
  # The demo sends with OpenTelemetry's Python SDK, in an environment of its own below build/.
  python3 python3-venv
)
if [[ ${1:-} == --test ]]; then
  packages+=(
    clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev # second compiler, lint, fuzzing
    zstd git procps
    openjdk-17-jdk-headless maven # the SDK for Java against the double of SLS
  )
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -q '^installed$' ||
    missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

echo "installing with apt-get: ${missing[*]}"
as_root=()
if [[ $(id -u) != 0 ]]; then
  command -v sudo >/dev/null || {
    echo "tools/deps.sh: not root and no sudo; as root, run: apt-get install ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
