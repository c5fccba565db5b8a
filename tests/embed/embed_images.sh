#!/bin/bash
# embed_images.sh IMAGES - the example's pictures are what a few lines of Python make of them; one
# that is none is named and tried once, and the others come to be.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >pictures.py <<'END'
import random, sys
random.seed(7)
for number in range(40):
    width, height = random.randint(40, 90), random.randint(40, 90)
    rows = [bytes(random.randrange(256) for _ in range(width)) for _ in range(height)]
    with open(f"{number}.pgm", "wb") as file:
        file.write(b"P5\n%d %d\n255\n" % (width, height) + b"".join(rows))
    half = [[(rows[2*y][2*x] + rows[2*y][2*x+1] + rows[2*y+1][2*x] + rows[2*y+1][2*x+1]) // 4
             for x in range(width // 2)] for y in range(height // 2)]
    cut = [bytes(255 - grey for grey in row[3:13]) for row in half[2:10]]
    with open(f"{number}.want", "wb") as file:
        file.write(b"P5\n10 8\n255\n" + b"".join(cut))
END
python3 pictures.py
[ "$("$1" half crop=3,2,10,8 negative -- *.pgm)" = "40 of 40 pictures" ]
for number in {0..39}; do
    cmp "$number.want" "$number.pgm.out"
done

echo text >none
status=0
"$1" negative -- none 0.pgm missing 1.pgm >told 2>messages || status=$?
[ "$status" -eq 1 ]
[ "$(cat told)" = "2 of 4 pictures" ]
[ "$(cat messages)" = "images: 'none' failed for good after 1 attempt
images: 'missing' failed for good after 1 attempt" ]
! "$1" crop=80,0,20,20 -- 0.pgm 2>/dev/null
! "$1" sharpen -- 0.pgm 2>/dev/null
[ "$("$1" half --)" = "0 of 0 pictures" ]
status=0
"$1" half 2>/dev/null || status=$?
[ "$status" -eq 2 ]
