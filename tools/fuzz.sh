#!/usr/bin/env bash
# Runs every fuzz target of a build for some seconds, over its kept corpus in tests/corpus/.
#
#   tools/fuzz.sh BUILD_DIR SECONDS_EACH
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
build_dir=$1
seconds=$2

found="$build_dir/findings"
mkdir -p "$found" build/reports
cases=()
for target in $(find "$build_dir" -type f -executable -name 'larder_*_fuzz' | sort); do
  name=$(basename "$target")
  name=${name#larder_}
  mkdir -p "$build_dir/corpus/$name"
  corpora=("$build_dir/corpus/$name")
  [[ -d tests/corpus/$name ]] && corpora+=("tests/corpus/$name")
  echo "-- $name"
  if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="$found/$name-" "${corpora[@]}" >"$build_dir/$name.log" 2>&1; then
    grep -ah 'number_of_executed_units' "$build_dir/$name.log"
    cases+=("<testcase classname=\"fuzz\" name=\"$name\"/>")
  else
    tail -40 "$build_dir/$name.log"
    cases+=("<testcase classname=\"fuzz\" name=\"$name\"><failure/></testcase>")
  fi
done
printf '<testsuite>%s</testsuite>\n' "${cases[*]}" >build/reports/fuzz.xml
[[ ${#cases[@]} -gt 0 && ${cases[*]} != *failure* ]]
