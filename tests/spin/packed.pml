/* packed.pml - ring/packed.h: one swap on a slot pushes or pops, head and tail are hints that may
 * fall back by laps.
 *
 * Processes
 *   thread   a producer or a consumer, without end: any number of calls, each of push, or of pop or
 *            ready. Push and pop are one text with two sides, as leat_packed_find() has them.
 *   init     starts them.
 * Each atomic block is one access to the ring, and what the thread does with what it read.
 *
 * What must hold
 *   queue    A swap that succeeds, and a load of a slot after which full or empty is answered, is
 *            compared with an abstract queue. What ready finds, a pop would find.
 *   I3, I4   A hint is stored only up to the true position; only that one is pushed or popped.
 *   LOCK_FREE  Whoever stops, wherever and for ever: as long as any thread goes on, calls end. No
 *            fairness is asked, so a thread that stops is one that is not scheduled any more. No
 *            thread waits: each block can always be executed.
 *   MOMENT   instead of the queue at the load: the queue was full or empty at a moment in the call.
 *   HINT_ANY instead of hints that are stored: each call begins at any position that is not ahead
 *            of the true one. This covers each way to keep hints.
 *
 * Any number of laps, in few states: as the head enters a new lap, all positions go back by one
 * lap and all turns by two, and the head stands in lap 2 again. What is older than lap 0 stays
 * there. This forgets how old a position is, and a thread never finds out: the slot of each
 * position of laps 0 and 1 is ahead (its turn is at least 4), and the search goes on from that
 * slot's turn alone; a word that old equals no slot's. Only hint:A compares two that may both be
 * old: there both answers are taken.
 *
 * Left out: weaker orders than sequential consistency (tests/model/model_packed.c); the wrap of
 * turns; count. Items are one bit: what a thread does depends on no item.
 *
 * What is wrong on purpose, each to be found
 *   NEXT_USE      from a slot that is ahead, to that slot's next use
 *   OLD_VERDICT   full or empty by what the search saw of a slot, before its predecessor was used
 *   HINT_VERDICT  empty if the hints are equal
 *   HINT_EARLY    the hint is stored in front of the swap
 *   HINT_RELOAD   a slot that is ahead: the hint is loaded again, as in a ring with counters
 *   TURN_BLIND    the slot of the hint is used whatever its turn is
 *   SWAP_SPLIT    the swap is a load and a store
 */
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef PRODUCERS
#define PRODUCERS 2
#endif
#ifndef CONSUMERS
#define CONSUMERS 1
#endif
#ifdef OLD_VERDICT
#define MOMENT
#endif

#define THREADS (PRODUCERS + CONSUMERS)
#define PUSH    0
#define POP     1

/* ---- the ring ----------------------------------------------------------------------------- */

byte turn[SLOTS];
bit item[SLOTS];
byte hint[2]; /* tail, head */

/* ---- what no thread knows ----------------------------------------------------------------- */

byte truth[2]; /* true tail, true head */
chan queue = [SLOTS] of { bit };
#ifdef MOMENT
bit moment[4]; /* full or empty was true in this call */
#endif
#ifdef LOCK_FREE
bit pulse; /* changes with each answer; begins as either, so it is enough that it comes to 1 */
#endif
byte i;

/* ---- what each thread knows, here and not in it because of the laps ------------------------ */

byte position[4];
byte step[4];
byte seen_turn[4];
bit seen_item[4];
#ifdef OLD_VERDICT
byte behind[4]; /* the last position of the search whose slot was behind */
#endif

/* Places of slots: of the position, and as far ahead of it as the search looks. */
#define HERE  (position[me] % SLOTS)
#define AHEAD ((position[me] + step[me]) % SLOTS)

/* The turn of a slot in front of the use of its position. */
#define WANTED(position) (2 * ((position) / SLOTS) + side)
/* Positions of a place. */
#define LAST_USE(place)    ((turn[place] - 1 - side) / 2 * SLOTS + place)
#define NEXT_USE_OF(place) ((turn[place] + 1 - side) / 2 * SLOTS + place)

#define OLD(position)    (position < 2 * SLOTS)
#define NO_ANSWER(who) (len(queue) == ((who) == PUSH -> SLOTS : 0))

inline take_back(word, by) { word = (word >= by -> word - by : word) }

inline lap() {
    if
    :: truth[POP] >= 3 * SLOTS ->
        d_step {
            take_back(truth[PUSH], SLOTS);
            take_back(truth[POP], SLOTS);
            take_back(hint[PUSH], SLOTS);
            take_back(hint[POP], SLOTS);
            i = 0;
            do
            :: i < SLOTS -> assert(turn[i] >= 6); turn[i] = turn[i] - 2; i++
            :: else -> break
            od;
            i = 0;
            do
            :: i < THREADS ->
                take_back(position[i], SLOTS);
                take_back(seen_turn[i], 2);
#ifdef OLD_VERDICT
                take_back(behind[i], SLOTS);
#endif
                i++
            :: else -> break
            od;
            i = 0
        }
    :: else
    fi
}

#ifdef MOMENT
inline moments() {
    d_step {
        i = 0;
        do
        :: i < THREADS -> moment[i] = moment[i] || NO_ANSWER(i >= PRODUCERS); i++
        :: else -> break
        od;
        i = 0
    }
}
#endif

