/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: one YAML file, the environment and --set options become one plain struct.
 *
 * Every key stands once, as a row of the table in config_table.c; the parser, the defaults, `squall config show` and `schema`, `init` and
 * ops/docs/CONFIGURATION.md all come out of it. Precedence: --set, then environment, then file, then default. Reading is strict: a key
 * that the table lacks, a duplicate, a value of the wrong type or out of its bounds is an error with file, line and column, and as many
 * errors as can be found are told at once.
 *
 * All calls are for the start of a process: they read files and allocate. What they give is read-only afterwards and may be shared. */
#ifndef SQ_IO_CONFIG_H
#define SQ_IO_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/engine.h"
#include "proto/codec.h"
#include "worker/core/redact.h"
#include "worker/core/rule.h"

enum {
    SQ_CONFIG_NAME_BYTES = 128,
    SQ_CONFIG_TEXT_BYTES = 512,
    SQ_CONFIG_PATH_BYTES = 1024,
    SQ_CONFIG_VALUE_BYTES = 1024,
    SQ_CONFIG_TOPICS_MAX = 16,
    SQ_RECEIVERS_MAX = 8,
    SQ_RECEIVER_URLS_MAX = 8,
    SQ_CONFIG_PROPERTIES_MAX = 48,
};

enum sq_delivery { SQ_DELIVERY_AT_LEAST_ONCE, SQ_DELIVERY_EXACTLY_ONCE };
enum sq_restore { SQ_RESTORE_STATE, SQ_RESTORE_REBUILD };
enum sq_overload { SQ_OVERLOAD_WAIT, SQ_OVERLOAD_SAMPLE };
enum { SQ_ROLE_SCORE = 1, SQ_ROLE_ALERT = 2 }; /* bits */
enum sq_input_start { SQ_START_EARLIEST, SQ_START_LATEST };
enum sq_reopen { SQ_REOPEN_INFO, SQ_REOPEN_PAGE };
enum sq_notify_kind { SQ_NOTIFY_ALERTMANAGER, SQ_NOTIFY_PAGERDUTY, SQ_NOTIFY_WEBHOOK, SQ_NOTIFY_COUNT };
enum sq_alert_format { SQ_ALERT_JSON, SQ_ALERT_PROTOBUF };
enum sq_log_level { SQ_LOG_DEBUG, SQ_LOG_INFO, SQ_LOG_WARN, SQ_LOG_ERROR };
enum sq_log_format { SQ_LOG_AUTO, SQ_LOG_TEXT, SQ_LOG_JSON };

/* A librdkafka property as written. */
struct sq_config_pair {
    char name[SQ_CONFIG_NAME_BYTES];
    char value[SQ_CONFIG_VALUE_BYTES];
};

struct sq_config_pairs {
    struct sq_config_pair items[SQ_CONFIG_PROPERTIES_MAX];
    unsigned count;
};

/* One that is told of alerts. */
struct sq_receiver {
    char name[SQ_CONFIG_NAME_BYTES]; /* first, see config_list.h */
    enum sq_notify_kind type;
    char rules[SQ_RULES_MAX][SQ_CONFIG_NAME_BYTES]; /* globs; none: all */
    unsigned rules_count;
    enum sq_severity severity;       /* the least it is told of */
    char urls[SQ_RECEIVER_URLS_MAX][SQ_CONFIG_PATH_BYTES];
    unsigned urls_count;
    int64_t every_ms;
    char url[SQ_CONFIG_PATH_BYTES];
    char routing_key_file[SQ_CONFIG_PATH_BYTES], hmac_key_file[SQ_CONFIG_PATH_BYTES];
    enum sq_reopen reopen;
};

