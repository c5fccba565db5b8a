/* mail.c - the type `mail`: one message, handed to a server by SMTP. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "engine/types/memory.h"
#include "engine/types/transfer.h"

enum { TAG_FROM = 1, TAG_TO, TAG_HEADER, TAG_BODY };

#define MARK        UINT32_C(0x316d436c) /* "lCm1" */
#define MS          UINT64_C(1000000)
#define ADDRESS_MAX 254 /* bytes: what a path of SMTP has room for */

struct settings {
    struct leat_mail_options given; /* its texts are copies */
};

struct letter {
    struct leat_transfer transfer; /* its list: the receivers */
    struct leat_mail asked;        /* points into the block's end */
    char *text;
    size_t bytes;
    size_t sent;
};

/* ---- payloads -------------------------------------------------------------------------------- */

/* Something, an at sign, something; nothing that would end a line or a path of SMTP. */
static bool
address_fits(const char *address)
{
    size_t length = address == NULL ? 0 : strlen(address);
    const char *at = length == 0 ? NULL : strchr(address, '@');
    if (at == NULL || at == address || at[1] == '\0' || length > ADDRESS_MAX) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)address[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '<' || byte == '>' || byte == ',') {
            return false;
        }
    }
    return true;
}

static enum leat_status
judge(const struct leat_mail *mail)
{
    size_t count = leat_texts_count(mail->to, LEAT_MAIL_RECEIVERS_MAX);
    if (count == 0 || count > LEAT_MAIL_RECEIVERS_MAX || !address_fits(mail->from) ||
        (mail->body == NULL && mail->body_bytes != 0)) {
        return LEAT_INVALID;
    }
    for (size_t i = 0; i < count; i++) {
        if (!address_fits(mail->to[i])) {
            return LEAT_INVALID;
        }
    }
    return leat_headers_fit(mail->headers, LEAT_MAIL_HEADERS_MAX) ? LEAT_OK : LEAT_INVALID;
}

enum leat_status
leat_mail_encode(const struct leat_mail *mail, void *buffer, size_t capacity, size_t *bytes)
{
    struct leat_mail given = leat_mail_default();
    enum leat_status status = leat_types_read(&given, sizeof(given), mail);
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
    leat_write_text(&writer, TAG_FROM, given.from);
    leat_write_texts(&writer, TAG_TO, given.to);
    leat_write_texts(&writer, TAG_HEADER, given.headers);
    if (given.body_bytes != 0) {
        leat_write_bytes(&writer, TAG_BODY, given.body, given.body_bytes);
    }
    return leat_write_end(&writer, bytes);
}

