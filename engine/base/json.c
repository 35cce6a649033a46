/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/utf8.h"

int sq_json_parse(json_t **value, const char *name, struct sq_str text, int code, struct sq_err *err)
{
    json_error_t problem;
    *value = json_loadb(text.data ? text.data : "", text.bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &problem);
    if (*value) return 0;
    return sq_err_set(err, code, "%s:%d:%d: not valid JSON: %s", name, problem.line, problem.column, problem.text);
}

int sq_json_read_file(struct sq_buf *buf, const char *path, size_t bytes_max, int code, struct sq_err *err)
{
    FILE *file = fopen(path, "rb");
    if (!file) return sq_err_set(err, code, "%s: %s", path, strerror(errno));
    sq_buf_clear(buf);
    char chunk[16384];
    size_t bytes = 0;
    int status = 0;
    while (status == 0 && (bytes = fread(chunk, 1, sizeof chunk, file)) > 0) {
        if (buf->bytes + bytes > bytes_max) status = sq_err_set(err, code, "%s: over %zu bytes", path, bytes_max);
        else sq_buf_append(buf, chunk, bytes);
    }
    if (status == 0 && ferror(file)) status = sq_err_set(err, code, "%s: %s", path, strerror(errno));
    if (status == 0 && sq_buf_failed(buf)) status = sq_err_set(err, SQ_E_NOMEM, "%s: no memory to read it", path);
    fclose(file);
    return status;
}

/* The member, or NULL when it is absent or null. */
static const json_t *member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

int sq_json_get_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t fallback, int64_t *value, int code,
                    struct sq_err *err)
{
    const json_t *found = member(object, key);
    *value = fallback;
    if (!found) return 0;
    if (!json_is_integer(found)) return sq_err_set(err, code, "%s: expected a whole number", key);
    *value = json_integer_value(found);
    if (*value >= min && *value <= max) return 0;
    return sq_err_set(err, code, "%s: %" PRId64 " is not in [%" PRId64 ", %" PRId64 "]", key, *value, min, max);
}

int sq_json_get_real(const json_t *object, const char *key, double min, double max, double fallback, double *value, int code,
                     struct sq_err *err)
{
    const json_t *found = member(object, key);
    *value = fallback;
    if (!found) return 0;
    if (!json_is_number(found)) return sq_err_set(err, code, "%s: expected a number", key);
    *value = json_number_value(found);
    if (*value >= min && *value <= max) return 0;
    return sq_err_set(err, code, "%s: %g is not in [%g, %g]", key, *value, min, max);
}

int sq_json_get_bool(const json_t *object, const char *key, bool fallback, bool *value, int code, struct sq_err *err)
{
    const json_t *found = member(object, key);
    *value = fallback;
    if (!found) return 0;
    if (!json_is_boolean(found)) return sq_err_set(err, code, "%s: expected true or false", key);
    *value = json_is_true(found);
    return 0;
}

int sq_json_get_text(const json_t *object, const char *key, const char *fallback, const char **value, int code, struct sq_err *err)
{
    const json_t *found = member(object, key);
    *value = fallback;
    if (!found) return 0;
    if (!json_is_string(found)) return sq_err_set(err, code, "%s: expected a string", key);
    *value = json_string_value(found);
    if (strlen(*value) == json_string_length(found)) return 0;
    return sq_err_set(err, code, "%s: the string holds a NUL byte", key);
}

/* What JSON must escape, and nothing else: RFC 8259, section 7. */
static void write_escaped(struct sq_buf *buf, unsigned char c)
{
    static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *name = names; *name; name += 2) {
        if ((unsigned char)name[0] != c) continue;
        sq_buf_append_char(buf, '\\');
        sq_buf_append_char(buf, name[1]);
        return;
    }
    sq_buf_printf(buf, "\\u%04x", c);
}

void sq_json_write_str(struct sq_buf *buf, struct sq_str str)
{
    sq_buf_append_char(buf, '"');
    size_t plain = 0; /* start of the bytes not yet written */
    for (size_t at = 0; at < str.bytes;) {
        unsigned char c = (unsigned char)str.data[at];
        uint32_t code_point;
        size_t step = sq_utf8_decode(str.data + at, str.bytes - at, &code_point);
        bool escape = c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
        if (step > 0 && !escape) {
            at += step;
            continue;
        }
        sq_buf_append(buf, str.data + plain, at - plain);
        if (step == 0) sq_buf_append_text(buf, "\xef\xbf\xbd");
        else write_escaped(buf, c);
        plain = ++at;
    }
    if (str.bytes > plain) sq_buf_append(buf, str.data + plain, str.bytes - plain);
    sq_buf_append_char(buf, '"');
}

void sq_json_write_key(struct sq_buf *buf, const char *key)
{
    char last = buf->bytes ? buf->data[buf->bytes - 1] : '{';
    if (last != '{' && last != '[' && last != '\n') sq_buf_append_char(buf, ',');
    sq_json_write_str(buf, sq_str_view(key));
    sq_buf_append_char(buf, ':');
}

void sq_json_write_real(struct sq_buf *buf, double value)
{
    if (isfinite(value)) sq_buf_printf(buf, "%.9g", value);
    else sq_buf_append_text(buf, "null");
}
