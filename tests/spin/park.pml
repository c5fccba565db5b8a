/* park.pml - how workers go to sleep and are woken, as sched/park.h and ring/parker.h say, over
 * memory that shows each store late.
 *
 * Processes
 *   producer   a thread in leat_pool_push(): P1 to P6
 *   worker     leat_worker_run(): picks by the hint, W8, and W1 to W7 when it runs dry
 *   halter     leat_pool_halt()
 *   memory     one for each of these: the stores that it made and others do not see yet
 *   init       stops the first producer for ever at any step (FREEZE); when nothing moves any more,
 *              it says what must hold
 *
 * Memory   SPIN is sequentially consistent. So what a thread stores, and what it changes by a
 *          read-modify-write whose result it does not use, goes into its buffer and reaches memory
 *          at any later time; stores to one word in their order, to different words in any order.
 *          The thread itself sees its own stores. A full fence waits until the buffer is empty. A
 *          swap or a compare-and-swap whose result is used acts on memory at once, and waits for
 *          the thread's own earlier stores to that word only: release counts for nothing here.
 *          One atomic block is one access to memory; what a thread does only with itself stands in
 *          the block before or behind.
 * Left out loads that come early, and values older than memory's (tests/model/model_park.c has
 *          C11); the ring, which is a number of items that appear and vanish at once, as it is with
 *          ring/packed.h; all priority levels but one; spinning; deadlines; waits that end for no
 *          reason, after which the worker only looks once more.
 *
 * What must hold when nothing moves any more
 *   plain      no item is left
 *   FREEZE     nor is one, if another producer began AGAIN pushes after the first had stopped
 *   BUSY       nor is one, though a worker that takes an item runs it for ever: no item waits for
 *              a busy worker while another one sleeps
 *   ONE_ROUND  if an item is left, the hint is set: workers that are busy elsewhere see it. Each
 *              worker stops after its first round.
 *   HALTS      all workers have ended
 *   ALL_RUN    instead: all items run (HALTS: all workers end), whatever the order, if each thread
 *              goes on some time
 *
 * What is wrong on purpose, each to be found
 *   NO_PUSH_FENCE   no P2                        NO_PARK_FENCE   no W4
 *   NO_LOOK         no W5                        LATE_EMPTY      W1 behind W5
 *   NO_HINT         no P3                        NO_HINT_AGAIN   W6 without the hint
 *   ITEM_LAST       P1 behind P6                 NO_NEXT         no W8
 *   SWAP_SPLIT      the notifier loads the word, then stores NOTIFIED
 *   WAKE_EARLY      the notifier calls the system first, then makes the word NOTIFIED
 *   PARK_STORE      W7 stores PARKED, whatever the word is
 *   WAIT_BLIND      the system does not compare the word before it lets the worker sleep
 *   WAKER_CLEARS    the waker clears the idle bit in P5, and tells by this who wakes
 *   NO_AGAIN        no P6
 *   NO_HALT_FENCE   no fence between the halt flag and the idle bits
 *   NO_HALT_LOOK    W5 without the halt flag
 *   HALT_ONCE       the halter passes by beds that are NOTIFIED
 *   LEAVE_LATE      the cleared idle bit may become visible after W8: so where a read-modify-write
 *                   is no full fence
 */
#ifndef PRODUCERS
#define PRODUCERS 1
#endif
#ifndef WORKERS
#define WORKERS 1
#endif
/* Pushes of the first producer, and of each other. */
#ifndef PUSHES
#define PUSHES 2
#endif
#ifndef OTHERS_PUSH
#define OTHERS_PUSH PUSHES
#endif
#define ITEMS (PUSHES + (PRODUCERS - 1) * OTHERS_PUSH)

/* LEAT_WAKE_AGAIN: one in so many passes through P6 repeats a system call. */
#define AGAIN 2

/* The word of ring/parker.h. */
#define EMPTY    0
#define PARKED   1
#define NOTIFIED 2

/* Words whose stores are seen late. */
#define ITEM 0
#define HINT 1
#define IDLE 2
#define BED  3
#define STOP 4

/* Threads: workers, producers, the halter. */
#define FIRST  WORKERS
#define HALTER (WORKERS + PRODUCERS)
#ifdef HALTS
#define THREADS (WORKERS + PRODUCERS + 1)
#else
#define THREADS (WORKERS + PRODUCERS)
#endif
#define NOBODY 2

/* ---- memory ------------------------------------------------------------------------------- */

byte items;   /* in the ring */
bit hint;
bit idle[2];  /* one word in truth: both are read at once */
byte bed[2];
bit halt;
byte passes;  /* modulo AGAIN; a plain count in truth too */
byte turn;

#if THREADS == 2
chan buffer[2] = [5] of { byte, bit };
#elif THREADS == 3
chan buffer[3] = [5] of { byte, bit };
#elif THREADS == 4
chan buffer[4] = [5] of { byte, bit };
#else
chan buffer[5] = [5] of { byte, bit };
#endif

