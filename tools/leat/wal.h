/* wal.h - what leat wal works with, how it shows records (jobs.c), and how it saves what can be
 * saved (salvage.c). */
#ifndef TOOLS_LEAT_WAL_H
#define TOOLS_LEAT_WAL_H

#include "engine/durable/sealed.h"
#include "engine/wal/wal.h"
#include "tools/leat/verbs.h"

/* What is known of the ids that a log has given out. */
struct wal_ids {
    uint64_t generation; /* the highest one of an id */
    uint64_t said;       /* the highest ceiling of an IDS; 0: there is none */
    uint64_t ceiling;    /* what is written; 0: nothing is */
    bool sealed;         /* the last record is, with a key */
    bool hidden;         /* a record cannot be read */
};

struct wal_verb {
    struct leat_out out;
    bool json;
    bool payload;
    bool keyed;
    struct leat_wal_report report;
    struct leat_wal *to; /* salvage: where records go */
    uint64_t written_ns; /* the same: since when they are there, by the wall clock */
    uint64_t position;   /* the same: of the last one */
    struct wal_ids ids;
    enum leat_status failed;
    char refusal[160]; /* why a record cannot be read */
    struct leat_seal *seal;
    struct leat_unsealed room;
};

struct leat_wal_config wal_config(const char *directory);
/* Of a log that is read; not where its records are printed to the same terminal. */
struct leat_wal_config wal_config_read(const char *directory, bool prints);

/* One line: what was found. */
void wal_report_print(struct wal_verb *verb, const char *verdict, const char *text);
/* There is something to report of; or what is said where there is not. */
bool wal_was_read(const struct wal_verb *verb, enum leat_status status);
int wal_unread(const struct wal_verb *verb, const char *directory, enum leat_status status);
/* The exit status, if all could be printed. */
int wal_finish(struct wal_verb *verb, int status);

/* One more field of the line that is being printed; a word is what no text can be mistaken for. */
void wal_field(struct wal_verb *verb, const char *name, uint64_t number);
void wal_field_text(struct wal_verb *verb, const char *name, const char *text);
void wal_field_word(struct wal_verb *verb, const char *name, const char *word);
void wal_field_hex(struct wal_verb *verb, const char *name, const unsigned char *data,
                   size_t bytes);

/* The fields of a record: those of its kind where it is one of the engine's, else its bytes. */
void wal_record_print(struct wal_verb *verb, const struct leat_wal_record *record);
/* It can be read, and is one of the engine's. `error` says why not. */
enum leat_status wal_record_verify(struct wal_verb *verb, const struct leat_wal_record *record,
                                   struct leat_error *error);

/* leat wal salvage. */
int wal_salvage(struct wal_verb *verb, const char *from, const char *directory);

#endif
