#!/bin/bash
# C and C++ programs find the installed library with pkg-config: shared, the static library alone,
# and a program without any shared library. What the library itself is built from need not be there
# for a program that links it shared.
set -euo pipefail

export PKG_CONFIG_PATH=$LEAT_LIBDIR/pkgconfig
consumer=$LEAT_SOURCE/tests/embed/consumer/consumer
# One word each, as pkg-config means them to be split.
read -ra shared <<<"$(pkg-config --cflags --libs leat)"
read -ra all_static <<<"$(pkg-config --static --cflags --libs leat)"
read -ra static <<<"$(pkg-config --cflags --libs leat-static)"
strict=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

echo "no other .pc file"
read -ra alone <<<"$(PKG_CONFIG_LIBDIR=$LEAT_LIBDIR/pkgconfig pkg-config --cflags --libs leat)"
test "${alone[*]}" = "${shared[*]}"

echo "C, shared"
"$CC" -std=c11 "${strict[@]}" "$consumer.c" "${shared[@]}" -o shared
LD_LIBRARY_PATH=$LEAT_LIBDIR ./shared

echo "C++, shared"
"$CXX" -std=c++17 "${strict[@]}" "$consumer.cc" "${shared[@]}" -o shared_cc
LD_LIBRARY_PATH=$LEAT_LIBDIR ./shared_cc

echo "C, libleat.a and the rest shared"
"$CC" -std=c11 "${strict[@]}" "$consumer.c" "${static[@]}" -o static
./static

echo "C, all static"
"$CC" -std=c11 "${strict[@]}" "$consumer.c" -static "${all_static[@]}" -o all_static
./all_static
