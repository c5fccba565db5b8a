/* http.c - the type `http`: one request, and what its answer comes to. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/types/memory.h"
#include "engine/types/transfer.h"

enum { TAG_METHOD = 1, TAG_URL, TAG_HEADER, TAG_BODY };
enum { TAG_STATUS = 1, TAG_RESPONSE, TAG_MORE };

#define MARK        UINT32_C(0x3168436c) /* "lCh1" */
#define MARK_RESULT UINT32_C(0x3268436c) /* "lCh2" */
#define MS          UINT64_C(1000000)
#define SECRET_MAX  1024
#define HMAC_BYTES  32

struct settings {
    struct leat_http_options given; /* its texts are copies */
};

struct request {
    struct leat_transfer transfer;
    struct leat_http asked; /* points into the block's end */
    unsigned char *bytes;
    size_t kept;
    bool more;
    long status;
};

/* ---- payloads -------------------------------------------------------------------------------- */

static bool
url_fits(const char *url)
{
    if (url == NULL || strlen(url) > LEAT_HTTP_URL_BYTES_MAX ||
        (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)) {
        return false;
    }
    for (const char *at = url; *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || *at == '\x7f') {
            return false;
        }
    }
    return true;
}

static enum leat_status
judge(const struct leat_http *http)
{
    const char *method = http->method;
    if (method != NULL) {
        size_t length = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (length == 0 || length > 16 || method[length] != '\0') {
            return LEAT_INVALID;
        }
    }
    if (http->body == NULL && http->body_bytes != 0) {
        return LEAT_INVALID;
    }
    return url_fits(http->url) && leat_headers_fit(http->headers, LEAT_HTTP_HEADERS_MAX)
               ? LEAT_OK
               : LEAT_INVALID;
}

enum leat_status
leat_http_encode(const struct leat_http *http, void *buffer, size_t capacity, size_t *bytes)
{
    struct leat_http given = leat_http_default();
    enum leat_status status = leat_types_read(&given, sizeof(given), http);
    if (status == LEAT_OK && (bytes == NULL || (buffer == NULL && capacity != 0))) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = judge(&given);
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_writer writer = {.bytes = buffer, .capacity = capacity};
    leat_write_begin(&writer, MARK);
    leat_write_text(&writer, TAG_METHOD, given.method);
    leat_write_text(&writer, TAG_URL, given.url);
    leat_write_texts(&writer, TAG_HEADER, given.headers);
    if (given.body_bytes != 0) {
        leat_write_bytes(&writer, TAG_BODY, given.body, given.body_bytes);
    }
    return leat_write_end(&writer, bytes);
}

enum leat_status
leat_http_decode(const void *payload, size_t bytes, void *room, size_t room_bytes,
                 struct leat_http *http)
{
    struct leat_http read = leat_http_default();
    struct leat_list headers;
    struct leat_reader reader;
    struct leat_field field;
    struct leat_list_room lists;
    enum leat_status status = leat_list_room_of(&lists, payload, bytes, room, room_bytes);
    if (status == LEAT_OK && http == NULL) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    if (!leat_list_cut(&lists, leat_fields_count(payload, bytes, MARK, TAG_HEADER), &headers)) {
        return LEAT_FULL;
    }
    leat_read_begin(&reader, payload, bytes, MARK);
    while (leat_read_field(&reader, &field)) {
        switch (field.tag) {
        case TAG_METHOD:
            read.method = leat_read_text(&reader, &field);
            break;
        case TAG_URL:
            read.url = leat_read_text(&reader, &field);
            break;
        case TAG_HEADER:
            leat_list_add(&headers, leat_read_text(&reader, &field));
            break;
        case TAG_BODY:
            read.body = field.bytes;
            read.body_bytes = field.count;
            break;
        default:
            reader.newer = true;
            break;
        }
    }
    read.headers = headers.texts;
    status = leat_read_end(&reader);
    if (status == LEAT_OK) {
        status = judge(&read);
    }
    if (status == LEAT_OK) {
        *http = read;
    }
    return status;
}

enum leat_status
leat_http_result_decode(const void *bytes, size_t count, struct leat_http_result *result)
{
    struct leat_http_result read = {0, NULL, 0, false};
    struct leat_reader reader;
    struct leat_field field;
    if (bytes == NULL || result == NULL) {
        return LEAT_INVALID;
    }
    leat_read_begin(&reader, bytes, count, MARK_RESULT);
    while (leat_read_field(&reader, &field)) {
        if (field.tag == TAG_STATUS) {
            read.status = (uint32_t)leat_read_number(&reader, &field);
        } else if (field.tag == TAG_MORE) {
            read.truncated = leat_read_number(&reader, &field) != 0;
        } else if (field.tag == TAG_RESPONSE) {
            read.body = field.bytes;
            read.body_bytes = field.count;
        }
    }
    if (reader.bad) {
        return LEAT_INVALID;
    }
    *result = read;
    return LEAT_OK;
}

