/* store_parts.h - a store of the program's own: a table of jobs with a mutex, of a fixed size. */
#ifndef STORE_PARTS_H
#define STORE_PARTS_H

#include <leat.h>

/* What a table takes. */
#define STORE_TABLE_JOBS          64
#define STORE_TABLE_PAYLOAD_BYTES 64

/* Makes a store of it, which its close() frees. `now` is in nanoseconds and never goes back.
 * LEAT_OK or LEAT_NO_MEMORY. */
enum leat_status store_table_open(uint64_t (*now)(void *context), void *context,
                                  struct leat_store *store);

#endif
