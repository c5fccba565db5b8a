/* unit_fifo.c - the FIFO in one thread, against an array that does the same: pushes at both ends,
 * pops, chains that come newest first, sweeps. Holds I1 after each operation; shows that
 * leat_fifo_check() can say no. */
#include <stdio.h>
#include <string.h>

#include "ring/fifo.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"

#define RECORDS 64

struct fixture {
    struct leat_fifo fifo;
    leat_atomic_u32 links[RECORDS];
    bool gone[RECORDS]; /* what a sweep takes out */
    uint32_t asked;     /* place in `model` that a sweep asks about next */
    uint32_t model[RECORDS];
    uint32_t count;
    bool listed[RECORDS];
};

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    struct fixture *fixture = context;
    CHECK(index < RECORDS);
    return &fixture->links[index];
}

static struct leat_fifo_links
links_of(struct fixture *fixture)
{
    return (struct leat_fifo_links){link_of, fixture};
}

static void
setup(struct fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    leat_fifo_init(&fixture->fifo);
    CHECK(leat_fifo_check(&fixture->fifo, links_of(fixture), stderr));
}

/* That the FIFO is what the model says. */
static void
compare(struct fixture *fixture)
{
    uint32_t index = fixture->fifo.first;
    CHECK(leat_fifo_check(&fixture->fifo, links_of(fixture), stderr));
    CHECK_EQUAL(fixture->fifo.count, fixture->count);
    for (uint32_t i = 0; i < fixture->count; i++) {
        CHECK_EQUAL(index, fixture->model[i]);
        index = atom_load_rlx(&fixture->links[index]);
    }
    CHECK_EQUAL(index, LEAT_INDEX_NONE);
}

/* ---- operations, with their counterparts ----------------------------------------------------- */

static void
model_insert(struct fixture *fixture, uint32_t place, uint32_t index)
{
    uint32_t *model = fixture->model;
    memmove(&model[place + 1], &model[place], sizeof(*model) * (fixture->count - place));
    model[place] = index;
    fixture->count++;
    fixture->listed[index] = true;
}

static void
model_remove(struct fixture *fixture, uint32_t place)
{
    uint32_t *model = fixture->model;
    fixture->listed[model[place]] = false;
    fixture->count--;
    memmove(&model[place], &model[place + 1], sizeof(*model) * (fixture->count - place));
}

static void
push_back(struct fixture *fixture, uint32_t index)
{
    leat_fifo_push_back(&fixture->fifo, links_of(fixture), index);
    model_insert(fixture, fixture->count, index);
}

static void
push_front(struct fixture *fixture, uint32_t index)
{
    leat_fifo_push_front(&fixture->fifo, links_of(fixture), index);
    model_insert(fixture, 0, index);
}

static void
pop_front(struct fixture *fixture)
{
    uint32_t index = UINT32_MAX;
    bool popped = leat_fifo_pop_front(&fixture->fifo, links_of(fixture), &index);
    CHECK_EQUAL(popped, fixture->count != 0);
    if (popped) {
        CHECK_EQUAL(index, fixture->model[0]);
        model_remove(fixture, 0);
    } else {
        CHECK_EQUAL(index, UINT32_MAX);
    }
}

/* A record that is not listed; there is one. */
static uint32_t
unlisted(const struct fixture *fixture, uint32_t from)
{
    while (fixture->listed[from % RECORDS]) {
        from++;
    }
    return from % RECORDS;
}

/* A chain of so many, linked as an inbox links them. */
static void
take_over(struct fixture *fixture, uint32_t count, uint32_t from)
{
    uint32_t newest = LEAT_INDEX_NONE;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = unlisted(fixture, from);
        atom_store_rlx(&fixture->links[index], newest);
        newest = index;
        model_insert(fixture, fixture->count, index);
    }
    CHECK_EQUAL(leat_fifo_take_over(&fixture->fifo, links_of(fixture), newest), count);
}

