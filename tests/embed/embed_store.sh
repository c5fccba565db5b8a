#!/bin/sh
# embed_store.sh PROGRAM - that the example with a store of its own runs each job as often as it is to.
set -eu
[ "$("$1")" = "40 jobs of the store, 54 attempts: ok" ]
