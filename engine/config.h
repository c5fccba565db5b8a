/* config.h - a caller's configuration, checked and made concrete. */
#ifndef ENGINE_CONFIG_H
#define ENGINE_CONFIG_H

#include "engine/leat.h"
#include "engine/limits.h"
#include "sched/pool.h"

/* Fills a caller's struct of `size` bytes with our defaults, as far as it reaches, and states its
 * size in it. NULL, or no room for size and version: nothing. */
void leat_struct_init(void *given, size_t size, const void *defaults, size_t defaults_bytes);

/* Copies what the caller's header knows over `known`, which holds our defaults. LEAT_INVALID: not
 * begun by its default function; LEAT_UNSUPPORTED: it sets a field that we do not know. */
enum leat_status leat_struct_read(void *known, size_t known_bytes, const void *given);

/* The same outwards: writes `filled` as far as the caller's struct reaches. */
enum leat_status leat_struct_write(void *given, const void *filled, size_t filled_bytes);

/* LEAT_OK: `concrete` has every LEAT_AUTO replaced. `error` is filled on failure. */
enum leat_status leat_config_read(struct leat_config *concrete, const struct leat_config *given,
                                  struct leat_error *error);

struct leat_pool_config leat_config_pool(const struct leat_config *concrete);
struct leat_os_schedule leat_config_schedule(const struct leat_config *concrete);
/* Places for workers, or for lent threads. */
uint32_t leat_config_places(const struct leat_config *concrete);
struct leat_memory leat_config_memory(const struct leat_config *concrete);
struct leat_slab_config leat_config_jobs(const struct leat_config *concrete);

/* Why leat_struct_read() has refused a struct, which `maker` sets. Returns the status. */
enum leat_status leat_struct_refuse(const void *given, enum leat_status status, const char *maker,
                                    struct leat_error *error);

/* Fills `error` (may be NULL) and returns its status. `field` may be "". */
enum leat_status leat_error_set(struct leat_error *error, enum leat_status status,
                                const char *field, const char *text);

/* A field, and what is allowed. */
struct leat_range_of {
    const char *field;
    uint64_t value;
    uint64_t least;
    uint64_t most;
    const char *text; /* "must be .." */
};

/* Names the first field that is out of its range. LEAT_OK or LEAT_INVALID. */
enum leat_status leat_ranges_check(const struct leat_range_of *ranges, uint32_t count,
                                   struct leat_error *error);

/* Of an error that is filled (or NULL), of what a field points to: "breaker.probes". Returns the
 * status, which is the error's. */
enum leat_status leat_error_within(struct leat_error *error, enum leat_status status,
                                   const char *field);

/* Of an error that is filled (or NULL), with another status, which it returns. */
enum leat_status leat_error_as(struct leat_error *error, enum leat_status status);

/* An open of the log has failed, and `error` is filled: where the system refuses the directory
 * itself, it says which one that is, at what, and why. Returns the status. */
enum leat_status leat_config_explain_log(const struct leat_config *concrete,
                                         enum leat_status status, struct leat_error *error);

enum leat_status leat_status_of(enum leat_os_result result);

#endif
