#!/bin/sh
# embed_store.sh STORE - the example runs each job of its store as often as it is to.
set -eu
[ "$("$1")" = "40 jobs of the store, 54 attempts: ok" ]
