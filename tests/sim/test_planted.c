/* SPDX-License-Identifier: Apache-2.0 */
/* Planted events in streams of what the model said of real texts (tests/lib/planted.h): the detector at its defaults against the rules of
 * others at their best thresholds. As a test, one short stream with generous bounds; `sim_planted FIRST_SEED SEEDS [ENTITIES [DAYS]]`
 * prints what ops/docs/DETECTION.md shows, `sim_planted ours FIRST_SEED SEEDS` the same without the others' rules, which is quick enough for many
 * seeds, and `sim_planted tones|scores SEED ENTITIES DAYS FOLDER` writes a stream: tones for
 * ops/bench/detection/texts.py to deal texts to, or scores for `squall replay`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "tests/lib/planted_study.h"
#include "tests/lib/stream.h"
#include "worker/cli/replay_line.h"

static const char *const kind_names[PLANTED_KINDS] = {"events", "copy storms", "neutral bursts", "drifts"};

#define DECK SQUALL_SOURCE_DIR "/ops/bench/detection/deck.tsv"

static struct planted_deck read_deck(const char *path)
{
    struct planted_deck deck;
    if (!planted_read_deck(path, &deck)) fail_msg("%s: no deck", path);
    return deck;
}

/* ---- The study ---- */

struct spread {
    double sum, square;
    unsigned count;
};

static void put(struct spread *spread, double value)
{
    spread->sum += value;
    spread->square += value * value;
    spread->count++;
}

static double mean(const struct spread *s) { return s->sum / s->count; }
static double deviation(const struct spread *s)
{
    return s->count > 1 ? sqrt(fmax(0, (s->square - s->sum * s->sum / s->count) / (s->count - 1))) : 0;
}

static void print_part(const char *of, const char *name, const struct verdict_part *part)
{
    printf("%s %-8s recall %.3f, within 20 min %.3f of %u\n", of, name, verdict_ratio(part->met, part->planted), verdict_ratio(part->early, part->planted),
           part->planted);
}

static void print_parts(const struct verdict *sum)
{
    for (unsigned i = 0; i < VERDICT_STRENGTHS; i++) print_part("strength", verdict_strengths[i], &sum->by_strength[i]);
    for (unsigned i = 0; i < VERDICT_VOLUMES; i++) {
        char name[16];
        snprintf(name, sizeof name, "%.0f", stream_volume(i));
        print_part("volume", name, &sum->by_volume[i]);
    }
}

static void print_false(const char *what, const struct verdict *sum, double weeks)
{
    printf("%s: false %.2f an entity-week; by volume", what, sum->false_alerts / weeks);
    for (unsigned i = 0; i < VERDICT_VOLUMES; i++) printf(" %.2f", sum->false_by_volume[i] * VERDICT_VOLUMES / weeks);
    printf("\n");
}

/* The threshold of one peer that does best on the sum of all seeds with at most so many false alarms; -1: none. */
static int best_of(struct verdict sums[PEERS_THRESHOLDS], double (*value)(const struct verdict *), double false_max)
{
    int best = -1;
    for (int i = 0; i < PEERS_THRESHOLDS; i++)
        if (sums[i].false_alerts <= false_max && (best < 0 || value(&sums[i]) > value(&sums[best]))) best = i;
    return best;
}

static void print_peer(enum peer peer, struct verdict sums[PEERS_THRESHOLDS], double weeks, double our_false)
{
    int recall = best_of(sums, verdict_recall, weeks), early = best_of(sums, verdict_early, weeks), as_ours = best_of(sums, verdict_early, our_false);
    if (recall < 0 || as_ours < 0) {
        printf("peer %-14s never within one false alarm an entity-week\n", peer_names[peer]);
        return;
    }
    printf("peer %-14s recall %.3f (T %.2f, false %.2f), within 20 min %.3f (T %.2f), at no more false alarms than ours %.3f\n", peer_names[peer],
           verdict_recall(&sums[recall]), peer_threshold(peer, (unsigned)recall), sums[recall].false_alerts / weeks, verdict_early(&sums[early]),
           peer_threshold(peer, (unsigned)early), verdict_early(&sums[as_ours]));
    const struct verdict *sum = &sums[early];
    printf("     %-14s early by strength", "");
    for (unsigned i = 0; i < VERDICT_STRENGTHS; i++) printf(" %.2f", verdict_ratio(sum->by_strength[i].early, sum->by_strength[i].planted));
    printf(", by volume");
    for (unsigned i = 0; i < VERDICT_VOLUMES; i++) printf(" %.2f", verdict_ratio(sum->by_volume[i].early, sum->by_volume[i].planted));
    printf("; copy storms %.1f %%, neutral bursts %.1f %%, drifts %.0f %%\n", 100 * verdict_ratio(sum->met[PLANTED_COPIES], sum->planted[PLANTED_COPIES]),
           100 * verdict_ratio(sum->met[PLANTED_BURST], sum->planted[PLANTED_BURST]), 100 * verdict_ratio(sum->met[PLANTED_DRIFT], sum->planted[PLANTED_DRIFT]));
}

