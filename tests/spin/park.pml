/* park.pml - how workers go to sleep and are woken, by the steps of sched/park.h (P1 to P6, W1 to
 * W9) and ring/parker.h, over memory that shows each store late.
 *
 * Processes
 *   producer   a thread in leat_pool_push()
 *   worker     leat_worker_run(): picks by the hint, takes W8, and W1 to W7 when it runs dry
 *   halter     leat_pool_halt()
 *   memory     one for each of these: what it stored and others do not see yet
 *   init       starts them; stops one of them for ever, at any step (FREEZE); when nothing moves
 *              any more, says what must hold
 * Each atomic block is one access to memory; what a thread does only with itself stands in the
 * block before or behind.
 *
 * Memory   SPIN is sequentially consistent. So what a thread stores, and what it changes by a
 *          read-modify-write whose result it does not use, goes into its buffer and reaches memory
 *          at any later time: changes of one word in their order, of different words in any order.
 *          The thread itself sees its own. A full fence waits until the buffer is empty. A swap
 *          whose result is used acts on memory at once, and waits for the thread's own earlier
 *          changes of that word only. A push is such a swap, of the ring's slot, and sequentially
 *          consistent as the loads of P3 and P4: so these come behind it, though no fence makes
 *          what the thread stored before visible. Release and acquire count for nothing here.
 * Left out loads that come early, but for those that an order of P3 to P5 keeps from it (see below),
 *          and values older than memory's (tests/model/model_park.c has C11); the ring, which is a number of items that come and go at once, as with
 *          ring/packed.h; local queues and theft; all priority levels but one; spinning; waits that
 *          end for no reason, after which a worker only looks at its bed once more.
 *
 * What must hold when nothing moves any more
 *   plain          no item is left
 *   FREEZE         nor is one, if the first producer has stopped for ever and another one has begun
 *                  AGAIN pushes since (without AMID all its pushes)
 *   FREEZE_WORKER  nor is one, if the first worker has stopped and two pushes began since
 *   BUSY           nor is one, though each item runs for ever: none waits for a busy worker while
 *                  another one sleeps, and two that wait for each other both run
 *   ONE_ROUND      each worker stops at the end of its first round: if an item is left, the hint is
 *                  set, so that workers which are busy with other levels see it
 *   HALTS          all workers have ended
 *   LEAVES         the first worker has ended, and no item is left: the other one has them
 *   POSTED         items are for the last worker, in its inbox (sched/posted.h): none is left
 *   ALL_RUN        instead of all that: as long as each thread goes on some time, all items run
 *                  some time; with HALTS, all workers end
 *
 * What is wrong on purpose, each to be found
 *   NO_PUSH_FENCE   the push is a release         NO_PARK_FENCE   no W4
 *   TELL_EARLY      tell:A relaxed: P3 loads the hint before P1
 *   ANY_EARLY       any:A or this:A relaxed: P4 loads the idle bits before P1
 *   BED_EARLY       enter:A relaxed: P5 loads beds before P1
 *   NO_LEAVE        no W9                         NO_LEAVE_FENCE  W9 without the fence
 *   WAKES_ANY       POSTED, and P5 takes the first worker
 *   NO_HINT         no P3                         NO_HINT_AGAIN   W6 without the hint
 *   NO_LOOK         no W5                         LATE_EMPTY      W1 behind W5
 *   PICK_HINTED     picks by the hint alone: two workers in step clear it for each other, for ever
 *   ITEM_LAST       P1 behind P6                  NO_NEXT         no W8
 *   NO_AGAIN        no P6                         NO_NEXT_FENCE   W8 without the fence
 *   SWAP_SPLIT      a notifier loads the bed, then stores NOTIFIED
 *   WAKE_EARLY      a notifier calls the system, then makes the bed NOTIFIED
 *   WAKER_CLEARS    a waker clears the idle bit, and who cleared it wakes, as it was once
 *   PARK_STORE      W7 stores PARKED, whatever is in the bed
 *   WAIT_BLIND      the system does not look at the bed before it lets the worker sleep
 *   NO_HALT_FENCE   no fence between the halt flag and the idle bits
 *   NO_HALT_LOOK    W5 without the halt flag
 *   HALT_ONCE       a halter passes by beds that are NOTIFIED
 * And right as well: PUSH_FENCED, a push that is a release with a fence behind it (ring/turn.h, what
 * goes into local queues, lists and deques).
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
/* With LEAVES, the first worker was asked to leave before, and comes out of W7. */
#if defined(LEAVES)
#define CLOSED (me == 0)
#elif defined(HALTS)
#define CLOSED halt
#endif
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
byte passes;  /* modulo AGAIN; loaded and stored, also in the code */
byte turn;

