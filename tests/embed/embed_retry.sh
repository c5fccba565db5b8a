#!/bin/bash
# embed_retry.sh RETRY - the example reads its dead letters with all attempts, and brings two back.
# Which letter is the first is up to the workers, so lines are compared in order of their bytes.
set -euo pipefail

export LC_ALL=C

diff <("$1" | sort) <(sort <<'END'
completed after 3 attempts
dead after 1 attempts
dead after 3 attempts
dead after 3 attempts
dead letter to nobody: failed for good
  attempt 1: there is no such address
dead letter to down: attempts used up
  attempt 1: the host does not answer
  attempt 2: the host does not answer
  attempt 3: the host does not answer
dead letter to down: attempts used up
  attempt 1: the host does not answer
  attempt 2: the host does not answer
  attempt 3: the host does not answer
2 brought back
completed after 1 attempts
completed after 1 attempts
ok
END
)
