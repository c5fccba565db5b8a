/* fake_clock.c - see fake_clock.h. */
#include "tests/support/fake_clock.h"

#include "tests/support/check.h"

static uint64_t
now(enum leat_clock_kind kind, void *context)
{
    struct test_clock *clock = context;
    uint64_t boot = atom_load_acq(&clock->boot);
    switch (kind) {
    case LEAT_CLOCK_WALL:
        return atom_load_acq(&clock->wall);
    case LEAT_CLOCK_MONOTONIC:
        return boot - atom_load_acq(&clock->suspended);
    case LEAT_CLOCK_BOOT:
        break;
    }
    return boot;
}

void
test_clock_init(struct test_clock *clock)
{
    atom_init(&clock->boot, UINT64_C(1000000000000));
    atom_init(&clock->wall, UINT64_C(1780000000000000000));
    atom_init(&clock->suspended, 0);
}

struct leat_clock
test_clock_of(struct test_clock *clock)
{
    struct leat_clock functions = {now, clock};
    return functions;
}

void
test_clock_pass(struct test_clock *clock, struct leat_engine *engine, uint64_t ns)
{
    (void)atom_add_acq_rel(&clock->wall, ns);
    (void)atom_add_acq_rel(&clock->boot, ns);
    CHECK_OK(leat_clock_changed(engine));
}

void
test_clock_suspend(struct test_clock *clock, struct leat_engine *engine, uint64_t ns)
{
    (void)atom_add_acq_rel(&clock->suspended, ns);
    test_clock_pass(clock, engine, ns);
}

void
test_clock_step(struct test_clock *clock, struct leat_engine *engine, int64_t ns)
{
    (void)atom_add_acq_rel(&clock->wall, (uint64_t)ns);
    CHECK_OK(leat_clock_changed(engine));
}
