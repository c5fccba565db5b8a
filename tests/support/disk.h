/* disk.h - a disk for tests behind engine/wal/file.h: it knows what was synced, and what a crash
 * may leave of the rest.
 *
 * A write is in sectors of 512 bytes. After a crash each sector that was written since the last
 * sync of its file has what any of these writes, or the last sync, left there; now and then a part
 * of the new bytes, or zeros. A file is as long as at its last sync, or as it was made since. Each
 * change of a name since the last sync of the directory is done or not, by itself.
 * A sync that fails leaves the file as if it had been synced, for who reads it; a crash may lose
 * what it did not write, and a later sync says nothing of that (the system drops dirty pages).
 * One that lies does nothing now, and what it should have done with the next one.
 * A write that goes through is a write and a sync of it; one that fails has written all or nothing,
 * as it comes, and so has one that lies. A write with a sync behind it is one of each.
 */
#ifndef TESTS_SUPPORT_DISK_H
#define TESTS_SUPPORT_DISK_H

#include "engine/wal/file.h"
#include "tests/support/prng.h"

#define DISK_FILES_MAX  64
#define DISK_SECTOR     512
#define DISK_BYTES_MAX  (UINT64_C(1) << 21) /* of a file */
#define DISK_WRITES_MAX 4096                /* not synced, of all files */
#define DISK_NAMES_MAX  1024                /* changes not synced */
#define DISK_PIECES_MAX 512                 /* that a crash may leave or not */

/* Which operations count, and which a fault meets. */
enum disk_kind {
    DISK_CREATE = 1,
    DISK_OPEN = 2,
    DISK_ALLOCATE = 4,
    DISK_WRITE = 8,
    DISK_READ = 16,
    DISK_SYNC = 32,
    DISK_RENAME = 64,
    DISK_REMOVE = 128,
    DISK_NAMES_SYNC = 256,
    DISK_LIST = 512,
    DISK_THROUGH = 1024,
    DISK_RING = 2048,
    DISK_ANY = 4095
};

/* A fault: the operation `at`, counted from 0 among those of `kinds`, gives `result`, a negative
 * errno; DISK_SHORT: a write of one byte; DISK_HALF: one of half of it; DISK_LIE: says it was
 * done, and does nothing. */
#define DISK_SHORT 1
#define DISK_LIE   2
#define DISK_HALF  3

struct disk_fault {
    uint32_t kinds; /* 0: none */
    uint64_t at;
    int result;
    bool for_ever; /* and all behind it */
};

struct disk_file {
    char name[LEAT_WAL_NAME_BYTES];  /* at present; "": none */
    char lasts[LEAT_WAL_NAME_BYTES]; /* by the last sync of the directory */
    unsigned char *bytes;            /* as they are read */
    unsigned char *synced;
    uint64_t size;
    uint64_t size_synced;
    uint64_t made_at; /* operation by which it got its size */
    bool used;
    bool dirty; /* it was written to since */
};

struct disk_write {
    uint32_t file;
    uint64_t offset;
    uint32_t bytes;
    uint64_t at; /* operation */
    unsigned char *data;
    bool lost; /* a sync has failed since: only a crash tells */
};

/* A change of a name: the file has it from then on, or none ("", removed). */
struct disk_name {
    uint32_t file;
    uint64_t at; /* operation */
    char name[LEAT_WAL_NAME_BYTES];
};

/* What a crash leaves or not, by itself: what a write has changed in a sector, a change of a name,
 * and that a file has its size. */
enum disk_piece_kind { DISK_PIECE_SECTOR, DISK_PIECE_NAME, DISK_PIECE_SIZE };

struct disk_piece {
    enum disk_piece_kind kind;
    uint32_t file;
    uint64_t at;     /* operation it came by */
    uint32_t index;  /* of the write, or the change of a name */
    uint64_t offset; /* in the file */
    uint32_t bytes;
};

struct disk {
    struct leat_wal_files files; /* the table to use */
    struct disk_file file[DISK_FILES_MAX];
    struct disk_write *writes;
    uint32_t writes_count;
    struct disk_name names[DISK_NAMES_MAX];
    uint32_t names_count;
    struct disk_fault fault;
    uint64_t counted;    /* operations of fault.kinds so far */
    uint64_t operations; /* of any kind */
    uint64_t stops_at;   /* from this operation on nothing is done any more, and all say -EIO */
    uint64_t space;      /* bytes that may be allocated yet */
    bool locked;
    bool skips_syncs; /* a bug to be found: syncs of files do nothing */
    bool skips_names; /* the same of directories */
    uint32_t lies;    /* of 100 syncs, of files and of the directory */
    struct test_prng liar;
};

void disk_init(struct disk *disk);
void disk_fini(struct disk *disk);
/* `to` becomes what a crash of `from` leaves, by a draw; both stay usable. */
void disk_crash(struct disk *to, const struct disk *from, struct test_prng *prng);
/* The pieces that are not synced, in the order of the operations; returns how many. `pieces` has
 * room for DISK_PIECES_MAX. What a write does not change is none. */
uint32_t disk_pieces(const struct disk *disk, struct disk_piece *pieces);
/* As disk_crash(), without a draw: each of the pieces of `from` is there, or not. Sectors are whole
 * then. */
void disk_crash_to(struct disk *to, const struct disk *from, const struct disk_piece *pieces,
                   uint32_t count, const bool *there);
/* Changes some bits of one sector, which is not all zeros if that is found quickly. */
void disk_rot(struct disk *disk, struct test_prng *prng);
/* `to` becomes what a machine that did not crash has: a process that ended. */
void disk_copy(struct disk *to, const struct disk *from);
/* The file of a name, or NULL. */
struct disk_file *disk_find(struct disk *disk, const char *name);
/* Files that have a name. */
uint32_t disk_names(const struct disk *disk);

#endif
