/* fields.h - what payloads and results of the ready-made types are written in: a mark of four bytes
 * that says which, then fields. A field is a tag and a length of four bytes each, little endian,
 * the bytes, and a NUL; a number has eight bytes. A tag that is not known is of a newer library. */
#ifndef ENGINE_TYPES_FIELDS_H
#define ENGINE_TYPES_FIELDS_H

#include "engine/types/leat_types.h"

/* `used` counts on where there is no room. */
struct leat_writer {
    unsigned char *bytes;
    size_t capacity;
    size_t used;
};

void leat_write_begin(struct leat_writer *writer, uint32_t mark);
void leat_write_bytes(struct leat_writer *writer, uint32_t tag, const void *bytes, size_t count);
/* NULL writes nothing. */
void leat_write_text(struct leat_writer *writer, uint32_t tag, const char *text);
/* All of a list that ends in NULL; NULL writes nothing. */
void leat_write_texts(struct leat_writer *writer, uint32_t tag, const char *const *texts);
void leat_write_number(struct leat_writer *writer, uint32_t tag, uint64_t number);
/* LEAT_OK, or LEAT_FULL; *bytes is what was used, or would have been. */
enum leat_status leat_write_end(const struct leat_writer *writer, size_t *bytes);

struct leat_field {
    uint32_t tag;
    const char *bytes; /* a NUL behind them */
    size_t count;
};

struct leat_reader {
    const unsigned char *bytes;
    size_t left;
    bool bad;   /* it is not written as above */
    bool newer; /* its reader has met a field that it does not know */
};

void leat_read_begin(struct leat_reader *reader, const void *bytes, size_t count, uint32_t mark);
/* False: there are no more, or it is bad or newer. */
bool leat_read_field(struct leat_reader *reader, struct leat_field *field);
/* LEAT_OK, LEAT_INVALID (bad) or LEAT_UNSUPPORTED (newer). */
enum leat_status leat_read_end(const struct leat_reader *reader);
/* The field as a text, a number. Another one makes the reader bad, and NULL or 0 is the answer. */
const char *leat_read_text(struct leat_reader *reader, const struct leat_field *field);
uint64_t leat_read_number(struct leat_reader *reader, const struct leat_field *field);

/* A list of texts, NULL at its end, in the room of a decode. */
struct leat_list {
    const char **texts;
    size_t count;
};

/* Room for lists of pointers: cut into so many as were counted. */
struct leat_list_room {
    const char **next;
    size_t left; /* pointers */
};

/* LEAT_INVALID: this is no payload, or no room for pointers. */
enum leat_status leat_list_room_of(struct leat_list_room *lists, const void *payload, size_t bytes,
                                   void *room, size_t room_bytes);
/* False: too small. */
bool leat_list_cut(struct leat_list_room *room, size_t count, struct leat_list *list);
void leat_list_add(struct leat_list *list, const char *text);

/* How many of the tag there are. */
size_t leat_fields_count(const void *bytes, size_t count, uint32_t mark, uint32_t tag);

/* As the engine reads the structs that a caller gives it. */
enum leat_status leat_types_read(void *known, size_t known_bytes, const void *given);

/* The number of texts in a list that ends in NULL, `most` + 1 if there are more; 0 of NULL. */
size_t leat_texts_count(const char *const *texts, size_t most);

#endif
