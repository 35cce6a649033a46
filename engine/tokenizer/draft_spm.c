/* SPDX-License-Identifier: Apache-2.0 */
/* sentencepiece.bpe.model of XLM-RoBERTa and CamemBERT, whose name is older than its contents: a unigram model. Its pieces get
 * fairseq's ids, which put a few of their own in front and the mask behind. */
#include <stdlib.h>

#include "engine/tokenizer/draft_slow.h"
#include "engine/tokenizer/spm.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

static int add(struct sq_tokenizer_draft *draft, struct sq_str text, double score, struct sq_err *err)
{
    draft->scores[draft->entries_count] = score;
    return sq_draft_add_entry(draft, text, (int64_t)draft->entries_count, err);
}

/* own: the ids in front, with their scores; they stand for the first `replaced` pieces. */
static int add_all(struct sq_tokenizer_draft *draft, const struct sq_spm *spm, const struct sq_str *own, const double *own_scores,
                   size_t own_count, size_t replaced, struct sq_str mask, struct sq_err *err)
{
    size_t count = own_count + spm->pieces_count + 1;
    int status = sq_draft_reserve_entries(draft, count, err);
    if (status) return status;
    draft->scores = malloc(count * sizeof *draft->scores);
    if (!draft->scores) return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu scores", count);
    for (size_t i = 0; status == 0 && i < own_count; i++) status = add(draft, own[i], own_scores[i], err);
    for (size_t i = replaced; status == 0 && i < spm->pieces_count; i++)
        status = add(draft, spm->pieces[i].text, (double)spm->pieces[i].score, err);
    return status ? status : add(draft, mask, 0, err);
}

/* Control and user-defined pieces are found in the raw text. */
static int add_tokens(struct sq_tokenizer_draft *draft, const struct sq_spm *spm, struct sq_err *err)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < spm->pieces_count; i++) {
        const struct sq_spm_piece *piece = &spm->pieces[i];
        if (piece->type != SQ_SPM_CONTROL && piece->type != SQ_SPM_USER_DEFINED) continue;
        status = sq_draft_add_new_token(draft, (struct sq_added_token){.content = piece->text}, err);
    }
    return status;
}

static int read_settings(struct sq_tokenizer_draft *draft, const struct sq_spm *spm, struct sq_err *err)
{
    bool adds = true;
    draft->model = SQ_MODEL_UNIGRAM;
    draft->split = SQ_SPLIT_METASPACE;
    draft->metaspace.split = draft->metaspace.split_white = true;
    if (spm->charsmap.bytes) {
        draft->steps[draft->steps_count++] = (struct sq_step){.kind = sq_step_kind_find("Precompiled"), .content = spm->charsmap};
    }
    int status = sq_json_get_bool(draft->root, "add_prefix_space", true, &adds, SQ_E_MODEL_FILE, err);
    draft->metaspace.prepend = adds ? SQ_PREPEND_ALWAYS : SQ_PREPEND_NEVER;
    return status ? sq_err_prefix(err, "%s", "tokenizer_config.json: ") : 0;
}

static int read_model(struct sq_tokenizer_draft *draft, const char *path, struct sq_spm *spm, struct sq_err *err)
{
    int status = sq_json_read_file(&draft->file, path, SQ_TOKENIZER_FILE_BYTES_MAX, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_spm_parse(spm, sq_buf_view(&draft->file), SQ_TOKENIZER_ENTRIES_MAX, err);
    if (status == 0 && spm->model != SQ_SPM_UNIGRAM) {
        sq_spm_deinit(spm);
        status = FAIL("trainer_spec.model_type: only unigram models are supported: add the tokenizer.json that the fast tokenizer "
                      "saves");
    }
    return status;
}

static int read_folder(struct sq_tokenizer_draft *draft, const char *model_dir, const struct sq_str *own, const double *own_scores,
                       size_t own_count, size_t replaced, struct sq_str mask, struct sq_err *err)
{
    char path[SQ_DRAFT_PATH_BYTES];
    struct sq_spm spm;
    int status = sq_draft_path(path, model_dir, "sentencepiece.bpe.model", err);
    if (status) return status;
    status = read_model(draft, path, &spm, err);
    if (status) return sq_err_prefix(err, "%s: ", path);
    status = add_all(draft, &spm, own, own_scores, own_count, replaced, mask, err);
    if (status == 0) status = add_tokens(draft, &spm, err);
    if (status == 0) status = read_settings(draft, &spm, err);
    sq_spm_deinit(&spm);
    return status ? sq_err_prefix(err, "%s: ", path) : 0;
}

int sq_draft_read_xlm(struct sq_tokenizer_draft *draft, const char *model_dir, const struct sq_slow_tokens *tokens,
                      struct sq_err *err)
{
    const struct sq_str *names = tokens->names;
    const struct sq_str own[] = {names[SQ_SLOW_bos], names[SQ_SLOW_pad], names[SQ_SLOW_eos], names[SQ_SLOW_unk]};
    const double scores[] = {0, 0, 0, 0};
    draft->unknown_id = 3;
    return read_folder(draft, model_dir, own, scores, 4, 3, names[SQ_SLOW_mask], err);
}

int sq_draft_read_camembert(struct sq_tokenizer_draft *draft, const char *model_dir, const struct sq_slow_tokens *tokens,
                            struct sq_err *err)
{
    const struct sq_str *names = tokens->names;
    const struct sq_str own[] = {SQ_STR("<s>NOTUSED"), names[SQ_SLOW_pad], SQ_STR("</s>NOTUSED"), names[SQ_SLOW_unk],
                                 SQ_STR("<unk>NOTUSED")};
    const double scores[] = {0, 0, 0, 0, -100};
    draft->unknown_id = 3;
    return read_folder(draft, model_dir, own, scores, 5, 1, names[SQ_SLOW_mask], err);
}
