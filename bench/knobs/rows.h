/* rows.h - the rows of leat_knobs. */
#ifndef BENCH_KNOBS_ROWS_H
#define BENCH_KNOBS_ROWS_H

#include <stddef.h>

struct knob_row {
    const char *name; /* what engine/knobs.c calls it */
    const char *knob; /* as leat_settings_set() takes it, or a macro */
    const char *work;
    const char *low;   /* NULL: the default is the lowest. Behind a blank: NAME=VALUE beside it */
    const char *high;  /* the same of the highest */
    const char *usual; /* what stands for the default, where the work has another one; or NULL */
    const char *with;  /* NAME=VALUE that is set in all runs; or NULL */
};

/* NULL beyond the last one. */
const struct knob_row *knob_row_at(size_t index);

#endif
