/* SPDX-License-Identifier: Apache-2.0 */
/* Lines in, labels or vectors out, in the same order. A line is written when the ring of lines in work is full, when the texts in it are over a bound,
 * and when nobody has written the next line yet, so that a person who types a line sees its answer. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/json.h"
#include "worker/cli/lines.h"
#include "worker/cli/model.h"
#include "worker/cli/ordered.h"

enum { SLOTS_COUNT = 1024, RING_BYTES_MAX = 8 * 1024 * 1024, KEPT_BYTES_MAX = 16 * 1024, THREADS_MAX = 1024 };

struct slot {
    struct sq_ordered_slot ordered; /* first */
    struct sq_buf text;
    float *vector; /* owned; to embed, from the slot's first line on */
};

struct classify {
    bool json, logits;
    const struct sq_model_info *info;
    struct sq_session *session; /* for --logits: the ids */
    int32_t *ids;
    struct sq_lines lines;
    struct sq_buf out;
    struct sq_ordered ordered; /* lines in work */
    size_t ring_bytes;         /* of their texts */
    bool has_failures;
};

static void write_ids(struct classify *classify, struct sq_str text)
{
    size_t count = 0;
    sq_session_tokenise(classify->session, text, classify->ids, &count, NULL);
    sq_json_write_key(&classify->out, "ids");
    for (size_t i = 0; i < count; i++) sq_buf_printf(&classify->out, "%c%d", i ? ',' : '[', classify->ids[i]);
    sq_buf_append_char(&classify->out, ']');
}

static void write_scores(struct classify *classify, const struct slot *slot)
{
    struct sq_buf *out = &classify->out;
    const struct sq_prediction *prediction = &slot->ordered.job.prediction;
    sq_json_write_key(out, "label");
    sq_json_write_str(out, sq_str_view(classify->info->labels[prediction->label]));
    sq_json_write_key(out, "score");
    sq_json_write_real(out, (double)prediction->score);
    sq_json_write_key(out, "scores");
    sq_buf_append_char(out, '{');
    for (unsigned i = 0; i < classify->info->labels_count; i++) {
        sq_json_write_key(out, classify->info->labels[i]);
        sq_json_write_real(out, (double)prediction->probabilities[i]);
    }
    sq_buf_append_char(out, '}');
    if (!classify->logits) return;
    sq_json_write_key(out, "logits");
    for (unsigned i = 0; i < classify->info->labels_count; i++) {
        sq_buf_append_char(out, i ? ',' : '[');
        sq_json_write_real(out, (double)prediction->logits[i]);
    }
    sq_buf_append_char(out, ']');
    write_ids(classify, slot->ordered.job.text);
}

static void write_vector(struct classify *classify, const struct slot *slot)
{
    sq_vector_normalise(slot->vector, classify->info->outputs_count);
    for (unsigned i = 0; i < classify->info->outputs_count; i++) {
        sq_buf_append_char(&classify->out, i ? ',' : '[');
        sq_json_write_real(&classify->out, (double)slot->vector[i]);
    }
    sq_buf_append_char(&classify->out, ']');
}

static void write_embedding(struct classify *classify, const struct slot *slot)
{
    sq_json_write_key(&classify->out, "embedding");
    write_vector(classify, slot);
    sq_json_write_key(&classify->out, "tokens");
    sq_buf_printf(&classify->out, "%u", slot->ordered.job.prediction.tokens);
    if (classify->logits) write_ids(classify, slot->ordered.job.text);
}

static void write_json(struct classify *classify, const struct slot *slot)
{
    struct sq_buf *out = &classify->out;
    int code = slot->ordered.job.prediction.code;
    sq_buf_append_char(out, '{');
    if (code < 0) {
        sq_json_write_key(out, "error");
        sq_json_write_str(out, sq_str_view(sq_err_word(code)));
        sq_json_write_key(out, "message");
        sq_json_write_str(out, sq_str_view(sq_err_meaning(code)));
    } else if (classify->info->task == SQ_TASK_EMBED) {
        write_embedding(classify, slot);
    } else {
        write_scores(classify, slot);
    }
    sq_buf_append_text(out, "}\n");
}

