/* change.pml - docs/design/0017: one job that waits, and threads that change it, take it, bring it
 * to its time and cancel it.
 *
 * Processes
 *   changer  CHANGES changes of the time or the level, each by a thread of its own
 *   worker   takes the job from its ring, and runs it; SNOOZES times it asks to be run again later
 *   holder   of the role of the wheel: takes what is due
 *   submit   arms the timer of a job that was submitted with a delay (ARMED; else it is in a ring),
 *            to be due at FIRST
 *   cancel   where CANCELS is set
 *   clock    goes on whenever it likes, LATEST times; at last only where nobody can do anything
 * Each atomic block is one access to a word that threads share.
 *
 * What must hold
 *   place    the index is in one place, or one hand: it is put nowhere from anywhere but a hand
 *   time     the job does not run before the time that was given last: by a snooze, or a change that
 *            has ended with success; and its timer does not stand behind that, when all threads rest
 *   level    it is taken to run from the ring of the level that it has
 *   end      it runs to its end, or is cancelled and given back, at once; no mark is left; the counts
 *            of what is scheduled and what its queue's limit counts come out even
 *
 * Left out: weaker orders than sequential consistency (tests/model/model_wheel.c, moved: the one
 * pair of stores and loads that needs more); more than one job; holds, drains, expiry.
 *
 * What is wrong on purpose, each to be found
 *   DUE_LATE      who makes the job wait says when behind the swap that says that it waits
 *   MOVE_BLIND    a change does not mark a job whose timer was not armed
 *   MARK_KEPT     who has the index in hand does not clear MOVED before it reads the time
 *   ARM_BLIND     who arms does not look at the time again
 *   ARM_FINAL     who arms does not look whether the job was cancelled
 *   DUE_BLIND     the holder does not compare the time when the timer has expired
 *   LEVEL_EARLY   the holder reads the level in front of its swap
 *   HAND_BLIND    the end of a change does not look whether the job was left to it
 *   ZOMBIE        the end of a change does not give back a job that was cancelled and left to it
 *   CLAIM_SPLIT   the claim is a load and a store
 */
#ifndef CHANGES
#define CHANGES 2
#endif
#ifndef SNOOZES
#define SNOOZES 0
#endif
#ifndef LATEST
#define LATEST 1
#endif

/* The word. */
#define PENDING   0
#define SCHEDULED 1
#define RUNNING   2
#define CANCELLED 3
#define ENDED     4
#define PHASE     7
#define MOVED     8
#define CHANGING  16
#define HANDED    32

/* Places. */
#define HAND  0
#define RING  1
#define WHEEL 2
#define GONE  3

#ifdef ARMED
byte word = SCHEDULED;
byte place = HAND;
short scheduled = 1;
short room;
#ifndef FIRST
#define FIRST 1
#endif
#ifdef DUE_LATE
byte due;
#else
byte due = FIRST;
#endif
byte promised = FIRST; /* no thread knows */
#else
byte word = PENDING;
byte place = RING;
short scheduled;
short room = 1;
byte due;
byte promised;
#endif
byte level;
byte now;

byte ring_level;
bit armed;
bit released;
byte tick;

#define phase_of(w) ((w) & PHASE)

inline put_ring(at) {
    atomic {
        assert(place == HAND);
        place = RING;
        ring_level = at
    }
}

inline retire() {
    atomic {
        assert(place == HAND);
        assert(phase_of(word) == CANCELLED);
        place = GONE
    }
}

inline take_off() {
    atomic {
        if
        :: place == WHEEL && armed -> armed = 0; released = 1
        :: else
        fi
    }
}

inline move(to) {
    atomic {
        refused = !(place == WHEEL && armed);
        tick = (refused -> tick : to)
    }
}

/* leat_timers_arm() */
inline arm() {
    when = due;
    atomic {
        assert(place == HAND);
        place = WHEEL;
        armed = 1;
        tick = when
    }
    w = word;
    if
#ifndef ARM_FINAL
    :: phase_of(w) == CANCELLED -> take_off()
#endif
    :: else ->
#ifndef ARM_BLIND
        do
        :: after = due;
            if
            :: after == when -> break
            :: else -> when = after; move(when)
            fi
        od
#else
        skip
#endif
    fi;
    w = 0;
    when = 0;
    after = 0;
    refused = 0
}

/* in_hand(): mine is whether it still is. */
inline in_hand() {
    atomic {
        w = word; /* a swap that fails is tried again: one step is enough */
        mine = 0;
        if
        :: phase_of(w) == CANCELLED -> retire()
        :: phase_of(w) != CANCELLED && (w & CHANGING) != 0 -> word = w | HANDED
        :: else ->
            mine = 1;
#ifndef MARK_KEPT
            word = w & ~MOVED
#endif
        fi;
        assert(phase_of(w) == CANCELLED || phase_of(w) == SCHEDULED);
        assert((w & HANDED) == 0 || phase_of(w) == CANCELLED);
        w = 0
    }
}

/* ---- threads ------------------------------------------------------------------------------ */

