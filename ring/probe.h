/* probe.h - places in the library that perf, bpftrace and SystemTap can look at from outside, with
 * their arguments: USDT probes of the provider `leat`. Each is one instruction that does nothing,
 * and a note in the file that says where it is and where its arguments stand. Without <sys/sdt.h>,
 * or where the build says so, there is neither. docs/design/0034 lists them. */
#ifndef RING_PROBE_H
#define RING_PROBE_H

#ifndef LEAT_PROBES
#    define LEAT_PROBES 0
#endif

#if LEAT_PROBES
#    include <sys/sdt.h>
/* The header's macros end in variable arguments and give none, which gcc takes from a header of the
 * system. */
#    ifdef __clang__
#        define LEAT_PROBE_BEGIN                                                                   \
            _Pragma("clang diagnostic push")                                                       \
                _Pragma("clang diagnostic ignored \"-Wgnu-zero-variadic-macro-arguments\"")
#        define LEAT_PROBE_END _Pragma("clang diagnostic pop")
#    else
#        define LEAT_PROBE_BEGIN
#        define LEAT_PROBE_END
#    endif
#    define LEAT_PROBE1(name, a) LEAT_PROBE_BEGIN STAP_PROBE1(leat, name, a) LEAT_PROBE_END
#    define LEAT_PROBE3(name, a, b, c)                                                             \
        LEAT_PROBE_BEGIN STAP_PROBE3(leat, name, a, b, c) LEAT_PROBE_END
#    define LEAT_PROBE4(name, a, b, c, d)                                                          \
        LEAT_PROBE_BEGIN STAP_PROBE4(leat, name, a, b, c, d) LEAT_PROBE_END
#else
#    define LEAT_PROBE1(name, a)          ((void)0)
#    define LEAT_PROBE3(name, a, b, c)    ((void)0)
#    define LEAT_PROBE4(name, a, b, c, d) ((void)0)
#endif

#endif