/* The labels from the most to the least probable, the text's tokens and how long it took. */
static void write_for_people(struct classify *classify, const struct slot *slot)
{
    struct sq_buf *out = &classify->out;
    const struct sq_prediction *prediction = &slot->ordered.job.prediction;
    bool written[SQ_LABELS_MAX] = {false};
    if (prediction->code < 0) {
        sq_buf_printf(out, "error: %s\n", sq_err_meaning(prediction->code));
        return;
    }
    if (classify->info->task == SQ_TASK_EMBED) {
        write_vector(classify, slot);
        sq_buf_append_char(out, '\n');
        return;
    }
    for (unsigned n = 0; n < classify->info->labels_count; n++) {
        unsigned best = SQ_LABELS_MAX;
        for (unsigned i = 0; i < classify->info->labels_count; i++) {
            if (!written[i] && (best == SQ_LABELS_MAX || prediction->probabilities[i] > prediction->probabilities[best])) best = i;
        }
        written[best] = true;
        sq_buf_printf(out, "%s %.4f   ", classify->info->labels[best], (double)prediction->probabilities[best]);
    }
    double ms = (double)(slot->ordered.job.finished_ns - slot->ordered.job.started_ns) * 1e-6;
    sq_buf_printf(out, "  %u tokens%s, %.1f ms, %s\n", prediction->tokens, prediction->truncated ? " (cut)" : "", ms,
                  classify->info->precision_text);
}

/* Waits for the oldest line and writes it. False: there is none. */
static bool write_oldest(struct classify *classify)
{
    struct slot *slot = sq_ordered_oldest_wait(&classify->ordered);
    if (!slot) return false;
    if (slot->ordered.job.prediction.code < 0) classify->has_failures = true;
    if (classify->json) write_json(classify, slot);
    else write_for_people(classify, slot);
    fwrite(classify->out.data, 1, classify->out.bytes, stdout);
    sq_buf_clear(&classify->out);
    classify->ring_bytes -= slot->text.bytes;
    if (slot->text.capacity_bytes > KEPT_BYTES_MAX) sq_buf_deinit(&slot->text);
    sq_ordered_release(&classify->ordered);
    return true;
}

static void write_all(struct classify *classify)
{
    while (write_oldest(classify)) {
    }
    fflush(stdout);
}

/* Puts one line into the ring; a line that is too long is finished at once. */
static int add_line(struct classify *classify, enum sq_line kind, struct sq_str line)
{
    struct slot *slot;
    while (classify->ring_bytes > RING_BYTES_MAX && write_oldest(classify)) {
    }
    while (!(slot = sq_ordered_free(&classify->ordered))) write_oldest(classify);
    sq_buf_clear(&slot->text);
    if (kind == SQ_LINE_TEXT) sq_buf_append_str(&slot->text, line);
    if (sq_buf_failed(&slot->text)) return SQ_E_NOMEM;
    if (classify->info->task == SQ_TASK_EMBED && !slot->vector) slot->vector = malloc(classify->info->outputs_count * sizeof *slot->vector);
    if (classify->info->task == SQ_TASK_EMBED && !slot->vector) return SQ_E_NOMEM;
    slot->ordered.job = (struct sq_job){.text = sq_buf_view(&slot->text), .prediction.vector = slot->vector};
    classify->ring_bytes += slot->text.bytes;
    if (kind == SQ_LINE_TEXT) return sq_ordered_submit(&classify->ordered);
    slot->ordered.job.prediction.code = SQ_E_TOO_LARGE;
    sq_ordered_skip(&classify->ordered);
    return 0;
}

