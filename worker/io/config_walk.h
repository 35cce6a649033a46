/* SPDX-License-Identifier: Apache-2.0 */
/* The table as the tree that the file is: sections open and close around their rows, and a list of rules around each rule's. Private to
 * worker/io/config*.c. */
#ifndef SQ_IO_CONFIG_WALK_H
#define SQ_IO_CONFIG_WALK_H

#include "worker/io/config_load.h"

struct sq_config_visitor;
struct sq_config_visitor {
    /* name: "model"; path: "model", or "rules[]" for the list of rules. close has the depth of its open. Any may be NULL. */
    void (*open)(struct sq_config_visitor *visitor, struct sq_str name, struct sq_str path, unsigned depth);
    void (*close)(struct sq_config_visitor *visitor, struct sq_str path, unsigned depth);
    /* Around each rule. */
    void (*open_item)(struct sq_config_visitor *visitor, int rule, unsigned depth);
    void (*close_item)(struct sq_config_visitor *visitor, int rule, unsigned depth);
    /* base is what row->offset counts from, or NULL; name is the path's last part. */
    void (*row)(struct sq_config_visitor *visitor, const struct sq_config_row *row, struct sq_str name, const void *base, int rule, unsigned depth);
    struct sq_buf *out;
    bool (*wants)(const struct sq_config_row *row); /* NULL: all; sections without a wanted row are not opened */
    bool flags[2];                                  /* the visitor's own */
    const struct sq_config *config;                 /* NULL: the table alone, with one rule of no number */
};

static inline bool sq_config_is_rules(struct sq_str path) { return sq_str_equal(path, SQ_STR("rules[]")); }

void sq_config_walk(struct sq_config_visitor *visitor);

#endif
