/* explore_internal.h - what the parts of the explorer know of each other: explore.c chooses,
 * explore_memory.c is the memory, explore_fiber.c switches stacks, explore_os.c stands in for the
 * operating system. */
#ifndef TESTS_SUPPORT_EXPLORE_INTERNAL_H
#define TESTS_SUPPORT_EXPLORE_INTERNAL_H

#include "ring/os.h"
#include "tests/support/explore.h"

#if LEAT_MODEL /* what it needs of ring/atomic.h is there only then */

/* A view has one byte for each word and thread, and is to be two lines of cache. */
#    define EXPLORE_WORDS_MAX 124
/* Values of one word that some thread may still read, and positions in a byte. */
#    define EXPLORE_VALUES_MAX 100
/* Addresses of plain data; more than any model of two or three operations each has. */
#    define EXPLORE_PLAINS_MAX 64
/* Statistics of a pool of a few workers. */
#    define EXPLORE_IGNORED_MAX 32
/* Steps of one run. A longer one is reported: a model of this kind has less than 200. */
#    define EXPLORE_STEPS_MAX 2000
/* A whole worker fits, with room for the sanitizers' frames. */
#    define EXPLORE_STACK_BYTES  ((size_t)64 * 1024)
#    define EXPLORE_MEMORY_BYTES ((size_t)96 * 1024)

/* ---- what a thread is about to do ----------------------------------------------------------- */

enum explore_kind {
    EXPLORE_LOAD,
    EXPLORE_STORE,
    EXPLORE_CHANGE,
    EXPLORE_CAS,
    EXPLORE_FENCE,
    EXPLORE_WAIT, /* futex */
    EXPLORE_WAKE,
    EXPLORE_WOKEN, /* goes on behind a wait */
    EXPLORE_PAUSE,
    EXPLORE_POINT,
    EXPLORE_CHOOSE,
    EXPLORE_END
};

struct explore_request {
    enum explore_kind kind;
    enum leat_model_order order;
    enum leat_model_order failure;
    enum leat_model_change change;
    uint32_t word;     /* index, where the kind has one */
    uint64_t operand;  /* to store, add …; wake or choose so many */
    uint64_t expected; /* of a swap or a wait */
    struct leat_model_word place;
};

/* ---- memory --------------------------------------------------------------------------------- */

/* What a thread, or who reads a message, may not miss: for each word the position of a value in
 * its modification order, for each thread how many of its events happened before. */
struct explore_view {
    uint8_t at[EXPLORE_WORDS_MAX];
    uint8_t clock[EXPLORE_THREADS_MAX];
};

struct explore_value {
    uint64_t bits;
    struct explore_view view; /* what an acquiring reader gets */
    bool tied;                /* by a read-modify-write to the value before it */
};

/* An atomic word. A word that only one thread has touched in all runs so far is its owner's: its
 * operations are no steps. When a second thread comes the search begins anew. */
struct explore_word {
    uintptr_t address;
    size_t bytes;
    uint64_t key;   /* of the address, for hashes */
    uint64_t first; /* value */
    uint32_t count;
    bool shared;
    uint8_t owner;
    struct explore_value values[EXPLORE_VALUES_MAX]; /* in modification order */
};

struct explore_thread {
    void *stack; /* lowest address */
    void *saved; /* stack pointer while it does not run */
    struct explore_request request;
    uint64_t result;
    bool succeeded;
    bool ended;
    bool waits;            /* in a futex */
    uint32_t spurious;     /* returns left */
    uint64_t looked_at[2]; /* words, since its last pause */
    void *local;
    struct explore_view current;  /* what it may not miss */
    struct explore_view acquired; /* what an acquire fence adds */
    struct explore_view released; /* what its relaxed stores carry */
};

/* The last write to plain data and the reads since, as events of their threads; 0: none. */
struct explore_plain {
    const void *address;
    uint64_t key;
    uint8_t writer;
    uint8_t write;
    uint8_t reads[EXPLORE_THREADS_MAX];
};

/* ---- the run -------------------------------------------------------------------------------- */

