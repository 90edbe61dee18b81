#!/usr/bin/env bash
# Installs what is missing and runs every test; --unit is the inner loop of about a minute.
#
#   tools/test.sh            everything
#   tools/test.sh --unit     build and unit tests only
#   tools/test.sh --STAGE... only the stages named, in the order below
#
# The last line says how many tests passed and failed; the exit code is 0 only when none failed
# and at least one ran. A test whose tools this machine lacks is skipped with its reason; with
# CI=true a skip is a failure. Reports, one per stage: build/reports/.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

all_stages=(unit integration lint asan tsan fuzz bench e2e)
stages=()
for argument in "$@"; do
  stage=${argument#--}
  if [[ " ${all_stages[*]} " != *" $stage "* || $argument == "$stage" ]]; then
    echo "tools/test.sh: no stage '$argument'; there are: ${all_stages[*]/#/--}" >&2
    exit 2
  fi
  stages+=("$stage")
done
[[ ${#stages[@]} -gt 0 ]] || stages=("${all_stages[@]}")

reports=build/reports
rm -rf "$reports" && mkdir -p "$reports"
jobs=$(nproc)
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/tools/tsan.supp"

# Configures and builds a target of a preset. Further arguments go to cmake.
build() {
  cmake --preset "$1" "${@:3}" >"$reports/configure-$1.log" || return
  cmake --build "build/$1" --target "$2" -j "$jobs"
}

# Runs the tests of a built preset whose label matches the pattern.
run_ctest() {
  ctest --test-dir "build/$1" -j "$jobs" --output-on-failure --no-tests=error \
    --test-output-size-passed 1000000 -L "$2" --output-junit "$PWD/$reports/$3.xml"
}

stage_unit() { build dev all && run_ctest dev '^unit$' unit; }

# What is slow or needs the whole: differential, crash, power loss, install and embed.
stage_integration() { build dev all && run_ctest dev '^(model|crash|integration|embed)$' integration; }

stage_lint() { build dev all && tools/lint.sh "$reports"; }

stage_asan() { build asan checked_tests && run_ctest asan '^(unit|model|crash)$' asan; }

# Debian's gRPC is not built with the thread sanitizer, so the server would report races that
# are none: this stage covers storage/.
stage_tsan() { build tsan checked_tests -DLARDER_SERVER=OFF && run_ctest tsan '^(unit|model|crash)$' tsan; }

stage_fuzz() { build fuzz fuzzers && tools/fuzz.sh build/fuzz "${LARDER_FUZZ_SECONDS:-5}"; }

stage_bench() { build dev all && run_ctest dev '^bench$' bench; }

stage_e2e() {
  local python
  build dev all && python=$(tools/python.sh) || return
  "$python" -m pytest tests/e2e tests/interface tests/sls_double --junit-xml "$PWD/$reports/e2e.xml"
}

tools/deps.sh --test || exit 1
failed_stages=()
times=()
for stage in "${stages[@]}"; do
  echo "== $stage"
  begin=$SECONDS
  "stage_$stage" || failed_stages+=("$stage")
  times+=("$(printf '%-12s %4d s' "$stage" $((SECONDS - begin)))")
done

echo "== time"
printf '%s\n' "${times[@]}"
python3 tools/count_tests.py "$reports" "${failed_stages[@]}"