#define FENCE           empty(buffer[me])
#define SEES_HINT       ((hint || buffer[me]??[HINT, 1]) && !(buffer[me]??[HINT, 0]))
/* A worker that looks for others to wake has cleared its own bit. */
#define SEES_IDLE(w)    (idle[w] && w != me)
#define IDLE_NEXT(from) (from <= 0 && SEES_IDLE(0) -> 0 : (from <= 1 && SEES_IDLE(1) -> 1 : NOBODY))

/* ---- the system --------------------------------------------------------------------------- */

bit asleep[2];  /* in a futex wait */

/* ---- what the threads do not know --------------------------------------------------------- */

byte taken;   /* items */
byte ended;   /* workers */
bit frozen;   /* the first producer */
byte behind;  /* pushes begun since it is, and what it had stored is visible */

#ifdef WAKER_CLEARS
#define SHOWS_IDLE ((buffer[me]??[IDLE, 0] || buffer[me]??[IDLE, 1]) && !(buffer[me]??[BED, 0]))
#else
#define SHOWS_IDLE (buffer[me]??[IDLE, 0] || buffer[me]??[IDLE, 1])
#endif

proctype memory(byte me) {
    bit value;
end:
    do
    :: atomic { buffer[me]??ITEM, value -> items++; value = 0 }
    :: atomic { buffer[me]??HINT, value -> hint = value; value = 0 }
    :: atomic { SHOWS_IDLE; buffer[me]??IDLE, value -> idle[me] = value; value = 0 }
    :: atomic { buffer[me]??BED, value -> bed[me] = EMPTY; value = 0 }
    :: atomic { buffer[me]??STOP, value -> halt = 1; value = 0 }
    od
}

/* ---- waking: P5 and P6 -------------------------------------------------------------------- */

/* parker:A, and the bed as it was before. */
inline notify() {
#if defined(SWAP_SPLIT)
    atomic { before = bed[next] };
    atomic { bed[next] = NOTIFIED };
#elif defined(WAKE_EARLY)
    atomic {
        before = (bed[next] == NOTIFIED -> NOTIFIED : EMPTY);
        asleep[next] = (bed[next] == PARKED -> 0 : asleep[next])
    };
    atomic { bed[next] = NOTIFIED };
#elif defined(WAKER_CLEARS)
    atomic { before = (idle[next] -> PARKED : NOTIFIED); idle[next] = 0 };
    atomic { bed[next] = (before == PARKED -> NOTIFIED : bed[next]) };
#else
    atomic { before = bed[next]; bed[next] = NOTIFIED };
#endif
}

inline waking_done() {
    next = 0;
    before = 0;
    count = 0;
    goto woken
}

/* leat_lot_wake(), and on to `woken`. */
inline wake() {
    atomic { next = IDLE_NEXT(0) };                                   /* wake:A */
    do
    :: atomic { next == NOBODY -> break }
    :: atomic { next != NOBODY && bed[next] == NOTIFIED };            /* leat_parker_notified() */
        atomic { next = IDLE_NEXT(next + 1) }                         /* wake:A */
    :: atomic { next != NOBODY && bed[next] != NOTIFIED };
        notify();
        if
        :: atomic { before == EMPTY -> waking_done() }
        :: atomic { before == PARKED -> asleep[next] = 0; waking_done() }
        :: atomic { before == NOTIFIED -> next = IDLE_NEXT(next + 1) }
        fi
    od;
#ifndef NO_AGAIN
    atomic { count = passes + 1 };                                    /* P6 */
    atomic {
        passes = count % AGAIN;
        if
        :: count % AGAIN != 0 -> waking_done()
        :: else
        fi
    };
    atomic {
        next = IDLE_NEXT(turn);
        next = (next == NOBODY -> IDLE_NEXT(0) : next);
        if
        :: next == NOBODY -> waking_done()
        :: else -> turn = next + 1
        fi
    };
    atomic { asleep[next] = 0; waking_done() }
#else
    atomic { waking_done() }
#endif
}

/* ---- producers ---------------------------------------------------------------------------- */

proctype producer(byte me) provided (!frozen || _pid != 1) {
    byte pushed;
    byte next;
    byte before;
    byte count;

#if defined(FREEZE) && !defined(AMID)
    (me == FIRST || (frozen && len(buffer[FIRST]) == 0));
#endif
woken:
    atomic {
#ifdef ITEM_LAST
        if
        :: pushed > 0 -> buffer[me]!ITEM, 1
        :: else
        fi;
#endif
        if
        :: pushed == (me == FIRST -> PUSHES : OTHERS_PUSH) -> goto done
        :: else -> pushed++
        fi;
        behind = behind + (frozen && len(buffer[FIRST]) == 0);
#ifndef ITEM_LAST
        buffer[me]!ITEM, 1                                            /* P1 */
#endif
    };
    atomic {
#ifndef NO_PUSH_FENCE
        FENCE;                                                        /* P2, notify:A */
#endif
#ifndef NO_HINT
        if
        :: SEES_HINT
        :: else -> buffer[me]!HINT, 1                                 /* P3, notify:B */
        fi
#endif
    };
    atomic {
        if
        :: idle[0] || idle[1]                                         /* P4 */
        :: else -> goto woken
        fi
    };
    wake();
done:
    skip
}

