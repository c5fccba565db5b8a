/* packed.pml */
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef PRODUCERS
#define PRODUCERS 2
#endif
#ifndef CONSUMERS
#define CONSUMERS 1
#endif
#ifdef STALE_VERDICT
#define MOMENT
#endif

#define THREADS (PRODUCERS + CONSUMERS)
#define PUSH    0
#define POP     1

byte turn[SLOTS];
bit item[SLOTS];
byte hint[2];

byte truth[2];
byte i;
chan queue = [SLOTS] of { bit };

byte position[4];
byte step[4];
byte seen_turn[4];
bit seen_item[4];
#ifdef STALE_VERDICT
byte behind[4];
#endif
#ifdef MOMENT
bit moment[4];
#endif
#ifdef PROGRESS
bit pulse;
#endif

#define PLACE(p)    ((p) % SLOTS)
#define AT          PLACE(position[me])
#define NEAR        PLACE(position[me] + step[me])
#define WANTED(p)   (2 * ((p) / SLOTS) + side)
#define LAST_USE(p) ((turn[p] - 1 - side) / 2 * SLOTS + p)
#define NEXT_USE_OF(p) ((turn[p] + 1 - side) / 2 * SLOTS + p)
#define OLD         (2 * SLOTS)
#define NOTHING_FOR(s) (len(queue) == ((s) == PUSH -> SLOTS : 0))

inline lap_off(word, laps) { word = (word >= laps -> word - laps : word) }

inline rebase() {
    if
    :: truth[POP] >= 3 * SLOTS ->
        d_step {
            lap_off(truth[PUSH], SLOTS);
            lap_off(truth[POP], SLOTS);
            lap_off(hint[PUSH], SLOTS);
            lap_off(hint[POP], SLOTS);
            i = 0;
            do
            :: i < SLOTS -> lap_off(turn[i], 2); i++
            :: else -> break
            od;
            i = 0;
            do
            :: i < THREADS ->
                lap_off(position[i], SLOTS);
                lap_off(seen_turn[i], 2);
#ifdef STALE_VERDICT
                lap_off(behind[i], SLOTS);
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
        :: i < THREADS ->
            moment[i] = moment[i] || NOTHING_FOR(i >= PRODUCERS);
            i++
        :: else -> break
        od;
        i = 0
    }
}
#endif

inline answer() {
    position[me] = 0;
    step[me] = 0;
    seen_turn[me] = 0;
    seen_item[me] = 0;
#ifdef STALE_VERDICT
    behind[me] = 0;
#endif
#ifdef MOMENT
    moment[me] = NOTHING_FOR(side);
#endif
#ifdef PROGRESS
    pulse = 1 - pulse;
#endif
    goto hint_load
}

inline verdict() {
#ifdef MOMENT
    assert(moment[me]);
#else
    assert(NOTHING_FOR(side));
#endif
    answer()
}

inline swap_slot() {
    if
    :: turn[AT] == seen_turn[me] && item[AT] == seen_item[me]
    :: else ->
        seen_turn[me] = 0;
        seen_item[me] = 0;
        position[me]++;
        goto slot_load
    fi
}

proctype thread(byte me; bit side) {
    bit x;

hint_load:
    atomic {
#ifdef HINT_ANY
        do
        :: position[me] < truth[side] -> position[me]++
        :: break
        od
#else
        position[me] = hint[side]
#endif
    };

slot_load:
    atomic {
        if
#ifndef HINT_BLIND
        :: turn[AT] < WANTED(position[me]) -> verdict()
        :: turn[AT] > WANTED(position[me]) ->
#ifdef NEXT_USE
            position[me] = NEXT_USE_OF(AT);
            goto slot_load
#else
            position[me] = LAST_USE(AT);
            step[me] = 1;
            goto find_double
#endif
        :: turn[AT] == WANTED(position[me]) && side == POP -> assert(nempty(queue)); answer()
        :: turn[AT] == WANTED(position[me])
#else
        :: true
#endif
        fi;
        seen_turn[me] = turn[AT];
        seen_item[me] = item[AT]
    };

#ifdef HINT_EARLY
    hint[side] = position[me] + 1;
#endif
slot_swap:
#ifdef SWAP_SPLIT
    atomic { swap_slot() };
    atomic {
#else
    atomic {
        swap_slot();
#endif
        turn[AT] = WANTED(position[me]) + 1;
        if
        :: side == PUSH ->
            assert(nfull(queue));
            if
            :: x = 0
            :: x = 1
            fi;
            queue!x;
            item[AT] = x
        :: side == POP ->
            assert(nempty(queue));
            queue?x;
            assert(x == seen_item[me]);
            item[AT] = 0
        fi;
        assert(position[me] == truth[side]);
        x = 0;
        seen_turn[me] = 0;
        seen_item[me] = 0;
        position[me]++;
        truth[side]++;
#ifdef MOMENT
        moments();
#endif
        rebase();
#ifdef HINT_ANY
        answer()
#endif
    };

#ifndef HINT_ANY
hint_check:
    atomic {
        if
        :: hint[side] < position[me] || (hint[side] < OLD && position[me] < OLD)
        :: hint[side] >= position[me] || (hint[side] < OLD && position[me] < OLD) -> answer()
        fi
    };
hint_store:
    atomic {
        assert(position[me] <= truth[side]);
        hint[side] = position[me];
        answer()
    };
#endif

find_double:
    atomic {
        if
        :: turn[NEAR] > WANTED(position[me] + step[me]) && step[me] < SLOTS ->
            position[me] = LAST_USE(NEAR);
            step[me] = 2 * step[me];
            goto find_double
#ifdef STALE_VERDICT
        :: turn[NEAR] < WANTED(position[me] + step[me]) -> behind[me] = position[me] + step[me]
#endif
        :: else
        fi
    };
find_halve:
    atomic {
        step[me] = step[me] / 2;
        if
        :: step[me] == 0 ->
            position[me]++;
#ifdef STALE_VERDICT
            if
            :: behind[me] == position[me] -> verdict()
            :: else -> behind[me] = 0
            fi;
#endif
            goto slot_load
        :: else ->
            if
            :: turn[NEAR] > WANTED(position[me] + step[me]) -> position[me] = LAST_USE(NEAR)
#ifdef STALE_VERDICT
            :: turn[NEAR] < WANTED(position[me] + step[me]) -> behind[me] = position[me] + step[me]
#endif
            :: else
            fi;
            goto find_halve
        fi
    }
}

init {
    atomic {
        truth[PUSH] = OLD;
        truth[POP] = OLD;
        hint[PUSH] = OLD;
        hint[POP] = OLD;
        i = 0;
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
        do
        :: i < THREADS -> moment[i] = i >= PRODUCERS; i++
        :: else -> break
        od;
        i = 0;
#endif
#ifdef PROGRESS
        if
        :: pulse = 0
        :: pulse = 1
        fi
#endif
    }
}
#ifdef PROGRESS
ltl lock_free { []<> (pulse == 1) }
#endif
