#!/bin/sh
# Builds the Debian package from what was built in DIR and looks at what is in it: package.sh DIR
set -eu
build=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cpack --config "$build/CPackConfig.cmake" -B "$out" >"$out/log" 2>&1 || { cat "$out/log"; exit 1; }
deb=$(ls "$out"/pawl_*.deb)
dpkg-deb --contents "$deb" | awk '{ print $6 }' >"$out/contents"
for wanted in './usr/bin/pawl$' './usr/include/pawl/journal/writer.hpp$' \
    './usr/include/pawl/codec/encoder.hpp$' './usr/include/pawl/replay/fold.hpp$' './usr/lib/.*libpawl-journal\.' \
    './usr/include/pawl/sqlite/projector.hpp$' \
    './usr/lib/.*libpawl-replay\.' './usr/lib/.*libpawl-sqlite\.a$' './usr/lib/.*pawl/pawl_sqlite.so$' './usr/lib/.*cmake/pawl/pawlConfig.cmake$' \
    './usr/lib/.*pkgconfig/pawl-journal.pc$' './usr/share/doc/pawl/README.md$' \
    './usr/share/doc/pawl/replay/README.md$' './usr/share/man/man1/pawl.1' './usr/share/man/man1/pawl-verify.1' \
    './usr/share/bash-completion/completions/pawl$' './usr/share/zsh/vendor-completions/_pawl$'; do
    grep -q "$wanted" "$out/contents" || { echo "not in the package: $wanted"; cat "$out/contents"; exit 1; }
done
if grep -Eq 'tests|bench|exchange' "$out/contents"; then
    echo "in the package, but not for users:"
    grep -E 'tests|bench|exchange' "$out/contents"
    exit 1
fi
dpkg-deb --field "$deb" Depends | grep -q libc6
dpkg-deb --extract "$deb" "$out/tree"
"$out/tree/usr/bin/pawl" --version
