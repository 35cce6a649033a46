/* SPDX-License-Identifier: Apache-2.0 */
/* vocab.json and merges.txt of RoBERTa: ids by entry, and a merge a line, "left right", by rank. */
#include "engine/base/utf8.h"
#include "engine/tokenizer/draft_slow.h"

static int read_vocabulary(struct sq_tokenizer_draft *draft, const char *path, struct sq_err *err)
{
    int status = sq_json_read_file(&draft->file, path, SQ_TOKENIZER_FILE_BYTES_MAX, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_json_parse(&draft->vocabulary, path, sq_buf_view(&draft->file), SQ_E_MODEL_FILE, err);
    if (status) return status;
    status = sq_draft_read_vocabulary(draft, draft->vocabulary, err);
    return status ? sq_err_prefix(err, "%s: ", path) : 0;
}

static bool is_version(struct sq_str line)
{
    static const struct sq_str version = {"#version", 8};
    return line.bytes >= version.bytes && memcmp(line.data, version.data, version.bytes) == 0;
}

static int read_lines(struct sq_tokenizer_draft *draft, const char *path, struct sq_err *err)
{
    int status = sq_json_read_file(&draft->extra, path, SQ_TOKENIZER_FILE_BYTES_MAX, SQ_E_MODEL_FILE, err);
    if (status) return status;
    struct sq_str rest = sq_buf_view(&draft->extra);
    size_t lines = 1;
    for (size_t i = 0; i < rest.bytes; i++) lines += rest.data[i] == '\n';
    status = sq_draft_reserve_merges(draft, lines, err);
    for (size_t number = 1; status == 0 && rest.bytes > 0; number++) {
        const char *newline = memchr(rest.data, '\n', rest.bytes);
        struct sq_str line = {rest.data, newline ? (size_t)(newline - rest.data) : rest.bytes};
        size_t step = line.bytes + (newline ? 1 : 0);
        rest = (struct sq_str){rest.data + step, rest.bytes - step};
        if (line.bytes && line.data[line.bytes - 1] == '\r') line.bytes--;
        if (!is_version(line)) status = sq_draft_add_merge(draft, line, err);
        if (status) return sq_err_prefix(err, "%s:%zu: ", path, number);
    }
    return status ? sq_err_prefix(err, "%s: ", path) : 0;
}

int sq_draft_read_merges(struct sq_tokenizer_draft *draft, const char *model_dir, const struct sq_slow_tokens *tokens,
                         struct sq_err *err)
{
    char path[SQ_DRAFT_PATH_BYTES];
    (void)tokens;
    draft->model = SQ_MODEL_BPE;
    draft->split = SQ_SPLIT_BYTE_LEVEL;
    draft->use_regex = true;
    int status = sq_json_get_bool(draft->root, "add_prefix_space", false, &draft->add_prefix_space, SQ_E_MODEL_FILE, err);
    if (status) return sq_err_prefix(err, "%s/tokenizer_config.json: ", model_dir);
    status = sq_draft_path(path, model_dir, "vocab.json", err);
    if (status == 0) status = read_vocabulary(draft, path, err);
    if (status == 0) status = sq_draft_path(path, model_dir, "merges.txt", err);
    return status ? status : read_lines(draft, path, err);
}
