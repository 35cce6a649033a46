/* SPDX-License-Identifier: Apache-2.0 */
/* The transactional sink on a scripted client: which call follows which failure, and what the batch says afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/io/sink_txn.h"

enum { OUTPUTS = 3 };

/* A broker of one transaction: calls are noted by a letter each, and fail where the script says. */
struct script {
    struct sq_txn_client base; /* first */
    char calls[256];
    unsigned calls_count;
    const char *fail_at;          /* the call that fails next; "" or NULL: none */
    enum sq_txn_result result;    /* of that call */
    unsigned fails;               /* so many times; 0: once */
    bool takes_effect;            /* the commit that fails did happen */
    void *refused;                /* an output with this cookie is refused, alone or with others; NULL: none */
    bool refuses_many;            /* so is each request of more than one output */
    char open_tag[SQ_TXN_TAG_BYTES], committed_tag[SQ_TXN_TAG_BYTES];
};

static enum sq_txn_result note(struct sq_txn_client *client, char call, struct sq_err *err)
{
    struct script *script = (struct script *)client;
    script->calls[script->calls_count++] = call;
    if (!script->fail_at || script->fail_at[0] != call) return SQ_TXN_OK;
    if (script->fails <= 1) script->fail_at = NULL;
    else script->fails--;
    sq_err_set(err, script->result == SQ_TXN_FATAL ? SQ_E_KAFKA_FATAL : SQ_E_TIMEOUT, "made to fail at %c", call);
    return script->result;
}

static int script_open(struct sq_txn_client *client, struct sq_err *err)
{
    return note(client, 'o', err) == SQ_TXN_OK ? 0 : SQ_E_BROKER;
}
static enum sq_txn_result script_begin(struct sq_txn_client *client, struct sq_err *err) { return note(client, 'b', err); }

static enum sq_txn_result script_produce(struct sq_txn_client *client, struct sq_output *outputs, size_t count, struct sq_err *err)
{
    struct script *script = (struct script *)client;
    enum sq_txn_result result = note(client, 'p', err);
    bool is_refused = script->refuses_many && count > 1;
    for (size_t i = 0; i < count; i++) is_refused |= script->refused && outputs[i].cookie == script->refused;
    for (size_t i = 0; i < count; i++) outputs[i].status = result != SQ_TXN_OK ? SQ_E_TIMEOUT : is_refused ? SQ_E_PRODUCE : 0;
    return result == SQ_TXN_OK && is_refused ? SQ_TXN_ABORT : result;
}

static enum sq_txn_result script_send(struct sq_txn_client *client, const struct sq_batch *batch, const char *tag, struct sq_err *err)
{
    (void)batch;
    snprintf(((struct script *)client)->open_tag, SQ_TXN_TAG_BYTES, "%s", tag);
    return note(client, 's', err);
}

static enum sq_txn_result script_commit(struct sq_txn_client *client, struct sq_err *err)
{
    struct script *script = (struct script *)client;
    enum sq_txn_result result = note(client, 'c', err);
    if (result == SQ_TXN_OK || script->takes_effect) memcpy(script->committed_tag, script->open_tag, SQ_TXN_TAG_BYTES);
    return result;
}

static enum sq_txn_result script_abort(struct sq_txn_client *client, struct sq_err *err) { return note(client, 'a', err); }

static int script_is_committed(struct sq_txn_client *client, const struct sq_batch *batch, const char *tag, bool *is_committed, struct sq_err *err)
{
    (void)batch;
    *is_committed = strcmp(((struct script *)client)->committed_tag, tag) == 0;
    return note(client, '?', err) == SQ_TXN_OK ? 0 : SQ_E_TIMEOUT;
}

static void script_interrupt(struct sq_txn_client *client) { (void)client; }
static void script_close(struct sq_txn_client *client) { (void)client; }

struct world {
    struct script script;
    struct sq_sink *sink;
    struct sq_batch batch;
};

