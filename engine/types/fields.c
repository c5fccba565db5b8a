/* fields.c - see fields.h. */
#include "engine/types/fields.h"

#include <string.h>

enum { WORD = 4, HEAD = 2 * WORD, NUMBER = 8 };

/* ---- writing --------------------------------------------------------------------------------- */

static void
put(struct leat_writer *writer, const void *bytes, size_t count)
{
    if (count != 0 && writer->used <= writer->capacity &&
        count <= writer->capacity - writer->used) {
        memcpy(writer->bytes + writer->used, bytes, count);
    }
    writer->used += count;
}

static void
put_number(struct leat_writer *writer, uint64_t number, size_t count)
{
    unsigned char bytes[NUMBER];
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i));
    }
    put(writer, bytes, count);
}

void
leat_write_begin(struct leat_writer *writer, uint32_t mark)
{
    put_number(writer, mark, WORD);
}

void
leat_write_bytes(struct leat_writer *writer, uint32_t tag, const void *bytes, size_t count)
{
    put_number(writer, tag, WORD);
    put_number(writer, count, WORD);
    put(writer, bytes, count);
    put_number(writer, 0, 1);
}

void
leat_write_text(struct leat_writer *writer, uint32_t tag, const char *text)
{
    if (text != NULL) {
        leat_write_bytes(writer, tag, text, strlen(text));
    }
}

void
leat_write_texts(struct leat_writer *writer, uint32_t tag, const char *const *texts)
{
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++) {
        leat_write_text(writer, tag, texts[i]);
    }
}

void
leat_write_number(struct leat_writer *writer, uint32_t tag, uint64_t number)
{
    put_number(writer, tag, WORD);
    put_number(writer, NUMBER, WORD);
    put_number(writer, number, NUMBER);
    put_number(writer, 0, 1);
}

enum leat_status
leat_write_end(const struct leat_writer *writer, size_t *bytes)
{
    *bytes = writer->used;
    return writer->used <= writer->capacity && writer->used <= LEAT_TYPES_PAYLOAD_BYTES_MAX
               ? LEAT_OK
               : LEAT_FULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

static uint64_t
number_at(const unsigned char *bytes, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        number |= (uint64_t)bytes[i] << (8 * i);
    }
    return number;
}

void
leat_read_begin(struct leat_reader *reader, const void *bytes, size_t count, uint32_t mark)
{
    reader->bytes = bytes;
    reader->left = count;
    reader->bad = count < WORD || number_at(bytes, WORD) != mark;
    reader->newer = false;
    if (!reader->bad) {
        reader->bytes += WORD;
        reader->left -= WORD;
    }
}

bool
leat_read_field(struct leat_reader *reader, struct leat_field *field)
{
    if (reader->bad || reader->newer || reader->left == 0) {
        return false;
    }
    size_t count = reader->left < HEAD ? 0 : (size_t)number_at(reader->bytes + WORD, WORD);
    if (reader->left < HEAD + 1 || count > reader->left - HEAD - 1 ||
        reader->bytes[HEAD + count] != '\0') {
        reader->bad = true;
        return false;
    }
    field->tag = (uint32_t)number_at(reader->bytes, WORD);
    field->bytes = (const char *)reader->bytes + HEAD;
    field->count = count;
    reader->bytes += HEAD + count + 1;
    reader->left -= HEAD + count + 1;
    return true;
}

enum leat_status
leat_read_end(const struct leat_reader *reader)
{
    if (reader->bad) {
        return LEAT_INVALID;
    }
    return reader->newer ? LEAT_UNSUPPORTED : LEAT_OK;
}

const char *
leat_read_text(struct leat_reader *reader, const struct leat_field *field)
{
    if (strlen(field->bytes) == field->count) {
        return field->bytes;
    }
    reader->bad = true;
    return NULL;
}

uint64_t
leat_read_number(struct leat_reader *reader, const struct leat_field *field)
{
    if (field->count == NUMBER) {
        return number_at((const unsigned char *)field->bytes, NUMBER);
    }
    reader->bad = true;
    return 0;
}

size_t
leat_fields_count(const void *bytes, size_t count, uint32_t mark, uint32_t tag)
{
    struct leat_reader reader;
    struct leat_field field;
    size_t found = 0;
    leat_read_begin(&reader, bytes, count, mark);
    while (leat_read_field(&reader, &field)) {
        found += field.tag == tag ? 1 : 0;
    }
    return found;
}

/* ---- lists ----------------------------------------------------------------------------------- */

enum leat_status
leat_list_room_of(struct leat_list_room *lists, const void *payload, size_t bytes, void *room,
                  size_t room_bytes)
{
    if (payload == NULL || bytes > LEAT_TYPES_PAYLOAD_BYTES_MAX ||
        (uintptr_t)room % sizeof(char *) != 0) {
        return LEAT_INVALID;
    }
    *lists = (struct leat_list_room){room, room == NULL ? 0 : room_bytes / sizeof(char *)};
    return LEAT_OK;
}

bool
leat_list_cut(struct leat_list_room *room, size_t count, struct leat_list *list)
{
    list->texts = room->next;
    list->count = 0;
    if (room->left <= count) {
        return false;
    }
    list->texts[0] = NULL;
    room->next += count + 1;
    room->left -= count + 1;
    return true;
}

void
leat_list_add(struct leat_list *list, const char *text)
{
    list->texts[list->count++] = text;
    list->texts[list->count] = NULL;
}

size_t
leat_texts_count(const char *const *texts, size_t most)
{
    size_t count = 0;
    while (texts != NULL && count <= most && texts[count] != NULL) {
        count++;
    }
    return count;
}

/* ---- structs --------------------------------------------------------------------------------- */

enum leat_status
leat_types_read(void *known, size_t known_bytes, const void *given)
{
    uint32_t head[2];
    if (given == NULL) {
        return LEAT_INVALID;
    }
    memcpy(head, given, sizeof(head));
    if (head[0] < sizeof(head)) {
        return LEAT_INVALID;
    }
    if (head[1] != LEAT_STRUCT_VERSION) {
        return LEAT_UNSUPPORTED;
    }
    for (size_t i = known_bytes; i < head[0]; i++) {
        if (((const unsigned char *)given)[i] != 0) {
            return LEAT_UNSUPPORTED;
        }
    }
    memcpy(known, given, head[0] < known_bytes ? head[0] : known_bytes);
    return LEAT_OK;
}
