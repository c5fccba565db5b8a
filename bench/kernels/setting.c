/* setting.c - see setting.h. */
#include "bench/kernels/setting.h"

#include <stdio.h>
#include <stdlib.h>

void
bench_must(enum leat_status status)
{
    if (status != LEAT_OK) {
        (void)fprintf(stderr, "%s\n", leat_status_text(status));
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else ends the process */
        exit(status == LEAT_REFUSED ? BENCH_REFUSED : 1);
    }
}

struct leat_settings *
bench_settings_over(const struct leat_config *base, const struct bench_setting *settings)
{
    struct leat_settings *made = NULL;
    struct leat_error error;
    bench_must(leat_settings_create(base, &made));
    for (; settings != NULL && settings->name != NULL; settings++) {
        enum leat_status status = leat_settings_set(made, settings->name, settings->value, &error);
        if (status != LEAT_OK) {
            (void)fprintf(stderr, "%s: %s\n", settings->name, error.text);
        }
        bench_must(status);
    }
    return made;
}
