/* archive_block.c - what a job does with one block, and the window of blocks that are under way. */
#include "archive_parts.h"

#include <errno.h>
#include <lz4.h>
#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL 1
#include <xxhash.h>

/* ---- one block ----------------------------------------------------------------------------- */

static void
fail(struct block *block, const char *failure, int error)
{
    block->failure = failure;
    block->error = error;
}

static bool
read_raw(struct block *block)
{
    uint32_t done = 0;
    while (done < block->raw_bytes) {
        ssize_t got = pread(block->descriptor, block->raw + done, block->raw_bytes - done,
                            (off_t)(block->offset + done));
        if (got == 0) {
            fail(block, "became shorter while it was read", 0);
            return false;
        }
        if (got < 0 && errno != EINTR) {
            fail(block, "read", errno);
            return false;
        }
        done += got < 0 ? 0 : (uint32_t)got;
    }
    return true;
}

static void
write_raw(struct block *block, const unsigned char *raw)
{
    uint32_t done = 0;
    while (done < block->raw_bytes) {
        ssize_t put = pwrite(block->descriptor, raw + done, block->raw_bytes - done,
                             (off_t)(block->offset + done));
        if (put < 0 && errno != EINTR) {
            fail(block, "write", errno);
            return;
        }
        done += put < 0 ? 0 : (uint32_t)put;
    }
}

void
block_pack(struct block *block)
{
    if (!read_raw(block)) {
        return;
    }
    block->checksum = XXH3_64bits(block->raw, block->raw_bytes);
    int packed = LZ4_compress_default((const char *)block->raw, (char *)block->packed,
                                      (int)block->raw_bytes, LZ4_COMPRESSBOUND(BLOCK_BYTES));
    bool smaller = packed > 0 && (uint32_t)packed < block->raw_bytes;
    block->stored = smaller ? (uint32_t)packed : block->raw_bytes | STORED_RAW;
}

void
block_unpack(struct block *block)
{
    const unsigned char *raw = block->packed;
    uint32_t stored = block->stored & ~STORED_RAW;
    int bytes = (int)stored;
    if ((block->stored & STORED_RAW) == 0) {
        raw = block->raw;
        bytes = LZ4_decompress_safe((const char *)block->packed, (char *)block->raw, (int)stored,
                                    (int)block->raw_bytes);
    }
    if (bytes != (int)block->raw_bytes || XXH3_64bits(raw, block->raw_bytes) != block->checksum) {
        fail(block, "is damaged in the archive", 0);
        return;
    }
    write_raw(block, raw);
}

/* ---- the window ---------------------------------------------------------------------------- */

bool
window_init(struct window *window)
{
    for (size_t i = 0; i < WINDOW_BLOCKS; i++) {
        struct block *block = &window->blocks[i];
        block->raw = malloc(BLOCK_BYTES);
        block->packed = malloc(LZ4_COMPRESSBOUND(BLOCK_BYTES));
        if (block->raw == NULL || block->packed == NULL) {
            return complain("no memory", "");
        }
    }
    return true;
}

void
window_fini(struct window *window)
{
    for (size_t i = 0; i < WINDOW_BLOCKS; i++) {
        free(window->blocks[i].raw);
        free(window->blocks[i].packed);
        free(window->blocks[i].head.bytes);
    }
}

static bool
retire(struct window *window, uint64_t most)
{
    for (; window->begun - window->retired > most; window->retired++) {
        struct block *block = &window->blocks[window->retired % WINDOW_BLOCKS];
        if (block->descriptor >= 0 && !window->runner->wait(window->runner->state, block)) {
            return false;
        }
        if (block->failure != NULL) {
            return block->error == 0 ? complain_name(block->meta.name, block->failure)
                                     : complain_of(block->failure, block->meta.name, block->error);
        }
        if (!window->retire(window->context, block)) {
            return false;
        }
    }
    return true;
}

struct block *
window_next(struct window *window)
{
    if (window->begun - window->retired == WINDOW_BLOCKS && !retire(window, WINDOW_BLOCKS / 2)) {
        return NULL;
    }
    struct block *block = &window->blocks[window->begun % WINDOW_BLOCKS];
    block->head.used = 0;
    block->descriptor = -1;
    block->last = false;
    block->failure = NULL;
    return block;
}

bool
window_begin(struct window *window, struct block *block)
{
    if (block->descriptor >= 0 && !window->runner->begin(window->runner->state, block)) {
        return false;
    }
    window->begun++;
    return true;
}

bool
window_end(struct window *window)
{
    return retire(window, 0);
}
