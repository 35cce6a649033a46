/* SPDX-License-Identifier: Apache-2.0 */
/* The table of configuration keys. A path is the key's place in the file: "kafka.brokers", and "rules[].label" for a member of each rule (config_list.h).
 * Rows of one section stand together. Private to worker/io/config*.c and their tests. */
#ifndef SQ_IO_CONFIG_TABLE_H
#define SQ_IO_CONFIG_TABLE_H

#include "worker/io/config.h"

/* What a value looks like in the file, and how it is held. */
enum sq_config_kind {
    SQ_KIND_TEXT,     /* char[bytes] */
    SQ_KIND_BOOL,     /* bool */
    SQ_KIND_INT,      /* int32_t, uint32_t, int64_t or size_t by `bytes` */
    SQ_KIND_REAL,     /* double */
    SQ_KIND_DURATION, /* int64_t ms: 500ms 30s 15m 2h 7d 1h30m */
    SQ_KIND_SIZE,     /* size_t: 65536 64KiB 1MiB */
    SQ_KIND_WORD,     /* an enum (or bool): the index of the word */
    SQ_KIND_SET,      /* unsigned: bit i for word i */
    SQ_KIND_TEXTS,    /* char[items_max][bytes] and a count */
    SQ_KIND_DURATIONS, /* int64_t[items_max], and a count or just items_max of them */
    SQ_KIND_FIELD,    /* struct sq_field */
    SQ_KIND_PAIRS,    /* struct sq_config_pairs, a mapping with names of its own */
};

enum {
    SQ_ROW_INIT = 1,        /* `squall init` writes it */
    SQ_ROW_ONE_OR_MANY = 2, /* of a list of texts: a single text is a list of one, and shown as a text */
};

struct sq_config_row {
    const char *path;
    enum sq_config_kind kind;
    size_t offset;       /* in struct sq_config; in the item's struct for rules[] and notify[] */
    size_t bytes;        /* of the member, or of one item of a list */
    size_t count_offset; /* of a list's unsigned count; 0: the list always has items_max items */
    unsigned items_max;
    double min, max;     /* of numbers, durations (ms) and sizes, both allowed */
    const char *const *words;       /* NULL-terminated, in order of value */
    const char *const *later_words; /* known, but not in this version */
    const char *zero_word;          /* INT: the word for 0, as "auto" */
    const char *fallback;           /* in the file's notation; a list has commas; NULL: required */
    const char *environment;        /* the variable that sets it */
    unsigned flags;
    const char *also;    /* another last name that is understood */
    const char *meaning;
};

enum { SQ_CONFIG_ROWS_MAX = 128 };

/* NULL past the end. */
const struct sq_config_row *sq_config_row(unsigned index);
unsigned sq_config_row_index(const struct sq_config_row *row);

/* The row of a path (or of its other name), or NULL. */
const struct sq_config_row *sq_config_row_find(struct sq_str path);

/* True when some row's path goes on with a dot after this one; for "rules[]" too. */
bool sq_config_is_section(struct sq_str path);

/* Why a key of the design is not there yet, or NULL. */
const char *sq_config_later(struct sq_str path);

/* What a section is about, for the docs; "" if nothing is to be said. */
const char *sq_config_section_meaning(struct sq_str path);

/* librdkafka properties that may not be passed through, since what Squall promises rests on them. */
bool sq_config_property_refused(const char *name);
const char *sq_config_refused_property(unsigned index); /* NULL past the end */
/* A name whose value must not be shown. */
bool sq_config_property_secret(const char *name);

/* The nearest key to `name` among the members of section `prefix` ("" or "model." or "rules[]."); else one of that name elsewhere, and
 * then `nearest` is its whole path. False when nothing is near. */
bool sq_config_nearest(struct sq_str prefix, struct sq_str name, char *nearest, size_t nearest_bytes);
/* Edit distance with neighbour swaps, at most `limit` + 1. */
unsigned sq_config_distance(struct sq_str a, struct sq_str b, unsigned limit);

#endif
