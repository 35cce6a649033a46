/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the alert stage share. Thread: the loop's. */
#ifndef SQ_PIPELINE_ALERT_STAGE_PARTS_H
#define SQ_PIPELINE_ALERT_STAGE_PARTS_H

#include "worker/io/log.h"
#include "worker/pipeline/alert_stage.h"
#include "worker/pipeline/alert_state.h"

enum { SQ_ALERT_KEPT_MAX = 64 };

/* A scores partition. */
struct sq_alert_part {
    struct sq_owned owned; /* first */
    struct sq_alert_stage *stage;
    struct sq_detector *detector, *next; /* next: while rules are exchanged */
    struct sq_detector_counts seen;   /* already in the metrics */
    int64_t live_offset;              /* transitions of records below it were published before; -1: none were */
    int64_t first_offset, read_offset; /* of the rebuild's progress; -1: nothing read */
    bool is_restoring, is_at_end;
    bool is_reading;                  /* the state, parked meanwhile; part of restoring */
    int64_t state_offset, state_end;  /* how far that is; 0: not begun */
    struct sq_alert_restore restore;  /* while is_reading */
    uint64_t lineage;                 /* of its states */
    struct sq_receipts *receipts;     /* for what its next state has in it */
    uint64_t refused_ns;              /* when its state did not fit the offset; 0: it did */
    struct sq_err refusal;
    uint64_t restore_started_ns, last_record_ns;
};

/* Its partition went away in order. */
struct sq_alert_kept {
    int32_t partition;
    int64_t next_offset;
    struct sq_detector *detector; /* owned; NULL: a free place */
};

struct sq_alert_stage {
    struct sq_stage base; /* first */
    struct sq_state_reader *reader; /* NULL: windows are rebuilt from scores, no state is written */
    struct sq_alert_states states;
    struct sq_arena arena; /* of one decode */
    struct sq_buf encoded, json;
    const struct sq_config *rules; /* whose rules are in force */
    char model_name[256];
    char why[SQ_ERR_MESSAGE_BYTES];
    struct sq_alert_kept kept[SQ_ALERT_KEPT_MAX];
    unsigned kept_next;
    struct sq_log_limit restore_limit;
    uint64_t transitions[3];
};

/* An alert's cookie: should the broker refuse it, the dead letter names the scores record behind it. */
struct sq_alert_emission {
    struct sq_alert_stage *stage;
    struct sq_alert_part *part;
    int64_t offset; /* of the scores record that caused it */
    struct sq_receipts *receipts; /* only of a state's last output */
};

static inline struct sq_alert_stage *sq_alert_stage_of(struct sq_stage *stage) { return (struct sq_alert_stage *)stage; }
static inline struct sq_alert_part *sq_alert_part_of(struct sq_owned *owned) { return (struct sq_alert_part *)owned; }
static inline const struct sq_alert_part *sq_alert_part_view(const struct sq_owned *owned) { return (const struct sq_alert_part *)owned; }

/* Of what is decided without a record: it stands at the latest one. */
static inline struct sq_alert_emission sq_alert_emission_of(struct sq_alert_part *part)
{
    return (struct sq_alert_emission){.stage = part->stage, .part = part, .offset = sq_ledger_next_offset(&part->owned.ledger) - 1};
}

/* ---- alert_stage.c ---- */

struct sq_detector_options sq_alert_detector_options(const struct sq_alert_stage *stage, const struct sq_config *config, int32_t partition);
int sq_alert_detector_open(struct sq_alert_stage *stage, int32_t partition, struct sq_detector **detector, struct sq_err *err);
void sq_alert_part_export(struct sq_alert_part *part); /* to the metrics: what was counted since */

/* ---- alert_stage_out.c ---- */

int sq_alert_emit(const struct sq_alert *alert, void *emission); /* a sq_detector_emit_fn */

/* `status` of a call that emits: where that went wrong, *err says why and the stage fails. Returns it. */
int sq_alert_emitted(struct sq_alert_stage *stage, int status, struct sq_err *err);

struct sq_output *sq_alert_output_add(const struct sq_alert_emission *emission, struct sq_batch *batch);
void sq_alert_dead_letter_put(const struct sq_alert_emission *emission, const struct sq_delivery_record *record, int code, const char *message);

/* Hooks of the stage. */
void sq_alert_output_drop(struct sq_stage *base, struct sq_output *output);
void sq_alert_batch_committed(struct sq_stage *base, struct sq_batch *batch);
const struct sq_owned *sq_alert_output_owner(const struct sq_output *output);
int sq_alert_output_replace(struct sq_stage *base, struct sq_batch *batch, struct sq_output *output, struct sq_err *err);

/* ---- alert_stage_restore.c ---- */

void sq_alert_restore_start(struct sq_alert_stage *stage); /* its reader, if it has one */
void sq_alert_restore_second(struct sq_alert_part *part, uint64_t now_ns);
void sq_alert_restore_log(struct sq_alert_stage *stage); /* now and then how far all of them are */
void sq_alert_part_live(struct sq_alert_part *part); /* its windows are rebuilt */
void sq_alert_kept_drop(struct sq_alert_stage *stage); /* all */

/* Hooks of the stage. */
int sq_alert_part_own(struct sq_stage *base, struct sq_source_partition *partition, struct sq_owned **owned, struct sq_err *err);
void sq_alert_part_gone(struct sq_stage *base, struct sq_owned *owned, bool is_lost);
bool sq_alert_stage_save(struct sq_stage *base);

#endif
