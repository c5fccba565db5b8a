#!/bin/bash
# embed_consumer.sh CONSUMER - the example's leases hold as long as they say, and no longer.
set -euo pipefail

diff <("$1") - <<'END'
took a, attempt 1
took b, attempt 1
took c, attempt 1
took d, attempt 1
end a: ok
more time for b: ok
give c back: ok
took c, attempt 1
end c: ok
took d, attempt 2
end d, late: the token or lease no longer holds
end d: ok
end b: ok
nothing to take
ok
END