active proctype worker() {
    byte w, when, after, snoozes;
    bit refused, mine;
    do
    :: atomic { place == RING -> place = HAND }
        atomic {
            if
            :: word == PENDING ->
                word = RUNNING;
                assert(ring_level == level);
                assert(now >= promised);
                mine = 1
            :: else -> mine = 0
            fi
        }
        if
        :: mine && snoozes < SNOOZES ->
            assert(room > 0);
            room--;
            snoozes++;
            scheduled++;
            when = now + 1;
#ifndef DUE_LATE
            due = when;
#endif
            atomic { word = SCHEDULED; promised = when }
#ifdef DUE_LATE
            due = when;
#endif
            arm()
        :: mine && snoozes == SNOOZES ->
            assert(room > 0);
            room--;
            word = ENDED;
            atomic { assert(place == HAND); place = GONE }
            break
        :: !mine ->
            in_hand();
            if
            :: mine -> arm()
            :: else
            fi
        fi;
        mine = 0
    od
}

active proctype holder() {
    byte w, when, after, at;
    bit refused, mine;
    do
    :: atomic {
            place == WHEEL && (released || (armed && tick <= now)) ->
            place = HAND;
            armed = 0;
            released = 0
        }
        do
        :: in_hand();
            if
            :: !mine -> break
            :: else
            fi;
            when = due;
#ifdef DUE_BLIND
            when = 0;
#endif
            if
            :: when > now -> arm(); break
            :: else
            fi;
#ifdef LEVEL_EARLY
            at = level;
#endif
            room++;
            atomic {
#ifdef MARK_KEPT
                if
                :: (word & ~MOVED) == SCHEDULED -> word = PENDING; mine = 0
                :: else
                fi
#else
                if
                :: word == SCHEDULED -> word = PENDING; mine = 0
                :: else
                fi
#endif
            }
            if
            :: !mine ->
                scheduled--;
#ifndef LEVEL_EARLY
                at = level;
#endif
                put_ring(at);
                break
            :: else -> room--
            fi
        od;
        mine = 0;
        when = 0;
        at = 0;
        w = 0
    od
}

#ifdef ARMED
active proctype submit() {
    byte w, when, after;
    bit refused;
#ifdef DUE_LATE
    due = FIRST;
#endif
    arm()
}
#endif

#ifdef CANCELS
active proctype cancel() {
    byte w;
    do
    :: w = word;
        if
        :: phase_of(w) == RUNNING || phase_of(w) == ENDED -> break
        :: else ->
            atomic {
                if
                :: word == w -> word = (w & (CHANGING | HANDED)) | CANCELLED; break
                :: else
                fi
            }
        fi
    od;
    if
    :: phase_of(w) == PENDING -> assert(room > 0); room--
    :: phase_of(w) == SCHEDULED -> scheduled--; take_off()
    :: else
    fi
}
#endif

active [CHANGES] proctype changer() {
    byte w, when, after, to;
    bit refused, pending, timed, handed;
    /* To a time, or to another level. */
    atomic {
        if
        :: timed = 1
        :: timed = 1; to = now + 1
        :: timed = 1; to = now + 2
        :: to = 1 - level
        fi
    }
    do
    :: atomic {
            w = word;
            if
            :: phase_of(w) != PENDING && phase_of(w) != SCHEDULED -> goto over
            :: (w & CHANGING) != 0 -> goto over /* busy */
            :: !timed && level == to -> goto over
            :: timed && to == 0 && w == PENDING -> goto over
            :: else
            fi;
            pending = w == PENDING;
            scheduled = scheduled + pending
        }
        atomic {
            if
#ifdef CLAIM_SPLIT
            :: true ->
#else
            :: word == w ->
#endif
                word = (w & ~PHASE) | SCHEDULED | CHANGING | (pending -> MOVED : 0);
                break
            :: else
            fi
        }
        scheduled = scheduled - pending
    od;
    atomic {
        if
        :: pending -> assert(room > 0); room--
        :: else
        fi;
        refused = pending;
        if
        :: !timed -> level = to
        :: else
        fi
    }
    atomic {
        if
        :: timed || pending -> due = (timed -> to : 0)
        :: else
        fi
    }
    if
    :: timed && !pending -> move(to)
    :: else
    fi;
    do
    :: atomic {
            w = word; /* a swap that fails is tried again: one step is enough */
            if
            :: true ->
                handed = (w & HANDED) != 0;
                word = w & ~(CHANGING | HANDED);
                if
                :: handed -> word = word & ~MOVED
#ifndef MOVE_BLIND
                :: !handed && refused && phase_of(w) != CANCELLED -> word = word | MOVED
#endif
                :: else
                fi;
                if
                :: phase_of(w) != CANCELLED && (timed || pending) -> promised = due
                :: else
                fi;
                break
            fi
        }
    od;
#ifndef HAND_BLIND
    if
#ifdef ZOMBIE
    :: handed && phase_of(w) == CANCELLED -> skip
#else
    :: handed && phase_of(w) == CANCELLED -> retire()
#endif
    :: handed && phase_of(w) != CANCELLED -> arm()
    :: else
    fi;
#endif
over:
    skip
}

active proctype clock() {
    do
    :: now < LATEST -> now++
    :: break
    od;
    /* All rest. */
    do
    :: timeout ->
        if
        :: place == GONE -> break
        :: else
        fi;
        assert(place == WHEEL);
        assert(armed);
        assert(phase_of(word) == SCHEDULED);
        assert(due > now || tick <= now);
        assert(now < LATEST + 8);
        now++
    od;
    assert(phase_of(word) == CANCELLED || word == ENDED);
    assert((word & ~PHASE) == 0);
    assert(scheduled == 0);
    assert(room == 0)
}