struct sq_config {
    int64_t version;
    char app[SQ_CONFIG_NAME_BYTES];
    char instance[SQ_CONFIG_NAME_BYTES];
    unsigned roles; /* SQ_ROLE_* */
    enum sq_delivery delivery;
    enum sq_restore restore; /* where alert-state and the committed offset differ */
    enum sq_overload overload;
    int64_t overload_backlog_ms; /* from which a sample is scored */
    int64_t shutdown_timeout_ms;
    bool is_sandboxed;
    struct {
        char brokers[SQ_CONFIG_VALUE_BYTES];
        struct sq_config_pairs properties; /* for both clients; secrets of the _file keys are already in it */
        struct sq_config_pairs consumer, producer;
        char sasl_password_file[SQ_CONFIG_PATH_BYTES], ssl_key_password_file[SQ_CONFIG_PATH_BYTES];
        char ssl_keystore_password_file[SQ_CONFIG_PATH_BYTES], oauth_client_secret_file[SQ_CONFIG_PATH_BYTES];
        char sasl_token_file[SQ_CONFIG_PATH_BYTES];
    } kafka;
    struct {
        char topics[SQ_CONFIG_TOPICS_MAX][SQ_CONFIG_TEXT_BYTES];
        unsigned topics_count;
        enum sq_input_start start;
        struct sq_event_format format; /* fields, ts_unit, default_entity and max_bytes included */
    } input;
    struct {
        char paths[SQ_MEMBERS_MAX][SQ_CONFIG_PATH_BYTES]; /* "default": the shipped one; several: an ensemble */
        unsigned paths_count;
        enum sq_normalise normalise;
        enum sq_precision precision;
        char cache_dir[SQ_CONFIG_PATH_BYTES]; /* for sq_cache_dir_find */
        unsigned threads; /* 0: auto */
        unsigned tokens_max;
        unsigned batch_tokens_max;
        int64_t batch_wait_ms_max;
        unsigned score_cache_texts; /* 0: none */
        char shadow_path[SQ_CONFIG_PATH_BYTES]; /* "": none */
        double shadow_sample; /* share of the texts */
    } model;
    struct {
        char path[SQ_CONFIG_PATH_BYTES]; /* "": off, "same": the first of model.paths, "default": the shipped one */
    } embed;
    struct sq_time_rules time;
    int64_t future_ms_max; /* event times further ahead of the append time are clamped */
    struct sq_rule rules[SQ_RULES_MAX];
    unsigned rules_count;
    struct {
        bool create_topics;
        unsigned partitions;
        int replication; /* -1: the broker's */
        enum sq_alert_format alerts_format;
    } output;
    struct {
        char header_prefix[SQ_CONFIG_NAME_BYTES];
        double ratio_max; /* 1: off */
        unsigned over;
    } dead_letter;
    struct sq_redact_rules privacy;
    struct sq_receiver notify[SQ_RECEIVERS_MAX];
    unsigned notify_count;
    struct {
        char listen[SQ_CONFIG_NAME_BYTES]; /* "": off */
        char token_file[SQ_CONFIG_PATH_BYTES];
        unsigned pending_max; /* texts that POST may have waiting */
    } http;
    struct {
        enum sq_log_level level;
        enum sq_log_format format;
    } log;

    struct sq_config_origins *origins; /* which source each value came from: `config show --origin` */
};

/* Where values come from. Zeroed: defaults and the environment. */
struct sq_config_sources {
    const char *path;          /* NULL: SQUALL_CONFIG, else no file; "-": stdin */
    const char *const *sets;   /* "path=value"; list items by name: rules.NegativeSpike.half_life=3d */
    unsigned sets_count;
    const char *const *environment;  /* NULL: the process's own; for tests */
    bool offline;              /* replay, classify: kafka.brokers and input.topics need not be there */
};

/* Allocates *config. SQ_E_CONFIG (or SQ_E_NOMEM): the message holds one problem a line, at most as many as fit. *config is then NULL. */
int sq_config_load(struct sq_config **config, const struct sq_config_sources *sources, struct sq_err *err);

/* The table's defaults alone. What is required stays empty; `rules` holds the default rule NegativeSpike. */
int sq_config_default(struct sq_config **config, struct sq_err *err);

void sq_config_close(struct sq_config *config); /* NULL is fine */

/* The whole configuration in force as YAML, secrets shown as "********"; origin: "# flag|environment|file:line|default" after each value. */
void sq_config_show(const struct sq_config *config, bool origin, struct sq_buf *out);
/* Appends the paths of the keys whose values differ, "model.threads, notify[].url", leaving out those that begin with but_for. */
void sq_config_changes(const struct sq_config *before, const struct sq_config *now, const char *but_for, struct sq_buf *names);

/* What sq_config_show writes, as one JSON object. */
void sq_config_show_json(const struct sq_config *config, struct sq_buf *out);

/* JSON Schema (2020-12) of the file. */
void sq_config_schema(struct sq_buf *out);

/* What `squall init` writes: the keys a newcomer sets, each with its meaning beside it. */
void sq_config_init_text(const struct sq_config *config, struct sq_buf *out);

/* ops/docs/CONFIGURATION.md. */
void sq_config_docs(struct sq_buf *out);

#endif
