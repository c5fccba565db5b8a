#!/bin/bash
# embed_report.sh REPORT - the example's report says what find and wc say, of a tree with many
# directories, an empty one, and files that nobody can read; of none; and of one file.
set -euo pipefail
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p tree/empty tree/deep/er/still
for number in {1..150}; do
    mkdir -p "tree/$((number % 17))"
    seq -s ' a ' "$number" | fold -w 7 >"tree/$((number % 17))/file $number"
done
: >tree/deep/er/still/nothing
printf 'no newline' >tree/deep/er/last

# told FILES LEFT_OUT OUTPUT - it is what the program is to print.
told() {
    [ "$3" = $'the report is there: report\n'"$1 files counted, $2 left out"$'\nok' ]
}

# said FILES NAME.. - the report as wc would write it.
said() {
    wc -- "${@:2}" | awk -v files="$1" '$4 != "total" { lines += $1; words += $2; bytes += $3 }
        END { printf "%d files, %d lines, %d words, %d bytes\n", files, lines, words, bytes }'
}

told 152 0 "$("$1" tree report)"
mapfile -d '' files < <(find tree -type f -print0)
cmp report <(said 152 "${files[@]}")

told 0 0 "$("$1" tree/empty report)"
cmp report <(said 0 /dev/null)
told 1 0 "$("$1" tree/deep/er/last report)"

# Nobody can read the first byte of a process.
told 0 1 "$("$1" /proc/self/mem report)"
status=0
"$1" 2>/dev/null || status=$?
[ "$status" -eq 2 ]
