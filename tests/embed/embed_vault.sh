#!/bin/bash
# embed_vault.sh VAULT - the example's log is refused without a key, and the second key reads what
# the first one has written.
set -euo pipefail

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
"$1" "$directory" >"$directory/out" || exit $?
diff "$directory/out" - <<'END'
took an order in
without a key: encrypted with a key that is not given, or with none
the old key is not needed any more
moved gold
ok
END
