/* command.h - what the parts of the type `command` know of each other. */
#ifndef ENGINE_TYPES_COMMAND_H
#define ENGINE_TYPES_COMMAND_H

#include "engine/types/fields.h"

/* Limits of a command, by number: CPU seconds, address space, files, bytes of a file, of a core. */
#define LEAT_COMMAND_LIMITS 5u

uint64_t *leat_command_limit(struct leat_command *command, uint32_t number);

/* Each is "NAME=value". NULL does. */
bool leat_variables_fit(const char *const *variables);

void leat_command_result_write(const struct leat_command_result *result, size_t most,
                               struct leat_writer *writer);

#endif
