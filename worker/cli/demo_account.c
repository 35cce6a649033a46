/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/demo_account.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/json.h"
#include "engine/base/time_text.h"
#include "proto/codec.h"

int sq_account_init(struct sq_account *account, unsigned partitions_count, unsigned offsets_max, struct sq_err *err)
{
    *account = (struct sq_account){.partitions_count = partitions_count, .offsets_max = offsets_max};
    int status = sq_arena_init(&account->arena, SQ_DECODE_SCRATCH_BYTES + SQ_RECORD_BYTES_MAX, err);
    for (unsigned i = 0; status == 0 && i < partitions_count; i++) {
        account->partitions[i].sent = calloc(3, offsets_max);
        if (!account->partitions[i].sent) {
            status = sq_err_set(err, SQ_E_NOMEM, "no memory for the demo's books");
        } else {
            account->partitions[i].scored = account->partitions[i].sent + offsets_max;
            account->partitions[i].dead = account->partitions[i].sent + 2 * (size_t)offsets_max;
        }
    }
    if (status != 0) sq_account_deinit(account);
    return status;
}

void sq_account_deinit(struct sq_account *account)
{
    for (unsigned i = 0; i < account->partitions_count; i++) free(account->partitions[i].sent);
    sq_arena_deinit(&account->arena);
    *account = (struct sq_account){0};
}

static bool is_known(struct sq_account *account, int64_t partition, int64_t offset)
{
    bool known = partition >= 0 && partition < account->partitions_count && offset >= 0 && offset < account->offsets_max;
    if (!known) account->strangers++;
    return known;
}

void sq_account_sent(struct sq_account *account, int32_t partition, int64_t offset)
{
    if (!is_known(account, partition, offset)) return;
    account->partitions[partition].sent[offset] = 1;
    account->sent++;
}

/* Notes one outcome of a record; true for its first of any kind. */
static bool note(struct sq_account *account, int64_t partition, int64_t offset, bool is_dead)
{
    if (!is_known(account, partition, offset)) return false;
    uint8_t *scored = &account->partitions[partition].scored[offset], *dead = &account->partitions[partition].dead[offset];
    bool first = *scored == 0 && *dead == 0;
    uint8_t *times = is_dead ? dead : scored;
    if (*times < UINT8_MAX) ++*times;
    if (!first) account->duplicates++;
    return first;
}

void sq_account_score(struct sq_account *account, struct sq_str value)
{
    struct sq_score score;
    struct sq_err err;
    account->arena.used_bytes = 0;
    if (sq_score_decode(value, &account->arena, &score, &err) != 0) {
        account->strangers++;
        return;
    }
    if (!note(account, score.source.partition, score.source.offset, false)) return;
    account->scored++;
    account->negative += sq_str_equal(score.label, SQ_STR("negative"));
}

void sq_account_dead_letter(struct sq_account *account, struct sq_str key)
{
    char text[512];
    int partition = -1;
    long long offset = -1;
    snprintf(text, sizeof text, "%.*s", (int)(key.bytes < sizeof text ? key.bytes : sizeof text - 1), key.data ? key.data : "");
    const char *slash = strchr(text, '/');
    if (slash) sscanf(slash, "/%d/%lld", &partition, &offset);
    if (note(account, partition, offset, true)) account->dead++;
}

bool sq_account_is_even(const struct sq_account *account)
{
    return account->strangers == 0 && account->scored + account->dead == account->sent && sq_account_missing(account) == 0;
}

uint64_t sq_account_missing(const struct sq_account *account)
{
    uint64_t missing = 0;
    for (unsigned p = 0; p < account->partitions_count; p++)
        for (unsigned i = 0; i < account->offsets_max; i++)
            missing += account->partitions[p].sent[i] && !account->partitions[p].scored[i] && !account->partitions[p].dead[i];
    return missing;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static struct sq_account_alert *find_alert(struct sq_account *account, const char *id)
{
    for (unsigned i = 0; i < account->alerts_count; i++)
        if (strcmp(account->alerts[i].id, id) == 0) return &account->alerts[i];
    if (account->alerts_count == SQ_ACCOUNT_ALERTS_MAX) return NULL;
    struct sq_account_alert *alert = &account->alerts[account->alerts_count++];
    snprintf(alert->id, sizeof alert->id, "%s", id);
    return alert;
}

static void fill_alert(struct sq_account_alert *alert, const json_t *json)
{
    const json_t *stats = json_object_get(json, "stats"), *first = json_array_get(json_object_get(json, "examples"), 0);
    snprintf(alert->rule, sizeof alert->rule, "%s", text_of(json, "rule"));
    snprintf(alert->entity, sizeof alert->entity, "%s", text_of(json, "entity"));
    snprintf(alert->state, sizeof alert->state, "%s", text_of(json, "state"));
    snprintf(alert->severity, sizeof alert->severity, "%s", text_of(json, "severity"));
    if (*text_of(first, "excerpt")) snprintf(alert->example, sizeof alert->example, "%s", text_of(first, "excerpt"));
    alert->matched = (unsigned)json_integer_value(json_object_get(stats, "matched"));
    alert->count = (unsigned)json_integer_value(json_object_get(stats, "count"));
    alert->usual = json_number_value(json_object_get(json_object_get(stats, "baseline"), "rate"));
    sq_time_text_parse(sq_str_view(text_of(json, "starts_at")), &alert->starts_ms);
    sq_time_text_parse(sq_str_view(text_of(json, "at")), &alert->at_ms);
    alert->has_fired |= strcmp(alert->state, "FIRING") == 0;
}

const struct sq_account_alert *sq_account_alert(struct sq_account *account, struct sq_str text)
{
    json_t *json;
    if (sq_json_parse(&json, "alert", text, SQ_E_DECODE, NULL) != 0) {
        account->strangers++;
        return NULL;
    }
    struct sq_account_alert *alert = find_alert(account, text_of(json, "alert_id"));
    unsigned seq = (unsigned)json_integer_value(json_object_get(json, "seq"));
    bool fresh = alert && seq >= alert->seq_next;
    if (fresh) {
        alert->seq_next = seq + 1;
        fill_alert(alert, json);
    }
    json_decref(json);
    return fresh ? alert : NULL;
}

const struct sq_account_alert *sq_account_alert_of(const struct sq_account *account, const char *entity)
{
    for (unsigned i = 0; i < account->alerts_count; i++)
        if (strcmp(account->alerts[i].entity, entity) == 0) return &account->alerts[i];
    return NULL;
}

bool sq_account_is_resolved(const struct sq_account_alert *alert) { return strcmp(alert->state, "RESOLVED") == 0; }
