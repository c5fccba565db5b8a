/* forked.c - see forked.h. */
#include "engine/forked.h"

#include <unistd.h>

#include "ring/atomic.h"

/* 63..32 the process, 31..0 how many engines it has open; of one that has none it says nothing. */
static leat_atomic_u64 open_engines;

#define COUNT UINT64_C(0xffffffff)

bool
leat_forked_enter(void)
{
    const uint64_t own = (uint64_t)(uint32_t)getpid() << 32;
    uint64_t now = atom_load_rlx(&open_engines); /* rlx: statistic */
    uint64_t next = 0;
    do {
        if ((now & COUNT) != 0 && (now & ~COUNT) != own) {
            return false;
        }
        next = own | ((now & COUNT) + 1);
    } while (!atom_cas_rlx(&open_engines, &now, next)); /* rlx: statistic */
    return true;
}

void
leat_forked_leave(void)
{
    (void)atom_sub_rlx(&open_engines, 1); /* rlx: statistic */
}
