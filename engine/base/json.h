/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing JSON. Reading is jansson's, made strict and with errors that name the field; writing is a few calls on a sq_buf,
 * since records go out by the thousand and need one fixed number format. */
#ifndef SQ_BASE_JSON_H
#define SQ_BASE_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"

/* Parses one JSON text, white space around it allowed, duplicate keys and trailing bytes refused. `name` stands in errors
 * ("config.json"); `code` is what a failure returns (SQ_E_MODEL_FILE, SQ_E_DECODE, ...). The caller owns *value (json_decref). */
int sq_json_parse(json_t **value, const char *name, struct sq_str text, int code, struct sq_err *err);

/* Reads a whole file of at most bytes_max into buf. */
int sq_json_read_file(struct sq_buf *buf, const char *path, size_t bytes_max, int code, struct sq_err *err);

/* Typed members of `object`. Absent or null gives `fallback`; another type or a value outside [min, max] is an error with the key. */
int sq_json_get_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t fallback, int64_t *value, int code,
                    struct sq_err *err);
int sq_json_get_real(const json_t *object, const char *key, double min, double max, double fallback, double *value, int code,
                     struct sq_err *err);
int sq_json_get_bool(const json_t *object, const char *key, bool fallback, bool *value, int code, struct sq_err *err);
/* The string belongs to `object`. */
int sq_json_get_text(const json_t *object, const char *key, const char *fallback, const char **value, int code, struct sq_err *err);

/* A quoted, escaped JSON string. Bytes that are not valid UTF-8 become U+FFFD. */
void sq_json_write_str(struct sq_buf *buf, struct sq_str str);
/* `"key":` with a comma before it unless it follows an opening bracket. */
void sq_json_write_key(struct sq_buf *buf, const char *key);
/* Nine significant digits, which give a float back exactly; NaN and infinities become null. */
void sq_json_write_real(struct sq_buf *buf, double value);

#endif
