/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML file as a plain tree that knows where each of its nodes stands, for files that are no configuration (that is read along its table
 * of keys). Bounded: aliases are refused, a file of over a megabyte, and deeper or larger trees than anybody writes by hand. */
#ifndef SQ_IO_YAML_H
#define SQ_IO_YAML_H

#include "engine/base/err.h"
#include "engine/base/str.h"

enum { SQ_YAML_DEPTH_MAX = 16, SQ_YAML_NODES_MAX = 100000, SQ_YAML_BYTES_MAX = 1 << 20 };

enum sq_yaml_kind { SQ_YAML_SCALAR, SQ_YAML_LIST, SQ_YAML_MAP };

struct sq_yaml {
    enum sq_yaml_kind kind;
    struct sq_str key;      /* of a mapping's member; else empty */
    struct sq_str text;     /* of a scalar */
    size_t line, column;    /* from 1; a member's are those of its key */
    struct sq_yaml *items;  /* of a list or a mapping, in file order */
    unsigned count;
};

/* name: stands in errors, "rules.test.yaml:12:5: ...". SQ_E_CONFIG, SQ_E_NOMEM. An empty file is an empty mapping. Keys are unique. */
int sq_yaml_parse(struct sq_yaml **root, const char *name, struct sq_str text, struct sq_err *err);
void sq_yaml_close(struct sq_yaml *root); /* NULL is fine */

/* The member of a mapping, or NULL. */
const struct sq_yaml *sq_yaml_member(const struct sq_yaml *map, const char *key);

/* "a list", for errors. */
const char *sq_yaml_kind_word(enum sq_yaml_kind kind);

#endif
