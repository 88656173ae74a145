#!/usr/bin/env bash
# headers.sh COMPILER SOURCE: every public header compiles alone, without exceptions and run-time
# type information, seeing only the parts that its own part stands on; and it brings its user no
# macro, Boost or xxHash.
set -euo pipefail

compiler=$1 source=$2
flags=(-std=c++23 -fsyntax-only -fno-exceptions -fno-rtti
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
includes=()
failed=0 checked=0

check() {
    local part=$1 header=$2 name=${2#*/include/}
    if ! "$compiler" "${flags[@]}" "${includes[@]}" -x c++ - <<<"#include <$name>"; then
        echo "$name does not compile alone with $compiler" >&2
        failed=1
    fi
    if grep -nE '^ *# *define|<boost/|xxhash' "$header"; then
        echo "$name shows its user what it must not" >&2
        failed=1
    fi
    if [[ $part == journal ]] && grep -n '<flatbuffers/' "$header"; then
        echo "$name: the journal knows no FlatBuffers" >&2
        failed=1
    fi
    checked=$((checked + 1))
}

for part in journal codec replay replay/sqlite; do
    includes+=("-I$source/$part/include")
    while IFS= read -r header; do
        check "$part" "$header"
    done < <(find "$source/$part/include" -name '*.hpp' | sort)
done

echo "$checked headers checked with $compiler"
((checked > 0 && failed == 0))
