#!/bin/bash
# embed_durable.sh DURABLE - the example finds in its second and third process what the first one
# has taken in, and nothing that was done.
set -euo pipefail

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
diff <("$1" "$directory") - <<'END'
took 3 orders, and is gone
found 2 that wait, 1 for later
packed apples
packed pears
found 0 that wait, 1 for later
ok
END