/* A record that is taken out is free at once: its link is overwritten here. */
static bool
drops(void *context, uint32_t index)
{
    struct fixture *fixture = context;
    CHECK(fixture->asked < fixture->count);
    CHECK_EQUAL(index, fixture->model[fixture->asked]);
    if (!fixture->gone[index]) {
        fixture->asked++;
        return false;
    }
    model_remove(fixture, fixture->asked);
    atom_store_rlx(&fixture->links[index], index);
    return true;
}

static void
sweep(struct fixture *fixture)
{
    uint32_t before = fixture->count;
    fixture->asked = 0;
    uint32_t count = leat_fifo_sweep(&fixture->fifo, links_of(fixture), drops);
    CHECK_EQUAL(fixture->asked, fixture->count);
    CHECK_EQUAL(count, before - fixture->count);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void
random_operations(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("unit_fifo")};
    struct fixture fixture;
    setup(&fixture);
    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t room = RECORDS - fixture.count;
        uint32_t from = test_random_below(&prng, RECORDS);
        /* Few, so that it is empty often; or many. */
        uint32_t some = test_random_below(&prng, i / 1000 % 2 == 0 ? 3 : 20);
        switch (test_random_below(&prng, 8)) {
        case 0:
            take_over(&fixture, some < room ? some : room, from);
            break;
        case 1:
            for (uint32_t j = 0; j < RECORDS; j++) {
                fixture.gone[j] = test_random_below(&prng, some + 1) == 0;
            }
            sweep(&fixture);
            break;
        case 2:
            if (room > 0) {
                push_back(&fixture, unlisted(&fixture, from));
            }
            break;
        case 3:
            if (room > 0) {
                push_front(&fixture, unlisted(&fixture, from));
            }
            break;
        default:
            pop_front(&fixture);
            break;
        }
        compare(&fixture);
    }
}

/* Every set of zombies in lists of up to six. */
static void
sweeps(void **state)
{
    (void)state;
    struct fixture fixture;
    for (uint32_t count = 0; count <= 6; count++) {
        for (uint32_t set = 0; set < 1U << count; set++) {
            setup(&fixture);
            for (uint32_t i = 0; i < count; i++) {
                push_back(&fixture, i);
                fixture.gone[i] = (set >> i & 1) != 0;
            }
            sweep(&fixture);
            compare(&fixture);
            CHECK_EQUAL(fixture.count, count - (uint32_t)__builtin_popcount(set));
            push_back(&fixture, 6);
            compare(&fixture);
        }
    }
}

static void
chains_of_one(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture);
    take_over(&fixture, 0, 0);
    compare(&fixture);
    take_over(&fixture, 1, 5);
    compare(&fixture);
    take_over(&fixture, 1, 5);
    compare(&fixture);
    pop_front(&fixture);
    pop_front(&fixture);
    pop_front(&fixture);
    compare(&fixture);
}

static void
check_can_say_no(void **state)
{
    (void)state;
    struct fixture fixture;
    char text[200];
    setup(&fixture);
    for (uint32_t i = 0; i < 4; i++) {
        push_back(&fixture, i);
    }
    struct leat_fifo good = fixture.fifo;
    fixture.fifo.count = 3;
    CHECK(!leat_fifo_check(&fixture.fifo, links_of(&fixture), NULL));
    fixture.fifo.count = 5;
    CHECK(!leat_fifo_check(&fixture.fifo, links_of(&fixture), NULL));
    fixture.fifo = good;
    fixture.fifo.last = 2;
    FILE *why = test_why();
    CHECK(!leat_fifo_check(&fixture.fifo, links_of(&fixture), why));
    test_why_read(why, text, sizeof(text));
    CHECK(strstr(text, "I1") != NULL);
    /* A circle. */
    fixture.fifo = good;
    atom_store_rlx(&fixture.links[3], 0);
    CHECK(!leat_fifo_check(&fixture.fifo, links_of(&fixture), NULL));
    /* Empty, but not quite. */
    leat_fifo_init(&fixture.fifo);
    fixture.fifo.last = 1;
    CHECK(!leat_fifo_check(&fixture.fifo, links_of(&fixture), NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations),
        cmocka_unit_test(sweeps),
        cmocka_unit_test(chains_of_one),
        cmocka_unit_test(check_can_say_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
