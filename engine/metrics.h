/* metrics.h - the parts of metrics.c that tests look at. */
#ifndef ENGINE_METRICS_H
#define ENGINE_METRICS_H

#include "engine/leat.h"

#define LEAT_METRICS_BYTES 4096

/* Text on its way to the sink, in pieces. */
struct leat_metrics_text {
    leat_metrics_sink sink;
    void *context;
    enum leat_metrics_format format;
    bool closed; /* the sink wants no more */
    size_t used;
    char bytes[LEAT_METRICS_BYTES];
};

/* The value of a label: a backslash, a quote and an end of line are escaped. */
void leat_metrics_escape(struct leat_metrics_text *text, const char *value);
/* Hands on what is there. */
void leat_metrics_flush(struct leat_metrics_text *text);

#endif
