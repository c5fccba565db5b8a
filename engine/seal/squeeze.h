/* squeeze.h - lz4, or that this build has none. */
#ifndef ENGINE_SEAL_SQUEEZE_H
#define ENGINE_SEAL_SQUEEZE_H

#include "ring/base.h"

/* What lz4 takes at once, and more than anything here. */
#define LEAT_SQUEEZE_BYTES_MAX (UINT32_C(1) << 30)

bool leat_squeeze_there(void);
/* Of the memory that leat_squeeze() works in, which is on no stack: it is 16 KiB. 0: no lz4. */
size_t leat_squeeze_state_bytes(void);
/* Compresses into at most `room` bytes. 0: it does not fit. pre: bytes >= 1. */
uint32_t leat_squeeze(void *state, const void *from, uint32_t bytes, void *to, uint32_t room);

struct leat_squeezed {
    const void *from;
    uint32_t from_bytes;
    uint32_t to_bytes; /* that it comes to, exactly */
};

/* False: it does not come to that. Any bytes will do: nothing is read or written beyond. */
bool leat_unsqueeze(const struct leat_squeezed *squeezed, void *to);

#endif