static int classify_lines(struct classify *classify, struct sq_err *err)
{
    for (;;) {
        struct sq_str line = {0};
        if (sq_ordered_count(&classify->ordered) > 0 && sq_lines_would_wait(&classify->lines)) write_all(classify);
        int kind = sq_lines_next(&classify->lines, &line, err);
        if (kind < 0) return kind;
        if (kind == SQ_LINE_END) return 0;
        int status = add_line(classify, (enum sq_line)kind, line);
        if (status < 0) return sq_err_set(err, status, "a line could not be handed to the engine: %s", sq_err_meaning(status));
    }
}

static int start(struct classify *classify, const struct sq_engine *engine, const char *path, unsigned threads, struct sq_err *err)
{
    classify->info = sq_engine_info(engine);
    int status = sq_ordered_open(&classify->ordered, engine, threads, 0, SLOTS_COUNT, sizeof(struct slot), err);
    if (status) return status;
    classify->ids = malloc(classify->info->tokens_max * sizeof *classify->ids);
    if (!classify->ids) return sq_err_set(err, SQ_E_NOMEM, "no memory for the token ids of a line");
    status = sq_lines_open(&classify->lines, path, SQ_TEXT_BYTES_MAX, err);
    return status == 0 && classify->logits ? sq_session_open(&classify->session, engine, err) : status;
}

static void deinit_slot(void *ordered)
{
    struct slot *slot = ordered;
    sq_buf_deinit(&slot->text);
    free(slot->vector);
}

static void stop(struct classify *classify)
{
    sq_ordered_close(&classify->ordered, deinit_slot);
    sq_session_close(classify->session);
    sq_lines_close(&classify->lines);
    free(classify->ids);
    sq_buf_deinit(&classify->out);
}

/* Returns an exit code. */
static int classify_stream(struct classify *classify, const struct sq_engine *engine, const char *path, unsigned threads)
{
    struct sq_err err = {0};
    int status = start(classify, engine, path, threads, &err);
    if (status == 0) {
        status = classify_lines(classify, &err);
        write_all(classify);
    }
    stop(classify);
    if (status == 0 && ferror(stdout)) status = sq_err_set(&err, SQ_E_IO, "stdout could not be written");
    if (status < 0) {
        fprintf(stderr, "squall classify: %s\n", err.message);
        return sq_err_exit_code(status);
    }
    return classify->has_failures ? 1 : 0;
}

static int run(int argc, char **argv)
{
    struct classify classify = {0};
    struct sq_model_options model = {0};
    unsigned threads = 0;
    const struct sq_option options[] = {
        SQ_MODEL_OPTIONS(&model),
        {.name = "task", .choice = &model.task, .choices = sq_task_names},
        {.name = "threads", .number = &threads, .min = 1, .max = THREADS_MAX},
        {.name = "json", .flag = &classify.json},
        {.name = "logits", .flag = &classify.logits},
        {0},
    };
    struct sq_operands operands = {.max = 1};
    int exit_code = sq_args_parse(&sq_command_classify, options, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;
    if (classify.logits && model.paths.count > 1)
        return sq_args_mistake(&sq_command_classify, "--logits is for one model: an ensemble averages probabilities and has no logits");
    if (classify.logits) classify.json = true;
    struct sq_engine *engine;
    exit_code = sq_model_open(&engine, &sq_command_classify, &model);
    if (exit_code != 0) return exit_code;
    exit_code = classify_stream(&classify, engine, operands.count ? operands.items[0] : NULL, threads);
    sq_engine_close(engine);
    return exit_code;
}

const struct sq_command sq_command_classify = {
    "classify",
    "lines of text in, labels or vectors out",
    "usage: squall classify [OPTIONS] [FILE|-]\n\n"
    "Reads a text a line and writes its labels, in the same order. The exit code is 1 when a line could not be scored.\n\n"
    "  --json              one object a line: label, score, scores; or error\n"
    "  --task T            classify, or embed: a sentence vector of length 1 a line, as sentence-transformers makes it; any\n"
    "                      encoder's folder will do\n"
    "  --logits            adds logits and token ids (implies --json)\n"
    "  --threads N         engine threads (the cores this process may use)\n" SQ_MODEL_USAGE,
    run,
};
