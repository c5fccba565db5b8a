#!/bin/bash
# embed_shutdown.sh SHUTDOWN - told to end, the example has every job completed or handed back: some
# of many, none of few, with either signal.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkfifo out

# ends SIGNAL JOBS - what it prints when it is told to end, into the file `told`.
ends() {
    "$program" "$2" >out &
    pid=$!
    exec 3<out
    read -r -t 30 line <&3
    [ "$line" = ready ]
    kill "-$1" "$pid"
    cat <&3 >told
    wait "$pid"
    exec 3<&-
}

program=$1
ends TERM 5000
[ "$(sed -n '1p;$p' told)" = $'drain: the time given ran out\nok' ]
handed=$(grep -c '^handed back: job ' told)
completed=$(sed -n 's/ completed, .*//p' told)
[ "$handed" -gt 0 ] && [ "$completed" -gt 0 ] && [ $((handed + completed)) -eq 5000 ]

ends INT 4
[ "$(cat told)" = $'drain: ok\n4 completed, 0 handed back of 4\nok' ]
