#!/bin/bash
# The probes of the installed libraries are those of docs/design/0034, each with its arguments; and
# a build without them has none.
set -euo pipefail
export LC_ALL=C

# Name and bytes of each argument, from the notes: so an id that stands in the place of another
# argument is seen.
probes() {
    readelf --notes "$1" | awk '
        $1 == "Provider:" { provider = $2 }
        $1 == "Name:" && provider == "leat" { name = $2 }
        $1 == "Arguments:" && name != "" {
            for (i = 2; i <= NF; i++) { sub(/@.*/, "", $i); sub(/^-/, "", $i); name = name " " $i }
            print name
            name = ""
        }' | sort -u
}
if [[ $LEAT_PROBES == 1 ]]; then
    printf '%s\n' 'job_end 8 4 4' 'job_start 8 4 4 4' 'job_submit 8' 'park 4' \
        'steal 4 4 4 4' >expected
else
    : >expected
fi
probes "$LEAT_LIBDIR/libleat.so" >shared
ar p "$LEAT_LIBDIR/libleat.a" >static.o
probes static.o >static
diff expected shared
diff expected static

# The table of the page says the same.
sed -nE 's/^\| `(job_[a-z]+|park|steal)` \| ([^|]*) \|.*$/\1 \2/p' \
    "$LEAT_SOURCE"/docs/design/0034-events-and-traces.md |
    awk '{ print $1, NF - 1 }' | sort >page
[[ $LEAT_PROBES == 0 ]] || awk '{ print $1, NF - 1 }' expected | diff - page
