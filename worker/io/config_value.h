/* SPDX-License-Identifier: Apache-2.0 */
/* One value: from the text in the file to the member of struct sq_config, and back. Private to worker/io/config*.c and their tests. */
#ifndef SQ_IO_CONFIG_VALUE_H
#define SQ_IO_CONFIG_VALUE_H

#include "worker/io/config_duration.h"
#include "worker/io/config_table.h"

enum { SQ_CONFIG_ITEMS_MAX = 64 };

/* What a source says: a scalar, or a list of scalars. Borrowed. */
struct sq_config_given {
    const struct sq_str *items;
    unsigned count;
    bool is_list;
};

/* Reads it into the member of `base` (struct sq_config or struct sq_rule) that the row names. SQ_E_CONFIG: the message says what was
 * expected; the member then keeps its value. Not for PAIRS. */
int sq_config_value_set(const struct sq_config_row *row, void *base, const struct sq_config_given *given, struct sq_err *err);

/* From one text, as in defaults, the environment and --set: a list is separated by commas, brackets around it are allowed. For PAIRS only
 * "" (none). */
int sq_config_value_set_text(const struct sq_config_row *row, void *base, struct sq_str text, struct sq_err *err);

/* Adds or replaces a property. */
int sq_config_pair_set(struct sq_config_pairs *pairs, struct sq_str name, struct sq_str value, struct sq_err *err);
const char *sq_config_pair_find(const struct sq_config_pairs *pairs, const char *name);

bool sq_config_value_is_list(enum sq_config_kind kind);

/* The member in the file's notation, in YAML's flow style; json: as a JSON value. Secrets as "********". */
void sq_config_value_write(const struct sq_config_row *row, const void *base, bool json, struct sq_buf *out);

/* Moves text past its leading digits, at most 12; false: there are none. */
bool sq_config_take_number(struct sq_str *text, int64_t *number);

#endif
