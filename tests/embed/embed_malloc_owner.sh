#!/bin/bash
# The host's malloc stays libc's, and its operator new libstdc++'s, whichever way the library is
# linked (consumer/malloc_owner.c).
set -euo pipefail

export PKG_CONFIG_PATH=$LEAT_LIBDIR/pkgconfig
export LD_LIBRARY_PATH=$PWD:$LEAT_LIBDIR
read -ra shared <<<"$(pkg-config --cflags --libs leat)"
read -ra static <<<"$(pkg-config --static --cflags --libs leat)"
consumer=$LEAT_SOURCE/tests/embed/consumer

# The C++ library stands last: what the others bring along is then found before libstdc++.
"$CXX" -std=c++17 -shared -fPIC "$consumer/operator_new.cc" -o liboperator_new.so
owner=("$CC" -std=c11 -D_GNU_SOURCE "$consumer/malloc_owner.c")
"${owner[@]}" "${shared[@]}" -L. -loperator_new -o shared
./shared
"${owner[@]}" "${static[@]/#-lleat/-l:libleat.a}" -L. -loperator_new -o static
./static
