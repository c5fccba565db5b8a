/* unit_wal_file.c - the files of the system, as the log sees them: one opener of a directory at a
 * time, a name is made once, what was written is read, and the negative errno of what cannot be. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/wal/file.h"
#include "tests/support/check.h"

#define BYTES 4096

struct fixture {
    const struct leat_wal_files *files;
    char path[32];
    int directory;
};

static void
setup(struct fixture *fixture)
{
    *fixture = (struct fixture){.files = &leat_wal_files_system, .path = "/tmp/leat-XXXXXX"};
    CHECK(mkdtemp(fixture->path) != NULL);
    CHECK_EQUAL(fixture->files->directory_open(NULL, fixture->path, &fixture->directory), 0);
}

static void
teardown(struct fixture *fixture)
{
    fixture->files->directory_close(NULL, fixture->directory);
    CHECK_EQUAL(rmdir(fixture->path), 0);
}

/* Another open of a directory, of this process too, waits for nobody. */
static void
test_lock(void **state)
{
    struct fixture fixture;
    int other = 77;
    (void)state;
    setup(&fixture);
    CHECK_EQUAL(fixture.files->directory_open(NULL, fixture.path, &other), -EAGAIN);
    CHECK_EQUAL(other, 77);
    fixture.files->directory_close(NULL, fixture.directory);
    CHECK_EQUAL(fixture.files->directory_open(NULL, fixture.path, &fixture.directory), 0);
    CHECK_EQUAL(fixture.files->directory_open(NULL, "/nowhere/at/all", &other), -ENOENT);
    teardown(&fixture);
}

static void
test_names(void **state)
{
    struct fixture fixture;
    int file = -1;
    int other = 77;
    (void)state;
    setup(&fixture);
    const struct leat_wal_files *files = fixture.files;
    CHECK_EQUAL(files->create(NULL, fixture.directory, "a", &file), 0);
    CHECK_EQUAL(files->create(NULL, fixture.directory, "a", &other), -EEXIST);
    CHECK_EQUAL(files->open(NULL, fixture.directory, "b", &other), -ENOENT);
    CHECK_EQUAL(other, 77);
    CHECK_EQUAL(files->rename(NULL, fixture.directory, "a", "b"), 0);
    CHECK_EQUAL(files->open(NULL, fixture.directory, "b", &other), 0);
    CHECK_EQUAL(files->remove(NULL, fixture.directory, "a"), -ENOENT);
    CHECK_EQUAL(files->remove(NULL, fixture.directory, "b"), 0);
    CHECK_EQUAL(files->directory_sync(NULL, fixture.directory), 0);
    files->close(NULL, file);
    files->close(NULL, other);
    teardown(&fixture);
}

static void
test_bytes(void **state)
{
    static const char text[] = "what was written";
    struct fixture fixture;
    char read[sizeof(text)] = "";
    int file = -1;
    (void)state;
    setup(&fixture);
    const struct leat_wal_files *files = fixture.files;
    CHECK_EQUAL(files->create(NULL, fixture.directory, "a", &file), 0);
    CHECK_EQUAL(files->allocate(NULL, file, BYTES), 0);
    CHECK_EQUAL(files->size(NULL, file), BYTES);
    struct iovec pieces[3] = {leat_wal_piece(text, 5), leat_wal_piece(NULL, 0),
                              leat_wal_piece(text + 5, sizeof(text) - 5)};
    CHECK_EQUAL(leat_wal_write_all(files, file, pieces, 3, 100), 0);
    CHECK_EQUAL(files->sync(NULL, file), 0);
    CHECK_EQUAL(files->read_at(NULL, file, read, sizeof(text), 100), sizeof(text));
    /* The same through to the disk, where the file system does that. */
    struct iovec piece = leat_wal_piece(text, sizeof(text));
    const struct leat_wal_way way = {files->write_through, NULL};
    int through = leat_wal_write_by(&way, file, &piece, 1, 1000);
    CHECK(through == 0 || through == -EOPNOTSUPP);
    if (through == 0) {
        memset(read, 0, sizeof(read));
        CHECK_EQUAL(files->read_at(NULL, file, read, sizeof(text), 1000), sizeof(text));
    }
    CHECK_EQUAL(memcmp(read, text, sizeof(text)), 0);
    CHECK_EQUAL(files->read_at(NULL, file, read, sizeof(read), BYTES - 10), 10);
    CHECK_EQUAL(files->remove(NULL, fixture.directory, "a"), 0);
    files->close(NULL, file);
    CHECK_EQUAL(files->sync(NULL, file), -EBADF);
    piece = leat_wal_piece(text, sizeof(text));
    CHECK_EQUAL(leat_wal_write_by(&way, file, &piece, 1, 0), -EBADF);
    teardown(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