static void world_open(struct world *world)
{
    static const struct sq_txn_client_ops ops = {script_open,  script_begin,        script_produce,   script_send, script_commit,
                                                 script_abort, script_is_committed, script_interrupt, script_close};
    static char cookies[OUTPUTS];
    struct sq_err err;
    memset(world, 0, sizeof *world);
    world->script.base = (struct sq_txn_client){&ops, "t-score-w1"};
    assert_int_equal(sq_sink_txn_open(&world->sink, &world->script.base, &err), 0);
    sq_batch_init(&world->batch);
    for (int i = 0; i < OUTPUTS; i++) sq_batch_add(&world->batch)->cookie = &cookies[i];
    const struct sq_next_offset offset = {.topic = "posts", .next_offset = 7};
    assert_true(sq_batch_add_offset(&world->batch, &offset));
    world->batch.membership = (struct sq_membership){.generation = 1, .member = "m"};
}

static void world_close(struct world *world)
{
    sq_batch_deinit(&world->batch);
    world->sink->ops->close(world->sink);
}

static int commit(struct world *world)
{
    struct sq_err err;
    return world->sink->ops->commit(world->sink, &world->batch, &err);
}

static void assert_out(struct world *world)
{
    assert_int_equal(sq_batch_count(&world->batch, 0), OUTPUTS);
    assert_true(world->batch.offsets_are_committed);
}

static void assert_not_out(struct world *world)
{
    assert_int_equal(sq_batch_count(&world->batch, 0), 0);
    assert_false(world->batch.offsets_are_committed);
}

static void offsets_come_after_the_outputs_and_before_the_commit(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    assert_int_equal(commit(&world), 0);
    assert_string_equal(world.script.calls, "obpsc");
    assert_out(&world);
    world_close(&world);
}

static void what_can_be_aborted_is_and_the_batch_goes_again(void **state)
{
    (void)state;
    static const struct {
        const char *at, *calls;
    } cases[] = {{"p", "obpa"}, {"s", "obpsa"}, {"c", "obpsca"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world world;
        world_open(&world);
        world.script.fail_at = cases[i].at;
        world.script.result = SQ_TXN_ABORT;
        assert_int_equal(commit(&world), SQ_E_TIMEOUT);
        assert_string_equal(world.script.calls, cases[i].calls);
        assert_not_out(&world);
        world.script.calls_count = 0;
        memset(world.script.calls, 0, sizeof world.script.calls);
        assert_int_equal(commit(&world), 0);
        assert_string_equal(world.script.calls, "bpsc"); /* on the same producer */
        assert_out(&world);
        world_close(&world);
    }
}

static void a_producer_that_timed_out_is_opened_again(void **state)
{
    (void)state;
    static const char *const calls[] = {"b", "p", "s"};
    static const enum sq_txn_result results[] = {SQ_TXN_IN_DOUBT, SQ_TXN_FENCED};
    for (size_t i = 0; i < 6; i++) {
        struct world world;
        world_open(&world);
        world.script.fail_at = calls[i % 3];
        world.script.result = results[i / 3];
        assert_int_equal(commit(&world), SQ_E_TIMEOUT);
        assert_not_out(&world);
        assert_int_equal(commit(&world), 0);
        assert_null(strchr(world.script.calls, 'a'));
        assert_null(strchr(world.script.calls, '?')); /* nothing was in doubt, as commit had not been called */
        assert_non_null(strchr(strchr(world.script.calls, 'o') + 1, 'o'));
        assert_out(&world);
        world_close(&world);
    }
}

static void a_commit_in_doubt_is_asked_for_and_never_made_twice(void **state)
{
    (void)state;
    for (int took_effect = 0; took_effect < 2; took_effect++) {
        struct world world;
        world_open(&world);
        world.script.fail_at = "c";
        world.script.result = SQ_TXN_IN_DOUBT;
        world.script.takes_effect = took_effect;
        assert_int_equal(commit(&world), SQ_E_TIMEOUT);
        world.script.fail_at = "?"; /* nor does the first question get through */
        assert_int_equal(commit(&world), SQ_E_TIMEOUT);
        assert_int_equal(commit(&world), 0);
        assert_string_equal(world.script.calls, took_effect ? "obpsco??" : "obpsco??bpsc");
        assert_out(&world);
        world_close(&world);
    }
}

/* Partitions that went away take their outputs and offsets out of the batch. */
static void a_doubt_of_what_is_no_longer_ours_is_dropped(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.script.fail_at = "c";
    world.script.result = SQ_TXN_IN_DOUBT;
    assert_int_equal(commit(&world), SQ_E_TIMEOUT);
    world.batch.outputs_count = world.batch.offsets_count = 0;
    assert_int_equal(commit(&world), 0);
    assert_string_equal(world.script.calls, "obpsco");
    assert_false(world.batch.offsets_are_committed);
    world_close(&world);
}

static void nothing_goes_out_without_a_place_in_the_group(void **state)
{
    (void)state;
    static const struct sq_membership none[] = {{.generation = -1, .member = "m"}, {.generation = 3}};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        world_open(&world);
        world.batch.membership = none[i];
        assert_int_equal(commit(&world), SQ_E_TIMEOUT);
        assert_string_equal(world.script.calls, "o");
        world_close(&world);
    }
}

