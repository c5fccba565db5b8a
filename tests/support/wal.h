/* wal.h - a user of the log for tests: it submits things by number and ends them, cleans, closes
 * and opens again, and knows what a log must tell it after a crash.
 *
 *   I1 whose submit was acknowledged and whose end was not asked for, is there
 *   I2 whose end was acknowledged, is not
 *   I3 what is there was submitted, and has its own bytes
 *   I4 of a unit all is there or nothing, until parts of it have ended
 *   I5 what is there is what a prefix of all that was appended makes, in its order
 *
 *   I6 what was written, and said to be, is there where the process ended and the machine did not
 *
 * A disk that lies about syncs (struct wal_user, lied) may lose what was acknowledged: I3 and I5
 * are left. So they are of rotten bytes, and what the log has said to be durable is in the prefix.
 */
#ifndef TESTS_SUPPORT_WAL_H
#define TESTS_SUPPORT_WAL_H

#include "engine/wal/wal.h"
#include "tests/support/disk.h"

#define WAL_THINGS_MAX 2048
#define WAL_BYTES_MAX  6000 /* of one */
#define WAL_UNIT_MAX   3

enum wal_thing_state {
    WAL_NONE,    /* never submitted */
    WAL_SUBMITS, /* appended */
    WAL_THERE,   /* acknowledged */
    WAL_ENDS,    /* its end was appended */
    WAL_ENDED    /* acknowledged */
};

/* What a user does; where the log is not open, it opens it. */
enum wal_act {
    WAL_OPENS_AGAIN, /* waits, closes, opens */
    WAL_SUBMITS_ONE,
    WAL_SUBMITS_UNIT, /* of WAL_UNIT_MAX */
    WAL_ENDS_ONE,     /* of the last ones, by a draw */
    WAL_WAITS,        /* for all to be durable */
    WAL_WAITS_WRITTEN,
    WAL_STEPS,
    WAL_MARKS,
    WAL_PREPARES, /* a segment */
    WAL_CLEANS    /* the oldest segment */
};

struct wal_thing {
    enum wal_thing_state state;
    uint32_t unit;     /* the first thing of its unit */
    uint64_t position; /* of what was appended last */
    bool live;         /* by what was read */
};

/* What was appended at once: from `first` on, so many things are there, or ended. */
struct wal_change {
    uint32_t first;
    uint32_t count;
    uint64_t position;
};

/* What is right to do; a test that turns one off must be noticed. */
struct wal_bugs {
    bool acks_early;     /* an append is taken for durable */
    bool cleans_blindly; /* forgets a segment without appending what is needed of it */
    bool forgets_early;  /* removes the file before the log says so */
};

struct wal_user {
    struct leat_wal wal;
    struct leat_wal_config config;
    struct disk *disk;
    struct wal_bugs bugs;
    struct wal_thing things[WAL_THINGS_MAX];
    uint32_t next; /* thing to submit */
    struct wal_change changes[2 * WAL_THINGS_MAX];
    uint32_t changes_count;
    uint32_t changes_opened;  /* so many were there at the open */
    uint32_t changes_proven;  /* so many are durable, as it stands in the log */
    uint32_t changes_written; /* so many are there if the process ends */
    bool killed;              /* it is judged by what a process has left that ended */
    bool model[WAL_THINGS_MAX];
    bool lied; /* by the disk, or it rots */
    bool is_open;
    bool damaged;      /* a record had other bytes than were appended */
    const char *wrong; /* with what an open without a crash has read; NULL */
    struct leat_wal_report report;
    uint64_t cleaned;     /* position */
    uint32_t cleans_from; /* segments; with fewer there is nothing to clean */
    struct test_prng prng;
    unsigned char data[WAL_UNIT_MAX][WAL_BYTES_MAX];
};

void wal_user_init(struct wal_user *user, struct disk *disk, uint64_t seed);
/* Opens the log and reads what is live. */
enum leat_status wal_user_open(struct wal_user *user);
void wal_user_close(struct wal_user *user);
/* What `other` has read is how things are from now on: what is not there must never be again. */
void wal_user_go_on(struct wal_user *user, const struct wal_user *other);
void wal_user_do(struct wal_user *user, enum wal_act act);
/* One of these, by a draw. */
void wal_user_act(struct wal_user *user);
/* Says what is not right after a crash, or NULL; `other` has read the log anew. */
const char *wal_user_judge(struct wal_user *user, const struct wal_user *other);
/* The same of bytes that were durable and are not what they were: what the log had not said to be
 * durable may be gone. */
const char *wal_user_judge_rotten(struct wal_user *user, const struct wal_user *other);

/* What was found of so many images. */
struct wal_count {
    uint64_t states;
    uint64_t lost; /* what was acknowledged */
    uint64_t back; /* to life, of what was ended */
    uint64_t wrong;
};

/* Counts one more, of which that was said, or NULL. */
void wal_count_add(struct wal_count *count, const char *why);
uint64_t wal_count_bad(const struct wal_count *count);

#endif
