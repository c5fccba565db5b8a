#!/bin/bash
# campaign_ring_fails.sh CAMPAIGN - a campaign on a ring that is wrong on purpose says what is
# wrong, and how often, and exits with 1.
set -euo pipefail

# fails CAMPAIGN RING WORD - WORD is what the ring does wrong.
fails() {
    local line status=0
    line=$("$1" --ops 1e6 --seed 1 --ring "$2") || status=$?
    echo "$line"
    [[ $status -eq 1 && $line =~ [1-9][0-9]*\ $3 ]]
}

fails "$1" losing lost
fails "$1" doubling duplicated
fails "$1" overtaking reordered
