/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources of a configuration share while it is put together. Private to worker/io/config*.c and their tests. */
#ifndef SQ_IO_CONFIG_LOAD_H
#define SQ_IO_CONFIG_LOAD_H

#include "worker/io/config_list.h"
#include "worker/io/config_value.h"

enum { SQ_CONFIG_FILE_BYTES_MAX = 1 << 20, SQ_CONFIG_WHERE_BYTES = 256, SQ_CONFIG_KEY_BYTES = 256 };

enum sq_config_source { SQ_SOURCE_DEFAULT, SQ_SOURCE_FILE, SQ_SOURCE_ENVIRONMENT, SQ_SOURCE_FLAG };

struct sq_config_origin {
    enum sq_config_source source;
    size_t line; /* of a file */
};

/* By row, and for members of items by item and row. */
struct sq_config_origins {
    char file[SQ_CONFIG_PATH_BYTES];
    struct sq_config_origin keys[SQ_CONFIG_ROWS_MAX];
    struct sq_config_origin items[SQ_CONFIG_LISTS_COUNT * SQ_CONFIG_LIST_ITEMS_MAX][SQ_CONFIG_ROWS_MAX];
};

struct sq_config_loader {
    struct sq_config *config;
    const char *const *environment;
    const char *file;          /* as it stands in messages */
    struct sq_config_problems {
        struct sq_buf text; /* one a line */
        unsigned count;
    } problems;
};

/* Of a row, in the configuration or in an item. */
struct sq_config_origin *sq_config_origin_of(struct sq_config_origins *origins, const struct sq_config_row *row, int item);

/* Where something stands: the start of a message, "squall.yaml:12:5", "SQUALL_THREADS", "--set model.threads". */
struct sq_config_where {
    char text[SQ_CONFIG_WHERE_BYTES];
    struct sq_config_origin origin;
};

void sq_config_problem(struct sq_config_loader *loader, const struct sq_config_where *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A value from a source; notes a problem or the origin. */
void sq_config_assign(struct sq_config_loader *loader, const struct sq_config_row *row, int item, const struct sq_config_given *given,
                      const struct sq_config_where *where);
void sq_config_assign_text(struct sq_config_loader *loader, const struct sq_config_row *row, int item, struct sq_str text,
                           const struct sq_config_where *where);
void sq_config_assign_pair(struct sq_config_loader *loader, const struct sq_config_row *row, struct sq_str name, struct sq_str value,
                           const struct sq_config_where *where);

/* Tells that section `prefix` ("", "model.", "rules[].") has no `name`: comes later, or "did you mean". */
void sq_config_unknown(struct sq_config_loader *loader, struct sq_str prefix, struct sq_str name, const struct sq_config_where *where);

/* All its defaults but the name. */
void sq_config_item_default(struct sq_config *config, int item);

/* Replaces ${VAR}, ${VAR:-default}, ${VAR:?message} and $$ in a scalar; appends to out. SQ_E_CONFIG: unset without a default. */
int sq_config_expand(struct sq_str text, const char *const *environment, struct sq_buf *out, struct sq_err *err);
const char *sq_config_variable(const char *const *environment, struct sq_str name); /* NULL: unset */

void sq_config_read_yaml(struct sq_config_loader *loader, struct sq_str text);
void sq_config_read_environment(struct sq_config_loader *loader);
void sq_config_read_sets(struct sq_config_loader *loader, const char *const *sets, unsigned sets_count);

/* What no single key can tell: what is required, what contradicts, and the files of secrets. */
void sq_config_check(struct sq_config_loader *loader, bool offline);

#endif
