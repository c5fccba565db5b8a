/* time.c - the system's clock as the engine sees it here, in place of the functions of ring/os.h:
 * it goes on by a microsecond with each look. The engine looks at it to decide how many items a
 * worker takes at once; so a seed comes out the same on a machine under load. Likewise the CPU,
 * which says where records come from. The linker puts these in their place (--wrap). */
#include "tests/reference/reference.h"

#ifdef __clang__
#    pragma clang diagnostic ignored "-Wreserved-identifier"
#endif

#define STEP_NS 1000

/* The names are the linker's.
 * NOLINTBEGIN(*-reserved-identifier,cert-dcl*,readability-identifier-naming) */
uint64_t __wrap_leat_os_monotonic_ns(void);
uint64_t __wrap_leat_os_deadline_ns(uint64_t timeout_ns);
uint32_t __wrap_leat_os_cpu(void);

static uint64_t now_ns;

void
ref_time_begin(void)
{
    now_ns = REF_S;
}

uint64_t
__wrap_leat_os_monotonic_ns(void)
{
    now_ns += STEP_NS;
    return now_ns;
}

uint64_t
__wrap_leat_os_deadline_ns(uint64_t timeout_ns)
{
    return timeout_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + timeout_ns;
}

uint32_t
__wrap_leat_os_cpu(void)
{
    return 0;
}
/* NOLINTEND(*-reserved-identifier,cert-dcl*,readability-identifier-naming) */