/* What a thread has stored and others do not see yet: word, value. */
#if THREADS == 2
chan buffer[2] = [5] of { byte, bit };
#elif THREADS == 3
chan buffer[3] = [5] of { byte, bit };
#elif THREADS == 4
chan buffer[4] = [5] of { byte, bit };
#else
chan buffer[5] = [5] of { byte, bit };
#endif

/* The thread that stops, and whether a push that begins now is behind that. What it had stored
 * becomes visible before. */
#ifdef FREEZE_WORKER
#define FREEZE
#define STOPS     0
#define STOPS_PID (1 + PRODUCERS)
#else
#define STOPS     FIRST
#define STOPS_PID 1
#endif
#define MOVES  (!frozen || _pid != STOPS_PID)
#define BEHIND (frozen && len(buffer[STOPS]) == 0)

#define FENCE           empty(buffer[me])
#define SEES_HINT       ((hint || buffer[me]??[HINT, 1]) && !(buffer[me]??[HINT, 0]))
/* A worker that looks for others to wake has cleared its own bit. */
#if defined(POSTED) && !defined(WAKES_ANY)
#define SEES_IDLE(w)    (idle[w] && w == WORKERS - 1 && w != me)
#else
#define SEES_IDLE(w)    (idle[w] && w != me)
#endif
#define IDLE_NEXT(from) (from <= 0 && SEES_IDLE(0) -> 0 : (from <= 1 && SEES_IDLE(1) -> 1 : NOBODY))

/* Whether a worker finds something, by its own look; and with POSTED it needs no hint. */
#ifdef POSTED
#define FINDS (items > 0 && me == WORKERS - 1)
#define HINTS FINDS
#else
#define FINDS (items > 0)
#define HINTS SEES_HINT
#endif

#ifdef BED_EARLY
#define SEES_NOTIFIED(w) (me >= FIRST -> early_beds[w] : bed[w] == NOTIFIED)
#else
#define SEES_NOTIFIED(w) (bed[w] == NOTIFIED)
#endif

/* ---- the system --------------------------------------------------------------------------- */

bit asleep[2];  /* in a futex wait */

/* ---- what the threads do not know --------------------------------------------------------- */

byte taken;   /* items */
byte ended;   /* workers */
bit frozen;
byte behind;  /* pushes */

#ifdef WAKER_CLEARS
/* That form needs the bed to be EMPTY before the bit is seen; the other does not. */
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
    atomic { next = IDLE_NEXT(0) };                                   /* P5 */
    do
    :: atomic { next == NOBODY -> break }
    :: atomic { next != NOBODY && SEES_NOTIFIED(next) };              /* leat_parker_notified() */
        atomic { next = IDLE_NEXT(next + 1) }                         /* P5 */
    :: atomic { next != NOBODY && !SEES_NOTIFIED(next) };
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

#if defined(NO_PUSH_FENCE) || defined(PUSH_FENCED)
#define PUSH buffer[me]!ITEM, 1
#else
#define PUSH items++
#endif
#ifdef TELL_EARLY
#define P3_SEES_HINT early_hint
#else
#define P3_SEES_HINT SEES_HINT
#endif
#ifdef ANY_EARLY
#define P4_SEES_IDLE early_idle
#else
#define P4_SEES_IDLE (SEES_IDLE(0) || SEES_IDLE(1))
#endif

