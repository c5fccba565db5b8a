#!/bin/bash
# Both installed libraries define public functions and nothing else: each name they export stands
# in leat.h, each function of leat.h that is LEAT_API is exported. malloc is not among them.
set -euo pipefail
export LC_ALL=C

# LEAT_API up to the parenthesis: the last word before it is the name.
grep -v '^ *#' "$LEAT_PREFIX/include/leat.h" | tr '\n' ' ' |
    grep -oE 'LEAT_API [^;{(]*\(' | sed -E 's/^.*[^A-Za-z0-9_](leat_[a-z0-9_]+)\($/\1/' |
    sort -u >declared

exported() {
    nm --format=posix --defined-only "$@" | awk 'NF >= 3 && $2 ~ /^[A-Zuvw]$/ { print $1 }' | sort
}
exported --dynamic "$LEAT_LIBDIR/libleat.so" >shared
exported "$LEAT_LIBDIR/libleat.a" >static

test -s declared
diff declared shared
diff declared static