/* ---- one request ----------------------------------------------------------------------------- */

static struct request *
request_of(struct leat_work *work)
{
    return (struct request *)(void *)((char *)work - offsetof(struct request, transfer.work));
}

static const struct leat_http_options *
options_of(const struct request *request)
{
    const struct settings *settings = request->transfer.work.type->options;
    return &settings->given;
}

/* Of CURLOPT_WRITEFUNCTION: fewer bytes than came end the transfer. */
static size_t
receive(char *bytes, size_t one, size_t count, void *argument)
{
    struct request *request = argument;
    size_t most = options_of(request)->response_bytes_max;
    size_t wanted = count < most - request->kept ? count : most - request->kept;
    unsigned char *grown =
        wanted == 0 ? NULL : leat_types_grow(request->bytes, request->kept + wanted);
    if (grown != NULL) {
        memcpy(grown + request->kept, bytes, wanted);
        request->bytes = grown;
        request->kept += wanted;
    }
    request->more = grown == NULL || wanted < count;
    return request->more ? 0 : count * one;
}

static struct leat_outcome
outcome_of(struct request *request)
{
    curl_off_t after_s = 0;
    long status = request->status;
    uint64_t most_ns = options_of(request)->retry_after_ns_max;
    (void)curl_easy_getinfo(request->transfer.easy, CURLINFO_RETRY_AFTER, &after_s);
    uint64_t delay_ns =
        (uint64_t)after_s < most_ns / LEAT_SECOND_NS ? (uint64_t)after_s * LEAT_SECOND_NS : most_ns;
    if (status >= 200 && status < 300) {
        return leat_done();
    }
    if (status == 429 && after_s > 0) {
        return leat_snooze(delay_ns);
    }
    if (status == 503 && after_s > 0) {
        return leat_retry_in(delay_ns);
    }
    if (status >= 400 && status < 500 && status != 408 && status != 425 && status != 429) {
        return leat_fail();
    }
    return leat_retry();
}

static void
request_done(struct leat_types *types, struct leat_transfer *transfer, CURLcode code)
{
    struct request *request = request_of(&transfer->work);
    char text[LEAT_WORK_TEXT_MAX];
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &request->status);
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && request->more)) {
        bool good = request->status >= 200 && request->status < 300;
        (void)snprintf(text, sizeof(text), "status %ld", request->status);
        leat_work_end(types, &transfer->work, outcome_of(request), good ? NULL : text);
        return;
    }
    request->status = 0;
    (void)snprintf(text, sizeof(text), "%.200s",
                   transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(code));
    bool never = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
    leat_work_end(types, &transfer->work, never ? leat_fail() : leat_retry(), text);
}

static bool
hmac(const struct leat_http_options *options, const char *head, const struct leat_http *asked,
     char hex[2 * HMAC_BYTES + 1])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int count = 0;
    size_t length = strlen(head);
    unsigned char *text = leat_types_take(length + asked->body_bytes + 1);
    if (text == NULL) {
        return false;
    }
    memcpy(text, head, length); /* NOLINT(bugprone-not-null-terminated-result) */
    if (asked->body_bytes != 0) {
        memcpy(text + length, asked->body, asked->body_bytes);
    }
    bool made = HMAC(EVP_sha256(), options->secret, (int)options->secret_bytes, text,
                     length + asked->body_bytes, sum, &count) != NULL;
    leat_types_give(text);
    for (unsigned int i = 0; made && i < HMAC_BYTES; i++) {
        (void)snprintf(hex + (size_t)2 * i, 3, "%02x", sum[i]);
    }
    return made;
}

static bool
sign(struct request *request)
{
    const struct leat_http_options *options = options_of(request);
    unsigned long long job = request->transfer.work.token.job;
    long long now = (long long)time(NULL);
    char hex[2 * HMAC_BYTES + 1] = "";
    char text[160];
    if (options->secret_bytes == 0) {
        return true;
    }
    (void)snprintf(text, sizeof(text), "%lld.%016llx.", now, job);
    if (!hmac(options, text, &request->asked, hex)) {
        return false;
    }
    (void)snprintf(text, sizeof(text), "Leat-Signature: t=%lld,v1=%s", now, hex);
    if (!leat_transfer_list_add(&request->transfer, text)) {
        return false;
    }
    (void)snprintf(text, sizeof(text), "Leat-Job: %016llx", job);
    return leat_transfer_list_add(&request->transfer, text);
}

static bool
headers_set(struct request *request)
{
    const struct leat_http *asked = &request->asked;
    bool typed = asked->body_bytes == 0 || leat_headers_have(asked->headers, "Content-Type");
    bool good =
        typed || leat_transfer_list_add(&request->transfer, "Content-Type: application/json");
    /* A server that does not answer "go on" would cost a second. */
    good = good && leat_transfer_list_add(&request->transfer, "Expect:");
    for (size_t i = 0; good && asked->headers[i] != NULL; i++) {
        good = leat_transfer_list_add(&request->transfer, asked->headers[i]);
    }
    return good && sign(request);
}

