#!/usr/bin/env bash
# Installs the built library into an empty folder and uses it from there as a stranger would: by find_package, shared and
# static, and by pkg-config; then each public header alone.   usage: run.sh BUILD SOURCE COMPILER
set -euo pipefail
build=$1 source=$2 compiler=$3
place=$build/consumer
rm -rf "$place"
cmake --install "$build" --component development --prefix "$place/prefix" >/dev/null
prefix=$place/prefix
cmake -S "$source/tests/consumer" -B "$place/build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$place/build" >/dev/null
"$place/build/with_engine"
"$place/build/with_engine_static"
# What the file for pkg-config says, wherever the library was put.
pc=$(find "$prefix" -name engine.pc)
lib=$(dirname "$(find "$prefix" -name 'libengine.so')")
grep -q '^Libs: .*-lengine' "$pc"
if command -v pkg-config >/dev/null; then
  flags=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$prefix" --cflags --libs engine)
else
  flags="-std=c++20 -I$prefix/include -L$lib -lengine"
fi
"$compiler" "$source/tests/consumer/main.cpp" $flags -Wl,-rpath,"$lib" -o "$place/by_flags"
"$place/by_flags"
for header in "$prefix"/include/engine/*.hpp; do
  echo "#include <engine/$(basename "$header")>" | "$compiler" -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I"$prefix/include" -x c++ -
done
# Nobody else's headers: the standard library and our own.
if grep -hE '#include' "$prefix"/include/engine/*.hpp | grep -vE '<(engine/|[a-z_]+>)'; then
  echo "a public header includes somebody else's" >&2
  exit 1
fi
# No symbol of the inside is shown.
shown=$(nm -DC --defined-only "$lib/libengine.so" | grep -E ' engine::(base|catalog|frontend|ir|opt|plan|run)::' || true)
[ -z "$shown" ] || { echo "shown: $shown" | head -5 >&2; exit 1; }
