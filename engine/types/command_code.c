/* command_code.c - commands as payloads, and what they wrote as results. */
#include <string.h>

#include "engine/types/command.h"

enum { TAG_ARGUMENT = 1, TAG_VARIABLE, TAG_DIRECTORY, TAG_INPUT, TAG_PERMANENT, TAG_FLAGS };
enum { TAG_LIMITS = 16 };
enum { TAG_STATUS = 1, TAG_SIGNAL, TAG_OUTPUT, TAG_OUTPUT_TOTAL, TAG_ERROR, TAG_ERROR_TOTAL };

#define MARK        UINT32_C(0x3163436c) /* "lCc1" */
#define MARK_RESULT UINT32_C(0x3172436c) /* "lCr1" */
#define FLAGS_KNOWN                                                                                \
    (LEAT_COMMAND_SHELL | LEAT_COMMAND_CLEAN_ENVIRONMENT | LEAT_COMMAND_NO_NEW_PRIVILEGES)

uint64_t *
leat_command_limit(struct leat_command *command, uint32_t number)
{
    uint64_t *limits[LEAT_COMMAND_LIMITS] = {
        &command->cpu_seconds, &command->memory_bytes, &command->files,
        &command->file_bytes,  &command->core_bytes,
    };
    return limits[number];
}

/* ---- payloads -------------------------------------------------------------------------------- */

bool
leat_variables_fit(const char *const *variables)
{
    for (size_t i = 0; variables != NULL && variables[i] != NULL; i++) {
        const char *equals = strchr(variables[i], '=');
        if (equals == NULL || equals == variables[i]) {
            return false;
        }
    }
    return true;
}

/* LEAT_OK: a command that may be. */
static enum leat_status
judge(const struct leat_command *command)
{
    size_t arguments = leat_texts_count(command->argv, LEAT_COMMAND_STRINGS_MAX);
    size_t variables = leat_texts_count(command->environment, LEAT_COMMAND_STRINGS_MAX);
    if (arguments == 0 || arguments > LEAT_COMMAND_STRINGS_MAX || command->argv[0][0] == '\0' ||
        variables > LEAT_COMMAND_STRINGS_MAX || !leat_variables_fit(command->environment)) {
        return LEAT_INVALID;
    }
    if ((command->input == NULL && command->input_bytes != 0) ||
        (command->permanent == NULL && command->permanent_count != 0) ||
        command->permanent_count > UINT8_MAX ||
        (command->directory != NULL && command->directory[0] == '\0')) {
        return LEAT_INVALID;
    }
    for (size_t i = 0; i < command->permanent_count; i++) {
        if (command->permanent[i] == 0) {
            return LEAT_INVALID;
        }
    }
    return (command->flags & ~FLAGS_KNOWN) == 0 ? LEAT_OK : LEAT_INVALID;
}

enum leat_status
leat_command_encode(const struct leat_command *command, void *buffer, size_t capacity,
                    size_t *bytes)
{
    struct leat_command given = leat_command_default();
    enum leat_status status = leat_types_read(&given, sizeof(given), command);
    if (status == LEAT_OK && (bytes == NULL || (buffer == NULL && capacity != 0))) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = judge(&given);
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_writer writer = {.bytes = buffer, .capacity = capacity};
    leat_write_begin(&writer, MARK);
    leat_write_texts(&writer, TAG_ARGUMENT, given.argv);
    leat_write_texts(&writer, TAG_VARIABLE, given.environment);
    leat_write_text(&writer, TAG_DIRECTORY, given.directory);
    if (given.input_bytes != 0) {
        leat_write_bytes(&writer, TAG_INPUT, given.input, given.input_bytes);
    }
    if (given.permanent_count != 0) {
        leat_write_bytes(&writer, TAG_PERMANENT, given.permanent, given.permanent_count);
    }
    if (given.flags != 0) {
        leat_write_number(&writer, TAG_FLAGS, given.flags);
    }
    for (uint32_t i = 0; i < LEAT_COMMAND_LIMITS; i++) {
        uint64_t limit = *leat_command_limit(&given, i);
        if (limit != LEAT_COMMAND_AS_IT_IS) {
            leat_write_number(&writer, TAG_LIMITS + i, limit);
        }
    }
    return leat_write_end(&writer, bytes);
}

struct reading {
    struct leat_reader reader;
    struct leat_list arguments;
    struct leat_list variables;
    struct leat_command command;
};