/* ---- workers ------------------------------------------------------------------------------ */

inline enter() {
    dry = 1;
#ifndef LATE_EMPTY
    buffer[me]!BED, 0;                                                /* W1 */
#endif
    buffer[me]!IDLE, 1;                                               /* W2, enter:A */
    goto park
}

inline leave() {
    buffer[me]!IDLE, 0;
    goto left
}

proctype worker(byte me) {
    byte next;
    byte before;
    byte count;
    bit dry;
    bit seen;

    atomic { enter() };
pick:
#ifndef BUSY
woken:
#endif
#ifdef HALTS
    atomic {
        if
        :: halt -> goto stop                                          /* halted:A */
        :: else
        fi
    };
#endif
    atomic {
        if
        :: SEES_HINT || seen -> seen = 0
        :: else -> enter()
        fi
    };
    atomic {
        if
        :: items > 0 -> items--; taken++                              /* pop:C */
        :: else -> enter()                                            /* pop:B */
        fi;
        if
#ifndef NO_NEXT
        :: dry -> dry = 0
#endif
        :: else -> goto woken
        fi
    };
    atomic {                                                          /* W8 */
        if
        :: SEES_IDLE(0) || SEES_IDLE(1)
        :: else -> goto woken
        fi
    };
    atomic {
        if
        :: items > 0 -> buffer[me]!HINT, 1                            /* look:A */
        :: else -> goto woken
        fi
    };
    wake();

park:
    atomic {
        if
        :: SEES_HINT -> buffer[me]!HINT, 0                            /* W3, park:C */
        :: else
        fi
    };
    atomic {
#ifndef NO_PARK_FENCE
        FENCE;                                                        /* W4, park:A */
#endif
#ifndef NO_LOOK
        if
        :: items > 0 ->                                               /* W5 */
#ifndef NO_HINT_AGAIN
            buffer[me]!HINT, 1;                                       /* W6, look:A */
#endif
#ifdef PICK_SEEN
            seen = 1;
#endif
            leave()
        :: else
        fi
#endif
    };
#if defined(HALTS) && !defined(NO_HALT_LOOK)
    atomic {
        if
        :: halt -> leave()                                            /* W5, halted:A */
        :: else
        fi
    };
#endif
#ifdef LATE_EMPTY
    atomic { bed[me] = EMPTY };
#endif
    atomic {                                                          /* W7 */
        !(buffer[me]??[BED, 0]);
#ifndef PARK_STORE
        if
        :: bed[me] == EMPTY -> bed[me] = PARKED
        :: else
        fi
#else
        bed[me] = PARKED
#endif
    };
    do
    :: atomic { bed[me] == NOTIFIED -> leave() }                      /* parker:B */
    :: atomic { bed[me] != NOTIFIED };
#ifndef WAIT_BLIND
        atomic { asleep[me] = (bed[me] == PARKED) };                  /* leat_os_futex_wait() */
#else
        atomic { asleep[me] = 1 };
#endif
        !asleep[me]
    od;
left:
#if defined(BUSY) && !defined(LEAVE_LATE)
    FENCE;
#endif
#ifndef ONE_ROUND
    goto pick;
#endif
#ifdef BUSY
woken:
#endif
stop:
    ended++
}

/* ---- stopping ----------------------------------------------------------------------------- */

proctype halter(byte me) {
    byte next;
    byte before;

    buffer[me]!STOP, 1;                                               /* halt:A */
    atomic {
#ifndef NO_HALT_FENCE
        FENCE;                                                        /* halt:B */
#endif
        next = IDLE_NEXT(0)                                           /* leat_lot_wake_all() */
    };
    do
    :: atomic { next == NOBODY -> break }
    :: atomic { next != NOBODY -> before = bed[next]; bed[next] = NOTIFIED };
        atomic {
#ifdef HALT_ONCE
            asleep[next] = (before == PARKED -> 0 : asleep[next])
#else
            asleep[next] = (before != EMPTY -> 0 : asleep[next])      /* leat_parker_again() */
#endif
        };
        atomic { next = IDLE_NEXT(next + 1) }
    od
}

init {
    atomic {
        byte i = 0;
        do
        :: i < PRODUCERS -> run producer(FIRST + i); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < WORKERS -> run worker(i); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < THREADS -> run memory(i); i++
        :: else -> break
        od;
        i = 0;
#ifdef FREEZE
        if
        :: passes = 0
        :: passes = 1
        fi;
#endif
#ifdef ONE_ROUND
        hint = 1;
#endif
#ifdef HALTS
        run halter(HALTER)
#endif
    };
#ifdef FREEZE
    frozen = 1;
#endif
#ifndef ALL_RUN
    timeout;
#if defined(HALTS)
    assert(ended == WORKERS)
#elif defined(FREEZE)
    assert(items == 0 || behind < AGAIN)
#elif defined(ONE_ROUND)
    assert(items == 0 || hint)
#else
    assert(items == 0)
#endif
#endif
}

#ifdef ALL_RUN
#ifdef HALTS
ltl all_run { <> (ended == WORKERS) }
#else
ltl all_run { <> (taken == ITEMS) }
#endif
#endif