static void outputs_never_go_without_offsets(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.batch.offsets_count = 0;
    assert_int_equal(commit(&world), SQ_E_STATE);
    world_close(&world);
}

static void only_what_is_refused_alone_is_given_up(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.script.refused = world.batch.outputs[1].cookie;
    assert_int_equal(commit(&world), SQ_E_PRODUCE);
    assert_string_equal(world.script.calls, "obpabpabpabpa"); /* all three shared a request, so each is tried alone */
    assert_int_equal(world.batch.outputs[0].status, SQ_E_TIMEOUT);
    assert_int_equal(world.batch.outputs[1].status, SQ_E_PRODUCE);
    assert_int_equal(world.batch.outputs[2].status, SQ_E_TIMEOUT);
    world.batch.outputs[1].cookie = NULL; /* a dead letter in its place */
    assert_int_equal(commit(&world), 0);
    assert_out(&world);
    world_close(&world);
}

static void what_only_fits_alone_goes_alone(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.script.refuses_many = true;
    assert_int_equal(commit(&world), SQ_E_TIMEOUT);
    assert_int_equal(commit(&world), 0);
    assert_non_null(strstr(world.script.calls, "bpppsc"));
    assert_out(&world);
    world_close(&world);
}

static void two_workers_of_one_name_stop(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.script.fail_at = "b";
    world.script.result = SQ_TXN_FENCED;
    world.script.fails = 100;
    for (int i = 0; i < SQ_TXN_FENCES_MAX; i++) assert_int_equal(commit(&world), SQ_E_TIMEOUT);
    assert_int_equal(commit(&world), SQ_E_KAFKA_FATAL);
    world_close(&world);
}

static void what_no_producer_can_mend_is_fatal(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.script.fail_at = "s";
    world.script.result = SQ_TXN_FATAL;
    assert_int_equal(commit(&world), SQ_E_KAFKA_FATAL);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_come_after_the_outputs_and_before_the_commit),
        cmocka_unit_test(what_can_be_aborted_is_and_the_batch_goes_again),
        cmocka_unit_test(a_producer_that_timed_out_is_opened_again),
        cmocka_unit_test(a_commit_in_doubt_is_asked_for_and_never_made_twice),
        cmocka_unit_test(a_doubt_of_what_is_no_longer_ours_is_dropped),
        cmocka_unit_test(nothing_goes_out_without_a_place_in_the_group),
        cmocka_unit_test(outputs_never_go_without_offsets),
        cmocka_unit_test(only_what_is_refused_alone_is_given_up),
        cmocka_unit_test(what_only_fits_alone_goes_alone),
        cmocka_unit_test(two_workers_of_one_name_stop),
        cmocka_unit_test(what_no_producer_can_mend_is_fatal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
