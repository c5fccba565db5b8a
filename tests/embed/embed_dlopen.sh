#!/bin/bash
# A library built with LEAT_ALLOCATOR=system can be opened by dlopen() and closed again
# (consumer/dlopen_host.c). One with jemalloc cannot: Debian's needs static TLS.
set -euo pipefail

"$CC" -std=c11 -D_GNU_SOURCE -I "$LEAT_PREFIX/include" \
    "$LEAT_SOURCE/tests/embed/consumer/dlopen_host.c" -o dlopen_host
./dlopen_host "$LEAT_LIBDIR/libleat.so"
