/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/backlog.h"

enum { PASSES_MAX = 3 /* how often, or how many times its size, who waits is passed over */ };

void sq_backlog_init(struct sq_backlog *backlog, unsigned batch_tokens_max, uint64_t wait_ns_max)
{
    *backlog = (struct sq_backlog){.batch_tokens_max = batch_tokens_max, .wait_ns_max = wait_ns_max};
}

static unsigned size_of(const struct sq_backlog *backlog, const struct sq_piece *piece)
{
    return piece->tokens > backlog->batch_tokens_max ? SQ_SIZE_LONG : SQ_SIZE_SHORT;
}

/* Behind all that came before it. New pieces are the latest, so this looks further than the tail only for those put back. */
static void insert(struct sq_backlog *backlog, struct sq_piece *piece, bool is_new)
{
    unsigned size = size_of(backlog, piece);
    struct sq_lane *lane = &backlog->lanes[piece->class][size][piece->member];
    struct sq_piece **at = &lane->head;
    if (is_new && lane->tail) at = &lane->tail->next;
    else while (*at && (*at)->submitted_ns < piece->submitted_ns) at = &(*at)->next;
    piece->next = *at;
    *at = piece;
    if (!piece->next) lane->tail = piece;
    backlog->counts[piece->class][size]++;
    backlog->count++;
}

void sq_backlog_push(struct sq_backlog *backlog, struct sq_piece *piece) { insert(backlog, piece, true); }
void sq_backlog_put_back(struct sq_backlog *backlog, struct sq_piece *piece) { insert(backlog, piece, false); }

static size_t waiting(const struct sq_backlog *backlog, enum sq_job_class class) { return backlog->counts[class][SQ_SIZE_SHORT] + backlog->counts[class][SQ_SIZE_LONG]; }

static enum sq_job_class choose_class(struct sq_backlog *backlog)
{
    bool stream = waiting(backlog, SQ_JOB_STREAM) > 0, interactive = waiting(backlog, SQ_JOB_INTERACTIVE) > 0;
    if (interactive && (!stream || backlog->stream_passed_over < PASSES_MAX)) {
        backlog->stream_passed_over = stream ? backlog->stream_passed_over + 1 : 0;
        return SQ_JOB_INTERACTIVE;
    }
    backlog->stream_passed_over = 0;
    return SQ_JOB_STREAM;
}

/* The model whose oldest piece came first. */
static unsigned choose_member(struct sq_lane lanes[SQ_MEMBERS_MAX])
{
    unsigned best = SQ_MEMBERS_MAX;
    for (unsigned i = 0; i < SQ_MEMBERS_MAX; i++) {
        if (!lanes[i].head) continue;
        if (best == SQ_MEMBERS_MAX || lanes[i].head->submitted_ns < lanes[best].head->submitted_ns) best = i;
    }
    return best;
}

static unsigned choose_size(struct sq_backlog *backlog, enum sq_job_class class)
{
    if (backlog->counts[class][SQ_SIZE_LONG] == 0) return SQ_SIZE_SHORT;
    if (backlog->counts[class][SQ_SIZE_SHORT] == 0) return SQ_SIZE_LONG;
    struct sq_lane *lanes = backlog->lanes[class][SQ_SIZE_LONG];
    uint64_t cost = lanes[choose_member(lanes)].head->tokens;
    return backlog->long_passed_over[class] >= PASSES_MAX * cost ? SQ_SIZE_LONG : SQ_SIZE_SHORT;
}

struct sq_draw sq_backlog_choose(struct sq_backlog *backlog)
{
    if (backlog->count == 0) return (struct sq_draw){0};
    struct sq_draw draw = {.class = choose_class(backlog)};
    draw.size = choose_size(backlog, draw.class);
    draw.member = choose_member(backlog->lanes[draw.class][draw.size]);
    draw.lane = &backlog->lanes[draw.class][draw.size][draw.member];
    if (draw.size == SQ_SIZE_LONG) backlog->long_passed_over[draw.class] = 0;
    return draw;
}

struct sq_piece *sq_backlog_take(struct sq_backlog *backlog, const struct sq_draw *draw, unsigned tokens)
{
    struct sq_piece *piece = draw->lane->head;
    if (!piece || (tokens > 0 && tokens + piece->tokens > backlog->batch_tokens_max)) return NULL;
    draw->lane->head = piece->next;
    if (!piece->next) draw->lane->tail = NULL;
    backlog->counts[draw->class][draw->size]--;
    backlog->count--;
    return piece;
}

void sq_backlog_filled(struct sq_backlog *backlog, const struct sq_draw *draw, unsigned tokens)
{
    if (draw->size == SQ_SIZE_LONG) return;
    uint64_t *passed_over = &backlog->long_passed_over[draw->class];
    *passed_over = backlog->counts[draw->class][SQ_SIZE_LONG] ? *passed_over + tokens : 0;
}

uint64_t sq_backlog_wait_until_ns(const struct sq_backlog *backlog, const struct sq_draw *draw, const struct sq_waiting *waiting)
{
    bool may_wait = draw->class == SQ_JOB_STREAM && draw->size == SQ_SIZE_SHORT && backlog->count == 0 && backlog->wait_ns_max > 0 &&
                    waiting->threads_sleeping == 0 && waiting->texts >= waiting->threads && waiting->tokens < backlog->batch_tokens_max / 2;
    return may_wait ? waiting->oldest_ns + backlog->wait_ns_max : 0;
}