static void
body_set(const struct request *request, CURL *easy)
{
    const struct leat_http *asked = &request->asked;
    const char *method = asked->method;
    bool post = method != NULL && strcmp(method, "POST") == 0;
    if (asked->body_bytes != 0 || post) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)asked->body_bytes);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                               asked->body_bytes == 0 ? "" : (const char *)asked->body);
    }
    if (method != NULL && strcmp(method, "HEAD") == 0) {
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (method != NULL && !post) {
        (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    }
}

static void
request_begin(struct leat_types *types, struct leat_work *work)
{
    struct request *request = request_of(work);
    const struct leat_http_options *options = options_of(request);
    CURL *easy = leat_transfer_open(types, &request->transfer, options->connect_timeout_ns,
                                    options->ca_file);
    if (easy == NULL) {
        return;
    }
    if (!headers_set(request)) {
        leat_work_end(types, work, leat_retry(), "no memory");
        return;
    }
    body_set(request, easy);
    (void)curl_easy_setopt(easy, CURLOPT_URL, request->asked.url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, options->redirects_max == 0 ? 0L : 1L);
    (void)curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)options->redirects_max);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->transfer.list);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, options->proxy == NULL ? "" : options->proxy);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    leat_transfer_begin(types, &request->transfer);
}

/* ---- the kind -------------------------------------------------------------------------------- */

_Static_assert(offsetof(struct request, transfer.work) == 0, "it begins with its work");

static enum leat_status
request_read(struct leat_work *work, const void *payload, size_t bytes, void *room)
{
    struct request *request = request_of(work);
    request->transfer.done = request_done;
    return leat_http_decode(payload, bytes, room, LEAT_WORK_ROOM(bytes), &request->asked);
}

static void
request_result(const struct leat_work *work, size_t most, struct leat_writer *writer)
{
    const struct request *request =
        (const struct request *)(const void *)((const char *)work -
                                               offsetof(struct request, transfer.work));
    size_t kept = request->kept < most ? request->kept : most;
    leat_write_begin(writer, MARK_RESULT);
    leat_write_number(writer, TAG_STATUS, (uint64_t)request->status);
    leat_write_bytes(writer, TAG_RESPONSE, request->bytes, kept);
    leat_write_number(writer, TAG_MORE, request->more || kept < request->kept ? 1 : 0);
}

static void
request_destroy(struct leat_work *work)
{
    struct request *request = request_of(work);
    leat_transfer_fini(&request->transfer);
    leat_types_give(request->bytes);
    leat_types_give(request);
}

static void
settings_destroy(void *options)
{
    struct settings *settings = options;
    leat_types_give(settings->given.ca_file);
    leat_types_give(settings->given.proxy);
    leat_types_give(settings->given.secret);
    leat_types_give(settings);
}

static const struct leat_kind kind_http = {
    sizeof(struct request), request_read,    request_begin,    leat_transfer_stop, NULL,
    request_result,         request_destroy, settings_destroy,
};

static bool
options_fit(const struct leat_http_options *options)
{
    return options->connect_timeout_ns >= MS &&
           options->connect_timeout_ns <= 3600 * LEAT_SECOND_NS &&
           options->retry_after_ns_max >= LEAT_SECOND_NS &&
           options->retry_after_ns_max <= 366 * UINT64_C(86400) * LEAT_SECOND_NS &&
           options->response_bytes_max <= LEAT_TYPES_PAYLOAD_BYTES_MAX &&
           options->redirects_max <= 20 && options->reserved == 0 &&
           options->secret_bytes <= SECRET_MAX &&
           (options->secret == NULL) == (options->secret_bytes == 0);
}

enum leat_status
leat_http_register(struct leat_types *types, const char *name,
                   const struct leat_http_options *options, leat_type *type)
{
    struct leat_http_options given = leat_http_options_default();
    enum leat_status status =
        options == NULL ? LEAT_OK : leat_types_read(&given, sizeof(given), options);
    if (status == LEAT_OK && (types == NULL || !options_fit(&given))) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct settings *settings = leat_types_take(sizeof(*settings));
    int failed = settings == NULL ? 1 : 0;
    if (settings != NULL) {
        settings->given = given;
        settings->given.ca_file = leat_types_copy_text(given.ca_file, &failed);
        settings->given.proxy = leat_types_copy_text(given.proxy, &failed);
        settings->given.secret = leat_types_copy(given.secret, given.secret_bytes, &failed);
    }
    if (failed != 0) {
        if (settings != NULL) {
            settings_destroy(settings);
        }
        return LEAT_NO_MEMORY;
    }
    return leat_types_add(types, name, &kind_http, settings, given.type, type);
}
