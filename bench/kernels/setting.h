/* setting.h - knobs that are set by name for one run. */
#ifndef BENCH_KERNELS_SETTING_H
#define BENCH_KERNELS_SETTING_H

#include "engine/leat.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A list of them ends with a name NULL; NULL is none. */
struct bench_setting {
    const char *name; /* as leat_settings_set() takes it */
    const char *value;
};

/* Exit status where the system refuses: there is nothing to measure then. */
#define BENCH_REFUSED 77

/* Ends the process where a call did not do its part. */
void bench_must(enum leat_status status);

/* The caller's. Ends the process where one cannot be set. */
struct leat_settings *bench_settings_over(const struct leat_config *base,
                                          const struct bench_setting *settings);

#ifdef __cplusplus
}
#endif

#endif
