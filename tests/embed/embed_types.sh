#!/bin/bash
# C and C++ programs find the installed ready-made types: by find_package(), by pkg-config, and a
# program against libleat alone needs none of what they need.
set -euo pipefail

export PKG_CONFIG_PATH=$LEAT_LIBDIR/pkgconfig
consumer=$LEAT_SOURCE/tests/embed/consumer
strict=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

echo "find_package"
cmake -S "$consumer/types" -B build -G Ninja -DCMAKE_PREFIX_PATH="$LEAT_PREFIX"
cmake --build build
build/types

# One word each, as pkg-config means them to be split.
read -ra flags <<<"$(pkg-config --cflags --libs leat-types)"

echo "pkg-config, C"
"$CC" -std=c11 "${strict[@]}" "$consumer/types/types.c" "${flags[@]}" -o types
LD_LIBRARY_PATH=$LEAT_LIBDIR ./types

echo "pkg-config, C++"
"$CXX" -std=c++17 -x c++ "${strict[@]}" "$consumer/types/types.c" -x none "${flags[@]}" -o types_cc
LD_LIBRARY_PATH=$LEAT_LIBDIR ./types_cc

echo "libleat has no libcurl, and the types export nothing but their own"
if readelf -d "$LEAT_LIBDIR/libleat.so" | grep -E 'NEEDED.*(curl|leat-types)' ||
    nm -D --defined-only "$LEAT_LIBDIR/libleat-types.so" | awk '{ print $3 }' |
    grep -Ev '^leat_(types|command|http|mail)_'; then
    exit 1
fi

echo "libleat has libcrypto, lz4 and liburing where the build says so, and only there"
needed=$(readelf -d "$LEAT_LIBDIR/libleat.so" |
    grep -c 'NEEDED.*\(libcrypto\|liblz4\|liburing\)' || true)
test "$needed" -eq $((LEAT_CRYPTO + LEAT_LZ4 + LEAT_URING))
