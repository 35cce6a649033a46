/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "worker/core/plan.h"
#include "worker/io/config_load.h"

/* Where a key got its value, for a problem that shows only when all are known. */
static struct sq_config_where where_of(struct sq_config_loader *loader, const char *path, int item)
{
    struct sq_config_where where = {.text = "configuration"};
    const struct sq_config_row *row = sq_config_row_find(sq_str_view(path));
    if (!row) return where;
    where.origin = *sq_config_origin_of(loader->config->origins, row, item);
    if (where.origin.source == SQ_SOURCE_FILE) snprintf(where.text, sizeof where.text, "%s:%zu", loader->file, where.origin.line);
    if (where.origin.source == SQ_SOURCE_ENVIRONMENT && row->environment) snprintf(where.text, sizeof where.text, "%s", row->environment);
    if (where.origin.source == SQ_SOURCE_FLAG) snprintf(where.text, sizeof where.text, "--set %s", path);
    if (where.origin.source == SQ_SOURCE_DEFAULT && *loader->file) snprintf(where.text, sizeof where.text, "%s", loader->file);
    return where;
}

#define PROBLEM(loader, path, ...)                                                                                                          \
    do {                                                                                                                                    \
        struct sq_config_where problem_where = where_of(loader, path, SQ_NO_ITEM);                                                          \
        sq_config_problem(loader, &problem_where, path ": " __VA_ARGS__);                                                                   \
    } while (0)

