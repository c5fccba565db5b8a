#!/bin/bash
# embed_tenants.sh TENANTS - the example's customers begin as many jobs as their rates let through.
set -euo pipefail

diff <("$1") - <<'END'
free   brings 80 jobs, 50 are taken
paying brings 80 jobs, 80 are taken
in a second begin 15 of the free one, 80 of the paying one
and in four more all that were taken: 50
ok
END
