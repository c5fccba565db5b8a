/* embed_signals.c - the library and the host's signals: workers block all of them, so none is
 * delivered there; no disposition changes from open to close; the masks of the host's threads stay
 * what they were. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

struct dispositions {
    struct sigaction all[NSIG];
    sigset_t mask;
};

/* 32 and 33 are libc's own between its threads; nobody else can see or block them. */
static bool
is_ours(int signal_number)
{
    return signal_number != 32 && signal_number != 33;
}

static bool
can_be_blocked(int signal_number)
{
    return is_ours(signal_number) && signal_number != SIGKILL && signal_number != SIGSTOP;
}

static void
read_dispositions(struct dispositions *now)
{
    memset(now, 0, sizeof(*now));
    for (int i = 1; i < NSIG; i++) {
        if (is_ours(i)) {
            CHECK(sigaction(i, NULL, &now->all[i]) == 0);
        }
    }
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &now->mask) == 0);
}

static void
check_same(const struct dispositions *before)
{
    static struct dispositions now;
    read_dispositions(&now);
    for (int i = 1; i < NSIG; i++) {
        CHECK(now.all[i].sa_handler == before->all[i].sa_handler);
        CHECK(now.all[i].sa_flags == before->all[i].sa_flags);
        CHECK(sigismember(&now.mask, i) == sigismember(&before->mask, i));
        for (int j = 1; j < NSIG; j++) {
            CHECK(sigismember(&now.all[i].sa_mask, j) == sigismember(&before->all[i].sa_mask, j));
        }
    }
}

struct fixture {
    leat_atomic_u32 looked;
};

static void
look_at_mask(void)
{
    sigset_t mask;
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
    for (int i = 1; i < NSIG; i++) {
        CHECK(!can_be_blocked(i) || sigismember(&mask, i) == 1);
    }
}

static void
hook(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct fixture *fixture = context;
    (void)engine;
    (void)worker;
    look_at_mask();
    (void)atom_add_rlx(&fixture->looked, 1);
}

static struct leat_outcome
look_run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    (void)run;
    look_at_mask();
    (void)atom_add_rlx(&fixture->looked, 1);
    return leat_done();
}

static void
nothing_changes(void **state)
{
    (void)state;
    static struct dispositions before;
    struct fixture fixture = {0};
    struct leat_config config = test_config();
    config.workers = 3;
    config.worker_started = hook;
    config.worker_stopping = hook;
    config.hook_context = &fixture;
    /* A mask that is neither empty nor full shows what is put back. */
    sigset_t some;
    sigset_t old;
    CHECK(sigemptyset(&some) == 0);
    CHECK(sigaddset(&some, SIGUSR2) == 0);
    CHECK(sigaddset(&some, SIGTERM) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &some, &old) == 0);
    read_dispositions(&before);
    struct leat_engine *engine = test_open(&config);
    check_same(&before);
    leat_type type = test_register(engine, "look", look_run, &fixture);
    CHECK_OK(leat_start(engine));
    check_same(&before);
    for (uint32_t i = 0; i < 10; i++) {
        (void)test_submit(engine, type);
    }
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    check_same(&before);
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    check_same(&before);
    CHECK_EQUAL(atom_load_rlx(&fixture.looked), 3 + 10 + 3);
    test_close(engine);
    check_same(&before);
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
}

/* The host blocks SIGTERM in its own thread and asks for it; with a worker that takes it, the
 * process would be gone. */
static void
the_host_gets_its_signals(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    const struct timespec patience = {10, 0};
    sigset_t term;
    sigset_t old;
    config.workers = 4;
    struct leat_engine *engine = test_start(&config);
    CHECK(sigemptyset(&term) == 0);
    CHECK(sigaddset(&term, SIGTERM) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &term, &old) == 0);
    for (uint32_t i = 0; i < 20; i++) {
        CHECK(kill(getpid(), SIGTERM) == 0);
        CHECK(sigtimedwait(&term, NULL, &patience) == SIGTERM);
    }
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    test_finish(engine);
}

static void
also_in_lent_threads(void **state)
{
    (void)state;
    static struct dispositions before;
    struct leat_config config = test_config();
    config.workers = 0;
    struct leat_engine *engine = test_start(&config);
    read_dispositions(&before);
    CHECK_STATUS(leat_run_some(engine, 1, NULL), LEAT_EMPTY);
    CHECK_OK(leat_thread_attach(engine));
    check_same(&before);
    test_finish(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes),
        cmocka_unit_test(the_host_gets_its_signals),
        cmocka_unit_test(also_in_lent_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
