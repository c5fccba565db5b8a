/* settings.c - what was set by name: drafts, in which a call collects before anything counts, and
 * the structs that all of it makes. See settings.h, docs/design/0031. */
#include "engine/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/config.h"
#include "engine/names.h"

/* A name is taken for a mistake of another one if so many letters make it that one: in a file each
 * name is meant for us, in the environment few are. */
#define NEAR_LETTERS             4
#define NEAR_LETTERS_ENVIRONMENT 2
/* Beyond it a value is no name that anybody reads. */
#define SAID_BYTES 40

static const char environment_prefix[] = "LEAT_";
/* What names of knobs are made of. */
static const char word_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

/* ---- errors --------------------------------------------------------------------------------- */

enum leat_status
leat_settings_refuse(struct leat_error *error, const struct leat_spot *spot, const char *field,
                     const char *format, ...)
{
    if (error == NULL) {
        return LEAT_INVALID;
    }
    char place[128] = "";
    char text[sizeof(error->text)];
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it was begun the line before */
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (spot->path != NULL && spot->line == 0) {
        (void)snprintf(place, sizeof(place), "%s: ", spot->path);
    } else if (spot->path != NULL) {
        (void)snprintf(place, sizeof(place), "%.80s:%u:%u: ", spot->path, spot->line, spot->column);
    }
    error->status = LEAT_INVALID;
    (void)snprintf(error->field, sizeof(error->field), "%s", field);
    int length = snprintf(error->text, sizeof(error->text), "%s", place);
    (void)snprintf(error->text + length, sizeof(error->text) - (size_t)length, "%s", text);
    return LEAT_INVALID;
}

static int
cut(size_t length)
{
    return length < SAID_BYTES ? (int)length : SAID_BYTES;
}

/* How a knob of this name is said, where it is one of another scope: of queues and types both have
 * some. False: there is none. */
static bool
elsewhere(const struct leat_knob_path *path, bool in_file, char *text, size_t bytes)
{
    static const char *const sections[] = {"[engine]", "[queue NAME]", "[type NAME]"};
    static const char *const prefixes[] = {"", "queue.NAME.", "type.NAME."};
    size_t length = 0;
    for (uint32_t i = LEAT_KNOB_ENGINE; i <= LEAT_KNOB_TYPE && length < bytes; i++) {
        const uint32_t index = leat_knob_find((enum leat_knob_scope)i, path->key);
        if (index != LEAT_KNOBS_NONE) {
            int more = snprintf(text + length, bytes - length, "%s%s%s", length == 0 ? "" : " or ",
                                in_file ? sections[i] : prefixes[i],
                                in_file ? "" : leat_knob_at(index)->name);
            length += more > 0 ? (size_t)more : 0;
        }
    }
    return length != 0;
}

enum leat_status
leat_knob_unknown(const struct leat_knob_path *path, const struct leat_spot *spot,
                  struct leat_error *error)
{
    const struct leat_slice key = path->key;
    const struct leat_knob *near = leat_knob_near(path->scope, key, NEAR_LETTERS);
    const bool in_file = spot->path != NULL;
    char field[SAID_BYTES + 1];
    char other[96];
    (void)snprintf(field, sizeof(field), "%.*s", cut(key.length), key.text);
    if (elsewhere(path, in_file, other, sizeof(other))) {
        return leat_settings_refuse(error, spot, field, "there is no '%s' here; it %s %s", field,
                                    in_file ? "belongs into" : "is set as", other);
    }
    if (leat_knob_find(LEAT_KNOB_BUILD, key) != LEAT_KNOBS_NONE) {
        return leat_settings_refuse(
            error, spot, field, "there is no '%s' here; it is chosen when Leat is built", field);
    }
    if (near == NULL) {
        return leat_settings_refuse(error, spot, field, "there is no '%s'", field);
    }
    return leat_settings_refuse(error, spot, field, "there is no '%s'; did you mean '%s'?", field,
                                near->name);
}

/* What a value may have been meant to be, behind the sentence that refuses it. */
static const char *
value_hint(const struct leat_knob *knob, struct leat_slice value)
{
    for (size_t i = 1; i < value.length; i++) {
        if ((value.text[i] == '#' || value.text[i] == ';') && value.text[i - 1] == ' ') {
            return "; a comment has its line for itself";
        }
    }
    return leat_knob_units(knob, value);
}

