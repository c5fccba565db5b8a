#!/bin/bash
# embed_mail.sh MAIL - the example's letters are tried after 1 s, 5 s, 30 s and 5 min, and once
# where there is no address.
set -euo pipefail

diff <("$1") - <<'END'
to ann@example.org: Welcome!
1 s: attempt 1: done
1 s: attempt 1: failed
1 s: attempt 1: again later
2 s: attempt 2: again later
7 s: attempt 3: again later
37 s: attempt 4: again later
to bob@example.org: Patience!
337 s: attempt 5: done
ok
END
