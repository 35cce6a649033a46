/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/event_read.h"

/* jansson's own messages quote the text around a mistake, and record text must not reach logs: so only our words, and the place. */
static const char *describe(enum json_error_code code)
{
    switch (code) {
    case json_error_premature_end_of_input: return "the text ends too early";
    case json_error_end_of_input_expected: return "there is more after its end";
    case json_error_duplicate_key: return "a key stands twice";
    case json_error_null_byte_in_key: return "a key holds U+0000";
    case json_error_numeric_overflow: return "a number is too large";
    case json_error_stack_overflow: return "it is nested too deeply";
    default: return "a syntax error";
    }
}

static int load(json_t **root, struct sq_str value, size_t flags, json_error_t *problem)
{
    *root = json_loadb(value.data, value.bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL | flags, problem);
    return *root ? 0 : (int)json_error_code(problem);
}

int sq_event_json_parse(json_t **root, struct sq_str value, struct sq_err *err)
{
    json_error_t problem;
    int code = load(root, value, 0, &problem);
    /* An integer over 64 bits somewhere in the record is no reason to lose it: only where a field needs it exactly is it refused. */
    if (!*root && code == json_error_numeric_overflow) code = load(root, value, JSON_DECODE_INT_AS_REAL, &problem);
    if (!*root && code == json_error_out_of_memory) return sq_err_set(err, SQ_E_NOMEM, "no memory to parse a record of %zu bytes", value.bytes);
    if (!*root && code == json_error_invalid_utf8)
        return sq_err_set(err, SQ_E_INVALID_UTF8, "the record's JSON is not valid UTF-8 at byte %d", problem.position);
    if (!*root)
        return sq_err_set(err, SQ_E_DECODE, "the record is not valid JSON: %s at byte %d", describe((enum json_error_code)code), problem.position);
    if (json_is_object(*root)) return 0;
    json_decref(*root);
    *root = NULL;
    return sq_err_set(err, SQ_E_WRONG_TYPE, "the record's JSON is not an object; for whole texts set input.format: text");
}

static struct sq_raw as_raw(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_NULL: return (struct sq_raw){.kind = SQ_RAW_ABSENT};
    case JSON_STRING: return (struct sq_raw){.kind = SQ_RAW_TEXT, .text = {json_string_value(value), json_string_length(value)}};
    case JSON_INTEGER: return (struct sq_raw){.kind = SQ_RAW_INTEGER, .integer = json_integer_value(value)};
    case JSON_REAL: return (struct sq_raw){.kind = SQ_RAW_REAL, .real = json_real_value(value)};
    default: return (struct sq_raw){.kind = SQ_RAW_OTHER};
    }
}

struct sq_raw sq_event_json_find(const json_t *root, const char *path)
{
    const json_t *at = root;
    for (const char *name = path;; name++) {
        if (!json_is_object(at)) return json_is_null(at) ? (struct sq_raw){.kind = SQ_RAW_ABSENT} : (struct sq_raw){.kind = SQ_RAW_OTHER};
        size_t bytes = strcspn(name, ".");
        at = json_object_getn(at, name, bytes);
        if (!at) return (struct sq_raw){.kind = SQ_RAW_ABSENT};
        name += bytes;
        if (!*name) return as_raw(at);
    }
}