/* ---- sections ------------------------------------------------------------------------------- */

static uint32_t
scope_count(enum leat_knob_scope scope)
{
    return leat_knob_first((uint32_t)scope + 1) - leat_knob_first((uint32_t)scope);
}

static size_t
section_bytes(enum leat_knob_scope scope)
{
    return sizeof(struct leat_section) + sizeof(struct leat_setting) * scope_count(scope);
}

static struct leat_section *
section_find(struct leat_section *first, enum leat_knob_scope scope, struct leat_slice name)
{
    struct leat_section *section = first;
    while (section != NULL && (section->scope != scope || !leat_slice_is(name, section->name))) {
        section = section->next;
    }
    return section;
}

static struct leat_section *
section_make(const struct leat_memory *memory, enum leat_knob_scope scope, struct leat_slice name)
{
    struct leat_section *section = leat_memory_take(memory, section_bytes(scope));
    if (section != NULL) {
        section->scope = scope;
        section->count = scope_count(scope);
        memcpy(section->name, name.text, name.length);
    }
    return section;
}

static void
setting_clear(const struct leat_memory *memory, struct leat_setting *setting)
{
    leat_memory_give(memory, setting->text, setting->value.length + 1);
    memset(setting, 0, sizeof(*setting));
}

static void
sections_free(const struct leat_memory *memory, struct leat_section *section)
{
    while (section != NULL) {
        struct leat_section *next = section->next;
        for (uint32_t i = 0; i < section->count; i++) {
            setting_clear(memory, &section->settings[i]);
        }
        leat_memory_give(memory, section, section_bytes(section->scope));
        section = next;
    }
}

/* ---- drafts --------------------------------------------------------------------------------- */

static enum leat_status
no_memory(struct leat_error *error)
{
    return leat_error_set(error, LEAT_NO_MEMORY, "", "no memory is left");
}

static bool
section_name_valid(const struct leat_knob_path *path)
{
    char name[LEAT_NAME_BYTES_MAX + 1] = "";
    if (path->scope == LEAT_KNOB_ENGINE) {
        return path->section.length == 0;
    }
    if (path->section.length > LEAT_NAME_BYTES_MAX) {
        return false;
    }
    memcpy(name, path->section.text, path->section.length);
    return leat_name_valid(name);
}

/* Keeps a value; a text that is not empty is copied. False: no memory. */
static bool
setting_fill(const struct leat_draft *draft, struct leat_setting *setting,
             const struct leat_knob *knob, const struct leat_knob_value *value)
{
    struct leat_knob_value kept = *value;
    kept.text = NULL;
    if (knob->kind == LEAT_KNOB_TEXT && value->length != 0) {
        char *text = leat_memory_take(draft->memory, value->length + 1);
        if (text == NULL) {
            return false;
        }
        memcpy(text, value->text, value->length);
        setting->text = text;
        kept.text = text;
    }
    setting->value = kept;
    setting->source = draft->source;
    return true;
}

enum leat_status
leat_draft_set(struct leat_draft *draft, const struct leat_said_knob *said,
               struct leat_error *error)
{
    const struct leat_knob_path *path = &said->path;
    const uint32_t index = leat_knob_find(path->scope, path->key);
    if (index == LEAT_KNOBS_NONE) {
        return leat_knob_unknown(path, &said->key, error);
    }
    const struct leat_knob *knob = leat_knob_at(index);
    if (!section_name_valid(path)) {
        return leat_settings_refuse(error, &said->key, knob->name,
                                    "the name of a queue or type has 1 to %d bytes of "
                                    "[A-Za-z0-9_.:/-]",
                                    LEAT_NAME_BYTES_MAX);
    }
    struct leat_knob_value value;
    if (!leat_knob_parse(knob, said->value, &value)) {
        char range[LEAT_KNOB_TEXT_BYTES];
        leat_knob_range(knob, range, sizeof(range));
        return leat_settings_refuse(error, &said->spot, knob->name, "%s must be %s, not '%.*s'%s",
                                    knob->name, range, cut(said->value.length), said->value.text,
                                    value_hint(knob, said->value));
    }
    struct leat_section *section = section_find(draft->sections, path->scope, path->section);
    if (section == NULL) {
        section = section_make(draft->memory, path->scope, path->section);
        if (section == NULL) {
            return no_memory(error);
        }
        section->next = draft->sections;
        draft->sections = section;
    }
    struct leat_setting *setting = &section->settings[index - leat_knob_first(path->scope)];
    if (setting->source != LEAT_SOURCE_DEFAULT) {
        return leat_settings_refuse(error, &said->key, knob->name,
                                    "%s is set twice; the first line is %u", knob->name,
                                    setting->spot.line);
    }
    setting->spot = said->spot;
    return setting_fill(draft, setting, knob, &value) ? LEAT_OK : no_memory(error);
}

