/* metrics.h - the parts of metrics.c that tests look at. */
#ifndef ENGINE_METRICS_H
#define ENGINE_METRICS_H

#include "engine/leat.h"
#include "engine/out.h"
#include "ring/base.h"

/* The longest piece that the sink is promised. */
#define LEAT_METRICS_BYTES 4096

LEAT_STATIC(sizeof(((struct leat_out *)NULL)->buffer) <= LEAT_METRICS_BYTES, "a piece");

/* Text on its way to the sink. */
struct leat_metrics_text {
    struct leat_out out;
    enum leat_metrics_format format;
};

void leat_metrics_begin(struct leat_metrics_text *text, enum leat_metrics_format format,
                        leat_text_sink sink, void *context);
/* The value of a label: a backslash, a quote and an end of line are escaped. */
void leat_metrics_escape(struct leat_metrics_text *text, const char *value);

#endif
