/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"

static struct {
    enum sq_log_level level;
    enum sq_log_format format;
    int fd;
} settings = {SQ_LOG_INFO, SQ_LOG_AUTO, STDERR_FILENO};

static const struct {
    const char *word, *padded;
} levels[] = {{"debug", "DEBUG"}, {"info", "INFO "}, {"warn", "WARN "}, {"error", "ERROR"}};

void sq_log_set(enum sq_log_level level, enum sq_log_format format)
{
    settings.level = level;
    settings.format = format;
}

void sq_log_set_fd(int fd) { settings.fd = fd; }

bool sq_log_enabled(enum sq_log_level level) { return level >= settings.level; }

static bool is_json(void)
{
    return settings.format == SQ_LOG_JSON || (settings.format == SQ_LOG_AUTO && !isatty(settings.fd));
}

/* A line being written; room for the end of it is always kept. */
struct line {
    char data[SQ_LOG_LINE_BYTES];
    size_t bytes;
};
enum { LINE_TAIL_BYTES = 16 };

static void put_char(struct line *line, char c)
{
    if (line->bytes < sizeof line->data - LINE_TAIL_BYTES) line->data[line->bytes++] = c;
}

static void put_text(struct line *line, const char *text)
{
    while (*text) put_char(line, *text++);
}

static void put_time(struct line *line)
{
    int64_t now_ms = sq_clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    char text[48];
    gmtime_r(&seconds, &tm);
    size_t bytes = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + bytes, sizeof text - bytes, ".%03dZ", (int)(now_ms % 1000));
    put_text(line, text);
}

/* JSON's escapes serve both formats: a quote, a backslash or a control character never breaks a line. */
static void put_escaped(struct line *line, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            put_char(line, '\\');
            put_char(line, (char)c);
        } else if (c < 0x20 || c == 0x7f) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\u%04x", c);
            put_text(line, escape);
        } else {
            put_char(line, (char)c);
        }
    }
}

static bool needs_quotes(const char *text)
{
    if (!*text) return true;
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == '"' || *text == '=' || *text == '\\' || *text == 0x7f) return true;
    return false;
}

static void put_quoted(struct line *line, const char *text)
{
    put_char(line, '"');
    put_escaped(line, text);
    put_char(line, '"');
}

static void put_value(struct line *line, const struct sq_log_field *field, bool json)
{
    char number[32];
    switch (field->kind) {
    case SQ_LOG_KIND_STR: {
        const char *text = field->str ? field->str : "";
        if (json || needs_quotes(text)) put_quoted(line, text);
        else put_text(line, text);
        return;
    }
    case SQ_LOG_KIND_INT: snprintf(number, sizeof number, "%" PRId64, field->integer); break;
    case SQ_LOG_KIND_REAL: snprintf(number, sizeof number, isfinite(field->real) ? "%.6g" : "null", field->real); break;
    }
    put_text(line, number);
}

static void compose_text(struct line *line, enum sq_log_level level, const struct sq_log_field *fields)
{
    put_time(line);
    put_char(line, ' ');
    put_text(line, levels[level].padded);
    put_char(line, ' ');
    put_escaped(line, fields->str ? fields->str : "");
    for (fields++; fields->key; fields++) {
        put_char(line, ' ');
        put_text(line, fields->key);
        put_char(line, '=');
        put_value(line, fields, false);
    }
    line->data[line->bytes++] = '\n';
}

static void compose_json(struct line *line, enum sq_log_level level, const struct sq_log_field *fields)
{
    put_text(line, "{\"ts\":\"");
    put_time(line);
    put_text(line, "\",\"level\":\"");
    put_text(line, levels[level].word);
    put_char(line, '"');
    for (; fields->key; fields++) {
        size_t before_bytes = line->bytes;
        put_text(line, ",\"");
        put_text(line, fields->key);
        put_text(line, "\":");
        put_value(line, fields, true);
        if (line->bytes >= sizeof line->data - LINE_TAIL_BYTES) { /* a member cut in its middle is no JSON: leave it out */
            line->bytes = before_bytes;
            break;
        }
    }
    line->data[line->bytes++] = '}';
    line->data[line->bytes++] = '\n';
}

void sq_log_write(enum sq_log_level level, const struct sq_log_field *fields)
{
    if (!sq_log_enabled(level)) return;
    struct line line = {.bytes = 0};
    (is_json() ? compose_json : compose_text)(&line, level, fields);
    for (size_t sent = 0; sent < line.bytes;) {
        ssize_t bytes = write(settings.fd, line.data + sent, line.bytes - sent);
        if (bytes <= 0) return; /* nowhere left to complain */
        sent += (size_t)bytes;
    }
}

bool sq_log_allow(struct sq_log_limit *limit, uint64_t interval_ms, uint64_t *suppressed)
{
    uint64_t now_ns = sq_clock_monotonic_ns();
    uint64_t next_ns = atomic_load_explicit(&limit->next_ns, memory_order_relaxed);
    if (now_ns < next_ns ||
        !atomic_compare_exchange_strong(&limit->next_ns, &next_ns, now_ns + interval_ms * 1000000u)) {
        atomic_fetch_add_explicit(&limit->suppressed, 1, memory_order_relaxed);
        return false;
    }
    uint64_t held = atomic_exchange_explicit(&limit->suppressed, 0, memory_order_relaxed);
    if (suppressed) *suppressed = held;
    return true;
}
