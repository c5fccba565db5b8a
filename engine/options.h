/* options.h - what a caller says of a type and of a queue, checked; and which field is wrong. */
#ifndef ENGINE_OPTIONS_H
#define ENGINE_OPTIONS_H

#include "engine/leat.h"

/* Fills `known` with what is given, over the defaults; NULL: those alone. LEAT_OK, LEAT_INVALID or
 * LEAT_UNSUPPORTED; then `error` (may be NULL) is filled. A type with a batch_max is for a handler
 * of batches. Of a queue its tenant is not looked at. */
enum leat_status leat_type_options_read(struct leat_type_options *known,
                                        const struct leat_type_options *given,
                                        struct leat_error *error);
enum leat_status leat_queue_options_read(struct leat_queue_options *known,
                                         const struct leat_queue_options *given,
                                         struct leat_error *error);

#endif