void
leat_draft_drop(struct leat_draft *draft)
{
    sections_free(draft->memory, draft->sections);
    draft->sections = NULL;
}

static void
section_merge(const struct leat_memory *memory, struct leat_section *to, struct leat_section *from)
{
    for (uint32_t i = 0; i < to->count; i++) {
        struct leat_setting *set = &from->settings[i];
        if (set->source != LEAT_SOURCE_DEFAULT && set->source >= to->settings[i].source) {
            setting_clear(memory, &to->settings[i]);
            to->settings[i] = *set;
            memset(set, 0, sizeof(*set));
        }
    }
}

void
leat_draft_commit(struct leat_draft *draft, struct leat_settings *settings)
{
    while (draft->sections != NULL) {
        struct leat_section *from = draft->sections;
        struct leat_section *to =
            section_find(settings->sections, from->scope, leat_slice_of(from->name));
        draft->sections = from->next;
        from->next = NULL;
        if (to == NULL) {
            from->next = settings->sections->next;
            settings->sections->next = from;
        } else {
            section_merge(draft->memory, to, from);
            sections_free(draft->memory, from);
        }
    }
}

/* Ends a call. */
static enum leat_status
draft_end(struct leat_draft *draft, struct leat_settings *settings, enum leat_status status,
          struct leat_error *error)
{
    if (status != LEAT_OK) {
        leat_draft_drop(draft);
        return status;
    }
    leat_draft_commit(draft, settings);
    return leat_error_set(error, LEAT_OK, "", "ok");
}

/* ---- one by one, and the environment -------------------------------------------------------- */

enum leat_status
leat_settings_set(struct leat_settings *settings, const char *name, const char *value,
                  struct leat_error *error)
{
    if (settings == NULL || name == NULL || value == NULL) {
        return leat_error_set(error, LEAT_INVALID, "", "a pointer is NULL");
    }
    struct leat_draft draft = {.memory = &settings->memory, .source = LEAT_SOURCE_FLAG};
    const struct leat_said_knob said = {.path = leat_knob_path_of(name),
                                        .value = leat_slice_of(value)};
    return draft_end(&draft, settings, leat_draft_set(&draft, &said, error), error);
}

/* The knob that a variable's name stands for: small letters, without the prefix. */
static struct leat_slice
variable_key(const char *variable, char name[64])
{
    const char *from = variable + strlen(environment_prefix);
    size_t length = 0;
    while (length < 63 && from[length] != '=' && from[length] != '\0') {
        name[length] = from[length];
        if (name[length] >= 'A' && name[length] <= 'Z') {
            name[length] = (char)(name[length] - 'A' + 'a');
        }
        length++;
    }
    const struct leat_slice key = {name, from[length] == '=' ? length : 0};
    return key;
}

static enum leat_status
variable_unknown(const char *variable, const struct leat_knob *near,
                 const struct leat_said_knob *said, struct leat_error *error)
{
    char field[SAID_BYTES + 1];
    char meant[64];
    leat_knob_variable(near, meant);
    (void)snprintf(field, sizeof(field), "%.*s", cut(said->path.key.length), said->path.key.text);
    return leat_settings_refuse(error, &said->key, field, "there is no '%.*s'; did you mean '%s'?",
                                cut(strcspn(variable, "=")), variable, meant);
}

