#!/usr/bin/env bash
# Puts a program together with the loader and every library that it needs, so that it runs where none
# of them is installed.
#
#   tools/bundle.sh PROGRAM LAUNCHER DIRECTORY     (the target larder-bundle calls it)
#
# DIRECTORY is made anew. See plugin/bundle/launcher.cc for what lies in it.
set -euo pipefail

program=$1
launcher=$2
out=$3

work=$(mktemp -d "$(dirname "$out")/.bundle.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/lib"
install -m 755 "$launcher" "$work/larder"
strip --strip-debug -o "$work/lib/larder" "$program"

# "libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x...)"; the loader stands alone.
libraries=$(ldd "$program")
if grep -q 'not found' <<<"$libraries"; then
  echo "bundle.sh: $program lacks libraries here: $libraries" >&2
  exit 1
fi
awk '$2 == "=>" && $3 ~ /^\// {print $3}' <<<"$libraries" |
  while read -r library; do
    install -m 755 "$library" "$work/lib/${library##*/}"
  done
loader=$(awk '$1 ~ /^\/.*\/ld-linux/ {print $1}' <<<"$libraries")
install -m 755 "$loader" "$work/lib/larder-loader"

chmod -R a+rX "$work"
rm -rf "$out"
mv "$work" "$out"
trap - EXIT
