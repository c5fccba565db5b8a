#!/bin/bash
# A C project finds the installed library with find_package() and links it both ways. A component
# that is not there is refused, and named, unless it is optional.
set -euo pipefail

cmake -S "$LEAT_SOURCE/tests/embed/consumer" -B build -G Ninja -DCMAKE_PREFIX_PATH="$LEAT_PREFIX"
cmake --build build
build/consumer_shared
build/consumer_static

components() {
    cmake -S "$LEAT_SOURCE/tests/embed/consumer/components" -B components -G Ninja \
        -DCMAKE_PREFIX_PATH="$LEAT_PREFIX" "$@"
}

echo "an unknown component"
if components -DREQUIRED=typs -DOPTIONAL= >said 2>&1; then
    echo "it was taken" >&2
    exit 1
fi
# CMake breaks its lines as it likes.
tr -s ' \n' ' ' <said | grep -F "leat has no component 'typs'; there is: types"
components -DREQUIRED= -DOPTIONAL=typs