proctype producer(byte me) provided (MOVES) {
    byte pushed;
    byte next;
    byte before;
    byte count;
#if defined(TELL_EARLY)
    bit early_hint;
#elif defined(ANY_EARLY)
    bit early_idle;
#elif defined(BED_EARLY)
    bit early_beds[2];
#endif

#if defined(FREEZE) && !defined(AMID)
    (me == STOPS || BEHIND);
#endif
woken:
#if defined(TELL_EARLY)
    atomic { early_hint = SEES_HINT };
#elif defined(ANY_EARLY)
    atomic { early_idle = (SEES_IDLE(0) || SEES_IDLE(1)) };
#elif defined(BED_EARLY)
    atomic { early_beds[0] = (bed[0] == NOTIFIED); early_beds[1] = (bed[1] == NOTIFIED) };
#endif
    atomic {
#ifdef ITEM_LAST
        if
        :: pushed > 0 -> PUSH
        :: else
        fi;
#endif
        if
        :: pushed == (me == FIRST -> PUSHES : OTHERS_PUSH) -> goto done
        :: else -> pushed++
        fi;
        behind = behind + BEHIND;
#ifndef ITEM_LAST
        PUSH                                                          /* P1, P2 */
#endif
    };
#ifdef PUSH_FENCED
    atomic { FENCE };                                                 /* P2, notify:A */
#endif
#if !defined(NO_HINT) && !defined(POSTED)
    atomic {
        if
        :: P3_SEES_HINT                                               /* tell:A */
        :: else -> buffer[me]!HINT, 1                                 /* P3 */
        fi
    };
#endif
    atomic {
        if
        :: P4_SEES_IDLE                                               /* P4, any:A, this:A */
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
    buffer[me]!IDLE, 1;                                               /* W2 */
    goto park
}

inline leave() {
    buffer[me]!IDLE, 0;
#ifdef ONE_ROUND
    goto stop
#else
    goto pick
#endif
}

proctype worker(byte me) provided (MOVES) {
    byte next;
    byte before;
    byte count;
    bit dry;
    bit seen;
#ifdef LEAVES
    bit left; /* it has made W9 */
#endif
#ifdef BED_EARLY
    bit early_beds[2]; /* a producer's */
#endif

#ifdef LEAVES
    atomic {
        if
        :: CLOSED -> leave()
        :: else
        fi
    };
#endif
    atomic { enter() };
pick:
#ifndef BUSY
woken:
#endif
#ifdef CLOSED
    atomic {
        if
        :: CLOSED -> goto closed                                      /* halted:A */
        :: else
        fi
    };
#endif
    atomic {
        if
        :: HINTS || seen -> seen = 0
        :: else -> enter()
        fi
    };
    atomic {
        if
        :: FINDS -> items--; taken++                                  /* pop:C */
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
#ifndef NO_NEXT_FENCE
        FENCE;                                                        /* park:B */
#endif
        if
        :: SEES_IDLE(0) || SEES_IDLE(1)
        :: else -> goto woken
        fi
    };
    atomic {
        if
        :: FINDS -> buffer[me]!HINT, 1
        :: else -> goto woken
        fi
    };
    wake();

park:
    atomic {
        if
        :: SEES_HINT -> buffer[me]!HINT, 0                            /* W3 */
        :: else
        fi
    };
    atomic {
#ifndef NO_PARK_FENCE
        FENCE;                                                        /* W4, park:A */
#endif
#ifndef NO_LOOK
        if
        :: FINDS ->                                                   /* W5 */
#ifndef NO_HINT_AGAIN
            buffer[me]!HINT, 1;                                       /* W6 */
#endif
#ifndef PICK_HINTED
            seen = 1;
#endif
            leave()
        :: else
        fi
#endif
    };
#if defined(CLOSED) && !defined(NO_HALT_LOOK)
    atomic {
        if
        :: CLOSED -> leave()                                          /* W5, halted:A */
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
#ifdef LEAVES
closed:
    atomic {                                                          /* W9 */
#ifndef NO_LEAVE_FENCE
        FENCE;                                                        /* park:B */
#endif
        if
#ifndef NO_LEAVE
        :: (SEES_IDLE(0) || SEES_IDLE(1)) && !left -> left = 1
#endif
        :: else -> goto stop
        fi
    };
    atomic {
        if
        :: FINDS -> buffer[me]!HINT, 1
        :: else -> goto stop
        fi
    };
    wake();
#elif defined(HALTS)
closed:
    skip;
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
        if /* what others had counted before */
        :: passes = 0
        :: passes = 1
        fi;
#endif
#ifdef ONE_ROUND
        hint = 1;
#endif
#ifdef LEAVES
        idle[0] = 1;
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
#if defined(LEAVES)
    assert(ended == 1 && items == 0)
#elif defined(HALTS)
    assert(ended == WORKERS)
#elif defined(FREEZE)
    assert(items == 0 || behind < 2)
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
