#!/bin/bash
# embed_cron.sh CRON - the example's schedules come when they say; needs the zones of tzdata.
set -euo pipefail

[ -e /usr/share/zoneinfo/Europe/Berlin ] || exit 77
diff <("$1") - <<'END'
wrong: spec line 1, column 1: minute: 61 is out of range 0-59
tick: Fri 27 Mar 11:59:56 UTC
tick: Fri 27 Mar 11:59:57 UTC
tick: Fri 27 Mar 11:59:58 UTC
report: Mon 30 Mar 07:30:00 UTC
report: Tue 31 Mar 07:30:00 UTC
report: Wed 01 Apr 07:30:00 UTC
in five seconds: 5
paused for three more: 5
resumed for two: 7
stopped for ten: 10 missed
and one for all of them: 8
ok
END
