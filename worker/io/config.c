/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "worker/io/config_load.h"

/* ---- Problems ---- */

void sq_config_problem(struct sq_config_loader *loader, const struct sq_config_where *where, const char *format, ...)
{
    struct sq_config_problems *problems = &loader->problems;
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    sq_buf_printf(&problems->text, "%s%s: %s", problems->count ? "\n" : "", where->text, message);
    problems->count++;
}

void sq_config_unknown(struct sq_config_loader *loader, struct sq_str prefix, struct sq_str name, const struct sq_config_where *where)
{
    char path[SQ_CONFIG_KEY_BYTES], nearest[SQ_CONFIG_KEY_BYTES];
    int shown = (int)(name.bytes > 80 ? 80 : name.bytes);
    snprintf(path, sizeof path, "%.*s%.*s", (int)(prefix.bytes > 100 ? 100 : prefix.bytes), prefix.data, shown, name.data);
    const char *later = sq_config_later(sq_str_view(path));
    if (later) sq_config_problem(loader, where, "'%.*s' is not available in this version: %s", shown, name.data, later);
    else if (sq_config_nearest(prefix, name, nearest, sizeof nearest))
        sq_config_problem(loader, where, "there is no key '%.*s'; did you mean '%s'?", shown, name.data, nearest);
    else sq_config_problem(loader, where, "there is no key '%.*s'; squall config schema lists all", shown, name.data);
}

/* As many problems as fit into a message, whole lines only. */
static int tell_problems(const struct sq_config_problems *problems, struct sq_err *err)
{
    enum { ROOM_BYTES = SQ_ERR_MESSAGE_BYTES - 40 };
    size_t bytes = problems->text.bytes;
    unsigned left = 0;
    while (bytes > ROOM_BYTES) {
        const char *newline = memrchr(problems->text.data, '\n', bytes);
        if (!newline) break;
        bytes = (size_t)(newline - problems->text.data);
        left++;
    }
    sq_err_set(err, SQ_E_CONFIG, "%.*s", (int)bytes, problems->text.data);
    if (left) sq_err_set(err, SQ_E_CONFIG, "%.*s\nand %u more", (int)bytes, problems->text.data, left);
    return SQ_E_CONFIG;
}

/* ---- Values ---- */

struct sq_config_origin *sq_config_origin_of(struct sq_config_origins *origins, const struct sq_config_row *row, int item)
{
    unsigned index = sq_config_row_index(row);
    return item == SQ_NO_ITEM ? &origins->keys[index] : &origins->items[item][index];
}

/* As messages have it: within its item. */
static const char *shown_path(const struct sq_config_row *row)
{
    const struct sq_config_list *list = sq_config_list_of(row);
    return list ? row->path + list->path.bytes + 1 : row->path;
}

static void settle(struct sq_config_loader *loader, const struct sq_config_row *row, int item, const struct sq_config_where *where, int code,
                   const struct sq_err *err)
{
    if (code == 0) *sq_config_origin_of(loader->config->origins, row, item) = where->origin;
    else sq_config_problem(loader, where, "%s: %s", shown_path(row), err->message);
}

void sq_config_assign(struct sq_config_loader *loader, const struct sq_config_row *row, int item, const struct sq_config_given *given,
                      const struct sq_config_where *where)
{
    struct sq_err err;
    settle(loader, row, item, where, sq_config_value_set(row, sq_config_base(loader->config, item), given, &err), &err);
}

void sq_config_assign_text(struct sq_config_loader *loader, const struct sq_config_row *row, int item, struct sq_str text,
                           const struct sq_config_where *where)
{
    struct sq_err err;
    settle(loader, row, item, where, sq_config_value_set_text(row, sq_config_base(loader->config, item), text, &err), &err);
}

void sq_config_assign_pair(struct sq_config_loader *loader, const struct sq_config_row *row, struct sq_str name, struct sq_str value,
                           const struct sq_config_where *where)
{
    struct sq_err err;
    struct sq_config_pairs *pairs = (struct sq_config_pairs *)(void *)((char *)loader->config + row->offset);
    settle(loader, row, SQ_NO_ITEM, where, sq_config_pair_set(pairs, name, value, &err), &err);
}

/* ---- Defaults ---- */

/* The table's own defaults are right: a test sets each of them. */
static void set_defaults(void *base, const struct sq_config_list *list)
{
    struct sq_err err;
    const struct sq_config_row *row;
    for (unsigned i = 0; (row = sq_config_row(i)); i++)
        if (row->fallback && sq_config_list_of(row) == list) sq_config_value_set_text(row, base, sq_str_view(row->fallback), &err);
}

void sq_config_item_default(struct sq_config *config, int item)
{
    const struct sq_config_list *list = sq_config_list((unsigned)item / SQ_CONFIG_LIST_ITEMS_MAX);
    void *base = sq_config_base(config, item);
    memset(base, 0, list->bytes);
    set_defaults(base, list);
}

int sq_config_default(struct sq_config **config, struct sq_err *err)
{
    *config = calloc(1, sizeof **config);
    if (*config) (*config)->origins = calloc(1, sizeof *(*config)->origins);
    if (!*config || !(*config)->origins) {
        sq_config_close(*config);
        *config = NULL;
        return sq_err_set(err, SQ_E_NOMEM, "no memory for the configuration");
    }
    set_defaults(*config, NULL);
    sq_config_item_default(*config, sq_config_item(sq_config_list_find(SQ_STR("rules")), 0));
    snprintf((*config)->rules[0].name, sizeof (*config)->rules[0].name, "NegativeSpike");
    (*config)->rules_count = 1;
    return 0;
}

void sq_config_close(struct sq_config *config)
{
    if (!config) return;
    free(config->origins);
    free(config);
}

/* ---- Loading ---- */

static void read_file(struct sq_config_loader *loader, const char *path)
{
    struct sq_err err;
    struct sq_buf text;
    bool is_stdin = strcmp(path, "-") == 0;
    sq_buf_init(&text);
    loader->file = is_stdin ? "stdin" : path;
    snprintf(loader->config->origins->file, sizeof loader->config->origins->file, "%s", loader->file);
    if (sq_json_read_file(&text, is_stdin ? "/dev/stdin" : path, SQ_CONFIG_FILE_BYTES_MAX, SQ_E_CONFIG, &err) == 0)
        sq_config_read_yaml(loader, sq_buf_view(&text));
    else sq_config_problem(loader, &(struct sq_config_where){.text = "configuration"}, "%s", err.message);
    sq_buf_deinit(&text);
}

int sq_config_load(struct sq_config **config, const struct sq_config_sources *sources, struct sq_err *err)
{
    int code = sq_config_default(config, err);
    if (code != 0) return code;
    struct sq_config_loader loader = {.config = *config, .environment = sources->environment ? sources->environment : (const char *const *)(uintptr_t)environ, .file = ""};
    const char *path = sources->path ? sources->path : sq_config_variable(loader.environment, SQ_STR("SQUALL_CONFIG"));
    if (path && *path) read_file(&loader, path);
    sq_config_read_environment(&loader);
    sq_config_read_sets(&loader, sources->sets, sources->sets_count);
    if (loader.problems.count == 0) sq_config_check(&loader, sources->offline);
    if (loader.problems.count > 0 || sq_buf_failed(&loader.problems.text)) {
        code = tell_problems(&loader.problems, err);
        sq_config_close(*config);
        *config = NULL;
    }
    sq_buf_deinit(&loader.problems.text);
    return code;
}