static void
field_read(struct reading *reading, const struct leat_field *field)
{
    struct leat_command *command = &reading->command;
    uint32_t limit = field->tag - TAG_LIMITS;
    switch (field->tag) {
    case TAG_ARGUMENT:
        leat_list_add(&reading->arguments, leat_read_text(&reading->reader, field));
        break;
    case TAG_VARIABLE:
        leat_list_add(&reading->variables, leat_read_text(&reading->reader, field));
        break;
    case TAG_DIRECTORY:
        command->directory = leat_read_text(&reading->reader, field);
        break;
    case TAG_INPUT:
        command->input = field->bytes;
        command->input_bytes = field->count;
        break;
    case TAG_PERMANENT:
        command->permanent = (const uint8_t *)field->bytes;
        command->permanent_count = field->count;
        break;
    case TAG_FLAGS: {
        uint64_t flags = leat_read_number(&reading->reader, field);
        reading->reader.newer |= (flags & ~(uint64_t)FLAGS_KNOWN) != 0;
        command->flags = (uint32_t)flags;
        break;
    }
    default:
        if (limit >= LEAT_COMMAND_LIMITS) {
            reading->reader.newer = true;
        } else {
            *leat_command_limit(command, limit) = leat_read_number(&reading->reader, field);
        }
        break;
    }
}

enum leat_status
leat_command_decode(const void *payload, size_t bytes, void *room, size_t room_bytes,
                    struct leat_command *command)
{
    struct reading reading = {.command = leat_command_default()};
    struct leat_field field;
    struct leat_list_room lists;
    enum leat_status status = leat_list_room_of(&lists, payload, bytes, room, room_bytes);
    if (status == LEAT_OK && command == NULL) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    if (!leat_list_cut(&lists, leat_fields_count(payload, bytes, MARK, TAG_ARGUMENT),
                       &reading.arguments) ||
        !leat_list_cut(&lists, leat_fields_count(payload, bytes, MARK, TAG_VARIABLE),
                       &reading.variables)) {
        return LEAT_FULL;
    }
    leat_read_begin(&reading.reader, payload, bytes, MARK);
    while (leat_read_field(&reading.reader, &field)) {
        field_read(&reading, &field);
    }
    reading.command.argv = reading.arguments.texts;
    reading.command.environment =
        reading.variables.count == 0 ? NULL : (const char *const *)reading.variables.texts;
    status = leat_read_end(&reading.reader);
    if (status == LEAT_OK) {
        status = judge(&reading.command);
    }
    if (status == LEAT_OK) {
        *command = reading.command;
    }
    return status;
}

/* ---- results --------------------------------------------------------------------------------- */

void
leat_command_result_write(const struct leat_command_result *result, size_t most,
                          struct leat_writer *writer)
{
    size_t output = result->output_bytes < most ? result->output_bytes : most;
    size_t error = result->error_bytes < most ? result->error_bytes : most;
    leat_write_begin(writer, MARK_RESULT);
    leat_write_number(writer, TAG_STATUS, result->exit_status);
    leat_write_number(writer, TAG_SIGNAL, result->signal);
    leat_write_bytes(writer, TAG_OUTPUT, result->output, output);
    leat_write_number(writer, TAG_OUTPUT_TOTAL, result->output_total);
    leat_write_bytes(writer, TAG_ERROR, result->error, error);
    leat_write_number(writer, TAG_ERROR_TOTAL, result->error_total);
}

static void
result_field(struct leat_reader *reader, const struct leat_field *field,
             struct leat_command_result *result)
{
    switch (field->tag) {
    case TAG_STATUS:
        result->exit_status = (uint32_t)leat_read_number(reader, field);
        break;
    case TAG_SIGNAL:
        result->signal = (uint32_t)leat_read_number(reader, field);
        break;
    case TAG_OUTPUT:
        result->output = field->bytes;
        result->output_bytes = field->count;
        break;
    case TAG_OUTPUT_TOTAL:
        result->output_total = leat_read_number(reader, field);
        break;
    case TAG_ERROR:
        result->error = field->bytes;
        result->error_bytes = field->count;
        break;
    case TAG_ERROR_TOTAL:
        result->error_total = leat_read_number(reader, field);
        break;
    default:
        break;
    }
}

enum leat_status
leat_command_result_decode(const void *bytes, size_t count, struct leat_command_result *result)
{
    struct leat_command_result read;
    struct leat_reader reader;
    struct leat_field field;
    if (bytes == NULL || result == NULL) {
        return LEAT_INVALID;
    }
    memset(&read, 0, sizeof(read));
    leat_read_begin(&reader, bytes, count, MARK_RESULT);
    while (leat_read_field(&reader, &field)) {
        result_field(&reader, &field, &read);
    }
    if (reader.bad) {
        return LEAT_INVALID;
    }
    read.truncated = read.output_total != read.output_bytes || read.error_total != read.error_bytes;
    *result = read;
    return LEAT_OK;
}