struct study {
    struct verdict ours, peers[PEERS][PEERS_THRESHOLDS];
    struct spread recalls, earlies, falses, delays;
};

static void add_seed(struct study *study, const struct planted_verdicts *verdicts, double weeks)
{
    const struct verdict *ours = &verdicts->ours;
    verdict_add(&study->ours, ours);
    for (unsigned peer = 0; peer < PEERS; peer++)
        for (unsigned i = 0; i < PEERS_THRESHOLDS; i++) verdict_add(&study->peers[peer][i], &verdicts->peers[peer][i]);
    put(&study->recalls, verdict_recall(ours));
    put(&study->earlies, verdict_early(ours));
    put(&study->falses, ours->false_alerts / weeks);
    put(&study->delays, ours->delay_minutes);
}

static void print_ours(struct study *s, double weeks)
{
    printf("ours: recall %.3f +- %.3f, within 20 min %.3f +- %.3f, false %.2f +- %.2f an entity-week, delay %.0f +- %.0f min\n", mean(&s->recalls),
           deviation(&s->recalls), mean(&s->earlies), deviation(&s->earlies), mean(&s->falses), deviation(&s->falses), mean(&s->delays),
           deviation(&s->delays));
    for (unsigned i = 0; i < PLANTED_KINDS; i++)
        printf("%-16s %4u planted, %5.1f %% met by an alert\n", kind_names[i], s->ours.planted[i],
               100 * verdict_ratio(s->ours.met[i], s->ours.planted[i]));
    printf("reopenings %.3f an alert\n", verdict_ratio(s->ours.reopenings, s->ours.alerts));
    print_parts(&s->ours);
    print_false("planted", &s->ours, weeks);
}

static void print_peers(struct study *s, double weeks)
{
    for (unsigned peer = 0; peer < PEERS; peer++) print_peer((enum peer)peer, s->peers[peer], weeks, s->ours.false_alerts);
}

static void study_budgets(struct planted_options options, unsigned first, unsigned seeds, double weeks)
{
    static struct planted_verdicts verdicts;
    static const double budgets[] = {0.5, 1, 2};
    options.nothing = true;
    for (unsigned i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        struct verdict sum = {0};
        for (options.seed = first; options.seed < first + seeds; options.seed++) {
            planted_run(&options, budgets[i], false, &verdicts);
            verdict_add(&sum, &verdicts.ours);
        }
        char what[48];
        snprintf(what, sizeof what, "nothing planted, budget %.1f", budgets[i]);
        print_false(what, &sum, weeks * seeds);
    }
}

static int study(unsigned first, unsigned seeds, unsigned entities, unsigned days, bool with_peers)
{
    const struct planted_deck deck = read_deck(DECK);
    static struct planted_verdicts verdicts;
    static struct study sums;
    struct planted_options options = {.entities = entities, .days = days, .deck = &deck};
    double weeks = entities * ((double)days - VERDICT_WARMUP_DAYS) / 7;
    for (options.seed = first; options.seed < first + seeds; options.seed++) {
        planted_run(&options, 1, with_peers, &verdicts);
        add_seed(&sums, &verdicts, weeks);
    }
    printf("seeds %u to %u\n", first, first + seeds - 1);
    print_ours(&sums, weeks * seeds);
    if (with_peers) print_peers(&sums, weeks * seeds);
    study_budgets(options, first, seeds, weeks);
    return 0;
}

