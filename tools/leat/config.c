/* config.c - leat config: what can be set, what it is set to by files and the environment, and what
 * it is for. */
#include <string.h>

#include "engine/settings.h"
#include "tools/leat/verbs.h"

/* Knobs that are asked for at a time. */
#define PIECE 16

struct field {
    const char *name;
    const char *text;
};

static const char *
changes(const struct leat_knob_info *info)
{
    const char *live = info->live ? "live" : "restart";
    return info->scope == LEAT_KNOB_BUILD ? "build" : live;
}

static void
knob_json(struct leat_out *out, const struct leat_knob_info *info)
{
    static const char *const scopes[] = {"engine", "queue", "type", "build"};
    static const char *const sources[] = {"default",     "struct", "file",
                                          "environment", "flag",   "build"};
    const struct field fields[] = {
        {"name", info->name},
        {"value", info->value},
        {"source", sources[info->source]},
        {"default", info->fallback},
        {"unit", info->unit},
        {"range", info->range},
        {"scope", scopes[info->scope]},
        {"changes", changes(info)},
        {"environment", info->environment},
        {"text", info->text},
        {"benchmark", info->benchmark == NULL ? "" : info->benchmark},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        leat_out_text(out, i == 0 ? "{" : ",");
        leat_out_string(out, fields[i].name);
        leat_out_text(out, ":");
        leat_out_string(out, fields[i].text);
    }
    leat_out_text(out, "}\n");
}

/* NAME = VALUE, as in a file; below that, what it is. */
static void
knob_text(struct leat_out *out, const struct leat_knob_info *info)
{
    static const char *const from[] = {
        "", ", from the struct", ", from a file", ", from the environment", ", from a flag", ""};
    const struct field fields[] = {
        {info->name, ""},
        {" = ", info->value},
        {from[info->source], "\n    "},
        {info->text, "\n    default "},
        {info->fallback, ""},
        {info->range[0] == '\0' ? "" : ", ", info->range},
        {info->unit[0] == '\0' ? "" : ", ", info->unit},
        {", ", changes(info)},
        {info->environment[0] == '\0' ? "" : ", ", info->environment},
        {info->benchmark == NULL ? "" : ", shown by ",
         info->benchmark == NULL ? "" : info->benchmark},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        leat_out_text(out, fields[i].name);
        leat_out_text(out, fields[i].text);
    }
    leat_out_text(out, "\n");
}

static int
list(const struct leat_settings *settings, bool json)
{
    static struct leat_knob_info infos[PIECE];
    static struct leat_out out;
    size_t count = PIECE;
    leat_out_init(&out, leat_print, NULL);
    for (uint32_t first = 0; count == PIECE; first += PIECE) {
        infos[0] = leat_knob_info_default();
        if (leat_knob_list(settings, first, infos, PIECE, &count) != LEAT_OK) {
            return leat_complain(LEAT_EXIT_SYSTEM, "the knobs cannot be listed");
        }
        for (size_t i = 0; i < count; i++) {
            (json ? knob_json : knob_text)(&out, &infos[i]);
        }
    }
    return leat_finish(&out, LEAT_EXIT_OK);
}

/* The files, the later ones counting more, then the environment. */
static enum leat_status
read_all(struct leat_settings *settings, const struct leat_arguments *arguments,
         struct leat_error *error)
{
    const struct leat_config *config = NULL;
    enum leat_status status = LEAT_OK;
    for (int i = 1; i < arguments->count && status == LEAT_OK; i++) {
        status = leat_settings_load(settings, arguments->words[i], error);
    }
    if (status == LEAT_OK) {
        status = leat_settings_environment(settings, NULL, error);
    }
    return status == LEAT_OK ? leat_settings_config(settings, &config, error) : status;
}

/* The exit status for what is wrong with settings. */
static int
refused(const struct leat_error *error)
{
    const bool wrong = error->status == LEAT_INVALID || error->status == LEAT_UNSUPPORTED;
    return leat_complain(wrong ? LEAT_EXIT_DAMAGED : LEAT_EXIT_SYSTEM, error->text);
}

/* What is set of a log where none is asked for. It may be what the program does itself, so it is
 * said, and no fault. */
static void
remark(const struct leat_settings *settings)
{
    static const char name[] = "log_directory";
    const struct leat_section *engine = settings->sections;
    const uint32_t directory = leat_knob_find(LEAT_KNOB_ENGINE, leat_slice_of(name));
    if (engine->settings[directory].value.length != 0) {
        return;
    }
    for (uint32_t i = 0; i < engine->count; i++) {
        const struct leat_setting *setting = &engine->settings[i];
        const struct leat_knob *knob = leat_knob_at(i);
        if (setting->source != LEAT_SOURCE_DEFAULT && (knob->also & LEAT_KNOB_OF_LOG) != 0) {
            struct leat_error error;
            (void)leat_settings_refuse(&error, &setting->spot, knob->name,
                                       "%s says nothing without a %s", knob->name, name);
            (void)leat_complain(LEAT_EXIT_OK, error.text);
        }
    }
}

int
leat_verb_config(const struct leat_arguments *arguments)
{
    struct leat_settings *settings = NULL;
    static struct leat_error error;
    const char *name = arguments->count == 0 ? "" : arguments->words[0];
    const bool checks = strcmp(name, "check") == 0 && arguments->count > 1;
    if (!checks && strcmp(name, "list") != 0) {
        return leat_complain(LEAT_EXIT_USAGE, "leat config list [FILE...], or check FILE...");
    }
    if (leat_settings_create(NULL, &settings) != LEAT_OK) {
        return leat_complain(LEAT_EXIT_SYSTEM, leat_status_text(LEAT_NO_MEMORY));
    }
    int result = LEAT_EXIT_OK;
    if (read_all(settings, arguments, &error) != LEAT_OK) {
        result = refused(&error);
    } else if (!checks) {
        result = list(settings, arguments->json);
    } else {
        remark(settings);
    }
    leat_settings_destroy(settings);
    return result;
}