struct explore_run {
    const struct explore_model *model;
    uint32_t threads_count;
    uint32_t running; /* thread, or EXPLORE_THREADS_MAX: none, setup or check */
    uint32_t words_count;
    uint32_t plains_count;
    uint32_t ignored_count;
    struct explore_view sc_touched; /* by sequentially consistent operations */
    struct explore_view sc_fenced;  /* before sequentially consistent fences */
    bool failed;
    bool anew; /* something was learnt that is to hold from the first step on */
    bool traced;
    bool all_shared; /* every word counts as shared: a schedule was written down so */
    size_t memory_used;
    char message[256];
    void *saved; /* stack pointer of the explorer while a fiber runs */
    struct explore_thread threads[EXPLORE_THREADS_MAX + 1];
    uintptr_t ignored[EXPLORE_IGNORED_MAX];
    struct explore_plain plains[EXPLORE_PLAINS_MAX];
    struct explore_word words[EXPLORE_WORDS_MAX];
};

extern struct explore_run explore_run;

/* ---- explore.c ------------------------------------------------------------------------------ */

/* On a fiber: stops until the explorer has carried out the request. */
const struct explore_thread *explore_request(const struct explore_request *request);
/* Notes a fault of the run; the caller gives up control. */
void explore_note(const char *text, const char *file, int line);
/* A step that is none, on a word of the running thread. */
void explore_own_step(void);

/* ---- explore_trace.c ------------------------------------------------------------------------ */

/* Prints a step that was carried out. */
void explore_trace_step(uint32_t thread, uint32_t number, const struct explore_request *request,
                        uint32_t way);

/* ---- explore_table.c ------------------------------------------------------------------------ */

struct explore_table {
    uint64_t *states; /* 0: free */
    uint8_t *notes;   /* a byte of the search's own beside each */
    uint32_t log2;
    uint64_t used;
};

void explore_table_make(struct explore_table *table);
void explore_table_drop(struct explore_table *table);
/* True if the state was known; *note is what is noted beside it, 0 at first. */
bool explore_table_add(struct explore_table *table, uint64_t state, uint8_t **note);
/* Zeroed memory; there is some. */
void *explore_zeroed(size_t bytes);

/* ---- explore_memory.c ----------------------------------------------------------------------- */

/* What was learnt about a model by its runs so far: nothing. */
void explore_memory_forget(void);
void explore_memory_begin(void);
/* Writes the newest values into the words, for who looks at them alone. */
void explore_memory_end(void);
/* In how many ways the thread's request can be carried out; at least one. */
uint32_t explore_memory_ways(const struct explore_thread *thread);
void explore_memory_step(struct explore_thread *thread, uint32_t way);
/* True if the thread has looked at a word of which it may see a newer value. */
bool explore_memory_news(const struct explore_thread *thread);
/* What a read-modify-write makes of a value. */
uint64_t explore_memory_changed(uint64_t bits, const struct explore_request *request);
/* The newest value. */
uint64_t explore_memory_newest(uint32_t word);
uint64_t explore_memory_hash(void);
/* Index of the word at an address, or EXPLORE_WORDS_MAX: it is the thread's own so far, and the
 * operation does not make it shared by its nature. */
uint32_t explore_memory_word(struct leat_model_word place, bool shares);
/* Whether the order of two steps may matter. */
bool explore_memory_dependent(const struct explore_request *a, const struct explore_request *b);

/* ---- explore_fiber.c ------------------------------------------------------------------------ */

/* Prepares a fiber that runs `body`, which does not return. The stack is aligned to 16 bytes, and
 * so is its size. */
void *explore_fiber_make(void *stack, size_t bytes, void (*body)(void));
/* Saves the caller's place in *from and goes on at `to`. */
void explore_fiber_switch(void **from, void *to);

/* ---- words as they stand in memory ---------------------------------------------------------- */

LEAT_INLINE void *
explore_pointer(uintptr_t address)
{
    return (void *)address; /* NOLINT(performance-no-int-to-ptr): it was a pointer's */
}

/* ---- hashes --------------------------------------------------------------------------------- */

LEAT_INLINE uint64_t
explore_mix(uint64_t hash, uint64_t more)
{
    hash = (hash ^ more) * UINT64_C(0x9E3779B97F4A7C15);
    hash ^= hash >> 32;
    hash *= UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ hash >> 29;
}

#endif

#endif