static enum leat_status
variable_set(struct leat_draft *draft, const char *variable, struct leat_error *error)
{
    char name[64];
    if (strncmp(variable, environment_prefix, strlen(environment_prefix)) != 0) {
        return LEAT_OK;
    }
    const struct leat_slice key = variable_key(variable, name);
    const struct leat_said_knob said = {
        .path = {LEAT_KNOB_ENGINE, {"", 0}, key},
        .value = leat_slice_of(strchr(variable, '=') == NULL ? "" : strchr(variable, '=') + 1),
        .key = {"environment", 0, 0},
        .spot = {"environment", 0, 0}};
    const struct leat_knob *near = leat_knob_near(LEAT_KNOB_ENGINE, key, NEAR_LETTERS_ENVIRONMENT);
    if (key.length == 0 || near == NULL) {
        return LEAT_OK;
    }
    return leat_knob_find(LEAT_KNOB_ENGINE, key) == LEAT_KNOBS_NONE
               ? variable_unknown(variable, near, &said, error)
               : leat_draft_set(draft, &said, error);
}

enum leat_status
leat_settings_environment(struct leat_settings *settings, const char *const *variables,
                          struct leat_error *error)
{
    if (settings == NULL) {
        return leat_error_set(error, LEAT_INVALID, "settings", "must not be NULL");
    }
    struct leat_draft draft = {.memory = &settings->memory, .source = LEAT_SOURCE_ENVIRONMENT};
    enum leat_status status = LEAT_OK;
    const char *const *next = variables == NULL ? (const char *const *)environ : variables;
    for (; next != NULL && *next != NULL && status == LEAT_OK; next++) {
        status = variable_set(&draft, *next, error);
    }
    return draft_end(&draft, settings, status, error);
}

/* ---- what it all makes ---------------------------------------------------------------------- */

/* Puts what is set of one part into a struct. True: there was something. */
static bool
section_put(const struct leat_section *section, enum leat_knob_part part, void *base)
{
    bool any = false;
    for (uint32_t i = 0; i < section->count; i++) {
        const struct leat_setting *setting = &section->settings[i];
        const struct leat_knob *knob = leat_knob_at(leat_knob_first(section->scope) + i);
        if (setting->source != LEAT_SOURCE_DEFAULT && knob->part == part) {
            leat_knob_put(knob, base, &setting->value);
            any = true;
        }
    }
    return any;
}

/* True: the text has this word. */
static bool
has_word(const char *text, const char *word)
{
    const size_t length = strlen(word);
    size_t at = 0;
    while (text[at] != '\0') {
        const size_t run = strspn(text + at, word_letters);
        if (run == length && memcmp(text + at, word, length) == 0) {
            return true;
        }
        at += run == 0 ? 1 : run;
    }
    return false;
}

/* The setting that the error is about, if a file or the environment said it: that of its field; or,
 * where that was left as it is, the first other one that the text names. NULL: there is none. */
static const struct leat_setting *
setting_of(const struct leat_section *section, const struct leat_error *error)
{
    const uint32_t first = leat_knob_first(section->scope);
    const uint32_t index = leat_knob_find(section->scope, leat_slice_of(error->field));
    if (index != LEAT_KNOBS_NONE && section->settings[index - first].spot.path != NULL) {
        return &section->settings[index - first];
    }
    for (uint32_t i = 0; i < section->count; i++) {
        const struct leat_setting *setting = &section->settings[i];
        if (setting->spot.path != NULL && has_word(error->text, leat_knob_at(first + i)->name)) {
            return setting;
        }
    }
    return NULL;
}

/* Adds to an error of leat_config_check() where it was set. */
static void
error_place(const struct leat_section *section, struct leat_error *error)
{
    const struct leat_setting *setting = setting_of(section, error);
    if (setting != NULL) {
        const struct leat_error said = *error;
        (void)leat_settings_refuse(error, &setting->spot, said.field, "%s", said.text);
        error->status = said.status;
    }
}

enum leat_status
leat_settings_config(struct leat_settings *settings, const struct leat_config **config,
                     struct leat_error *error)
{
    struct leat_error unused;
    struct leat_error *say = error == NULL ? &unused : error;
    if (settings == NULL || config == NULL) {
        return leat_error_set(say, LEAT_INVALID, "", "a pointer is NULL");
    }
    struct leat_section *section = settings->sections;
    struct leat_config *made = &section->made.engine;
    *made = settings->base;
    (void)section_put(section, LEAT_PART_OWN, made);
    enum leat_status status = leat_config_check(made, say);
    if (status == LEAT_OK) {
        *config = made;
    } else {
        error_place(section, say);
    }
    return status;
}

