/* transfer.c - see transfer.h. */
#include "engine/types/transfer.h"

#include <string.h>
#include <strings.h>

#define WAIT_MS_MAX 3600000

/* ---- the thread's part ----------------------------------------------------------------------- */

bool
leat_transfers_init(struct leat_types *types)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return false;
    }
    types->multi = curl_multi_init();
    if (types->multi == NULL) {
        curl_global_cleanup();
    }
    return types->multi != NULL;
}

void
leat_transfers_fini(struct leat_types *types)
{
    if (types->multi != NULL) {
        (void)curl_multi_cleanup(types->multi);
        curl_global_cleanup();
    }
}

void
leat_transfers_wait(struct leat_types *types, uint64_t timeout_ns)
{
    struct curl_waitfd ears = {.fd = types->epoll, .events = CURL_WAIT_POLLIN};
    uint64_t ms = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0 ? 1 : 0);
    int wait_ms = ms < WAIT_MS_MAX ? (int)ms : WAIT_MS_MAX;
    (void)curl_multi_poll(types->multi, &ears, 1, wait_ms, NULL);
}

void
leat_transfers_step(struct leat_types *types)
{
    int running = 0;
    int left = 0;
    (void)curl_multi_perform(types->multi, &running);
    CURLMsg *message = curl_multi_info_read(types->multi, &left);
    /* Ends: a transfer says once that it is done. */
    while (message != NULL) {
        CURLcode code = message->data.result;
        char *private = NULL;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        struct leat_transfer *transfer = (struct leat_transfer *)(void *)private;
        (void)curl_multi_remove_handle(types->multi, transfer->easy);
        transfer->done(types, transfer, code);
        message = curl_multi_info_read(types->multi, &left);
    }
}

/* ---- one transfer ---------------------------------------------------------------------------- */

CURL *
leat_transfer_open(struct leat_types *types, struct leat_transfer *transfer,
                   uint64_t connect_timeout_ns, const char *ca_file)
{
    CURL *easy = curl_easy_init();
    transfer->easy = easy;
    if (easy == NULL) {
        leat_work_end(types, &transfer->work, leat_retry(), "no memory");
        return NULL;
    }
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_timeout_ns / 1000000));
    if (ca_file != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    }
    return easy;
}

void
leat_transfer_begin(struct leat_types *types, struct leat_transfer *transfer)
{
    if (curl_multi_add_handle(types->multi, transfer->easy) != CURLM_OK) {
        leat_work_end(types, &transfer->work, leat_retry(), "no memory");
    }
}

void
leat_transfer_stop(struct leat_types *types, struct leat_work *work)
{
    struct leat_transfer *transfer =
        (struct leat_transfer *)(void *)((char *)work - offsetof(struct leat_transfer, work));
    (void)curl_multi_remove_handle(types->multi, transfer->easy);
    leat_work_end(types, work, leat_retry(), NULL);
}

void
leat_transfer_fini(struct leat_transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->list);
}

bool
leat_transfer_list_add(struct leat_transfer *transfer, const char *text)
{
    struct curl_slist *list = curl_slist_append(transfer->list, text);
    transfer->list = list == NULL ? transfer->list : list;
    return list != NULL;
}

/* ---- headers --------------------------------------------------------------------------------- */

static bool
header_fits(const char *header)
{
    static const char token[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789!#$%&'*+-.^_`|~";
    size_t name = strspn(header, token);
    if (name == 0 || header[name] != ':') {
        return false;
    }
    for (const char *at = header + name; *at != '\0'; at++) {
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == '\x7f') {
            return false;
        }
    }
    return true;
}

bool
leat_headers_fit(const char *const *headers, size_t most)
{
    size_t count = leat_texts_count(headers, most);
    for (size_t i = 0; i < count; i++) {
        if (!header_fits(headers[i])) {
            return false;
        }
    }
    return count <= most;
}

bool
leat_headers_have(const char *const *headers, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++) {
        if (strncasecmp(headers[i], name, length) == 0 && headers[i][length] == ':') {
            return true;
        }
    }
    return false;
}