enum leat_status
leat_mail_decode(const void *payload, size_t bytes, void *room, size_t room_bytes,
                 struct leat_mail *mail)
{
    struct leat_mail read = leat_mail_default();
    struct leat_list to;
    struct leat_list headers;
    struct leat_reader reader;
    struct leat_field field;
    struct leat_list_room lists;
    enum leat_status status = leat_list_room_of(&lists, payload, bytes, room, room_bytes);
    if (status == LEAT_OK && mail == NULL) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    if (!leat_list_cut(&lists, leat_fields_count(payload, bytes, MARK, TAG_TO), &to) ||
        !leat_list_cut(&lists, leat_fields_count(payload, bytes, MARK, TAG_HEADER), &headers)) {
        return LEAT_FULL;
    }
    leat_read_begin(&reader, payload, bytes, MARK);
    while (leat_read_field(&reader, &field)) {
        switch (field.tag) {
        case TAG_FROM:
            read.from = leat_read_text(&reader, &field);
            break;
        case TAG_TO:
            leat_list_add(&to, leat_read_text(&reader, &field));
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
    read.to = to.texts;
    read.headers = headers.texts;
    status = leat_read_end(&reader);
    if (status == LEAT_OK) {
        status = judge(&read);
    }
    if (status == LEAT_OK) {
        *mail = read;
    }
    return status;
}

/* ---- the message ----------------------------------------------------------------------------- */

static struct letter *
letter_of(struct leat_work *work)
{
    return (struct letter *)(void *)((char *)work - offsetof(struct letter, transfer.work));
}

static const struct leat_mail_options *
options_of(const struct letter *letter)
{
    const struct settings *settings = letter->transfer.work.type->options;
    return &settings->given;
}

/* Appends to the text, which has room. */
static void
append(struct letter *letter, const char *bytes, size_t count)
{
    memcpy(letter->text + letter->bytes, bytes, count);
    letter->bytes += count;
}

static void
append_line(struct letter *letter, const char *name, const char *value)
{
    append(letter, name, strlen(name));
    append(letter, value, strlen(value));
    append(letter, "\r\n", 2);
}

/* English, whatever the host's locale is. */
static void
date_write(char *text, size_t bytes)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm part;
    (void)gmtime_r(&now, &part);
    (void)snprintf(text, bytes, "%s, %d %s %d %02d:%02d:%02d +0000", days[part.tm_wday],
                   part.tm_mday, months[part.tm_mon], part.tm_year + 1900, part.tm_hour,
                   part.tm_min, part.tm_sec);
}

static void
headers_write(struct letter *letter)
{
    const struct leat_mail *asked = &letter->asked;
    char text[ADDRESS_MAX + 64];
    for (size_t i = 0; asked->headers[i] != NULL; i++) {
        append_line(letter, "", asked->headers[i]);
    }
    if (!leat_headers_have(asked->headers, "From")) {
        append_line(letter, "From: ", asked->from);
    }
    for (size_t i = 0; !leat_headers_have(asked->headers, "To") && asked->to[i] != NULL; i++) {
        append_line(letter, i == 0 ? "To: " : "\t", asked->to[i]);
        if (asked->to[i + 1] != NULL) {
            letter->bytes -= 2;
            append(letter, ",\r\n", 3);
        }
    }
    if (!leat_headers_have(asked->headers, "Date")) {
        date_write(text, sizeof(text));
        append_line(letter, "Date: ", text);
    }
    if (!leat_headers_have(asked->headers, "Message-ID")) {
        (void)snprintf(text, sizeof(text), "<leat.%016llx%s>",
                       (unsigned long long)letter->transfer.work.token.job,
                       strchr(asked->from, '@'));
        append_line(letter, "Message-ID: ", text);
    }
    append(letter, "\r\n", 2);
}

/* A line ends in CR LF, whatever it ended in: curl doubles a point at its begin. */
static void
body_write(struct letter *letter)
{
    const char *body = letter->asked.body;
    char last = '\n';
    for (size_t i = 0; i < letter->asked.body_bytes; i++) {
        if ((body[i] == '\n' && last != '\r') || (last == '\r' && body[i] != '\n')) {
            append(letter, body[i] == '\n' ? "\r" : "\n", 1);
        }
        append(letter, &body[i], 1);
        last = body[i];
    }
    if (last != '\n') {
        append(letter, "\r\n", last == '\r' ? 0 : 2);
        append(letter, "\n", last == '\r' ? 1 : 0);
    }
}

static bool
letter_write(struct letter *letter)
{
    const struct leat_mail *asked = &letter->asked;
    /* What is added, and a byte for each line's end. */
    size_t bytes = 1024 + 2 * asked->body_bytes + strlen(asked->from) * 2;
    for (size_t i = 0; asked->headers[i] != NULL; i++) {
        bytes += strlen(asked->headers[i]) + 2;
    }
    for (size_t i = 0; asked->to[i] != NULL; i++) {
        bytes += strlen(asked->to[i]) + 8;
        if (!leat_transfer_list_add(&letter->transfer, asked->to[i])) {
            return false;
        }
    }
    letter->text = leat_types_take(bytes);
    if (letter->text == NULL) {
        return false;
    }
    headers_write(letter);
    body_write(letter);
    return true;
}

/* ---- one mail -------------------------------------------------------------------------------- */

/* Of CURLOPT_READFUNCTION. */
static size_t
give(char *buffer, size_t one, size_t count, void *argument)
{
    struct letter *letter = argument;
    size_t room = one * count;
    size_t left = letter->bytes - letter->sent;
    size_t given = left < room ? left : room;
    memcpy(buffer, letter->text + letter->sent, given);
    letter->sent += given;
    return given;
}

static void
letter_done(struct leat_types *types, struct leat_transfer *transfer, CURLcode code)
{
    char text[LEAT_WORK_TEXT_MAX];
    long reply = 0;
    if (code == CURLE_OK) {
        leat_work_end(types, &transfer->work, leat_done(), NULL);
        return;
    }
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &reply);
    (void)snprintf(text, sizeof(text), "reply %ld: %.200s", reply,
                   transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(code));
    bool never = reply >= 500 || code == CURLE_URL_MALFORMAT;
    leat_work_end(types, &transfer->work, never ? leat_fail() : leat_retry(), text);
}

