/* pull.h - an engine with a pull queue, a clock that the test moves, and short names for what tests
 * of pull queues do. */
#ifndef TESTS_SUPPORT_PULL_H
#define TESTS_SUPPORT_PULL_H

#include "engine/leat.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"

#define MS   UINT64_C(1000000)
#define S    (1000 * MS)
#define TICK (UINT64_C(1) << 20)

#define PULL_JOBS 300

enum { PULL_ATTEMPTS = 3 };

struct pull {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_queue queue;
    leat_type type; /* without a handler */
    struct leat_lease leases[PULL_JOBS];
    size_t count;
    leat_job_id ids[PULL_JOBS];
    _Alignas(16) unsigned char buffer[1 << 16];
};

/* `given` NULL: the defaults; with `pull` in any case. */
struct pull *pull_setup_with(uint32_t workers, const struct leat_queue_options *given);
struct pull *pull_setup(void); /* no workers */
void pull_teardown(struct pull *fixture);

/* Of a type without a handler, kept. */
struct leat_job pull_job(const struct pull *fixture);
leat_job_id pull_submit(struct pull *fixture);

/* A second's lease, no wait. */
struct leat_reserve_options pull_asks(struct pull *fixture, uint32_t max);
enum leat_status pull_reserve(struct pull *fixture, uint32_t max);
/* The only job that can be taken. */
leat_token pull_reserve_one(struct pull *fixture, leat_job_id id);
/* There is none. */
void pull_nothing(struct pull *fixture);

enum leat_job_state pull_state(struct pull *fixture, leat_job_id id);
/* Runs what can run, and looks through the engine. */
void pull_settle(struct pull *fixture);
void pull_pass(struct pull *fixture, uint64_t ns);

/* What a lease that does not hold answers to everything; nothing changes. */
void pull_check_lost(struct pull *fixture, leat_token token, enum leat_status status);

#endif
