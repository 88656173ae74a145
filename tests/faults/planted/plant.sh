#!/usr/bin/env bash
# Plants the bugs of this directory: NAME.patch is the bug `bug::NAME`, one line of ../planted.txt.
#
# plant.sh copy ROOT DIR copies journal/, codec/ and replay/ of ROOT into DIR, with every bug in
# them plant.sh check ROOT checks that each patch still applies to the sources of ROOT
#
# A patch only adds lines. Each is applied to the clean sources separately, and the added lines are
# merged afterwards, so patches may touch the same place and none depends on another.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
parts=(journal codec replay)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

complain() {
    echo "planted bug $1: $2" >&2
    failures=$((failures + 1))
}

names() {
    local patch
    for patch in "$here"/*.patch; do basename "$patch" .patch; done | sort
}

# The files of a patch, as it names them.
touched() {
    sed -n 's|^+++ b/\([^[:space:]]*\).*|\1|p' "$here/$1.patch"
}

# Leaves what the patch adds to each of its files in $scratch/added/FILE/NAME, as diff prints it.
apply_alone() {
    local root=$1 name=$2 file said added
    rm -rf "$scratch/alone"
    for file in $(touched "$name"); do
        if [[ ! -f $root/$file ]]; then
            complain "$name" "no file is called $file any more"
            return 0
        fi
        mkdir -p "$scratch/alone/$(dirname "$file")"
        cp "$root/$file" "$scratch/alone/$file"
    done
    if ! said=$(patch -p1 -F2 -s --no-backup-if-mismatch -r - -d "$scratch/alone" \
        -i "$here/$name.patch" 2>&1); then
        complain "$name" "tests/faults/planted/$name.patch no longer applies: $said"
        return 0
    fi
    for file in $(touched "$name"); do
        added=$scratch/added/$file
        mkdir -p "$added"
        diff "$root/$file" "$scratch/alone/$file" >"$added/$name" || true
        if grep -qE '^[0-9,]+[cd]' "$added/$name"; then
            complain "$name" "its patch removes or changes lines of $file; a planted bug only adds"
        fi
        # Makes diff report the added lines exactly where the patch put them.
        if ! awk -v seam="planted(bug::$name)" '
                /^[0-9]/ { getline; if (index($0, seam) == 0) bad = 1; runs++ }
                END { exit bad || runs == 0 }' "$added/$name"; then
            complain "$name" "what it adds to $file must begin with planted(bug::$name)"
        fi
    done
}

apply_each() {
    local name
    mkdir -p "$scratch/added"
    for name in $(names); do
        [[ -n $(touched "$name") ]] || complain "$name" "its patch names no file"
        apply_alone "$1" "$name"
    done
}

# Every bug needs a command that finds it, and every listed bug must exist.
compare_with_list() {
    local listed name
    listed=$(awk '!/^#/ && NF { print $1 }' "$here/../planted.txt" | sort)
    for name in $(comm -23 <(names) <(echo "$listed")); do
        complain "$name" "tests/faults/planted.txt does not name what must find it"
    done
    for name in $(comm -13 <(names) <(echo "$listed")); do
        complain "$name" "tests/faults/planted.txt lists it, but there is no $name.patch"
    done
}

# The source with what all patches add to it.
merge() {
    awk 'FNR == 1 && FILENAME != source { at = 0 }
         FILENAME != source && /^[0-9]+a/ { at = $0 + 0; next }
         FILENAME != source && /^>/ { more[at] = more[at] substr($0, 3) "\n"; next }
         FILENAME == source { print; printf "%s", more[FNR] }' source="$1" "${@:2}" "$1"
}

write_enumeration() {
    echo "// Made by plant.sh from the names of the patches."
    echo "#pragma once"
    echo "#include <array>"
    echo "#include <cstdint>"
    echo "#include <string_view>"
    echo "namespace pawl::detail {"
    echo "enum class bug : std::uint8_t { none"
    names | sed 's/^/, /'
    echo "};"
    echo "inline constexpr auto bug_names = std::to_array<std::string_view>({\"none\""
    names | sed 's/.*/, "&"/'
    echo "});"
    echo "}  // namespace pawl::detail"
}

# Unchanged files keep their time stamps, so that only changed ones are compiled again.
update() {
    local from=$1 to=$2 file
    mkdir -p "$to"
    (cd "$from" && find . -type f) | while read -r file; do
        cmp -s "$from/$file" "$to/$file" && continue
        mkdir -p "$to/$(dirname "$file")"
        cp "$from/$file" "$to/$file"
    done
    (cd "$to" && find . -type f) | while read -r file; do
        [[ -f $from/$file ]] || rm "$to/$file"
    done
}

copy() {
    local root=$1 to=$2 file
    mkdir "$scratch/copy"
    (cd "$root" && cp -r "${parts[@]}" "$scratch/copy")
    (cd "$scratch/added" && find . -mindepth 1 -type f -printf '%h\n' | sort -u) | while read -r file; do
        (cd "$scratch/added" && merge "$root/$file" "$file"/*) >"$scratch/copy/$file"
    done
    mkdir "$scratch/copy/planted"
    write_enumeration >"$scratch/copy/planted/bugs.hpp"
    update "$scratch/copy" "$to"
}

case ${1-} in
    copy | check) ;;
    *)
        echo "usage: plant.sh copy ROOT DIR | check ROOT" >&2
        exit 2
        ;;
esac
root=$(cd "$2" && pwd)
apply_each "$root"
compare_with_list
((failures == 0)) || exit 1
if [[ $1 == copy ]]; then
    copy "$root" "$3"
else
    echo "$(names | wc -l) planted bugs apply"
fi
