/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/overload.h"

#include "worker/io/log.h"
#include "worker/pipeline/pipeline_parts.h"

void sq_overload_init(struct sq_pipeline *pipeline)
{
    const struct sq_config *config = pipeline->options.config;
    sq_load_init(&pipeline->load, config->overload == SQ_OVERLOAD_SAMPLE ? (double)config->overload_backlog_ms * 1e-3 : 0);
}

/* What is owned, as a number that changes with it. */
static uint64_t assignment_of(const struct sq_stage *stage)
{
    uint64_t sum = 0;
    for (const struct sq_owned *owned = stage->owned.head; owned; owned = owned->next) sum += owned->epoch;
    return sum;
}

static void tell(const struct sq_load *load, enum sq_load_news news)
{
    if (news == SQ_LOAD_BEHIND)
        sq_log(SQ_LOG_WARN, SQ_L("behind: what waits is over a minute's work"), SQ_LI("lag", load->last.lag),
               SQ_LR("records_per_second", load->done_rate), SQ_LR("arriving_per_second", load->arrival_rate),
               SQ_LR("catch_up_seconds", sq_load_catch_up_seconds(load)));
    if (news == SQ_LOAD_CAUGHT_UP) sq_log(SQ_LOG_INFO, SQ_L("caught up"), SQ_LI("lag", load->last.lag));
}

void sq_overload_second(struct sq_pipeline *pipeline)
{
    struct sq_status status;
    sq_pipeline_status(pipeline, &status);
    struct sq_load *load = &pipeline->load;
    const struct sq_load_second second = {
        .lag = status.lag, .done = status.scored + status.dead_lettered + status.skipped, .scored = status.scored,
        .assignment = assignment_of(sq_score_stage_base(pipeline->score)),
    };
    double share = sq_load_share(load);
    enum sq_load_news news = sq_load_note(load, &second);
    tell(load, news);
    if (sq_load_share(load) == share) return;
    sq_score_stage_set_share(pipeline->score, sq_load_share(load));
    sq_log(SQ_LOG_WARN, SQ_L("another share of the records is scored"), SQ_LR("share", sq_load_share(load)),
           SQ_LR("backlog_seconds", sq_load_backlog_seconds(load)));
}
