/* SPDX-License-Identifier: Apache-2.0 */
/* The demo's books: every record that went in must come out once, as a score or as a dead letter, and each alert has one id. Works on
 * coordinates alone, so it would notice a loss whatever the workers say of themselves. */
#ifndef SQ_CLI_DEMO_ACCOUNT_H
#define SQ_CLI_DEMO_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/buf.h"
#include "engine/base/err.h"

enum { SQ_ACCOUNT_PARTITIONS_MAX = 16, SQ_ACCOUNT_ALERTS_MAX = 64 };

struct sq_account_alert {
    char id[32], rule[64], entity[64], state[16];
    char severity[16];
    char example[128];       /* start of its first example, may be "" */
    unsigned matched, count; /* of the latest transition */
    double usual;
    int64_t starts_ms, at_ms;
    unsigned seq_next;       /* transitions below it were seen */
    bool has_fired;
};

struct sq_account {
    struct {
        uint8_t *sent, *scored, *dead; /* by offset; how often, at most 255. Owned */
    } partitions[SQ_ACCOUNT_PARTITIONS_MAX];
    unsigned partitions_count, offsets_max;
    struct sq_arena arena; /* for decoding scores */
    uint64_t sent, scored, dead, negative; /* distinct coordinates; negative: scored ones with that label */
    uint64_t duplicates;                   /* scores and dead letters of coordinates that had one already */
    uint64_t strangers;                    /* outputs for coordinates that never went in, or can't be read */
    struct sq_account_alert alerts[SQ_ACCOUNT_ALERTS_MAX];
    unsigned alerts_count;
};

int sq_account_init(struct sq_account *account, unsigned partitions_count, unsigned offsets_max, struct sq_err *err);
void sq_account_deinit(struct sq_account *account);

void sq_account_sent(struct sq_account *account, int32_t partition, int64_t offset);
void sq_account_score(struct sq_account *account, struct sq_str value);
void sq_account_dead_letter(struct sq_account *account, struct sq_str key); /* topic/partition/offset */

/* The alert, when this is a transition not seen before; else NULL. */
const struct sq_account_alert *sq_account_alert(struct sq_account *account, struct sq_str json);

/* The first alert for the entity; NULL: there is none. */
const struct sq_account_alert *sq_account_alert_of(const struct sq_account *account, const char *entity);
bool sq_account_is_resolved(const struct sq_account_alert *alert);

/* Everything sent has an outcome, and nothing else has. A score may arrive before its record's own acknowledgement does. */
bool sq_account_is_even(const struct sq_account *account);
uint64_t sq_account_missing(const struct sq_account *account);

#endif
