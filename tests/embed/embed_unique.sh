#!/bin/bash
# embed_unique.sh UNIQUE - the example charges an order once, and indexes once what was saved often.
set -euo pipefail

diff <("$1") - <<'END'
order 7 once more: the name or the unique key is taken
or, to join it: another job stands for it
2 orders, charged 2 times
saved 5 times, indexed 1 time, 2.1 s after the last
ok
END
