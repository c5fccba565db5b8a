/* unit_types_mail.c - mails to a server of the test: what it gets, whatever ends a line; 5xx fails
 * for good, 4xx is tried again, and so is a server that is not there; addresses and headers that
 * would be more than one are refused. */
#include <string.h>

#include "tests/support/ready.h"

static struct test_ready ready;
static struct test_server server;

static void
setup(unsigned int port)
{
    char text[64];
    struct leat_mail_options options = leat_mail_options_default();
    struct leat_type_options type = test_ready_type();
    test_ready_start(&ready);
    CHECK_STATUS(leat_mail_register(ready.types, "mail", &options, NULL), LEAT_INVALID);
    (void)snprintf(text, sizeof(text), "smtp://127.0.0.1:%u", port);
    options.server = text;
    options.type = &type;
    CHECK_OK(leat_mail_register(ready.types, "mail", &options, &ready.type));
}

static struct leat_job_info
mail_to(const char *first, const char *second)
{
    const char *const to[] = {first, second, NULL};
    const char *const headers[] = {"Subject: a test", "Date: now", "Message-ID: <1@h>", NULL};
    struct leat_mail mail = leat_mail_default();
    mail.from = "me@h";
    mail.to = to;
    mail.headers = headers;
    mail.body = "one\n.two\r\nthree";
    mail.body_bytes = 15;
    CHECK_OK(leat_mail_encode(&mail, ready.payload, sizeof(ready.payload), &ready.bytes));
    return test_ready_run(&ready);
}

static void
a_mail_arrives(void **state)
{
    char line[512] = "";
    (void)state;
    setup(server.port);
    CHECK_EQUAL(mail_to("a@h", "b@h").state, LEAT_JOB_COMPLETED);
    CHECK(fgets(line, sizeof(line), server.says) != NULL);
    CHECK_TEXT(line, "me@h a@h,b@h Subject: a test\\nDate: now\\nMessage-ID: <1@h>\\nFrom: me@h\\n"
                     "To: a@h,\\n\tb@h\\n\\none\\n..two\\nthree\n");
    test_ready_end(&ready);
}

static void
refusals_have_a_meaning(void **state)
{
    (void)state;
    setup(server.port);
    struct leat_job_info info = mail_to("a@h", "550@h");
    CHECK_EQUAL(info.reason, LEAT_REASON_FAILED);
    CHECK_EQUAL(info.attempts, 1);
    info = mail_to("450@h", NULL);
    CHECK_EQUAL(info.reason, LEAT_REASON_ATTEMPTS);
    CHECK_EQUAL(info.attempts, 2);
    test_ready_end(&ready);
    setup(1); /* nobody is there */
    CHECK_EQUAL(mail_to("a@h", NULL).reason, LEAT_REASON_ATTEMPTS);
    test_ready_end(&ready);
}

static void
refused(const char *from, const char *to, const char *header)
{
    const char *const receivers[] = {to, NULL};
    const char *const headers[] = {header, NULL};
    struct leat_mail mail = leat_mail_default();
    size_t bytes = 0;
    mail.from = from;
    mail.to = receivers;
    mail.headers = headers;
    CHECK_STATUS(leat_mail_encode(&mail, NULL, 0, &bytes), LEAT_INVALID);
}

static void
nothing_is_injected(void **state)
{
    static const char *many[LEAT_MAIL_RECEIVERS_MAX + 2];
    struct leat_mail mail = leat_mail_default();
    size_t bytes = 0;
    (void)state;
    refused("me@h\r\nRCPT TO:<x@h>", "a@h", "X: y");
    refused("me@h", "a@h>\r\nDATA", "X: y");
    refused("me@h", "a@h", "X: y\r\nBcc: x@h");
    refused("me@h", "a@h", "X: y\n\nbody");
    refused("me", "a@h", "X: y");
    refused("me@h", "a@", "X: y");
    refused(NULL, "a@h", "X: y");
    refused("me@h", NULL, "X: y");
    for (size_t i = 0; i < LEAT_MAIL_RECEIVERS_MAX; i++) {
        many[i] = "a@h";
    }
    mail.from = "me@h";
    mail.to = many;
    CHECK_STATUS(leat_mail_encode(&mail, NULL, 0, &bytes), LEAT_FULL);
    many[LEAT_MAIL_RECEIVERS_MAX] = "a@h";
    CHECK_STATUS(leat_mail_encode(&mail, NULL, 0, &bytes), LEAT_INVALID);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_injected),
        cmocka_unit_test(a_mail_arrives),
        cmocka_unit_test(refusals_have_a_meaning),
    };
    test_server_start(&server, LEAT_TEST_SERVERS "/smtp_server.py");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    test_server_end(&server);
    return failed;
}
