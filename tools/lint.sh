#!/usr/bin/env bash
# Runs the linters that know C++: clang-format on the whole tree, clang-tidy on the files that
# changed since LARDER_TIDY_BASE (default: since the upstream branch, or, on it, over the last ten
# commits), at most LARDER_TIDY_FILES_MAX of them. tools/tidy.py runs with the unit tests.
#
#   tools/lint.sh REPORT_DIR
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
reports=$1
files_max=${LARDER_TIDY_FILES_MAX:-40}

base=${LARDER_TIDY_BASE:-$(git merge-base HEAD '@{upstream}' 2>/dev/null || true)}
if [[ -z $base || $base == "$(git rev-parse HEAD)" ]]; then
  base=$(git rev-list -n 11 HEAD | tail -1)
fi

cases=()
check() { # NAME COMMAND...
  if "${@:2}" >"$reports/lint-$1.log" 2>&1; then
    cases+=("<testcase classname=\"lint\" name=\"$1\"/>")
  else
    cat "$reports/lint-$1.log"
    cases+=("<testcase classname=\"lint\" name=\"$1\"><failure/></testcase>")
  fi
}

clang_format() {
  git ls-files -z '*.h' '*.cc' | xargs -0 -r clang-format-14 --dry-run -Werror
}

# Only what the dev build compiles: for other files clang-tidy would guess the flags.
changed_sources() {
  git diff --name-only --diff-filter=d "$base" -- '*.cc' | while read -r file; do
    if grep -qF "\"$PWD/$file\"" build/dev/compile_commands.json; then echo "$file"; fi
  done | sed -n "1,${files_max}p" # head would end before the loop does, and fail the pipe
}

clang_tidy() {
  changed_sources | xargs -r -n 1 -P "$(nproc)" clang-tidy-14 --quiet -p build/dev
}

check clang-format clang_format
check clang-tidy clang_tidy
printf '<testsuite>%s</testsuite>\n' "${cases[*]}" >"$reports/lint.xml"
[[ ${cases[*]} != *failure* ]]
