#!/bin/bash
# embed_graph.sh GRAPH - the example's tree and chain come to what their numbers are, and of three
# children of a failed job two run.
set -euo pipefail

diff <("$1") - <<'END'
31996000
499500
0
0
ok
END