enum leat_status
leat_settings_queue(struct leat_settings *settings, const char *name,
                    const struct leat_queue_options *base,
                    const struct leat_queue_options **options)
{
    if (settings == NULL || name == NULL || options == NULL || !leat_name_valid(name)) {
        return LEAT_INVALID;
    }
    struct leat_section *section =
        section_find(settings->sections, LEAT_KNOB_QUEUE, leat_slice_of(name));
    struct leat_queue_options known = leat_queue_options_default();
    enum leat_status status =
        base == NULL ? LEAT_OK : leat_struct_read(&known, sizeof(known), base);
    if (status == LEAT_OK && section == NULL) {
        *options = base;
    } else if (status == LEAT_OK) {
        known.size = (uint32_t)sizeof(known);
        (void)section_put(section, LEAT_PART_OWN, &known);
        section->made.queue = known;
        *options = &section->made.queue;
    }
    return status;
}

/* What the options of a type point to. */
static enum leat_status
type_parts(struct leat_section *section, struct leat_type_options *known)
{
    struct leat_retry_policy retry = leat_retry_policy_default();
    struct leat_breaker_options breaker = leat_breaker_options_default();
    enum leat_status status = LEAT_OK;
    if (known->retry != NULL) {
        status = leat_struct_read(&retry, sizeof(retry), known->retry);
    }
    if (status == LEAT_OK && known->breaker != NULL) {
        status = leat_struct_read(&breaker, sizeof(breaker), known->breaker);
    }
    if (status != LEAT_OK) {
        return status;
    }
    retry.size = (uint32_t)sizeof(retry);
    breaker.size = (uint32_t)sizeof(breaker);
    if (section_put(section, LEAT_PART_RETRY, &retry)) {
        section->retry = retry;
        known->retry = &section->retry;
    }
    if (section_put(section, LEAT_PART_BREAKER, &breaker)) {
        section->breaker = breaker;
        known->breaker = &section->breaker;
    }
    return LEAT_OK;
}

enum leat_status
leat_settings_type(struct leat_settings *settings, const char *name,
                   const struct leat_type_options *base, const struct leat_type_options **options)
{
    if (settings == NULL || name == NULL || options == NULL || !leat_name_valid(name)) {
        return LEAT_INVALID;
    }
    struct leat_section *section =
        section_find(settings->sections, LEAT_KNOB_TYPE, leat_slice_of(name));
    struct leat_type_options known = leat_type_options_default();
    enum leat_status status =
        base == NULL ? LEAT_OK : leat_struct_read(&known, sizeof(known), base);
    if (status == LEAT_OK && section == NULL) {
        *options = base;
        return status;
    }
    if (status == LEAT_OK) {
        known.size = (uint32_t)sizeof(known);
        (void)section_put(section, LEAT_PART_OWN, &known);
        status = type_parts(section, &known);
    }
    if (status == LEAT_OK) {
        section->made.type = known;
        *options = &section->made.type;
    }
    return status;
}

/* ---- create and destroy --------------------------------------------------------------------- */

enum leat_status
leat_settings_create(const struct leat_config *base, struct leat_settings **settings)
{
    struct leat_config known = leat_config_default();
    if (settings == NULL) {
        return LEAT_INVALID;
    }
    enum leat_status status =
        base == NULL ? LEAT_OK : leat_struct_read(&known, sizeof(known), base);
    if (status == LEAT_OK &&
        (known.allocator.allocate == NULL) != (known.allocator.release == NULL)) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    known.size = (uint32_t)sizeof(known);
    const struct leat_memory memory = leat_config_memory(&known);
    struct leat_settings *made = leat_memory_take(&memory, sizeof(*made));
    struct leat_section *engine = section_make(&memory, LEAT_KNOB_ENGINE, leat_slice_of(""));
    if (made == NULL || engine == NULL) {
        sections_free(&memory, engine);
        leat_memory_give(&memory, made, sizeof(*made));
        return LEAT_NO_MEMORY;
    }
    made->memory = memory;
    made->base = known;
    made->sections = engine;
    *settings = made;
    return LEAT_OK;
}

void
leat_settings_destroy(struct leat_settings *settings)
{
    if (settings != NULL) {
        const struct leat_memory memory = settings->memory;
        sections_free(&memory, settings->sections);
        leat_settings_files_free(settings);
        leat_memory_give(&memory, settings, sizeof(*settings));
    }
}
