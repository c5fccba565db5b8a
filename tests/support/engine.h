/* engine.h - opening a small engine for a test, looking through all of it when it rests, and
 * closing it. */
#ifndef TESTS_SUPPORT_ENGINE_H
#define TESTS_SUPPORT_ENGINE_H

#include "engine/leat.h"

/* One worker, not pinned; the least limits; each job timed. */
struct leat_config test_config(void);

struct leat_engine *test_open(const struct leat_config *config);
/* test_open() and leat_start(). */
struct leat_engine *test_start(const struct leat_config *config);
/* Stops it if need be, looks through it, closes it. */
void test_close(struct leat_engine *engine);
/* leat_drain(), which must succeed, and test_close(). */
void test_finish(struct leat_engine *engine);

/* Looks through an engine in which no thread is: rings, slabs, every job's word against its places,
 * and the statistics against all of them. */
void test_engine_check(struct leat_engine *engine);

struct leat_statistics test_statistics(struct leat_engine *engine);
enum leat_engine_state test_state(struct leat_engine *engine);
struct leat_job_info test_get(struct leat_engine *engine, leat_job_id id);
/* Waits for the end of a job that has it, and says how it ended. */
struct leat_job_info test_wait(struct leat_engine *engine, leat_job_id id);

/* A type with the default options, but that its jobs are retried at once. */
leat_type test_register(struct leat_engine *engine, const char *name, leat_handler handler,
                        void *context);
/* A job of a type without payload, kept until released; or not kept. */
leat_job_id test_submit_kept(struct leat_engine *engine, leat_type type);
leat_job_id test_submit(struct leat_engine *engine, leat_type type);
/* Cancels a job at which as many look as can, so that its canceller has no hold of it. */
void test_cancel_unheld(struct leat_engine *engine, leat_job_id id);
/* The key of a job that does not wait for it yet has this hash from now on. */
void test_key_hash(struct leat_engine *engine, leat_job_id id, uint32_t hash);

#endif