/* ---- Streams as files ---- */

static FILE *open_file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file) fail_msg("%s: can't be written", path);
    return file;
}

/* In place of an answer, the tone that it was asked for. */
static void write_tone(FILE *file, const struct sq_score *score)
{
    fprintf(file, "{\"entity\":\"%.*s\",\"ts\":%" PRId64 ",\"tone\":\"%.*s\",\"text\":%" PRIu64 ",\"author\":\"a%" PRIx64 "\"}\n",
            (int)score->entity.bytes, score->entity.data, score->event_time_ms, (int)score->label.bytes, score->label.data, score->text_hash >> 12,
            score->author_hash);
}

/* As `squall replay --scores-in` reads it. */
static void write_score(FILE *file, const struct sq_score *score)
{
    const struct sq_str labels[] = {SQ_STR("negative"), SQ_STR("neutral"), SQ_STR("positive")};
    struct sq_score whole = *score;
    whole.probabilities_count = PLANTED_TONES;
    for (unsigned i = 0; i < PLANTED_TONES; i++) whole.probabilities[i] = sq_str_equal(labels[i], score->label) ? score->score : (1 - score->score) / 2;
    char author[20];
    snprintf(author, sizeof author, "a%" PRIx64, score->author_hash);
    struct sq_buf line;
    sq_buf_init(&line);
    sq_replay_line_write(&line, &whole, sq_str_view(author), labels);
    fwrite(line.data, 1, line.bytes, file);
    sq_buf_deinit(&line);
}

static int write_stream(unsigned seed, unsigned entities, unsigned days, const char *folder, const struct planted_deck *deck)
{
    static const struct planted_deck readers = {.answers = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    const struct planted_options options = {.entities = entities, .days = days, .seed = seed, .deck = deck ? deck : &readers};
    struct planted_stream *stream = planted_open(&options);
    FILE *lines = open_file(folder, deck ? "scores.jsonl" : "lines.jsonl"), *list = open_file(folder, "planted.jsonl");
    struct sq_score score = {0};
    unsigned entity, count;
    while (planted_next(stream, &score, &entity)) (deck ? write_score : write_tone)(lines, &score);
    const struct planted *planted = planted_list(stream, &count);
    for (unsigned i = 0; i < count; i++)
        fprintf(list, "{\"entity\":\"e%u\",\"kind\":\"%s\",\"start\":%" PRId64 ",\"end\":%" PRId64 "}\n", planted[i].entity, kind_names[planted[i].kind],
                planted[i].start_ms, planted[i].end_ms);
    planted_close(stream);
    return fclose(lines) | fclose(list);
}

/* ---- The test ---- */

static void finds_planted_events_and_passes_decoys_over(void **state)
{
    (void)state;
    const struct planted_deck deck = read_deck(DECK);
    const struct planted_options options = {.entities = 12, .days = 16, .seed = 1, .deck = &deck};
    static struct planted_verdicts verdicts;
    planted_run(&options, 1, false, &verdicts);
    const struct verdict *v = &verdicts.ours;
    assert_true(v->planted[PLANTED_EVENT] >= 15);
    assert_true(verdict_recall(v) >= 0.6);
    assert_true(verdict_ratio(v->met[PLANTED_COPIES], v->planted[PLANTED_COPIES]) <= 0.1);
    assert_true(v->false_alerts <= 2 * options.entities * 9 / 7);
}

static unsigned number(int argc, char **argv, int at, unsigned otherwise)
{
    return argc > at ? (unsigned)strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    if (argc == 6) {
        const struct planted_deck deck = read_deck(DECK);
        return write_stream(number(argc, argv, 2, 1), number(argc, argv, 3, 12), number(argc, argv, 4, 16), argv[5], strcmp(argv[1], "scores") == 0 ? &deck : NULL);
    }
    if (argc == 4 && strcmp(argv[1], "ours") == 0) return study(number(argc, argv, 2, 1), number(argc, argv, 3, 1), 36, 28, false);
    if (argc > 2)
        return study(number(argc, argv, 1, 1), number(argc, argv, 2, 1), number(argc, argv, 3, 36), number(argc, argv, 4, 28), true);
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_planted_events_and_passes_decoys_over)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
