/* wal.h - what leat wal works with, and how it shows records (jobs.c). */
#ifndef TOOLS_LEAT_WAL_H
#define TOOLS_LEAT_WAL_H

#include "engine/durable/sealed.h"
#include "engine/wal/wal.h"
#include "tools/leat/verbs.h"

struct wal_verb {
    struct leat_out out;
    bool json;
    bool payload;
    bool keyed;
    struct leat_wal_report report;
    struct leat_wal *to; /* salvage: where records go */
    enum leat_status failed;
    char refusal[160]; /* why a record cannot be read */
    struct leat_seal *seal;
    struct leat_unsealed room;
};

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

#endif
