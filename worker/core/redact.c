/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over the text. At each place the matchers below are asked, in order, how many bytes they would hide; none looks further than
 * it will take, or than a fixed bound, so the walk is linear whatever the text. */
#include "worker/core/redact.h"

#include <stdint.h>

#include "engine/base/utf8.h"

enum { SCHEME_BYTES_MAX = 16, LOCAL_BYTES_MAX = 64, DOMAIN_BYTES_MAX = 253, DIGITS_MIN = 4, SEPARATORS_MAX = 2 };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_alnum(char c) { return is_letter(c) || is_digit(c); }
static bool is_one_of(char c, const char *set) { return c && strchr(set, c); }

/* A part of a name in any script: bytes over 0x7f are letters for this purpose. */
static bool is_word(char c) { return is_alnum(c) || c == '_' || (unsigned char)c >= 0x80; }

static bool begins_with(struct sq_str text, const char *lower)
{
    for (size_t i = 0; lower[i]; i++)
        if (i == text.bytes || (is_letter(text.data[i]) ? (text.data[i] | 0x20) : text.data[i]) != lower[i]) return false;
    return true;
}

/* ---- Matchers: bytes of `text` to hide, 0 for none ---- */

static size_t to_white(struct sq_str text, size_t at)
{
    while (at < text.bytes && !is_one_of(text.data[at], "\"<>")) {
        uint32_t code_point;
        size_t step = sq_utf8_decode(text.data + at, text.bytes - at, &code_point);
        if (step == 0 || sq_utf8_is_white(code_point)) break;
        at += step;
    }
    return at;
}

static size_t match_url(struct sq_str text)
{
    size_t bytes = 0;
    if (begins_with(text, "www.")) return to_white(text, 4);
    if (text.bytes == 0 || !is_letter(text.data[0])) return 0;
    while (bytes < text.bytes && bytes < SCHEME_BYTES_MAX && (is_alnum(text.data[bytes]) || is_one_of(text.data[bytes], "+.-"))) bytes++;
    if (!begins_with((struct sq_str){text.data + bytes, text.bytes - bytes}, "://")) return 0;
    return to_white(text, bytes + 3);
}

static size_t match_email(struct sq_str text)
{
    size_t at = 0;
    while (at < text.bytes && at <= LOCAL_BYTES_MAX && (is_word(text.data[at]) || is_one_of(text.data[at], ".%+-"))) at++;
    if (at == 0 || at > LOCAL_BYTES_MAX || at == text.bytes || text.data[at] != '@') return 0;
    size_t domain = ++at, dots = 0, end = at; /* end: behind the last letter or digit, so that a full stop stays */
    for (; at < text.bytes && at - domain < DOMAIN_BYTES_MAX && (is_word(text.data[at]) || is_one_of(text.data[at], ".-")); at++) {
        if (!is_word(text.data[at])) continue;
        if (at > domain && text.data[at - 1] == '.') dots++;
        end = at + 1;
    }
    return dots ? end : 0;
}

static size_t match_handle(struct sq_str text)
{
    size_t at = 1;
    if (text.bytes < 2 || text.data[0] != '@') return 0;
    while (at < text.bytes && is_word(text.data[at])) at++;
    return at > 1 ? at : 0;
}

static size_t match_digits(struct sq_str text)
{
    size_t digits = 0, end = 0, separators = 0;
    for (size_t at = 0; at < text.bytes && separators <= SEPARATORS_MAX; at++) {
        if (is_digit(text.data[at])) {
            digits++;
            separators = 0;
            end = at + 1;
        } else if (digits > 0 && is_one_of(text.data[at], " .-/()")) {
            separators++;
        } else {
            break;
        }
    }
    return digits >= DIGITS_MIN ? end : 0;
}

static const struct matcher {
    unsigned kind;
    bool at_word_start; /* else anywhere */
    size_t (*match)(struct sq_str text);
    const char *replacement;
} matchers[] = {
    {SQ_REDACT_URL, true, match_url, "[url]"},
    {SQ_REDACT_EMAIL, true, match_email, "[email]"},
    {SQ_REDACT_HANDLE, true, match_handle, "[handle]"},
    {SQ_REDACT_DIGITS, false, match_digits, "[digits]"},
};

static const struct matcher *find(const struct sq_redact_rules *rules, struct sq_str text, bool at_word_start, size_t *bytes)
{
    for (size_t i = 0; i < sizeof matchers / sizeof *matchers; i++) {
        if (!(rules->redact & matchers[i].kind) || (matchers[i].at_word_start && !at_word_start)) continue;
        *bytes = matchers[i].match(text);
        if (*bytes) return &matchers[i];
    }
    return NULL;
}

/* ---- Output: units that are written whole or not at all ---- */

struct excerpt {
    struct sq_buf *out;
    size_t start_bytes;
    unsigned chars, chars_max;
    size_t cut_bytes;  /* where "…" would go */
    bool blank_before; /* white space since the last unit */
};

static bool put(struct excerpt *excerpt, struct sq_str unit, unsigned unit_chars)
{
    bool blank = excerpt->blank_before && excerpt->out->bytes > excerpt->start_bytes;
    unsigned chars = excerpt->chars + unit_chars + blank;
    if (chars > excerpt->chars_max) return false;
    if (blank) sq_buf_append_char(excerpt->out, ' ');
    sq_buf_append_str(excerpt->out, unit);
    excerpt->chars = chars;
    excerpt->blank_before = false;
    if (chars < excerpt->chars_max) excerpt->cut_bytes = excerpt->out->bytes;
    return true;
}

static void cut(struct excerpt *excerpt)
{
    if (sq_buf_failed(excerpt->out)) return;
    excerpt->out->bytes = excerpt->cut_bytes;
    sq_buf_append_text(excerpt->out, "\xe2\x80\xa6");
}

void sq_redact_append(const struct sq_redact_rules *rules, struct sq_str text, struct sq_buf *out)
{
    struct excerpt excerpt = {.out = out, .start_bytes = out->bytes, .chars_max = rules->chars_max, .cut_bytes = out->bytes};
    bool word_before = false, whole = true;
    if (!rules->examples || rules->chars_max == 0) return;
    text.bytes = sq_utf8_valid_bytes(text);
    for (size_t at = 0, step; at < text.bytes && whole; at += step) {
        struct sq_str rest = {text.data + at, text.bytes - at};
        const struct matcher *matcher = find(rules, rest, !word_before, &step);
        if (matcher) {
            whole = put(&excerpt, sq_str_view(matcher->replacement), (unsigned)strlen(matcher->replacement));
            word_before = is_word(text.data[at + step - 1]);
            continue;
        }
        uint32_t code_point;
        step = sq_utf8_decode(rest.data, rest.bytes, &code_point);
        bool is_joiner = code_point == 0x200c || code_point == 0x200d; /* part of words and emoji */
        if (sq_utf8_is_white(code_point)) excerpt.blank_before = true;
        else if (is_joiner || !sq_utf8_is_invisible(code_point)) whole = put(&excerpt, (struct sq_str){rest.data, step}, 1);
        word_before = is_word(rest.data[0]);
    }
    if (!whole) cut(&excerpt);
}
