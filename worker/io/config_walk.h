/* SPDX-License-Identifier: Apache-2.0 */
/* The table as the tree that the file is: sections open and close around their rows, and a list around each of its items. Private to
 * worker/io/config*.c. */
#ifndef SQ_IO_CONFIG_WALK_H
#define SQ_IO_CONFIG_WALK_H

#include "worker/io/config_load.h"

struct sq_config_visitor;
struct sq_config_visitor {
    /* name: "model"; path: "model", or "rules[]" for a list. close has the depth of its open. Any may be NULL. */
    void (*open)(struct sq_config_visitor *visitor, struct sq_str name, struct sq_str path, unsigned depth);
    void (*close)(struct sq_config_visitor *visitor, struct sq_str path, unsigned depth);
    /* Around each item of a list. */
    void (*open_item)(struct sq_config_visitor *visitor, int item, unsigned depth);
    void (*close_item)(struct sq_config_visitor *visitor, int item, unsigned depth);
    /* base is what row->offset counts from, or NULL; name is the path's last part. */
    void (*row)(struct sq_config_visitor *visitor, const struct sq_config_row *row, struct sq_str name, const void *base, int item, unsigned depth);
    struct sq_buf *out;
    bool (*wants)(const struct sq_config_row *row); /* NULL: all; sections without a wanted row are not opened */
    bool flags[2];                                  /* the visitor's own */
    const struct sq_config *config;                 /* NULL: the table alone, with one item of no number in each list */
};

void sq_config_walk(struct sq_config_visitor *visitor);

#endif
