/* SPDX-License-Identifier: Apache-2.0 */
/* Values as they stand in a file. */
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "engine/base/json.h"
#include "worker/io/config_value.h"

static int64_t load_integer(size_t bytes, const void *from)
{
    int64_t number = 0;
    int32_t narrow = 0;
    if (bytes == sizeof number) memcpy(&number, from, bytes);
    else memcpy(&narrow, from, sizeof narrow);
    return bytes == sizeof number ? number : narrow;
}

static unsigned list_count(const struct sq_config_row *row, const void *base)
{
    unsigned count = row->items_max;
    if (row->count_offset) memcpy(&count, (const char *)base + row->count_offset, sizeof count);
    return count;
}

/* A plain YAML scalar that no YAML reader takes for something else; anything else goes in quotes, where JSON's escapes are YAML's. */
static bool is_plain(const char *text)
{
    static const char *const taken[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    if (!*text || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/", *text)) return false;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcasecmp(text, taken[i]) == 0) return false;
    size_t bytes = strlen(text);
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:-") == bytes && text[bytes - 1] != ':';
}

/* `$` is doubled in YAML, which a reader replaces in; JSON is for machines. */
static void write_text(const char *text, bool json, struct sq_buf *out)
{
    if (!json && is_plain(text)) {
        sq_buf_append_text(out, text);
        return;
    }
    struct sq_buf doubled;
    sq_buf_init(&doubled);
    for (const char *c = text; *c; c++) {
        if (*c == '$' && !json) sq_buf_append_char(&doubled, '$');
        sq_buf_append_char(&doubled, *c);
    }
    sq_json_write_str(out, sq_buf_view(&doubled));
    sq_buf_deinit(&doubled);
}

static void write_duration(const void *from, bool json, struct sq_buf *out)
{
    int64_t ms;
    char text[32];
    memcpy(&ms, from, sizeof ms);
    sq_config_duration_format(ms, text);
    if (json) write_text(text, true, out);
    else sq_buf_append_text(out, text);
}

static void write_list(const struct sq_config_row *row, const void *base, bool json, struct sq_buf *out)
{
    const char *from = (const char *)base + row->offset;
    unsigned count = list_count(row, base), bits = 0, written = 0;
    if (row->kind == SQ_KIND_SET) {
        memcpy(&bits, from, sizeof bits);
        for (count = 0; row->words[count];) count++;
    }
    if (row->flags & SQ_ROW_ONE_OR_MANY && count == 1) {
        write_text(from, json, out);
        return;
    }
    sq_buf_append_char(out, '[');
    for (unsigned i = 0; i < count; i++) {
        if (row->kind == SQ_KIND_SET && !(bits & (1u << i))) continue;
        if (written++) sq_buf_append_text(out, json ? "," : ", ");
        if (row->kind == SQ_KIND_SET) write_text(row->words[i], json, out);
        else if (row->kind == SQ_KIND_TEXTS) write_text(from + i * row->bytes, json, out);
        else write_duration(from + i * row->bytes, json, out);
    }
    sq_buf_append_char(out, ']');
}

static void write_pairs(const struct sq_config_pairs *pairs, bool json, struct sq_buf *out)
{
    sq_buf_append_char(out, '{');
    for (unsigned i = 0; i < pairs->count; i++) {
        if (i) sq_buf_append_text(out, json ? "," : ", ");
        write_text(pairs->items[i].name, json, out);
        sq_buf_append_text(out, json ? ":" : ": ");
        write_text(sq_config_property_secret(pairs->items[i].name) ? "********" : pairs->items[i].value, json, out);
    }
    sq_buf_append_char(out, '}');
}

static void write_field(const struct sq_field *field, bool json, struct sq_buf *out)
{
    static const char *const prefixes[] = {"", "", "key", "header:"};
    char text[SQ_FIELD_NAME_BYTES + 8];
    snprintf(text, sizeof text, "%s%s", prefixes[field->kind], field->name);
    write_text(text, json, out);
}

static unsigned word_index(const struct sq_config_row *row, const void *from)
{
    unsigned index;
    if (row->bytes == sizeof(bool)) return *(const bool *)from;
    memcpy(&index, from, sizeof index);
    return index;
}

void sq_config_value_write(const struct sq_config_row *row, const void *base, bool json, struct sq_buf *out)
{
    const void *from = (const char *)base + row->offset;
    double real;
    size_t size;
    int64_t number;
    switch (row->kind) {
    case SQ_KIND_TEXT: write_text(from, json, out); break;
    case SQ_KIND_BOOL: sq_buf_append_text(out, *(const bool *)from ? "true" : "false"); break;
    case SQ_KIND_INT:
        number = load_integer(row->bytes, from);
        if (number == 0 && row->zero_word) write_text(row->zero_word, json, out);
        else sq_buf_printf(out, "%" PRId64, number);
        break;
    case SQ_KIND_REAL:
        memcpy(&real, from, sizeof real);
        sq_buf_printf(out, "%.15g", real);
        break;
    case SQ_KIND_DURATION: write_duration(from, json, out); break;
    case SQ_KIND_SIZE:
        memcpy(&size, from, sizeof size);
        sq_buf_printf(out, "%zu", size);
        break;
    case SQ_KIND_WORD: write_text(row->words[word_index(row, from)], json, out); break;
    case SQ_KIND_SET:
    case SQ_KIND_TEXTS:
    case SQ_KIND_DURATIONS: write_list(row, base, json, out); break;
    case SQ_KIND_FIELD: write_field(from, json, out); break;
    case SQ_KIND_PAIRS: write_pairs(from, json, out); break;
    }
}