static void
letter_begin(struct leat_types *types, struct leat_work *work)
{
    struct letter *letter = letter_of(work);
    const struct leat_mail_options *options = options_of(letter);
    CURL *easy =
        leat_transfer_open(types, &letter->transfer, options->connect_timeout_ns, options->ca_file);
    if (easy == NULL) {
        return;
    }
    if (!letter_write(letter)) {
        leat_work_end(types, work, leat_retry(), "no memory");
        return;
    }
    bool tls = options->tls || options->user != NULL;
    letter->transfer.done = letter_done;
    (void)curl_easy_setopt(easy, CURLOPT_URL, options->server);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)(tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_FROM, letter->asked.from);
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, letter->transfer.list);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, letter);
    if (options->user != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_USERNAME, options->user);
        (void)curl_easy_setopt(easy, CURLOPT_PASSWORD, options->password);
    }
    leat_transfer_begin(types, &letter->transfer);
}

/* ---- the kind -------------------------------------------------------------------------------- */

_Static_assert(offsetof(struct letter, transfer.work) == 0, "it begins with its work");

static enum leat_status
letter_read(struct leat_work *work, const void *payload, size_t bytes, void *room)
{
    struct letter *letter = letter_of(work);
    return leat_mail_decode(payload, bytes, room, LEAT_WORK_ROOM(bytes), &letter->asked);
}

static void
letter_destroy(struct leat_work *work)
{
    struct letter *letter = letter_of(work);
    leat_transfer_fini(&letter->transfer);
    leat_types_give(letter->text);
    leat_types_give(letter);
}

static void
settings_destroy(void *options)
{
    struct settings *settings = options;
    leat_types_give(settings->given.server);
    leat_types_give(settings->given.user);
    leat_types_give(settings->given.password);
    leat_types_give(settings->given.ca_file);
    leat_types_give(settings);
}

static const struct leat_kind kind_mail = {
    sizeof(struct letter), letter_read,      letter_begin, leat_transfer_stop, NULL, NULL,
    letter_destroy,        settings_destroy,
};

static bool
options_fit(const struct leat_mail_options *options)
{
    const char *server = options->server;
    return server != NULL &&
           (strncmp(server, "smtp://", 7) == 0 || strncmp(server, "smtps://", 8) == 0) &&
           (options->user == NULL) == (options->password == NULL) &&
           options->connect_timeout_ns >= MS &&
           options->connect_timeout_ns <= 3600 * LEAT_SECOND_NS;
}

enum leat_status
leat_mail_register(struct leat_types *types, const char *name,
                   const struct leat_mail_options *options, leat_type *type)
{
    struct leat_mail_options given = leat_mail_options_default();
    enum leat_status status = leat_types_read(&given, sizeof(given), options);
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
        settings->given.server = leat_types_copy_text(given.server, &failed);
        settings->given.user = leat_types_copy_text(given.user, &failed);
        settings->given.password = leat_types_copy_text(given.password, &failed);
        settings->given.ca_file = leat_types_copy_text(given.ca_file, &failed);
    }
    if (failed != 0) {
        if (settings != NULL) {
            settings_destroy(settings);
        }
        return LEAT_NO_MEMORY;
    }
    return leat_types_add(types, name, &kind_mail, settings, given.type, type);
}
