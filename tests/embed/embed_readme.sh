#!/bin/bash
# The example that README.md prints, its only ```c block, is examples/embed.c byte for byte, and
# compiles and runs against the installed library.
set -euo pipefail

awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$LEAT_SOURCE/README.md" >embed.c
cmp embed.c "$LEAT_SOURCE/examples/embed.c"

export PKG_CONFIG_PATH=$LEAT_LIBDIR/pkgconfig
read -ra flags <<<"$(pkg-config --cflags --libs leat)"
"$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror embed.c "${flags[@]}" -o embed
LD_LIBRARY_PATH=$LEAT_LIBDIR ./embed