/* What Kafka allows in the name of a topic. */
static bool is_topic_name(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return *text && strspn(text, allowed) == strlen(text) && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static void check_names(struct sq_config_loader *loader)
{
    struct sq_config *config = loader->config;
    if (!is_topic_name(config->app) || strlen(config->app) > 100)
        PROBLEM(loader, "app", "it begins topic names, so 1 to 100 of a-z A-Z 0-9 . _ - are allowed");
    if (strcmp(config->instance, "auto") == 0 && gethostname(config->instance, sizeof config->instance - 1) != 0)
        snprintf(config->instance, sizeof config->instance, "worker");
    if (!config->instance[0]) PROBLEM(loader, "instance", "it must not be empty");
    if (config->model.paths_count == 0) PROBLEM(loader, "model.path", "it must not be empty");
    for (unsigned i = 0; i < config->model.paths_count; i++)
        if (!config->model.paths[i][0]) PROBLEM(loader, "model.path", "it must not be empty");
    if (!config->dead_letter.header_prefix[0]) PROBLEM(loader, "dead_letter.header_prefix", "it must not be empty");
}

static void check_topics(struct sq_config_loader *loader)
{
    const struct sq_config *config = loader->config;
    static const char *const own[] = {"scores", "dlq", "alerts", "alert-state"};
    for (unsigned i = 0; i < config->input.topics_count; i++) {
        const char *topic = config->input.topics[i];
        if (topic[0] != '^' && (!is_topic_name(topic) || strlen(topic) > 249))
            PROBLEM(loader, "input.topics", "'%s' is no topic name: 1 to 249 of a-z A-Z 0-9 . _ - are allowed", topic);
        for (size_t j = 0; j < sizeof own / sizeof *own; j++) {
            char name[SQ_CONFIG_NAME_BYTES + 16];
            snprintf(name, sizeof name, "%s.%s", config->app, own[j]);
            if (strcmp(topic, name) == 0) PROBLEM(loader, "input.topics", "'%s' is one of the topics this app writes", topic);
        }
        for (unsigned j = 0; j < i; j++)
            if (strcmp(topic, config->input.topics[j]) == 0) PROBLEM(loader, "input.topics", "'%s' stands twice", topic);
    }
}

static void check_required(struct sq_config_loader *loader)
{
    const struct sq_config *config = loader->config;
    const char *hint = *loader->file ? "" : "; no file was read: name one with -c, or in SQUALL_CONFIG";
    if (config->roles && !config->kafka.brokers[0]) PROBLEM(loader, "kafka.brokers", "it is required, as in localhost:9092%s", hint);
    if ((config->roles & SQ_ROLE_SCORE) && config->input.topics_count == 0)
        PROBLEM(loader, "input.topics", "it is required, as in [posts]");
}

static bool is_event_field(const struct sq_field *field)
{
    static const char *const names[] = {"text", "entity", "ts", "author", "id"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (field->kind != SQ_FIELD_PATH || strcmp(field->name, names[i]) == 0) return true;
    return false;
}

static void check_fields(struct sq_config_loader *loader)
{
    const struct sq_event_format *format = &loader->config->input.format;
    if (format->text.kind == SQ_FIELD_NONE) PROBLEM(loader, "input.fields.text", "it is required");
    if (format->encoding != SQ_EVENT_PROTOBUF) return;
    if (!is_event_field(&format->text) || !is_event_field(&format->entity) || !is_event_field(&format->ts) || !is_event_field(&format->author) ||
        !is_event_field(&format->id))
        PROBLEM(loader, "input.format", "a squall.v1.Event has the fields text, entity, ts, author and id; input.fields names another");
}

static void check_rules(struct sq_config_loader *loader)
{
    const struct sq_config *config = loader->config;
    for (unsigned i = 0; i < config->rules_count; i++) {
        const struct sq_rule *rule = &config->rules[i];
        struct sq_plan plan;
        struct sq_err err;
        struct sq_config_where where = where_of(loader, "rules[].name", sq_config_item(sq_config_list_find(SQ_STR("rules")), i));
        if (rule->name[0] && sq_plan_init(&plan, rule, &config->time, &err) != 0) sq_config_problem(loader, &where, "%s", err.message);
        for (unsigned j = 0; j < i; j++)
            if (strcmp(rule->name, config->rules[j].name) == 0) sq_config_problem(loader, &where, "two rules are called '%s'", rule->name);
    }
}

static void check_listen(struct sq_config_loader *loader)
{
    const char *listen = loader->config->http.listen, *colon = strrchr(listen, ':');
    if (!*listen) return;
    char *end = NULL;
    long port = colon && colon[1] >= '0' && colon[1] <= '9' ? strtol(colon + 1, &end, 10) : -1;
    if (port < 0 || port > 65535 || *end || colon == listen)
        PROBLEM(loader, "http.listen", "expected address:port, as in 127.0.0.1:8088 or [::1]:8088, found '%s'", listen);
}

/* The content of a secret's file becomes the property; white space at its end is an editor's, not the secret's. */
static void read_secret(struct sq_config_loader *loader, const char *key, const char *path, const char *property)
{
    struct sq_config_pairs *pairs = &loader->config->kafka.properties;
    struct sq_config_where where = where_of(loader, key, SQ_NO_ITEM);
    struct sq_err err;
    struct sq_buf secret;
    if (!*path) return;
    sq_buf_init(&secret);
    if (sq_json_read_file(&secret, path, SQ_CONFIG_VALUE_BYTES, SQ_E_CONFIG, &err) != 0) {
        sq_config_problem(loader, &where, "%s: %s", key, err.message);
    } else {
        struct sq_str value = sq_buf_view(&secret);
        while (value.bytes && strchr(" \t\r\n", value.data[value.bytes - 1])) value.bytes--;
        if (value.bytes == 0) sq_config_problem(loader, &where, "%s: %s is empty", key, path);
        else if (sq_config_pair_set(pairs, sq_str_view(property), value, &err) != 0) sq_config_problem(loader, &where, "%s: %s", key, err.message);
    }
    sq_buf_deinit(&secret);
}

/* A configuration is shown, copied and committed: secrets are not in it. */
static void refuse_inline(struct sq_config_loader *loader, const struct sq_config_pairs *pairs, const char *key, const char *property,
                          const char *file_key)
{
    struct sq_config_where where = where_of(loader, key, SQ_NO_ITEM);
    if (sq_config_pair_find(pairs, property))
        sq_config_problem(loader, &where, "%s: %s is a secret: put it into a file and name that in %s", key, property, file_key);
}

static void read_secrets(struct sq_config_loader *loader)
{
    struct sq_config *config = loader->config;
    const struct {
        const char *key, *path, *property;
    } secrets[] = {
        {"kafka.sasl_password_file", config->kafka.sasl_password_file, "sasl.password"},
        {"kafka.ssl_key_password_file", config->kafka.ssl_key_password_file, "ssl.key.password"},
        {"kafka.ssl_keystore_password_file", config->kafka.ssl_keystore_password_file, "ssl.keystore.password"},
        {"kafka.oauth_client_secret_file", config->kafka.oauth_client_secret_file, "sasl.oauthbearer.client.secret"},
    };
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        refuse_inline(loader, &config->kafka.properties, "kafka.properties", secrets[i].property, secrets[i].key);
        refuse_inline(loader, &config->kafka.consumer, "kafka.consumer", secrets[i].property, secrets[i].key);
        refuse_inline(loader, &config->kafka.producer, "kafka.producer", secrets[i].property, secrets[i].key);
        read_secret(loader, secrets[i].key, secrets[i].path, secrets[i].property);
    }
}

/* A URL is shown and logged, so no password may be in it. */
static bool is_receiver(const char *url)
{
    const char *host = strncmp(url, "http://", 7) == 0 ? url + 7 : strncmp(url, "https://", 8) == 0 ? url + 8 : "";
    size_t bytes = strcspn(host, "/?#");
    return bytes > 0 && !memchr(host, '@', bytes) && strcspn(url, " \t\r\n") == strlen(url);
}

/* Keys that only some types have, by bits of enum sq_notify_kind. */
static const struct {
    const char *path;
    unsigned types;
} receiver_keys[] = {
    {"notify[].urls", 1u << SQ_NOTIFY_ALERTMANAGER},          {"notify[].every", 1u << SQ_NOTIFY_ALERTMANAGER},
    {"notify[].routing_key_file", 1u << SQ_NOTIFY_PAGERDUTY}, {"notify[].reopen", 1u << SQ_NOTIFY_PAGERDUTY},
    {"notify[].url", 1u << SQ_NOTIFY_PAGERDUTY | 1u << SQ_NOTIFY_WEBHOOK},
    {"notify[].hmac_key_file", 1u << SQ_NOTIFY_WEBHOOK},
};

/* What each type can't do without. */
static const char *const receiver_needs[] = {
    [SQ_NOTIFY_ALERTMANAGER] = "urls", [SQ_NOTIFY_PAGERDUTY] = "routing_key_file", [SQ_NOTIFY_WEBHOOK] = "url"};

static const char *type_of(const struct sq_receiver *receiver) { return sq_config_row_find(SQ_STR("notify[].type"))->words[receiver->type]; }

static void check_receiver_keys(struct sq_config_loader *loader, const struct sq_receiver *receiver, int item)
{
    for (size_t i = 0; i < sizeof receiver_keys / sizeof *receiver_keys; i++) {
        struct sq_config_where where = where_of(loader, receiver_keys[i].path, item);
        if (where.origin.source != SQ_SOURCE_DEFAULT && !(receiver_keys[i].types & 1u << receiver->type))
            sq_config_problem(loader, &where, "%s: a receiver of the type %s has no such key", strchr(receiver_keys[i].path, '.') + 1, type_of(receiver));
    }
    bool has_it = receiver->type == SQ_NOTIFY_ALERTMANAGER ? receiver->urls_count > 0
                  : receiver->type == SQ_NOTIFY_PAGERDUTY  ? receiver->routing_key_file[0]
                                                           : receiver->url[0];
    struct sq_config_where where = where_of(loader, "notify[].type", item);
    if (!has_it) sq_config_problem(loader, &where, "notify: a receiver of the type %s needs %s", type_of(receiver), receiver_needs[receiver->type]);
}

static void check_receiver_urls(struct sq_config_loader *loader, const struct sq_receiver *receiver, int item)
{
    static const char expected[] = "expected http:// or https:// and a host, without a password";
    struct sq_config_where where = where_of(loader, "notify[].urls", item);
    for (unsigned i = 0; i < receiver->urls_count; i++)
        if (!is_receiver(receiver->urls[i])) sq_config_problem(loader, &where, "notify: urls: %s", expected);
    where = where_of(loader, "notify[].url", item);
    if (receiver->url[0] && !is_receiver(receiver->url)) sq_config_problem(loader, &where, "notify: url: %s", expected);
}

static void check_receiver_name(struct sq_config_loader *loader, unsigned index, int item)
{
    const struct sq_receiver *receiver = &loader->config->notify[index];
    struct sq_config_where where = where_of(loader, "notify[].name", item);
    if (!is_topic_name(receiver->name)) sq_config_problem(loader, &where, "notify: '%s' becomes part of a group's name: a-z A-Z 0-9 . _ - are allowed", receiver->name);
    for (unsigned i = 0; i < index; i++)
        if (strcmp(receiver->name, loader->config->notify[i].name) == 0)
            sq_config_problem(loader, &where, "notify: two receivers are called '%s': give each a name", receiver->name);
}

static void check_notify(struct sq_config_loader *loader)
{
    struct sq_config *config = loader->config;
    for (unsigned i = 0; i < config->notify_count; i++) {
        struct sq_receiver *receiver = &config->notify[i];
        int item = sq_config_item(sq_config_list_find(SQ_STR("notify")), i);
        if (!receiver->name[0]) snprintf(receiver->name, sizeof receiver->name, "%s", type_of(receiver));
        check_receiver_keys(loader, receiver, item);
        check_receiver_urls(loader, receiver, item);
        check_receiver_name(loader, i, item);
    }
    if (config->notify_count && config->output.alerts_format != SQ_ALERT_JSON) PROBLEM(loader, "output.alerts.format", "notify reads the alerts as json");
}

void sq_config_check(struct sq_config_loader *loader, bool offline)
{
    check_names(loader);
    check_topics(loader);
    check_fields(loader);
    check_rules(loader);
    check_listen(loader);
    check_notify(loader);
    if (offline) return;
    check_required(loader);
    read_secrets(loader);
}
