#!/bin/bash
# A C project finds the installed library with find_package() and links it both ways.
set -euo pipefail

cmake -S "$LEAT_SOURCE/tests/embed/consumer" -B build -G Ninja -DCMAKE_PREFIX_PATH="$LEAT_PREFIX"
cmake --build build
build/consumer_shared
build/consumer_static
