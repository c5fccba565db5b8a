#!/bin/bash
# embed_libuv_loop.sh LIBUV_LOOP - the example prints the Adler-32 that zlib computes for each
# block, for more blocks than its queue has slots, for none, and at the edges of a block.
set -euo pipefail
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for bytes in 0 1 65535 65536 65537 131072 10000000; do
    head -c "$bytes" /dev/urandom >input
    python3 - >want <<'END'
import zlib
text = open("input", "rb").read()
for number, begin in enumerate(range(0, len(text), 65536)):
    print(f"{number} {zlib.adler32(text[begin:begin + 65536]):08x}")
END
    "$1" <input | sort -n >got
    cmp want got
done
