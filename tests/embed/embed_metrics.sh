#!/bin/bash
# embed_metrics.sh METRICS - the text that an engine gives to a scraper, and what is made of it.
#
# Shows that promtool takes the text format of Prometheus without a word, that the parser of
# prometheus_client takes the OpenMetrics text, that both say the same; that the alert rules are
# rules and fire when they are meant to, and that they and the dashboard ask for nothing that is
# not exported. Skipped where promtool or the parser is missing (tools/packages test).

set -u
export LC_ALL=C

[ $# -eq 1 ] || { echo "usage: $0 METRICS" >&2; exit 2; }
root=$(cd -- "$(dirname -- "$0")/../.." && pwd) || exit 2
monitoring=$root/docs/monitoring
python=/usr/bin/python3 # Debian's, which has Debian's packages
command -v promtool >/dev/null || { echo "no promtool"; exit 77; }
"$python" -c 'import prometheus_client' 2>/dev/null || { echo "no prometheus_client"; exit 77; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

failures=0
# check WHAT COMMAND... - the command must succeed, and say nothing where WHAT begins with "quiet".
check()
{
    local what=$1
    shift
    if ! "$@" >"$work/said" 2>&1 || { [[ $what == quiet* ]] && [ -s "$work/said" ]; }; then
        echo "FAILED: $what: $*"
        cat "$work/said"
        failures=$((failures + 1))
    fi
}
# refuse WHAT COMMAND... - the command must fail: a check that takes everything is none.
refuse()
{
    local what=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "FAILED: $what was taken: $*"
        failures=$((failures + 1))
    fi
}
lint() { promtool check metrics <"$1"; }

"$1" openmetrics >"$work/open" || exit 1
"$1" prometheus >"$work/plain" || exit 1
check "quiet: promtool takes the text" lint "$work/plain"
check "names, values and queries" "$python" "$root/tests/embed/metrics_check.py" \
    "$work/open" "$work/plain" "$monitoring"
check "alert rules" promtool check rules "$monitoring/alerts.yml"
check "alerts fire when they are meant to" promtool test rules "$monitoring/alerts_test.yml"

sed '/^leat_jobs_dead_total/s/$/ x/' "$work/plain" >"$work/broken"
refuse "a broken line" lint "$work/broken"
sed '/^# HELP leat_jobs_dead_total/d' "$work/plain" >"$work/broken"
refuse "a family without help" lint "$work/broken"
sed '/^# EOF/d' "$work/open" >"$work/broken"
refuse "a text without an end" "$python" "$root/tests/embed/metrics_check.py" \
    "$work/broken" "$work/plain" "$monitoring"
mkdir "$work/monitoring"
sed 's/leat_queue_oldest_seconds/leat_queue_odlest_seconds/' "$monitoring/dashboard.json" \
    >"$work/monitoring/dashboard.json"
cp "$monitoring/alerts.yml" "$work/monitoring"
refuse "a query for what is not exported" "$python" "$root/tests/embed/metrics_check.py" \
    "$work/open" "$work/plain" "$work/monitoring"

[ "$failures" -eq 0 ] && echo "ok"
exit $((failures > 0))
