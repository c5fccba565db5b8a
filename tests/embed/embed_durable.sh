#!/bin/bash
# embed_durable.sh DURABLE - the example finds in its second and third process what the first one
# has taken in, and nothing that was done. On a terminal it says how far its opens are; else not.
set -euo pipefail

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
mkdir "$directory/log" "$directory/shown"
diff <("$1" "$directory/log" 2>&1) - <<'END'
took 3 orders, and is gone
found 2 that wait, 1 for later
packed apples
packed pears
found 0 that wait, 1 for later
ok
END

if command -v script >/dev/null; then
    shown=$(script -qec "'$1' '$directory/shown' >/dev/null" /dev/null </dev/null)
    [[ $shown == *"1 of 1 MiB read"* && $shown == *"3 of 3 jobs found"* ]] || {
        echo "on a terminal it says: $shown"
        exit 1
    }
fi
