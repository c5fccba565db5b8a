#!/bin/bash
# embed_archive.sh ARCHIVE [OPTIONS] - the archive example from end to end.
#
# Shows that a tree with names, modes, times, links and sizes of every sort comes back as it was,
# with any number of workers, and that the archive is the same each time; that an archive that was
# changed in any byte, cut short, or made by hand to reach outside its directory is refused; and
# that each error is one line, exit status 2 and nothing left behind.

set -u
export LC_ALL=C

[ $# -ge 1 ] || { echo "usage: $0 ARCHIVE [OPTIONS]" >&2; exit 2; }
work=$(mktemp -d) || exit 2
trap 'chmod -R u+rwx "$work" 2>/dev/null; rm -rf "$work"' EXIT
program=$1
shift
options=("$@")

failures=0
checks=0

# check WHAT COMMAND... - the command must succeed.
check()
{
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" || { echo "FAILED: $what"; failures=$((failures + 1)); }
}

archive()
{
    local verb=$1
    shift
    "$program" "$verb" "${options[@]}" "$@"
}

# Everything that is to come back, one entry after the other.
listing()
{
    find "$1" -mindepth 0 -printf '%P\0%y %m %T@ %l\0' -o -quit | sort -z
    (cd "$1" && find . -type f -print0 | sort -z | xargs -0 -r sha256sum --)
}

make_tree()
{
    local name
    mkdir "$1" && cd "$1" || exit 2
    for name in - -- -n 'a b' 'a ' ' a' $'a\tb' '*' '?' '"' "'" '$x' 'a\b' '\' $'\n' $'a\nb' $'\r' \
        'a[b' $'\x01' $'a\x7fb' $'a\x80b' $'\xff' $'caf\xc3\xa9' .hidden ... 'a!b' 'a|b' D U E F L \
        "$(printf 'n%.0s' {1..255})"; do
        printf '%s' "$name" >"$name"
    done
    : >empty
    for name in 1 262143 262144 262145 524288 5000001; do
        head -c "$name" /dev/urandom >"random $name"
        head -c "$name" /dev/zero >"zeros $name"
        yes "line $name" | head -c "$name" >"lines $name"
    done
    mkdir -p d/sub/sub ' d' $'d\nx' e/m/p/t/y many deep
    for name in {1..2000}; do
        echo "$name" >"many/file $name"
    done
    (cd deep && for _ in {1..200}; do mkdir x && cd x && echo y >y || exit 2; done)
    ln -s 'random 1' link
    ln -s d/sub link_to_directory
    ln -s /nowhere/at/all link_to_nothing
    ln -s . link_to_itself
    ln -s "$(printf '/t%.0s' {1..2000})" long_link
    touch -h -d '1969-07-20 20:17:40.123456789Z' link_to_nothing d/sub/sub empty
    touch -d '2042-02-03 04:05:06.000000007Z' 'zeros 1' many
    chmod 4751 'lines 1'
    chmod 0 empty
    chmod 1777 ' d'
    chmod 500 e/m
    chmod 700 .
    cd .. || exit 2
}

test_round_trip()
{
    local workers
    cd "$work" || exit 2
    make_tree tree
    listing tree >want
    for workers in '' '--workers 1' '--workers 7'; do
        archive create tree -o "file$workers" $workers
        check "exit status of create $workers" [ $? -eq 0 ]
        archive extract "file$workers" -C out $workers
        check "exit status of extract $workers" [ $? -eq 0 ]
        listing out >got
        check "the tree comes back $workers" cmp want got
        check "the archive is the same $workers" cmp file "file$workers"
        chmod -R u+rwx out
        rm -rf out
    done
    check 'it became smaller' [ "$(stat -c %s file)" -lt "$(du -sb tree | cut -f1)" ]
    # Over an empty directory, and over a file of the same name.
    mkdir out
    check 'into an empty directory' archive extract file -C out/
    listing out >got
    check 'the tree is there' cmp want got
    echo old >old
    check 'over an old file' archive create out -o old
    check 'the old file is new' cmp file old
    # An archive in its own directory is not in itself.
    mkdir own
    echo x >own/x
    check 'an archive inside DIR' archive create own -o own/file
    archive extract own/file -C own_again
    check 'is not in itself' [ "$(ls own_again)" = x ]
    mkdir nothing
    archive create nothing -o file_of_nothing && archive extract file_of_nothing -C nothing_again
    check 'an empty directory' [ -d nothing_again ]
    check 'help' "$program" --help >help
}

# trouble VERB ARGUMENTS - exit status 2, one line on stderr, nothing left behind.
trouble()
{
    find . | sort >"$work/before"
    archive "$@" >"$work/out_text" 2>"$work/messages"
    check "exit status of: $*" [ $? -eq 2 ]
    find . | sort >"$work/after"
    check "one line from: $*" [ "$(wc -l <"$work/messages")" -eq 1 ]
    check "who speaks: $*" grep -q '^archive: ..' "$work/messages"
    check "nothing on stdout: $*" [ ! -s "$work/out_text" ]
    check "nothing left behind by: $*" cmp "$work/before" "$work/after"
}

test_errors()
{
    mkdir "$work/room" && cd "$work/room" || exit 2
    mkdir dir full
    echo x | tee dir/x full/x >file
    archive create dir -o good
    trouble nothing
    trouble create dir
    trouble create dir -C new
    trouble create -o new
    trouble create dir dir -o new
    trouble create file -o new
    trouble create missing -o new
    trouble create $'mis\nsing' -o new
    trouble create dir -o /dev/full
    trouble create dir -o no/dir/new
    trouble create dir -o dir
    trouble create dir -o new --workers 0
    trouble create dir -o new --workers 257
    trouble create dir -o new --workers x
    trouble create dir -o new --baseline other
    trouble create dir -o new --unknown
    trouble extract missing -C new
    trouble extract file -C new
    trouble extract dir -C new
    trouble extract /dev/null -C new
    trouble extract good -C full
    trouble extract good -C file
    trouble extract good -C no/dir
    trouble extract good -o new
    mkfifo dir/fifo
    trouble create dir -o new
    # A limit that the second kilobyte exceeds.
    (
        trap '' XFSZ
        ulimit -f 1
        trouble create "$work/tree" -o new
        trouble extract "$work/file" -C new
        exit "$failures"
    )
    failures=$?
}

# Bytes of a small archive changed, and the archive cut there: most at the first entries.
test_damage()
{
    local size i
    mkdir "$work/damage" && cd "$work/damage" || exit 2
    mkdir dir dir/sub
    seq 1000 >dir/file
    head -c 100 /dev/urandom >dir/sub/raw
    ln -s target dir/link
    archive create dir -o good
    size=$(stat -c %s good)
    for ((i = 0; i < size; i += i < 90 ? 7 : 211)); do
        python3 - "$i" <<'END'
import sys
place = int(sys.argv[1])
text = bytearray(open("good", "rb").read())
open("short", "wb").write(text[:place])
text[place] ^= 1 << place % 8
open("bad", "wb").write(text)
END
        trouble extract bad -C new
        trouble extract short -C new
    done
    cp good long
    echo >>long
    trouble extract long -C new
}

# Archives that no create would make; their sums do not matter, since the names come first.
test_traversal()
{
    mkdir "$work/traversal" && cd "$work/traversal" || exit 2
    python3 - <<'END'
def meta(kind, name):
    return kind + b"\xed\x01\0\0" + bytes(12) + len(name).to_bytes(2, "little") + name
def link(name, target):
    return meta(b"L", name) + len(target).to_bytes(2, "little") + target
root = b"LEATAR1\n" + meta(b"D", b"")
def empty(name):
    return meta(b"F", name) + bytes(8)
end = b"UE" + bytes(8)
cases = [root + empty(name) + end for name in (b"../evil", b"/tmp/evil", b"..", b".", b"", b"a/b",
                                               b"evil\0")]
cases += [root + meta(b"D", name) + empty(b"evil") + b"U" + end for name in (b"..", b"../x", b"")]
cases += [root + link(b"../evil", b"x") + end,
          root + link(b"a", b"..") + meta(b"D", b"a") + empty(b"evil") + b"U" + end,
          root + link(b"a", b"../evil") + empty(b"a") + end,
          root + empty(b"a") + empty(b"a") + end,
          b"LEATAR1\n" + meta(b"D", b"../evil") + b"U" + end,
          b"LEATAR1\n" + empty(b"evil"), b"LEATAR1\nU", b"LEATAR1\nE" + bytes(8),
          root + meta(b"D", b"d") * 600,
          root + meta(b"F", b"big") + b"\xff" * 8,
          root + meta(b"F", b"big") + (1 << 62).to_bytes(8, "little"),
          root + meta(b"F", b"f") + (10).to_bytes(8, "little") + b"\xff\xff\xff\x7f" + bytes(99)]
for number, case in enumerate(cases):
    open(f"case{number}", "wb").write(case)
END
    local file
    for file in case*; do
        trouble extract "$file" -C new
    done
    check 'all cases' [ "$(ls | wc -l)" -eq 22 ]
    check 'nothing above' [ ! -e "$work/evil" ]
    check 'nothing elsewhere' [ ! -e /tmp/evil ]
}

test_round_trip
test_errors
test_damage
test_traversal
[ "$failures" -eq 0 ] && echo "$checks checks passed"
exit $((failures > 0))