/* The call ends, the next one begins. */
inline answer() {
    position[me] = 0;
    step[me] = 0;
    seen_turn[me] = 0;
    seen_item[me] = 0;
#ifdef OLD_VERDICT
    behind[me] = 0;
#endif
#ifdef MOMENT
    moment[me] = NO_ANSWER(side);
#endif
#ifdef LOCK_FREE
    pulse = 1 - pulse;
#endif
    goto call
}

/* Full, or empty. */
inline verdict() {
#ifdef MOMENT
    assert(moment[me]);
#else
    assert(NO_ANSWER(side));
#endif
    answer()
}

inline swap_compare() {
    if
    :: turn[HERE] == seen_turn[me] && item[HERE] == seen_item[me]
    :: else ->
        seen_turn[me] = 0;
        seen_item[me] = 0;
        position[me]++;
        goto look
    fi
}

proctype thread(byte me; bit side) {
    bit x;

call:
    atomic {                                                      /* push:A, pop:A, ready:A */
#ifdef HINT_VERDICT
        if
        :: side == POP && hint[POP] == hint[PUSH] -> verdict()
        :: else
        fi;
#endif
#ifdef HINT_ANY
        do
        :: position[me] < truth[side] -> position[me]++
        :: break
        od
#else
        position[me] = hint[side]
#endif
    };

look:
    atomic {                                                      /* push:B, pop:B, ready:B */
#ifndef TURN_BLIND
        if
        :: turn[HERE] < WANTED(position[me]) -> verdict()
        :: turn[HERE] > WANTED(position[me]) ->
#if defined(NEXT_USE)
            position[me] = NEXT_USE_OF(HERE);
            goto look
#elif defined(HINT_RELOAD)
            position[me] = 0;
            goto call
#else
            position[me] = LAST_USE(HERE);
            step[me] = 1;
            goto search
#endif
        :: turn[HERE] == WANTED(position[me])
        :: turn[HERE] == WANTED(position[me]) && side == POP ->   /* ready */
            assert(nempty(queue));
            answer()
        fi;
#endif
        seen_turn[me] = turn[HERE];
        seen_item[me] = item[HERE]
    };

#ifdef HINT_EARLY
    hint[side] = position[me] + 1;
#endif
    atomic {                                                      /* push:C, pop:C */
        swap_compare();
#ifdef SWAP_SPLIT
        skip
    };
    atomic {
#endif
        turn[HERE] = WANTED(position[me]) + 1;
        if
        :: side == PUSH ->
            if
            :: x = 0
            :: x = 1
            fi;
            assert(nfull(queue));
            queue!x;
            item[HERE] = x
        :: side == POP ->
            assert(nempty(queue));
            queue?x;
            assert(x == seen_item[me]);
            item[HERE] = 0
        fi;
        assert(position[me] == truth[side]);                      /* I4 */
        x = 0;
        seen_turn[me] = 0;
        seen_item[me] = 0;
        position[me]++;
        truth[side]++;
#ifdef MOMENT
        moments();
#endif
        lap();
#ifdef HINT_ANY
        answer()
#endif
    };

#ifndef HINT_ANY
    atomic {                                                      /* in front of hint:A */
        if
        :: hint[side] < position[me] || (OLD(hint[side]) && OLD(position[me]))
        :: hint[side] >= position[me] || (OLD(hint[side]) && OLD(position[me])) -> answer()
        fi
    };
    atomic {                                                      /* hint:A */
        assert(position[me] <= truth[side]);                      /* I3 */
        hint[side] = position[me];
        answer()
    };
#endif

    /* leat_packed_find(): `used` is the position. Steps double ... */
search:
    atomic {                                                      /* used:A */
        if
        :: turn[AHEAD] > WANTED(position[me] + step[me]) && step[me] < SLOTS ->
            position[me] = LAST_USE(AHEAD);
            step[me] = 2 * step[me];
            goto search
#ifdef OLD_VERDICT
        :: turn[AHEAD] < WANTED(position[me] + step[me]) -> behind[me] = position[me] + step[me]
#endif
        :: else
        fi
    };
    /* ... then halve. */
halve:
    atomic {                                                      /* used:A */
        step[me] = step[me] / 2;
        if
        :: step[me] == 0 ->
            position[me]++;
#ifdef OLD_VERDICT
            if
            :: behind[me] == position[me] -> verdict()
            :: else -> behind[me] = 0
            fi;
#endif
            goto look
        :: else ->
            if
            :: turn[AHEAD] > WANTED(position[me] + step[me]) -> position[me] = LAST_USE(AHEAD)
#ifdef OLD_VERDICT
            :: turn[AHEAD] < WANTED(position[me] + step[me]) ->
                behind[me] = position[me] + step[me]
#endif
            :: else
            fi;
            goto halve
        fi
    }
}

init {
    atomic {
        truth[PUSH] = 2 * SLOTS;
        truth[POP] = 2 * SLOTS;
        hint[PUSH] = 2 * SLOTS;
        hint[POP] = 2 * SLOTS;
        do
        :: i < SLOTS -> turn[i] = 4; i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < THREADS -> run thread(i, (i < PRODUCERS -> PUSH : POP)); i++
        :: else -> break
        od;
        i = 0;
#ifdef MOMENT
        moments();
#endif
#ifdef LOCK_FREE
        if
        :: pulse = 0
        :: pulse = 1
        fi
#endif
    }
}

#ifdef LOCK_FREE
ltl lock_free { []<> (pulse == 1) }
#endif
