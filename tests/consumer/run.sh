#!/usr/bin/env bash
# Installs the built library into an empty folder and uses it from there as a stranger would: by find_package, shared and
# static, and by pkg-config, from C++ and from C; then each public header alone.   usage: run.sh BUILD SOURCE COMPILER
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
c_header=$prefix/include/engine/engine.h
lib=$(dirname "$(find "$prefix" -name 'libengine.so')")
grep -q '^Libs: .*-lengine' "$pc"
if command -v pkg-config >/dev/null; then
  flags=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$prefix" --cflags --libs engine)
else
  flags="-std=c++20 -I$prefix/include -L$lib -lengine"
fi
"$compiler" "$source/tests/consumer/main.cpp" $flags -Wl,-rpath,"$lib" -o "$place/by_flags"
"$place/by_flags"
# From C, by projects that know no C++, and as strictly as can be.
if [ -f "$c_header" ]; then
  strict=(-std=c99 -pedantic -Wall -Wextra -Werror)
  cmake -S "$source/tests/consumer/c" -B "$place/build-c" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release >/dev/null
  cmake --build "$place/build-c" >/dev/null
  "$place/build-c/from_c"
  if command -v pkg-config >/dev/null; then
    flags=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$prefix" --cflags --libs engine-c)
  else
    flags="-I$prefix/include -L$lib -lengine"
  fi
  cc "${strict[@]}" "$source/tests/consumer/c/main.c" $flags -Wl,-rpath,"$lib" -o "$place/c_by_flags"
  "$place/c_by_flags"
  cc "${strict[@]}" -I"$prefix/include" "$source/tests/consumer/c/main.c" "$lib/libengine.a" -pthread -lstdc++ -lm -o "$place/c_static"
  "$place/c_static"
  echo "#include <engine/engine.h>" | cc "${strict[@]}" -fsyntax-only -I"$prefix/include" -x c -
  echo "#include <engine/engine.h>" | "$compiler" -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I"$prefix/include" -x c++ -
fi
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
