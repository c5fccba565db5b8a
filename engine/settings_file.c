/* settings_file.c - settings out of a file. See ini.h, docs/design/0031. */
#include <string.h>

#include "engine/config.h"
#include "engine/ini.h"
#include "engine/settings.h"
#include "ring/os.h"

/* The path of a file that was taken, for errors that are found later. */
struct leat_settings_file {
    struct leat_settings_file *next;
    size_t bytes;
    char path[];
};

void
leat_settings_files_free(struct leat_settings *settings)
{
    while (settings->files != NULL) {
        struct leat_settings_file *file = settings->files;
        settings->files = file->next;
        leat_memory_give(&settings->memory, file, file->bytes);
    }
}

static struct leat_settings_file *
file_make(const struct leat_settings *settings, const char *path)
{
    const size_t bytes = sizeof(struct leat_settings_file) + strlen(path) + 1;
    struct leat_settings_file *file = leat_memory_take(&settings->memory, bytes);
    if (file != NULL) {
        file->bytes = bytes;
        memcpy(file->path, path, strlen(path));
    }
    return file;
}

static struct leat_spot
spot_of(const struct leat_draft *draft, uint32_t line, uint32_t column)
{
    const struct leat_spot spot = {draft->path, line, column};
    return spot;
}

/* [engine], [queue NAME], [type NAME]. */
static enum leat_status
section_enter(const struct leat_draft *draft, const struct leat_ini_item *item,
              struct leat_knob_path *path, struct leat_error *error)
{
    const struct leat_spot spot = spot_of(draft, item->line, item->first.column);
    const struct leat_slice word = item->first.slice;
    path->section = item->second.slice;
    if (leat_slice_is(word, "engine") && path->section.length == 0) {
        path->scope = LEAT_KNOB_ENGINE;
    } else if (leat_slice_is(word, "queue") && path->section.length != 0) {
        path->scope = LEAT_KNOB_QUEUE;
    } else if (leat_slice_is(word, "type") && path->section.length != 0) {
        path->scope = LEAT_KNOB_TYPE;
    } else {
        return leat_settings_refuse(error, &spot, "",
                                    "a section is [engine], [queue NAME] or [type NAME]");
    }
    return LEAT_OK;
}

enum leat_status
leat_settings_read(struct leat_draft *draft, struct leat_slice text, struct leat_error *error)
{
    struct leat_said_knob said = {.path = {LEAT_KNOB_ENGINE, {"", 0}, {"", 0}}};
    struct leat_ini ini = leat_ini_begin(text);
    struct leat_ini_item item = leat_ini_next(&ini);
    enum leat_status status = LEAT_OK;
    /* Ends with the text. */
    while (status == LEAT_OK && item.kind != LEAT_INI_END) {
        said.key = spot_of(draft, item.line, item.first.column);
        if (item.kind == LEAT_INI_SECTION) {
            status = section_enter(draft, &item, &said.path, error);
        } else if (item.kind == LEAT_INI_PAIR) {
            said.path.key = item.first.slice;
            said.value = item.second.slice;
            said.spot = spot_of(draft, item.line, item.second.column);
            status = leat_draft_set(draft, &said, error);
        } else {
            status = leat_settings_refuse(error, &said.key, "", "%s", item.why);
        }
        item = leat_ini_next(&ini);
    }
    return status;
}

static enum leat_status
file_refuse(const struct leat_draft *draft, enum leat_status status, const char *why,
            struct leat_error *error)
{
    const struct leat_spot spot = spot_of(draft, 0, 0);
    (void)leat_settings_refuse(error, &spot, "", "%s", why);
    return leat_error_as(error, status);
}

/* Reads the file into `text`, and from there into the draft. One that is empty sets nothing. */
static enum leat_status
file_read(struct leat_draft *draft, char *text, struct leat_error *error)
{
    const ptrdiff_t length = leat_os_file_read(draft->path, 0, text, LEAT_SETTINGS_BYTES_MAX + 2);
    if (length < 0) {
        return file_refuse(draft, LEAT_NOT_FOUND, strerrordesc_np((int)-length), error);
    }
    if (length > LEAT_SETTINGS_BYTES_MAX) {
        return file_refuse(draft, LEAT_FULL, "it has more than 64 KiB", error);
    }
    return leat_settings_read(draft, (struct leat_slice){text, (size_t)length}, error);
}

enum leat_status
leat_settings_load(struct leat_settings *settings, const char *path, struct leat_error *error)
{
    if (settings == NULL || path == NULL) {
        return leat_error_set(error, LEAT_INVALID, "", "a pointer is NULL");
    }
    struct leat_settings_file *file = file_make(settings, path);
    char *text = leat_memory_take(&settings->memory, LEAT_SETTINGS_BYTES_MAX + 2);
    enum leat_status status = LEAT_NO_MEMORY;
    struct leat_draft draft = {.memory = &settings->memory, .source = LEAT_SOURCE_FILE};
    if (file == NULL || text == NULL) {
        (void)leat_error_set(error, status, "", "no memory is left");
    } else {
        draft.path = file->path;
        status = file_read(&draft, text, error);
    }
    leat_memory_give(&settings->memory, text, LEAT_SETTINGS_BYTES_MAX + 2);
    if (status == LEAT_OK) {
        file->next = settings->files;
        settings->files = file;
        leat_draft_commit(&draft, settings);
        return leat_error_set(error, LEAT_OK, "", "ok");
    }
    leat_draft_drop(&draft);
    leat_memory_give(&settings->memory, file, file == NULL ? 0 : file->bytes);
    return status;
}
