/* archive_parts.h - what the files of the archive example share.
 *
 *   archive.c          the command line, and the run on a Leat engine: read this one first
 *   archive_tbb.cc     --baseline tbb: the same run on oneTBB; only in the program archive_tbb
 *   archive_block.c    what a job does, packing or unpacking one block, and the window of blocks
 *   archive_create.c   goes through a tree and writes an archive
 *   archive_extract.c  reads an archive and makes a tree
 *   archive_format.c   numbers and names in the archive; messages
 *
 * An archive, all numbers little-endian:
 *
 *   archive    MAGIC, directory, 'E', XXH3 of all before it but for the content of blocks
 *   directory  'D', meta, its entries by name, 'U'     (the name of the first one is empty)
 *   file       'F', meta, size 8, blocks of BLOCK_BYTES, the last one of what is left
 *   link       'L', meta, length 2, target
 *   meta       mode 4, seconds 8, nanoseconds 4, length of the name 2, name
 *   block      stored bytes 4 (STORED_RAW: as they are, else LZ4), XXH3 of the raw bytes 8, content
 *
 * Names are single ones and the tree is in the order of the entries, so no archive can name
 * anything outside its own directory. Owners, extended attributes and hard links are not kept.
 */
#ifndef ARCHIVE_PARTS_H
#define ARCHIVE_PARTS_H

#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MAGIC "LEATAR1\n"

enum {
    MAGIC_BYTES = 8,
    BLOCK_BYTES = 256 << 10,
    WINDOW_BLOCKS = 64,      /* under way at once: 33 MiB */
    HEAD_BYTES_MAX = 65536,  /* of entries without content, before they are written */
    DEPTH_MAX = 500,         /* directories in each other: one descriptor each */
    NAME_BYTES_MAX = 255,    /* what Linux allows */
    TARGET_BYTES_MAX = 4095, /* the same, for a link */
    WORKERS_MAX = 256        /* what leat_config.workers takes */
};

/* In the stored bytes of a block. */
#define STORED_RAW UINT32_C(0x80000000)

/* Bytes in memory that grows and is used again. */
struct buffer {
    unsigned char *bytes;
    size_t used;
    size_t capacity;
};

struct meta {
    uint32_t mode;
    struct timespec changed;
    char name[NAME_BYTES_MAX + 1];
};

/* One block and its place in the window. The main thread writes it before it begins, the job while
 * it runs, and the main thread has it again when it has waited for it. */
struct block {
    struct buffer head; /* stands in front of it in the archive */
    struct meta meta;   /* of its file */
    int descriptor;     /* of its file; -1: there is only the head */
    bool last;          /* of its file */
    uint64_t offset;
    uint32_t raw_bytes;
    uint32_t stored; /* bytes, and STORED_RAW */
    uint64_t checksum;
    const char *failure; /* NULL: none */
    int error;           /* its errno; 0: the failure says it all */
    unsigned char *raw;
    unsigned char *packed;
    uint64_t handle; /* the runner's */
};

/* ---- who runs the blocks ------------------------------------------------------------------- */

struct runner {
    /* Takes a block for work(block) on another thread. false: the reason is on stderr. */
    bool (*begin)(void *state, struct block *block);
    /* Returns when work(block) has. */
    bool (*wait)(void *state, struct block *block);
    void (*stop)(void *state);
    void *state;
};

typedef void (*block_work)(struct block *block);

/* workers 0: as many as the engine would start. false: the reason is on stderr. */
bool runner_leat(struct runner *runner, uint32_t workers, block_work work);
bool runner_tbb(struct runner *runner, uint32_t workers, block_work work);

/* ---- archive_block.c ----------------------------------------------------------------------- */

/* Reads, sums and packs a block of a file. */
void block_pack(struct block *block);
/* Unpacks, checks and writes it. */
void block_unpack(struct block *block);

/* The blocks under way, retired in the order in which they began. */
struct window {
    struct runner *runner;
    /* Has a block whose work is done. false: the reason is on stderr. */
    bool (*retire)(void *context, struct block *block);
    void *context;
    struct block blocks[WINDOW_BLOCKS];
    uint64_t begun;
    uint64_t retired;
};

bool window_init(struct window *window);
void window_fini(struct window *window);
/* The next free place. When there is none, retires half of them: so the main thread sleeps and
 * wakes once for many blocks. NULL: the reason is on stderr. */
struct block *window_next(struct window *window);
bool window_begin(struct window *window, struct block *block);
bool window_end(struct window *window);

/* ---- archive_create.c, archive_extract.c: false: the reason is on stderr ------------------- */

bool archive_create(struct runner *runner, const char *directory, const char *output);
bool archive_extract(struct runner *runner, const char *input, const char *directory);

/* ---- archive_format.c ---------------------------------------------------------------------- */

/* All of these: false when there is no memory, with the reason on stderr. */
bool buffer_add(struct buffer *buffer, const void *bytes, size_t count);
bool buffer_number(struct buffer *buffer, uint64_t number, uint32_t bytes);

uint64_t number_read(const unsigned char *bytes, uint32_t count);

/* "archive: cannot VERB 'NAME': reason of the error number", on one line whatever the name is.
 * Returns false. */
bool complain_of(const char *verb, const char *name, int error);
/* "archive: 'NAME' TEXT" */
bool complain_name(const char *name, const char *text);
bool complain(const char *text, const char *detail);

#ifdef __cplusplus
}
#endif

#endif
