/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/demo_texts.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "engine/base/utf8.h"

enum { FILE_BYTES_MAX = 8 << 20, TEXT_BYTES_MIN = 12, TEXT_BYTES_MAX = 280 };

const char *const sq_demo_kind_words[SQ_DEMO_KINDS] = {"tweet", "product", "editorial"};

static const char *const file_names[SQ_DEMO_KINDS] = {
    "tweets_GroundTruth.txt", "amazonReviewSnippets_GroundTruth.txt", "nytEditorialSnippets_GroundTruth.txt"};

/* Undoes what was done to texts that once stood in HTML. Shortens in place. */
static size_t unescape(char *text, size_t bytes)
{
    static const struct {
        struct sq_str from;
        char to;
    } entities[] = {{{"&amp;", 5}, '&'}, {{"&lt;", 4}, '<'}, {{"&gt;", 4}, '>'}, {{"&quot;", 6}, '"'}, {{"&#39;", 5}, '\''}};
    size_t kept = 0;
    for (size_t at = 0; at < bytes;) {
        size_t step = 1;
        char c = text[at];
        for (size_t i = 0; c == '&' && step == 1 && i < sizeof entities / sizeof *entities; i++) {
            if (bytes - at < entities[i].from.bytes || memcmp(text + at, entities[i].from.data, entities[i].from.bytes) != 0) continue;
            c = entities[i].to;
            step = entities[i].from.bytes;
        }
        text[kept++] = c;
        at += step;
    }
    return kept;
}

static int add(struct sq_demo_texts *texts, struct sq_demo_text text, struct sq_err *err)
{
    if (texts->count == texts->capacity) {
        size_t capacity = texts->capacity ? 2 * texts->capacity : 4096;
        struct sq_demo_text *items = realloc(texts->items, capacity * sizeof *items);
        if (!items) return sq_err_set(err, SQ_E_NOMEM, "no memory for the demo's texts");
        texts->items = items;
        texts->capacity = capacity;
    }
    texts->items[texts->count++] = text;
    return 0;
}

/* A line: id, rating, text, with tabs between and CR LF at the end. */
static int add_line(struct sq_demo_texts *texts, unsigned kind, char *line, struct sq_err *err)
{
    char *rest, *id = strtok_r(line, "\t", &rest), *rating = strtok_r(NULL, "\t", &rest), *text = strtok_r(NULL, "\r\n", &rest);
    if (!text) return 0;
    size_t bytes = unescape(text, strlen(text));
    struct sq_str view = {text, bytes};
    bool fits = bytes >= TEXT_BYTES_MIN && bytes <= TEXT_BYTES_MAX && sq_utf8_valid_bytes(view) == bytes;
    if (!fits) return 0;
    return add(texts, (struct sq_demo_text){.text = view, .id = sq_str_view(id), .rating = strtof(rating, NULL), .kind = kind}, err);
}

static int load_file(struct sq_demo_texts *texts, unsigned kind, const char *folder, struct sq_err *err)
{
    char path[PATH_MAX + 128];
    snprintf(path, sizeof path, "%s/%s", folder, file_names[kind]);
    int status = sq_json_read_file(&texts->files[kind], path, FILE_BYTES_MAX, SQ_E_IO, err);
    char *rest = NULL, *line = status == 0 && texts->files[kind].data ? strtok_r(texts->files[kind].data, "\n", &rest) : NULL;
    for (; status == 0 && line; line = strtok_r(NULL, "\n", &rest)) status = add_line(texts, kind, line, err);
    return status;
}

static int find_folder(char folder[PATH_MAX], struct sq_err *err)
{
    static const char *const places[] = {"../../ops/data/vader", "../share/squall/data/vader"};
    char self[PATH_MAX / 2];
    ssize_t bytes = readlink("/proc/self/exe", self, sizeof self - 1);
    if (bytes < 0) return sq_err_set(err, SQ_E_IO, "the demo's texts: this program's own path can't be read");
    self[bytes] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(folder, PATH_MAX, "%s/%s", self, places[i]);
        if (access(folder, R_OK) == 0) return 0;
    }
    return sq_err_set(err, SQ_E_IO, "the demo's texts are neither in %s/%s nor in %s", self, places[0], places[1]);
}

int sq_demo_texts_load(struct sq_demo_texts *texts, struct sq_err *err)
{
    char folder[PATH_MAX];
    *texts = (struct sq_demo_texts){0};
    int status = find_folder(folder, err);
    for (unsigned kind = 0; status == 0 && kind < SQ_DEMO_KINDS; kind++) status = load_file(texts, kind, folder, err);
    if (status == 0 && texts->count == 0) status = sq_err_set(err, SQ_E_IO, "%s holds no texts", folder);
    if (status != 0) sq_demo_texts_deinit(texts);
    return status;
}

void sq_demo_texts_deinit(struct sq_demo_texts *texts)
{
    for (unsigned kind = 0; kind < SQ_DEMO_KINDS; kind++) sq_buf_deinit(&texts->files[kind]);
    free(texts->items);
    *texts = (struct sq_demo_texts){0};
}
