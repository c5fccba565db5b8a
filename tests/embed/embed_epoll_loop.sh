#!/bin/bash
# embed_epoll_loop.sh EPOLL_LOOP - the example prints what wc prints, for more files than its queue
# has slots and for one that is not there; nothing where there is nothing to count.
set -euo pipefail
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for i in {1..500}; do
    seq "$i" >"file $i"
done
printf 'no newline at the end' >last
: >empty

wc -lc -- * | sed '$d' | awk '{ lines = $1; bytes = $2; sub(/^ *[0-9]+ +[0-9]+ /, "");
    print lines, bytes, $0 }' | sort >"$work.want"
"$1" * 2>"$work.messages" | sort >"$work.got"
cmp "$work.want" "$work.got"
rm "$work.want" "$work.got" "$work.messages"

status=0
"$1" missing empty >got 2>messages || status=$?
[ "$status" -eq 1 ]
[ "$(cat got)" = '0 0 empty' ]
[ "$(cat messages)" = "epoll_loop: cannot read 'missing'" ]
[ -z "$("$1")" ]
