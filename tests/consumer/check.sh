#!/usr/bin/env bash
# check.sh MODE SOURCE BUILD: brings Pawl to the outside program in one way, builds it and runs it.
# SOURCE is Pawl's source tree, BUILD a build of it with static libraries.
set -euo pipefail

mode=$1 source=$2 build=$3
work=$build/consumer/$mode
generator=(-G Ninja -DCMAKE_BUILD_TYPE=Release)
command -v ccache >/dev/null && generator+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
rm -rf "$work"
mkdir -p "$work"

# Installs a build and moves the tree away from where it was installed to.
install_and_move() {
    cmake --install "$1" --prefix "$work/installed" >/dev/null
    mv "$work/installed" "$work/moved"
    if grep -rIl -e "$work/installed" -e "$source" "$work/moved/lib"; then
        echo "check.sh: the files above name a place that is gone" >&2
        exit 1
    fi
}

# consume PARTS CMAKE_ARGUMENT...
consume() {
    local parts=$1 part
    shift
    cmake -S "$source/tests/consumer" -B "$work/build" "${generator[@]}" "-DPAWL_PARTS=$parts" "$@"
    cmake --build "$work/build"
    run_parts "${parts//;/ }"
}

run_parts() {
    local part
    for part in $1; do
        "$work/build/use_$part" "$work/journal-of-$part"
        echo "use_$part ran"
    done
}

case $mode in
    package)
        install_and_move "$build"
        consume "journal;codec;replay;sqlite" "-DCMAKE_PREFIX_PATH=$work/moved"
        ;;
    journal-only)
        # What the journal is made from stays inside it: its users need neither of these.
        install_and_move "$build"
        consume journal "-DCMAKE_PREFIX_PATH=$work/moved" \
            -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON -DCMAKE_DISABLE_FIND_PACKAGE_FlatBuffers=ON
        if ldd "$work/build/use_journal" | grep -E 'xxhash|boost|flatbuffers'; then
            echo "check.sh: the journal brings a library along" >&2
            exit 1
        fi
        ;;
    shared)
        cmake -S "$source" -B "$build/consumer/shared-build" "${generator[@]}" \
            -DBUILD_SHARED_LIBS=ON -DPAWL_BUILD_TESTS=OFF -DPAWL_BUILD_BENCH=OFF \
            -DPAWL_SQLITE_EXTENSION=OFF
        cmake --build "$build/consumer/shared-build"
        install_and_move "$build/consumer/shared-build"
        consume "journal;codec;replay" "-DCMAKE_PREFIX_PATH=$work/moved"
        ldd "$work/build/use_journal" | grep -F "$work/moved/lib/libpawl-journal.so.0"
        # Each library finds those it stands on beside itself, whoever loads it.
        for library in "$work"/moved/lib/libpawl-*.so; do
            readelf -d "$library" | grep RUNPATH | grep -qF "[\$ORIGIN]"
            if ldd "$library" | grep 'not found'; then
                echo "check.sh: $library does not find the above" >&2
                exit 1
            fi
        done
        # The tool that was installed finds them too.
        if [[ -x $work/moved/bin/pawl ]]; then
            "$work/moved/bin/pawl" --help >/dev/null
        fi
        ;;
    pkg-config)
        install_and_move "$build"
        export PKG_CONFIG_PATH=$work/moved/lib/pkgconfig
        mkdir -p "$work/build"
        flatc --cpp --scoped-enums -o "$work/build" "$source/tests/consumer/note.fbs"
        for part in journal codec replay sqlite; do
            # pkg-config answers with words that the shell is to split.
            # shellcheck disable=SC2046
            g++ -std=c++23 -O1 "-I$work/build" "$source/tests/consumer/use_$part.cpp" \
                $(pkg-config --cflags --libs "pawl-$part") -o "$work/build/use_$part"
        done
        run_parts "journal codec replay sqlite"
        ;;
    subdirectory | fetchcontent)
        consume "journal;codec;replay" "-DPAWL_FROM=$mode" "-DPAWL_SOURCE=$source"
        ;;
    *)
        echo "check.sh: no mode $mode" >&2
        exit 2
        ;;
esac
