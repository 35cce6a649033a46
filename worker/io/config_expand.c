/* SPDX-License-Identifier: Apache-2.0 */
/* ${VAR} in scalars. It runs after the YAML parser, so a value can't break out of its place in the file. */
#include "worker/io/config_load.h"

const char *sq_config_variable(const char *const *environment, struct sq_str name)
{
    for (; *environment; environment++)
        if (strncmp(*environment, name.data, name.bytes) == 0 && (*environment)[name.bytes] == '=') return *environment + name.bytes + 1;
    return NULL;
}

static bool is_variable(struct sq_str name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    for (size_t i = 0; i < name.bytes; i++)
        if (!name.data[i] || (!strchr(letters, name.data[i]) && (i == 0 || !strchr("0123456789", name.data[i])))) return false;
    return name.bytes > 0;
}

/* `inside` is what stands between the braces. */
static int expand_one(struct sq_str inside, const char *const *environment, struct sq_buf *out, struct sq_err *err)
{
    const char *colon = memchr(inside.data, ':', inside.bytes);
    struct sq_str name = {inside.data, colon ? (size_t)(colon - inside.data) : inside.bytes};
    struct sq_str rest = {inside.data + name.bytes, inside.bytes - name.bytes};
    char mode = rest.bytes >= 2 ? rest.data[1] : '\0';
    if (!is_variable(name) || (rest.bytes > 0 && mode != '-' && mode != '?'))
        return sq_err_set(err, SQ_E_CONFIG, "'${%.*s}' is not ${VAR}, ${VAR:-default} or ${VAR:?message}; a plain $ is written $$",
                          (int)inside.bytes, inside.data);
    const char *value = sq_config_variable(environment, name);
    if (value && (*value || rest.bytes == 0)) {
        sq_buf_append_text(out, value);
        return 0;
    }
    struct sq_str given = rest.bytes ? (struct sq_str){rest.data + 2, rest.bytes - 2} : (struct sq_str){"", 0};
    if (mode == '-') {
        sq_buf_append_str(out, given);
        return 0;
    }
    if (given.bytes) return sq_err_set(err, SQ_E_CONFIG, "the variable %.*s is not set: %.*s", (int)name.bytes, name.data, (int)given.bytes, given.data);
    return sq_err_set(err, SQ_E_CONFIG, "the variable %.*s is not set; ${%.*s:-default} gives it a default", (int)name.bytes, name.data,
                      (int)name.bytes, name.data);
}

int sq_config_expand(struct sq_str text, const char *const *environment, struct sq_buf *out, struct sq_err *err)
{
    for (size_t at = 0; at < text.bytes; at++) {
        char next = at + 1 < text.bytes ? text.data[at + 1] : '\0';
        if (text.data[at] != '$' || (next != '$' && next != '{')) {
            sq_buf_append_char(out, text.data[at]);
            continue;
        }
        at += 2;
        if (next == '$') {
            sq_buf_append_char(out, '$');
            at--;
            continue;
        }
        const char *end = at < text.bytes ? memchr(text.data + at, '}', text.bytes - at) : NULL;
        if (!end) return sq_err_set(err, SQ_E_CONFIG, "'${' has no '}'; a plain $ is written $$");
        int code = expand_one((struct sq_str){text.data + at, (size_t)(end - text.data) - at}, environment, out, err);
        if (code != 0) return code;
        at = (size_t)(end - text.data);
    }
    return sq_buf_failed(out) ? sq_err_set(err, SQ_E_NOMEM, "no memory to replace variables") : 0;
}
