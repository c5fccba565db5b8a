/* squeeze.c - lz4, or that this build has none. */
#include "engine/seal/squeeze.h"

#ifndef LEAT_LZ4
#    define LEAT_LZ4 0
#endif

#if LEAT_LZ4

#    include <lz4.h>

LEAT_STATIC(LEAT_SQUEEZE_BYTES_MAX <= LZ4_MAX_INPUT_SIZE, "one call takes all");

bool
leat_squeeze_there(void)
{
    return true;
}

size_t
leat_squeeze_state_bytes(void)
{
    return (size_t)LZ4_sizeofState();
}

uint32_t
leat_squeeze(void *state, const void *from, uint32_t bytes, void *to, uint32_t room)
{
    int written = LZ4_compress_fast_extState(state, from, to, (int)bytes, (int)room, 1);
    return written > 0 ? (uint32_t)written : 0;
}

bool
leat_unsqueeze(const struct leat_squeezed *squeezed, void *to)
{
    int written =
        LZ4_decompress_safe(squeezed->from, to, (int)squeezed->from_bytes, (int)squeezed->to_bytes);
    return written >= 0 && (uint32_t)written == squeezed->to_bytes;
}

#else

bool
leat_squeeze_there(void)
{
    return false;
}

size_t
leat_squeeze_state_bytes(void)
{
    return 0;
}

uint32_t
leat_squeeze(void *state, const void *from, uint32_t bytes, void *to, uint32_t room)
{
    (void)state;
    (void)from;
    (void)bytes;
    (void)to;
    (void)room;
    return 0;
}

bool
leat_unsqueeze(const struct leat_squeezed *squeezed, void *to)
{
    (void)squeezed;
    (void)to;
    return false;
}

#endif
