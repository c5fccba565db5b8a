/* transfer.h - what http and mail have in common: a transfer of libcurl's multi interface, driven
 * by the thread of work.h. */
#ifndef ENGINE_TYPES_TRANSFER_H
#define ENGINE_TYPES_TRANSFER_H

#include <curl/curl.h>

#include "engine/types/work.h"

struct leat_transfer {
    struct leat_work work;
    CURL *easy; /* NULL: none yet */
    struct curl_slist *list;
    void (*done)(struct leat_types *types, struct leat_transfer *transfer, CURLcode code);
    char error[CURL_ERROR_SIZE];
};

/* The handle, with what holds for all; NULL: the work has ended, for want of memory. Without a file
 * of authorities it is the system's. */
CURL *leat_transfer_open(struct leat_types *types, struct leat_transfer *transfer,
                         uint64_t connect_timeout_ns, const char *ca_file);
void leat_transfer_begin(struct leat_types *types, struct leat_transfer *transfer);
/* Of struct leat_kind. */
void leat_transfer_stop(struct leat_types *types, struct leat_work *work);
/* Frees what curl has of it. */
void leat_transfer_fini(struct leat_transfer *transfer);
/* False: there is no memory. */
bool leat_transfer_list_add(struct leat_transfer *transfer, const char *text);

/* A header line "Name: value" without control bytes. NULL does for the list. */
bool leat_headers_fit(const char *const *headers, size_t most);
bool leat_headers_have(const char *const *headers, const char *name);

#endif
