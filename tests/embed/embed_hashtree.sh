#!/bin/bash
# embed_hashtree.sh HASHTREE - hashtree from end to end.
#
# Shows that both of its ways to run, on the engine and with --baseline, print what find, sha256sum
# and sort print, byte for byte, for names of every sort; that what cannot be read is reported,
# counted and skipped; that each error is one line, exit status 2 and nothing left behind; and that
# the summary is JSON. Does it on a tree of its own in a temporary directory.

set -u
export LC_ALL=C

[ $# -eq 1 ] || { echo "usage: $0 HASHTREE" >&2; exit 2; }
work=$(mktemp -d) || exit 2
trap 'chmod -R u+rwx "$work/tree" 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
# A copy that an unprivileged user can reach as well.
hashtree=$work/bin/hashtree
mkdir "$work/bin" && cp -- "$1" "$hashtree" || exit 2

failures=0
checks=0

fail()
{
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# check WHAT COMMAND... - the command must succeed.
check()
{
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" || fail "$what"
}

# What hashtree's output has to be, by the tools of the system.
expected()
{
    find "$1" -type f -print0 | xargs -0 -r sha256sum -- | sort -k2
}

# ---- a tree with names of every sort -------------------------------------------------------------

# put NAME - a file whose content is its name.
put()
{
    printf '%s' "$1" >"$1"
}

make_tree()
{
    local name
    mkdir "$1" && cd "$1" || exit 2
    for name in - -- -n a 'a b' a-b a.b 'a ' ' a' '  a' $'a\tb' $'\ta' ab 'a  b' aB A _a '*' '?' \
        '"' "'" '$x' 'a\b' '\' '\\' '\n' $'\n' $'a\nb' $'a\n' $'a\rb' $'\r' $'a\r\nb' 'a[b' 'a]b' \
        'a^b' $'\x01' $'a\x1fb' $'a\x7fb' $'a\x80b' $'a\xffb' $'\xff' $'\xc3\x28' $'caf\xc3\xa9' \
        .hidden ... 'a!b' 'a#b' 'a,b' 'a0b' 'a~b' 'a|b' "$(printf 'n%.0s' {1..255})"; do
        put "$name"
    done
    : >empty
    head -c 5000000 /dev/zero | tr '\0' x >big
    head -c 1048576 /dev/urandom >just_big
    head -c 1048575 /dev/urandom >just_small
    head -c 131072 /dev/urandom >one_buffer

    # Directories whose names are beginnings of other names: "d/x" sorts after "d-x" and before
    # "d0x"; and names that are printed escaped, above files that are not, and the other way round.
    for name in d 'd x' $'d\ny' 'd\z' ' d' $'\xfe' $'d\x80' D; do
        mkdir -p "$name/sub/sub"
        (cd "$name" && put x && put 'x\y' && put $'x\ny' && cd sub && put y && cd sub && put z)
    done
    put d-x
    put d.x
    put d0x
    put 'd x-'
    put $'d\x01'
    mkdir -p e/m/p/t/y d/empty_directory
    mkdir -p 1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20
    put 1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/deep

    mkdir many
    for name in {1..3000}; do
        echo "$name" >"many/file $name"
    done

    # Nothing of this is to be read.
    ln -s a link_to_file
    ln -s d link_to_directory
    ln -s nowhere link_to_nothing
    ln -s . link_to_itself
    mkfifo fifo
    cd .. || exit 2
}

# same DIR [OPTIONS] - hashtree prints for DIR what is expected, in both ways to run.
same()
{
    local directory=$1 mode
    shift
    expected "$directory" >"$work/expected"
    for mode in '' --baseline; do
        "$hashtree" $mode "$@" -- "$directory" >"$work/got" 2>"$work/messages"
        check "exit status for '$directory' $mode $*" [ $? -eq 0 ]
        check "lines for '$directory' $mode $*" cmp "$work/expected" "$work/got"
        check "silence for '$directory' $mode $*" [ ! -s "$work/messages" ]
    done
}

test_lines()
{
    cd "$work" || exit 2
    make_tree tree
    expected tree >"$work/expected"
    check 'the tree is as meant' [ "$(wc -l <"$work/expected")" -gt 3080 ]
    same tree
    same tree --workers 1
    same tree --workers 7
    same "$work/tree"
    same tree/
    same tree//
    same ./tree
    same tree/.
    same tree/e/m
    same 'tree/d\z'
    same $'tree/d\ny'
    cd tree || exit 2
    same .
    same ./
    cd d || exit 2
    same ..
    mkdir "$work/-dir"
    echo x >"$work/-dir/x"
    cd "$work" || exit 2
    checks=$((checks + 1))
    [ "$("$hashtree" -- -dir)" = "$(sha256sum -- -dir/x)" ] || fail 'DIR that begins with a dash'
    # DIR itself may be a symbolic link.
    ln -s tree link
    expected tree | sed 's|  tree/|  link/|' >"$work/expected"
    "$hashtree" link >"$work/got"
    check 'DIR that is a link' cmp "$work/expected" "$work/got"
    # An empty tree has no line.
    mkdir empty_tree
    check 'an empty tree' [ "$("$hashtree" empty_tree; echo $?)" = 0 ]
}

# Paths beyond what one system call takes.
test_long_path()
{
    local name depth
    name=$(printf 'd%.0s' {1..250})
    mkdir "$work/long" && cd "$work/long" || exit 2
    for depth in {1..40}; do
        mkdir "$name" && cd "$name" || exit 2
        echo "$depth" >file
    done
    cd "$work" || exit 2
    local mode
    for mode in '' --baseline; do
        "$hashtree" $mode long >"$work/got" 2>"$work/messages"
        check "exit status for long paths $mode" [ $? -eq 0 ]
        for depth in {1..40}; do
            echo "$depth" | sha256sum | cut -c1-64
        done | tac >"$work/expected"
        check "digests of long paths $mode" cmp "$work/expected" <(cut -c1-64 "$work/got")
        check "length of the longest $mode" [ "$(head -1 "$work/got" | wc -c)" -eq 10116 ]
    done
}

# ---- what cannot be read -------------------------------------------------------------------------

unprivileged()
{
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}

test_unreadable()
{
    mkdir -p "$work/locked/closed" "$work/locked/no_search" && cd "$work" || exit 2
    echo 1 >locked/good
    echo 2 >locked/bad
    echo 3 >$'locked/bad\nname'
    echo 4 >locked/closed/hidden
    echo 5 >locked/no_search/unreachable
    echo 6 >locked/z_good
    [ "$(id -u)" -ne 0 ] || chown -R 65534:65534 locked
    chmod 000 locked/bad $'locked/bad\nname' locked/closed
    chmod 600 locked/no_search
    sha256sum locked/good locked/z_good >expected
    cat >expected_messages <<'END'
hashtree: cannot read 'locked/bad': Permission denied
hashtree: cannot read 'locked/bad\nname': Permission denied
hashtree: cannot read 'locked/closed': Permission denied
hashtree: cannot read 'locked/no_search/unreachable': Permission denied
END
    mkdir out
    [ "$(id -u)" -ne 0 ] || chown 65534 out
    local mode
    for mode in '' --baseline; do
        unprivileged "$hashtree" $mode -o out/lines --json out/json locked 2>messages
        check "exit status with unreadable files $mode" [ $? -eq 1 ]
        check "lines beside unreadable files $mode" cmp expected out/lines
        check "messages of unreadable files $mode" cmp expected_messages <(sort messages)
        check "count of unreadable files $mode" grep -q '"unreadable": 4,' out/json
        check "count of files $mode" grep -q '"files": 2,' out/json
    done
    unprivileged "$hashtree" -o out/new locked/closed 2>messages
    check 'exit status for an unreadable DIR' [ $? -eq 2 ]
    check 'no output for an unreadable DIR' [ ! -e out/new ]
    chmod 755 locked/closed locked/no_search
}

# ---- errors --------------------------------------------------------------------------------------

listing()
{
    find . -type f -exec sha256sum {} + -o -print | sort
}

# trouble ARGUMENTS - exit status 2, one line on stderr, nothing on stdout, nothing left behind.
trouble()
{
    listing >"$work/before"
    "$hashtree" "$@" >"$work/got" 2>"$work/messages"
    check "exit status of: $*" [ $? -eq 2 ]
    listing >"$work/after"
    check "one line from: $*" [ "$(wc -l <"$work/messages")" -eq 1 ]
    check "who speaks: $*" grep -q '^hashtree: ..' "$work/messages"
    check "nothing on stdout: $*" [ ! -s "$work/got" ]
    check "nothing left behind by: $*" cmp "$work/before" "$work/after"
}

test_errors()
{
    local mode
    mkdir "$work/room" && cd "$work/room" || exit 2
    mkdir dir
    echo x >dir/x
    echo y >dir/y
    echo old >file
    for mode in '' --baseline; do
        trouble $mode /does/not/exist
        trouble $mode file
        trouble $mode file/
        trouble $mode -o /dev/full dir
        trouble $mode --json /dev/full dir
        trouble $mode -o file --json /dev/full dir
        trouble $mode -o new --json /dev/full dir
        trouble $mode -o /no/dir/x dir
        trouble $mode --json /no/dir/x dir
        trouble $mode -o new --json /no/dir/x dir
        trouble $mode -o file/x dir
        trouble $mode -o . dir
        trouble $mode -o new/ dir
        trouble $mode -o '' dir
        trouble $mode -o new --json ./new dir
        trouble $mode -o file --json dir/../file dir
        trouble $mode --workers 0 dir
        trouble $mode --workers x dir
        trouble $mode --workers -1 dir
        trouble $mode --workers 257 dir
        trouble $mode --workers 4294967297 dir
        trouble $mode --workers 1x dir
        trouble $mode --workers '' dir
        trouble $mode --workers= dir
        trouble $mode --workers ' 1' dir
    done
    trouble
    trouble --
    trouble --baseline
    trouble dir dir
    trouble -- dir --baseline
    trouble ''
    trouble $'no such\nthing'
    trouble --no-such-option dir
    trouble --worker 1 dir
    trouble --workersx 1 dir
    trouble -x dir
    trouble dir -o
    trouble dir --json
    trouble dir --workers
    "$hashtree" dir >/dev/full 2>"$work/messages"
    check 'exit status where stdout is full' [ $? -eq 2 ]
    check 'one line where stdout is full' [ "$(wc -l <"$work/messages")" -eq 1 ]
    "$hashtree" dir >&- 2>"$work/messages"
    check 'exit status where stdout is closed' [ $? -eq 2 ]
    check 'one line where stdout is closed' [ "$(wc -l <"$work/messages")" -eq 1 ]
    "$hashtree" --help >/dev/full 2>"$work/messages"
    check 'exit status of --help to a full device' [ $? -eq 2 ]
    # A limit that the second kilobyte exceeds: the temporary file goes, the old file stays.
    (
        trap '' XFSZ
        ulimit -f 1
        trouble -o file "$work/tree"
        trouble -o new "$work/tree"
        exit "$failures"
    )
    failures=$?
}

# ---- outputs -------------------------------------------------------------------------------------

json_is_valid()
{
    python3 - "$1" "$2" <<'END'
import json, sys
with open(sys.argv[1], encoding="utf-8") as file:
    summary = json.load(file)
files = int(sys.argv[2])
assert summary["files"] == files, summary
assert summary["bytes"] > 5000000
assert summary["unreadable"] == 0
assert summary["seconds"] > 0
assert summary["jobs_per_second"] > 0
assert sum(worker["jobs_run"] for worker in summary["workers"]) == files
assert all(worker["parks"] >= 0 for worker in summary["workers"])
assert len(summary["workers"]) == 2
assert summary["mode"] in ("leat", "baseline")
if summary["mode"] == "leat":
    for name in ("queue_wait_ns", "run_time_ns"):
        latency = summary[name]
        assert 0 < latency["p50"] <= latency["p99"] <= latency["p999"], latency
END
}

test_outputs()
{
    local mode count
    cd "$work" || exit 2
    expected tree >expected
    count=$(wc -l <expected)
    for mode in '' --baseline; do
        rm -f lines json
        "$hashtree" $mode --workers 2 -o lines --json json tree
        check "exit status with -o $mode" [ $? -eq 0 ]
        check "lines in a new file $mode" cmp expected lines
        check "syntax of the summary $mode" python3 -m json.tool json /dev/null
        check "content of the summary $mode" json_is_valid json "$count"
        "$hashtree" $mode --json=- -o/dev/null tree >json
        check "summary on stdout $mode" python3 -m json.tool json /dev/null
    done
    check 'mode of a new file' [ "$(stat -c %a lines)" = "$(printf %o $((0666 & ~$(umask))))" ]
    echo old >lines
    chmod 640 lines
    ln -s lines link_to_lines
    "$hashtree" -o link_to_lines tree
    check 'a link to the output' cmp expected lines
    check 'the link stays' [ -L link_to_lines ]
    check 'the mode stays' [ "$(stat -c %a lines)" = 640 ]
    # In place: what is not a regular file, and what stands for standard output.
    mkfifo pipe
    cat pipe >got &
    "$hashtree" -o pipe tree
    wait $!
    check 'lines through a FIFO' cmp expected got
    { echo first; "$hashtree" -o /dev/stdout tree; "$hashtree" -o - empty_tree; } >got
    check 'lines behind others' cmp expected <(tail -n +2 got)
    "$hashtree" -o /dev/fd/7 tree 7>got
    check 'lines to a descriptor' cmp expected got
    # An output inside DIR: its temporary file must not be among the lines.
    mkdir own
    echo x >own/x
    "$hashtree" -o own/new --json own/json own
    check 'output inside DIR' [ "$(cut -c67- own/new)" = own/x ]
    check 'help' "$hashtree" --help >got
    check 'help says something' grep -q '^Usage: hashtree ' got
}

# Progress is for terminals: script gives it one.
test_progress()
{
    local mode
    cd "$work" || exit 2
    command -v script >/dev/null || return
    mkdir slow
    truncate -s 2G slow/zeros
    for mode in '' --baseline; do
        script -qefc "$hashtree $mode -o lines slow" /dev/null >got </dev/null
        check "progress on a terminal $mode" grep -q '0/1+\? files, .* left' got
    done
}

test_lines
test_long_path
test_unreadable
test_errors
test_outputs
test_progress
[ "$failures" -eq 0 ] && echo "$checks checks passed"
exit $((failures > 0))
