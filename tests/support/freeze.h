/* freeze.h - threads that stand still in front of any of their atomic steps, for ever if need be.
 *
 * Programs of tests/suspend/, the library's sources included, are compiled with LEAT_MODEL=1. That
 * turns each operation of ring/atomic.h into a call: here of freeze.c, which carries it out on the
 * real memory with real threads. A thread that runs under a struct freeze counts its operations
 * first, and stands still in front of the one that it was told. Between an operation and the system
 * call that follows it there is a step too, where others depend on the call (freeze_os.c).
 *
 * All operations are sequentially consistent here: whether others go on does not depend on orders,
 * which the models explore.
 */
#ifndef TESTS_SUPPORT_FREEZE_H
#define TESTS_SUPPORT_FREEZE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* No operation has so many steps: one that comes here goes round in a circle. */
#define FREEZE_STEPS_MAX 1000

/* A step: `kind` is the operation, `text` the word as the source names it. One that writes may
 * change what others see, any other does not. */
struct freeze_place {
    const char *kind;
    const char *text;
    const char *file;
    int line;
    bool writes;
};

#define FREEZE_PLACES_MAX 192

/* Different ones. */
struct freeze_places {
    struct freeze_place places[FREEZE_PLACES_MAX];
    uint32_t count;
    /* Not NULL: called for each step that a thread takes whose places are noted here. */
    void (*taken)(void *context, const struct freeze_place *place);
    void *context;
};

bool freeze_places_know(const struct freeze_places *list, const struct freeze_place *place);
void freeze_places_add(struct freeze_places *list, const struct freeze_place *place);

struct freeze {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    void (*body)(void *argument);
    void *argument;
    pthread_t thread;
    /* Under the mutex: */
    bool begun;
    uint64_t steps;       /* taken, and the one that it stands in front of */
    uint64_t writes;      /* taken */
    uint64_t stop;        /* the step that it does not take */
    uint64_t stop_writes; /* having taken so many that write, it takes no step more */
    bool stands;
    bool ended;
    bool sleeps;                /* in the system, until another thread wakes it */
    struct freeze_place place;  /* of the last step */
    struct freeze_places *seen; /* where the places of its steps are noted; may be NULL */
};

/* A thread that runs body(argument), after the first freeze_to(). */
void freeze_start(struct freeze *freeze, void (*body)(void *argument), void *argument);
/* Where the places of its steps are noted, until it is let go. */
void freeze_note(struct freeze *freeze, struct freeze_places *seen);

/* Lets it run. True: it stands in front of its `step`th step, counted from 1. False: it has ended,
 * or went to sleep, before that. */
bool freeze_to(struct freeze *freeze, uint64_t step);
/* The same for the first step behind its `count`th write; 0: its first step. A thread that stands
 * in front of any other step leaves to others what it left them here. */
bool freeze_to_write(struct freeze *freeze, uint64_t count);

/* It never stops again. */
void freeze_let_go(struct freeze *freeze);
/* pre: let go, or ended. Joins what freeze_start() started. */
void freeze_join(struct freeze *freeze);

/* For threads that others start. The calling thread runs under `freeze` from here on and does not
 * stop before freeze_arm(). */
void freeze_init(struct freeze *freeze);
void freeze_adopt(struct freeze *freeze);
/* Counts its steps from here, up to the `step`th. Then what the caller does makes it run, and
 * freeze_wait() answers as freeze_to() does. */
void freeze_arm(struct freeze *freeze, uint64_t step);
bool freeze_wait(struct freeze *freeze);
void freeze_fini(struct freeze *freeze);

/* For freeze_os.c: a step that is no operation, and the two ends of a sleep. */
void freeze_step(struct freeze_place place);
void freeze_sleep(bool begins);

#endif
