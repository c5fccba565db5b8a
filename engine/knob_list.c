/* knob_list.c - what there is to be set, what it is, and where it comes from. */
#include <stdio.h>
#include <string.h>

#include "engine/config.h"
#include "engine/settings.h"

/* What a knob is where nothing is set. */
static struct leat_knob_value
default_of(const struct leat_knob *knob)
{
    union {
        struct leat_config engine;
        struct leat_queue_options queue;
        struct leat_type_options type;
        struct leat_retry_policy retry;
        struct leat_breaker_options breaker;
    } base;
    const struct leat_knob_value built = {{knob->built, 0, 0}, NULL, 0};
    if (knob->scope == LEAT_KNOB_BUILD) {
        return built;
    }
    if (knob->scope == LEAT_KNOB_ENGINE) {
        leat_config_init(&base.engine, sizeof(base.engine));
    } else if (knob->scope == LEAT_KNOB_QUEUE) {
        leat_queue_options_init(&base.queue, sizeof(base.queue));
    } else if (knob->part == LEAT_PART_RETRY) {
        leat_retry_policy_init(&base.retry, sizeof(base.retry));
    } else if (knob->part == LEAT_PART_BREAKER) {
        leat_breaker_options_init(&base.breaker, sizeof(base.breaker));
    } else {
        leat_type_options_init(&base.type, sizeof(base.type));
    }
    return leat_knob_get(knob, &base);
}

static const char *
unit_of(const struct leat_knob *knob)
{
    switch (knob->kind) {
    case LEAT_KNOB_DURATION:
        return "ns";
    case LEAT_KNOB_SIZE:
        return "bytes";
    case LEAT_KNOB_COUNT:
    case LEAT_KNOB_SWITCH:
    case LEAT_KNOB_WORD:
    case LEAT_KNOB_TEXT:
    case LEAT_KNOB_RATE:
        break;
    }
    return "";
}

void
leat_knob_variable(const struct leat_knob *knob, char name[64])
{
    (void)snprintf(name, 64, "LEAT_%s", knob->name);
    for (char *letter = name; *letter != '\0'; letter++) {
        if (*letter >= 'a' && *letter <= 'z') {
            *letter = (char)(*letter - 'a' + 'A');
        }
    }
}

static void
name_write(const struct leat_knob *knob, const char *section, struct leat_knob_info *info)
{
    const char *dot = section[0] == '\0' ? "*" : section;
    const bool queue = knob->scope == LEAT_KNOB_QUEUE;
    if (queue || knob->scope == LEAT_KNOB_TYPE) {
        (void)snprintf(info->name, sizeof(info->name), "%s.%s.%s", queue ? "queue" : "type", dot,
                       knob->name);
    } else {
        (void)snprintf(info->name, sizeof(info->name), "%s", knob->name);
    }
    if (knob->scope == LEAT_KNOB_ENGINE) {
        leat_knob_variable(knob, info->environment);
    }
}

/* What a knob is, with its default for a value. */
static void
describe(const struct leat_knob *knob, const char *section, struct leat_knob_info *info)
{
    memset(info, 0, sizeof(*info));
    const struct leat_knob_value value = default_of(knob);
    const bool built = knob->scope == LEAT_KNOB_BUILD;
    info->scope = knob->scope;
    info->source = built ? LEAT_SOURCE_BUILD : LEAT_SOURCE_DEFAULT;
    info->live = knob->live != LEAT_LIVE_NO;
    name_write(knob, section, info);
    (void)snprintf(info->unit, sizeof(info->unit), "%s", unit_of(knob));
    leat_knob_range(knob, info->range, sizeof(info->range));
    leat_knob_write(knob, &value, info->value, sizeof(info->value));
    if (knob->fallback != NULL) {
        (void)snprintf(info->fallback, sizeof(info->fallback), "%s", knob->fallback);
    } else {
        leat_knob_write(knob, &value, info->fallback, sizeof(info->fallback));
    }
    info->text = knob->text;
    info->benchmark = knob->benchmark;
}

/* The value of the engine, by the struct or what counts more. */
static void
value_write(const struct leat_settings *settings, uint32_t index, struct leat_knob_info *info)
{
    const struct leat_knob *knob = leat_knob_at(index);
    const struct leat_setting *setting = &settings->sections->settings[index];
    struct leat_knob_value value = leat_knob_get(knob, &settings->base);
    const struct leat_knob_value usual = default_of(knob);
    bool same = value.number[0] == usual.number[0];
    if (knob->kind == LEAT_KNOB_TEXT) {
        same = leat_slice_is((struct leat_slice){usual.text, usual.length},
                             value.text == NULL ? "" : value.text);
    }
    if (setting->source != LEAT_SOURCE_DEFAULT) {
        value = setting->value;
        info->source = setting->source;
    } else if (!same) {
        info->source = LEAT_SOURCE_STRUCT;
    }
    leat_knob_write(knob, &value, info->value, sizeof(info->value));
}

/* The n-th value that is set for a queue or type, or NULL. */
static const struct leat_setting *
set_find(const struct leat_settings *settings, uint32_t n, const struct leat_section **where,
         uint32_t *knob)
{
    const struct leat_section *section = settings->sections->next;
    for (; section != NULL; section = section->next) {
        for (uint32_t i = 0; i < section->count; i++) {
            const bool set = section->settings[i].source != LEAT_SOURCE_DEFAULT;
            if (set && n == 0) {
                *where = section;
                *knob = leat_knob_first(section->scope) + i;
                return &section->settings[i];
            }
            n -= set ? 1 : 0;
        }
    }
    return NULL;
}

/* False: there is none of this number. */
static bool
tell(const struct leat_settings *settings, uint32_t number, struct leat_knob_info *info)
{
    const uint32_t all = leat_knob_first(LEAT_KNOB_SCOPES);
    const struct leat_section *section = NULL;
    const struct leat_setting *setting = NULL;
    uint32_t index = number;
    if (number >= all) {
        setting = settings == NULL ? NULL : set_find(settings, number - all, &section, &index);
        if (setting == NULL) {
            return false;
        }
    }
    const struct leat_knob *knob = leat_knob_at(index);
    describe(knob, section == NULL ? "" : section->name, info);
    if (setting != NULL) {
        info->source = setting->source;
        leat_knob_write(knob, &setting->value, info->value, sizeof(info->value));
    } else if (settings != NULL && knob->scope == LEAT_KNOB_ENGINE) {
        value_write(settings, index, info);
    }
    return true;
}

enum leat_status
leat_knob_list(const struct leat_settings *settings, uint32_t first, struct leat_knob_info *infos,
               size_t capacity, size_t *count)
{
    if (infos == NULL || capacity == 0 || count == NULL) {
        return LEAT_INVALID;
    }
    uint32_t head[2]; /* size and version */
    memcpy(head, infos, sizeof(head));
    struct leat_knob_info info;
    size_t told = 0;
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK && told < capacity && told < UINT32_MAX - first &&
           tell(settings, first + (uint32_t)told, &info)) {
        unsigned char *place = (unsigned char *)infos + told * head[0];
        memcpy(place, head, sizeof(head));
        status = leat_struct_write(place, &info, sizeof(info));
        told++;
    }
    if (status == LEAT_OK) {
        *count = told;
    }
    return status;
}
