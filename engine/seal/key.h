/* key.h - where a key comes from: a file, or a function of the host. */
#ifndef ENGINE_SEAL_KEY_H
#define ENGINE_SEAL_KEY_H

#include "engine/leat.h"

#define LEAT_SEAL_KEY_BYTES 32

struct leat_seal_source {
    /* A file of 32 bytes, or of 64 hexadecimal digits and an end of line. NULL: key() is asked. */
    const char *file;
    /* Writes a key; false: there is none now. Is called while the key is taken, and never later. */
    bool (*key)(void *context, unsigned char key[LEAT_SEAL_KEY_BYTES]);
    void *context;
};

/* Takes a key. LEAT_INVALID: it is none; LEAT_NOT_FOUND: no such file; LEAT_REFUSED: the system, or
 * the function, refused, or the file is open to others; LEAT_SYSTEM. `error` says why, and never
 * anything of the key. */
enum leat_status leat_seal_key_take(const struct leat_seal_source *source,
                                    unsigned char key[LEAT_SEAL_KEY_BYTES],
                                    struct leat_error *error);

/* Sets the error, and returns its status. */
enum leat_status leat_seal_fail(struct leat_error *error, enum leat_status status,
                                const char *format, ...) __attribute__((format(__printf__, 3, 4)));

#endif
