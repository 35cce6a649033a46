/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/config_table.h"

#include <stddef.h>

#include "worker/core/letter_gate.h"

#define SECOND 1e3
#define MINUTE 6e4
#define HOUR 36e5
#define DAY 864e5

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define TYPE(member) (((struct sq_config *)0)->member)
#define RULE_TYPE(member) (((struct sq_rule *)0)->member)
#define RECEIVER_TYPE(member) (((struct sq_receiver *)0)->member)
#define COUNT(array) (sizeof(array) / sizeof *(array))
/* offset, bytes, count_offset, items_max */
#define ONE(member) offsetof(struct sq_config, member), sizeof TYPE(member), 0, 1
#define LIST(member, count) offsetof(struct sq_config, member), sizeof TYPE(member)[0], offsetof(struct sq_config, count), COUNT(TYPE(member))
#define RULE(member) offsetof(struct sq_rule, member), sizeof RULE_TYPE(member), 0, 1
#define RULE_LIST(member, count) offsetof(struct sq_rule, member), sizeof RULE_TYPE(member)[0], offsetof(struct sq_rule, count), COUNT(RULE_TYPE(member))
#define RECEIVER(member) offsetof(struct sq_receiver, member), sizeof RECEIVER_TYPE(member), 0, 1
#define RECEIVER_LIST(member, count) \
    offsetof(struct sq_receiver, member), sizeof RECEIVER_TYPE(member)[0], offsetof(struct sq_receiver, count), COUNT(RECEIVER_TYPE(member))

#define TEXT(place) SQ_KIND_TEXT, place
#define BOOL(place) SQ_KIND_BOOL, place
#define INT(place, min, max) SQ_KIND_INT, place, min, max
#define REAL(place, min, max) SQ_KIND_REAL, place, min, max
#define DURATION(place, min, max) SQ_KIND_DURATION, place, min, max
#define WORD(place, ...) SQ_KIND_WORD, place, 0, 0, WORDS(__VA_ARGS__)
#define SET(place, ...) SQ_KIND_SET, place, 0, 0, WORDS(__VA_ARGS__)
#define LATER(...) .later_words = WORDS(__VA_ARGS__)
#define DEFAULT(text) .fallback = text
#define ENVIRONMENT(name) .environment = name
#define INIT .flags = SQ_ROW_INIT
#define MEANS(text) .meaning = text

static const struct sq_config_row rows[] = {
    {"version", INT(ONE(version), 1, 1), DEFAULT("1"), INIT, MEANS("of this file's form")},
    {"app", TEXT(ONE(app)), DEFAULT("squall"), ENVIRONMENT("SQUALL_APP"), INIT,
     MEANS("names the consumer groups <app>-score and <app>-alert and the topics <app>.scores, <app>.dlq, <app>.alerts")},
    {"instance", TEXT(ONE(instance)), DEFAULT("auto"),
     MEANS("this worker's name, unique among live workers and the same after a restart; auto: the host name")},
    {"roles", SET(ONE(roles), "score", "alert"), DEFAULT("score, alert"),
     MEANS("score reads the input and writes scores, alert reads scores and writes alerts; []: only the HTTP side")},
    {"delivery", WORD(ONE(delivery), "at_least_once", "exactly_once"), DEFAULT("exactly_once"),
     MEANS("exactly_once: outputs and offsets in one transaction. at_least_once, for brokers without transactions: nothing is lost, a crash may "
           "score a record twice; alert ids stay the same")},
    {"restore", WORD(ONE(restore), "state", "rebuild"), DEFAULT("state"),
     MEANS("where the group's offset was set by other hands, so that <app>.alert-state doesn't fit: state refuses to start, rebuild reads the "
           "scores that are left anew, silently up to the offset")},
    {"overload", WORD(ONE(overload), "wait", "sample"), DEFAULT("wait"),
     MEANS("when more comes than can be scored: wait scores all of it, later. sample scores a share of each entity's records, from a half down to "
           "a twentieth, until the backlog is gone; the others are written to <app>.scores as skipped")},
    {"overload_backlog", DURATION(ONE(overload_backlog_ms), 1 * SECOND, 1 * DAY), DEFAULT("5m"),
     MEANS("with overload: sample: how long what waits would take to score, from which on only a share is scored")},
    {"shutdown_timeout", DURATION(ONE(shutdown_timeout_ms), 1 * SECOND, 10 * MINUTE), DEFAULT("30s"),
     MEANS("how long a SIGTERM may drain; keep it below the supervisor's grace period")},
    {"sandbox", BOOL(ONE(is_sandboxed)), DEFAULT("true"),
     MEANS("a running worker can't start programs or write files (no_new_privs, seccomp, Landlock: what the kernel has of them)")},

    {"kafka.brokers", TEXT(ONE(kafka.brokers)), ENVIRONMENT("SQUALL_BROKERS"), INIT, MEANS("host:port, several with commas")},
    {"kafka.properties", SQ_KIND_PAIRS, ONE(kafka.properties), DEFAULT(""),
     MEANS("any librdkafka property, for consumers and producers; SQUALL_KAFKA_SASL_MECHANISM in the environment sets sasl.mechanism")},
    {"kafka.consumer", SQ_KIND_PAIRS, ONE(kafka.consumer), DEFAULT(""), MEANS("librdkafka properties of the consumers alone")},
    {"kafka.producer", SQ_KIND_PAIRS, ONE(kafka.producer), DEFAULT(""), MEANS("librdkafka properties of the producers alone")},
    {"kafka.sasl_password_file", TEXT(ONE(kafka.sasl_password_file)), DEFAULT(""),
     MEANS("a file whose content is sasl.password; white space at its end is dropped")},
    {"kafka.ssl_key_password_file", TEXT(ONE(kafka.ssl_key_password_file)), DEFAULT(""), MEANS("the same for ssl.key.password")},
    {"kafka.ssl_keystore_password_file", TEXT(ONE(kafka.ssl_keystore_password_file)), DEFAULT(""), MEANS("the same for ssl.keystore.password")},
    {"kafka.oauth_client_secret_file", TEXT(ONE(kafka.oauth_client_secret_file)), DEFAULT(""),
     MEANS("the same for sasl.oauthbearer.client.secret, with sasl.oauthbearer.method=oidc")},
    {"kafka.sasl_token_file", TEXT(ONE(kafka.sasl_token_file)), DEFAULT(""),
     MEANS("OAUTHBEARER: a file with the token, as Kubernetes projects for a service account; read again before it expires")},

    {"input.topics", SQ_KIND_TEXTS, LIST(input.topics, input.topics_count), INIT,
     MEANS("the topics with the texts; a name that begins with ^ is a pattern")},
    {"input.start", WORD(ONE(input.start), "earliest", "latest"), DEFAULT("earliest"),
     MEANS("where a group begins that never read before; later the committed offsets count")},
    {"input.format", WORD(ONE(input.format.encoding), "json", "text", "protobuf"), LATER("confluent-protobuf", "cloudevents"),
     DEFAULT("json"), INIT, MEANS("of a record's value: a JSON object, the bare text, or a squall.v1.Event (proto/event.proto)")},
    {"input.fields.text", SQ_KIND_FIELD, ONE(input.format.text), DEFAULT("text"), INIT,
     MEANS("where the text is: a dotted path as in post.body.text, key, or header:NAME")},
    {"input.fields.entity", SQ_KIND_FIELD, ONE(input.format.entity), DEFAULT("entity"), INIT,
     MEANS("what the text is about; without it the record's key, then input.default_entity. \"\": always the key")},
    {"input.fields.ts", SQ_KIND_FIELD, ONE(input.format.ts), DEFAULT("ts"), INIT,
     MEANS("when it was written; without it the record's timestamp")},
    {"input.fields.author", SQ_KIND_FIELD, ONE(input.format.author), DEFAULT("author"), INIT,
     MEANS("who wrote it; only a hash is kept, to count distinct authors")},
    {"input.fields.id", SQ_KIND_FIELD, ONE(input.format.id), DEFAULT("id"), INIT, MEANS("shown beside an alert's example texts")},
    {"input.ts_unit", WORD(ONE(input.format.ts_unit), "auto", "ms", "s", "rfc3339"), DEFAULT("auto"),
     MEANS("auto: a number from 1e11 up is milliseconds, below it seconds, other texts are RFC 3339")},
    {"input.default_entity", TEXT(ONE(input.format.default_entity)), DEFAULT("all"),
     MEANS("the entity of a record that has neither field nor key; \"\": such a record is a dead letter")},
    {"input.max_bytes", SQ_KIND_SIZE, ONE(input.format.bytes_max), 64, SQ_EVENT_BYTES_MAX, DEFAULT("65536"),
     MEANS("a record's value over it is a dead letter, unread")},

    {"model.path", SQ_KIND_TEXTS, LIST(model.paths, model.paths_count), DEFAULT("default"), ENVIRONMENT("SQUALL_MODEL"),
     .flags = SQ_ROW_INIT | SQ_ROW_ONE_OR_MANY,
     MEANS("default: the shipped MiniLM-L6; or any Hugging Face text-classification folder; a list is an ensemble: probabilities are averaged by label")},
    {"model.normalise", WORD(ONE(model.normalise), "auto", "none", "tweet"), DEFAULT("auto"),
     MEANS("auto: as the model folder's squall_normalise says; tweet: @names become @user, links become http")},
    {"model.precision", WORD(ONE(model.precision), "auto", "fp32", "bf16", "int8"), DEFAULT("auto"), MEANS("of the encoder's matrix products")},
    {"model.cache_dir", TEXT(ONE(model.cache_dir)), DEFAULT("auto"), ENVIRONMENT("SQUALL_CACHE_DIR"),
     MEANS("a folder for the packed weights and what precision auto settled on: the next start takes them from there, and all workers of a host share one "
           "copy in memory; auto: $XDG_CACHE_HOME/squall, else ~/.cache/squall; \"\": none. Where it can't be written, a line of the log says so")},
    {"model.threads", INT(ONE(model.threads), 0, 1024), .zero_word = "auto", DEFAULT("auto"), ENVIRONMENT("SQUALL_THREADS"),
     MEANS("that run the encoder; auto: the usable cores, cgroup and cpuset honoured")},
    {"model.max_tokens", INT(ONE(model.tokens_max), 8, SQ_TOKENS_MAX), DEFAULT("128"), MEANS("longer texts are cut, and counted")},
    {"model.batch.max_tokens", INT(ONE(model.batch_tokens_max), 8, 65536), DEFAULT("256"), MEANS("of the texts that run as one packed batch; a longer text runs alone")},
    {"model.batch.max_wait", DURATION(ONE(model.batch_wait_ms_max), 0, SECOND), DEFAULT("5ms"),
     MEANS("how long a text may wait for its batch to become half full, once there are as many texts as threads; 0s: not at all")},
    {"model.score_cache", INT(ONE(model.score_cache_texts), 0, 16777216), DEFAULT("65536"),
     MEANS("texts whose scores are kept, so that a copy is not encoded again; 0: none")},
    {"model.shadow.path", TEXT(ONE(model.shadow_path)), DEFAULT(""),
     MEANS("a second model's folder, which reads a sample and changes nothing: how often it agrees stands in metrics and status; \"\": none")},
    {"model.shadow.sample", REAL(ONE(model.shadow_sample), 0.0001, 1), DEFAULT("0.05"),
     MEANS("share of the texts that the second model reads, in what time the cores have left")},

    {"embed.path", TEXT(ONE(embed.path)), DEFAULT(""),
     MEANS("what POST /embed makes vectors with: any encoder's folder, pooled as its sentence-transformers files say, else by mean; same: that of "
           "model.path; \"\": off")},

    {"time.bucket", DURATION(ONE(time.bucket_ms), 10 * SECOND, 5 * MINUTE), DEFAULT("1m"), MEANS("the grain of event time; divides five minutes")},
    {"time.watermark_delay", DURATION(ONE(time.watermark_delay_ms), 0, HOUR), DEFAULT("30s"),
     MEANS("how far the records of a partition may be out of order without being late")},
    {"time.idle_after", DURATION(ONE(time.idle_after_ms), 1 * SECOND, DAY), DEFAULT("60s"),
     MEANS("an input partition silent for so long no longer holds event time back")},
    {"time.allowed_lateness", DURATION(ONE(time.allowed_lateness_ms), 0, DAY), DEFAULT("10m"),
     MEANS("later records are counted, and left out")},
    {"time.max_future", DURATION(ONE(future_ms_max), 0, DAY), DEFAULT("5m"),
     MEANS("event times further ahead of the record's arrival are moved back to it, and counted")},

    {"rules[].name", TEXT(RULE(name)), INIT, MEANS("stands in the alerts; unique")},
    {"rules[].type", WORD(RULE(type), "rate", "volume", "threshold"), DEFAULT("rate"),
     MEANS("rate: the label's share spikes; volume: the number of messages does; threshold: the share stands above a fixed one")},
    {"rules[].label", TEXT(RULE(label)), DEFAULT("negative"), INIT, MEANS("whose share is watched; one of the model's")},
    {"rules[].min_score", REAL(RULE(min_score), 0, 1), DEFAULT("0"), MEANS("0: the strongest label counts; else the probability the label has to reach")},
    {"rules[].entities", SQ_KIND_TEXTS, RULE_LIST(entities, entities_count), DEFAULT(""), MEANS("globs such as brand-*; none: all entities")},
    {"rules[].windows", SQ_KIND_DURATIONS, RULE_LIST(windows_ms, windows_count), MINUTE, DAY, DEFAULT("15m, 1h"), INIT,
     MEANS("one or two, the shorter first; the stronger decides")},
    {"rules[].budget_per_entity_week", REAL(RULE(budget_per_entity_week), 0.001, 1000), DEFAULT("1"), INIT,
     MEANS("false alarms that are acceptable; each entity's threshold follows from it")},
    {"rules[].threshold", REAL(RULE(threshold), 0, 99), DEFAULT("0"), MEANS("above 0: a fixed strength instead of the budget")},
    {"rules[].above", REAL(RULE(above), 0, 1), DEFAULT("0"), MEANS("threshold rules: the share from which an alert fires, over the shortest window")},
    {"rules[].resolve_below", REAL(RULE(resolve_below), 0, 1), DEFAULT("0"), MEANS("threshold rules: the share below which time is calm")},
    {"rules[].storm_share", REAL(RULE(storm_share), 0, 1), DEFAULT("0.5"),
     MEANS("of a partition's entities, twenty at least, that are up at once: one alert for all of them, and theirs wait; 0: never")},
    {"rules[].min_messages", INT(RULE(min_messages), 1, 1e6), DEFAULT("10"), INIT, MEANS("in the window, copies collapsed")},
    {"rules[].min_matched", INT(RULE(min_matched), 1, 1e6), DEFAULT("5"), .also = "min_negative", MEANS("messages with the label in the window")},
    {"rules[].min_lift_pp", REAL(RULE(min_lift_pp), 0, 100), DEFAULT("5"), MEANS("percentage points over the baseline")},
    {"rules[].min_lift_ratio", REAL(RULE(min_lift_ratio), 1, 1000), DEFAULT("1.5"), MEANS("times the baseline")},
    {"rules[].min_authors", INT(RULE(min_authors), 0, 4), DEFAULT("3"), MEANS("distinct ones; skipped where no author is known")},
    {"rules[].max_per_text", INT(RULE(max_per_text), 1, 255), DEFAULT("1"), MEANS("how often a text counts; further copies are collapsed, until it was unseen for an hour")},
    {"rules[].max_per_author", INT(RULE(max_per_author), 1, 255), DEFAULT("3"), MEANS("how often an author counts, until unseen for an hour")},
    {"rules[].near_copies", BOOL(RULE(near_copies)), DEFAULT("false"), MEANS("texts that differ in little are copies of each other too")},
    {"rules[].half_life", DURATION(RULE(half_life_ms), 6 * HOUR, 366 * DAY), DEFAULT("7d"), MEANS("of the baseline")},
    {"rules[].guard", DURATION(RULE(guard_ms), 0, DAY), DEFAULT("1h"), MEANS("between the baseline and the longest window")},
    {"rules[].warmup.time", DURATION(RULE(warmup_ms), 0, 366 * DAY), DEFAULT("2d"), MEANS("silent at first, unless the evidence is overwhelming")},
    {"rules[].warmup.messages", INT(RULE(warmup_messages), 0, 1e9), DEFAULT("200"), MEANS("ends the warm-up early")},
    {"rules[].for", DURATION(RULE(for_ms), 0, DAY), DEFAULT("0s"), MEANS("how long the strength must hold before an alert fires")},
    {"rules[].resolve_after", DURATION(RULE(resolve_after_ms), 0, 7 * DAY), DEFAULT("30m"), MEANS("calm event time that ends an alert")},
    {"rules[].expire_after", DURATION(RULE(expire_after_ms), MINUTE, 7 * DAY), DEFAULT("6h"), MEANS("without any message an alert ends too")},
    {"rules[].reopen_within", DURATION(RULE(reopen_within_ms), 0, 7 * DAY), DEFAULT("6h"), MEANS("a new spike so soon is the old alert, under its id")},
    {"rules[].repeat", SQ_KIND_DURATIONS, offsetof(struct sq_rule, repeat_first_ms), sizeof(int64_t), 0, 2, 0, 7 * DAY, DEFAULT("15m, 4h"),
     MEANS("while firing: first and longest interval of reminders, doubling in between")},
    {"rules[].shadow", BOOL(RULE(is_shadow)), DEFAULT("false"), MEANS("true: it runs, and what it would have told is counted in squall_alerts_suppressed_total, but nobody is told")},
    {"rules[].severity", WORD(RULE(severity), "auto", "info", "warning", "error", "critical"), DEFAULT("auto"),
     MEANS("auto: warning, critical with the strength")},
    {"rules[].annotations.summary", TEXT(RULE(summary)), DEFAULT(""),
     MEANS("the alert's sentence; \"\": one that suits the type. Filled in are {{rule}}, {{entity}}, {{label}}, {{severity}}, {{matched}}, {{count}}, "
           "{{rate}}, {{baseline_rate}}, {{baseline_low}}, {{baseline_high}}, {{lift_ratio}}, {{strength}}, {{threshold}}, {{authors}}, {{collapsed}} and, where not all was scored, {{sample}}")},
    {"rules[].annotations.runbook_url", TEXT(RULE(runbook_url)), DEFAULT(""), MEANS("stands in the alert; the same are filled in")},

    {"output.create_topics", BOOL(ONE(output.create_topics)), DEFAULT("true"), MEANS("false: they must be there")},
    {"output.partitions", INT(ONE(output.partitions), 1, 1000), DEFAULT("12"), MEANS("of scores and alerts; fixed for the app's life")},
    {"output.replication", INT(ONE(output.replication), -1, 15), DEFAULT("-1"), MEANS("-1: the broker's default")},
    {"output.alerts.format", WORD(ONE(output.alerts_format), "json", "protobuf"), DEFAULT("json"),
     MEANS("the proto3 JSON mapping of squall.v1.Alert, or protobuf")},

    {"dead_letter.header_prefix", TEXT(ONE(dead_letter.header_prefix)), DEFAULT("__squall.errors."),
     MEANS("of the headers that tell why; __connect.errors. suits Connect's tools")},
    {"dead_letter.max_ratio", REAL(ONE(dead_letter.ratio_max), 0.001, 1), DEFAULT("0.5"),
     MEANS("a larger share of the latest records means a bad deploy: the worker stops with exit code 78; 1: never")},
    {"dead_letter.max_over", INT(ONE(dead_letter.over), 1, SQ_LETTER_GATE_OVER_MAX), DEFAULT("1000"), MEANS("how many records the latest are")},

    {"privacy.examples", WORD(ONE(privacy.examples), "none", "truncate"), DEFAULT("truncate"),
     MEANS("truncate: scores and alerts carry the start of the texts; none: never")},
    {"privacy.max_chars", INT(ONE(privacy.chars_max), 1, SQ_EXCERPT_CHARS_MAX), DEFAULT("200"), MEANS("of an excerpt")},
    {"privacy.redact", SET(ONE(privacy.redact), "email", "url", "digits", "handle"), DEFAULT("email, url, digits"),
     MEANS("what is replaced in excerpts; digits: runs of four and more")},

    {"notify[].name", TEXT(RECEIVER(name)), DEFAULT(""),
     MEANS("in the group <app>-notify-<name>, in metrics and in the log; unique; \"\": the type's word")},
    {"notify[].type", WORD(RECEIVER(type), "alertmanager", "pagerduty", "webhook"), DEFAULT("webhook"),
     MEANS("alertmanager: API v2; pagerduty: Events API v2; webhook: each transition as the JSON of <app>.alerts")},
    {"notify[].rules", SQ_KIND_TEXTS, RECEIVER_LIST(rules, rules_count), DEFAULT(""), MEANS("names with * and ?: only of these; []: of all")},
    {"notify[].severity", WORD(RECEIVER(severity), "info", "warning", "error", "critical"), DEFAULT("info"),
     MEANS("only of transitions with this severity or a higher one")},
    {"notify[].urls", SQ_KIND_TEXTS, RECEIVER_LIST(urls, urls_count), DEFAULT(""),
     MEANS("alertmanager: as http://alertmanager:9093, all members of a cluster; alerts are posted to /api/v2/alerts of each")},
    {"notify[].every", DURATION(RECEIVER(every_ms), 1 * SECOND, HOUR), DEFAULT("1m"),
     MEANS("alertmanager: how often what is open is told again; it ends three times as long after it was last told")},
    {"notify[].routing_key_file", TEXT(RECEIVER(routing_key_file)), DEFAULT(""), MEANS("pagerduty: a file with the integration key")},
    {"notify[].reopen", WORD(RECEIVER(reopen), "info", "page"), DEFAULT("info"),
     MEANS("pagerduty: a reopened alert: info: as an event that pages nobody; page: with its severity")},
    {"notify[].url", TEXT(RECEIVER(url)), DEFAULT(""),
     MEANS("webhook: where to; pagerduty: \"\" is https://events.pagerduty.com/v2/enqueue, for the EU: https://events.eu.pagerduty.com/v2/enqueue")},
    {"notify[].hmac_key_file", TEXT(RECEIVER(hmac_key_file)), DEFAULT(""),
     MEANS("webhook: a file with a key; X-Squall-Signature is then sha256= and the HMAC-SHA-256 of the body")},

    {"http.listen", TEXT(ONE(http.listen)), DEFAULT("127.0.0.1:8088"), ENVIRONMENT("SQUALL_HTTP_LISTEN"), INIT,
     MEANS("address:port of the page, /metrics and the probes; \"\": off")},
    {"http.token_file", TEXT(ONE(http.token_file)), DEFAULT(""), MEANS("holds a bearer token; without one only this machine sees texts")},
    {"http.max_pending", INT(ONE(http.pending_max), 1, 4096), DEFAULT("256"), MEANS("texts that /predict and /embed may have waiting; more: 429")},

    {"log.level", WORD(ONE(log.level), "debug", "info", "warn", "error"), DEFAULT("info"), ENVIRONMENT("SQUALL_LOG_LEVEL"),
     MEANS("the least that is told")},
    {"log.format", WORD(ONE(log.format), "auto", "text", "json"), DEFAULT("auto"), MEANS("auto: text on a terminal, else JSON lines")},
};
_Static_assert(COUNT(rows) <= SQ_CONFIG_ROWS_MAX, "room for the origin of each key");

struct note {
    const char *path, *text;
};

/* Keys of the design that this version refuses by name, so that nobody believes they are in force. */
static const struct note later[] = {
    {"tasks", "every worker classifies; embed.path adds vectors over HTTP"},
    {"kafka.properties_file", "it comes later; put the properties under kafka.properties"},
    {"input.protobuf", "schemas of your own come later; format protobuf is squall.v1.Event"},
    {"model.labels", "renaming labels comes later"},
    {"model.selftest", "squall validate runs the self-test; at start it comes later"},
    {"output.embeddings", "a topic of vectors comes later; POST /embed and squall classify --task embed give them"},
    {"http.open", "it comes later"},
};

static const struct note sections[] = {
    {"kafka", "The cluster."},
    {"input", "What is read, and how a record becomes an event."},
    {"model", "The encoder."},
    {"embed", "Sentence vectors over HTTP, from a model and threads of their own beside the stream's."},
    {"time", "Event time."},
    {"rules", "What an alert is. Without the key there is one rule, `NegativeSpike`, with these defaults; `rules: []` means none."},
    {"output", "The topics that are written."},
    {"dead_letter", "Records that could not be scored go to `<app>.dlq`."},
    {"privacy", "What of the texts leaves the input topic."},
    {"notify", "Who is told of alerts besides the topic `<app>.alerts`, from that topic's log: a receiver that is down misses nothing, and holds up no other. `notify: []`, the default, is nobody."},
    {"http", "The page, the metrics and the probes."},
    {"log", "One line an event, on stderr."},
};

static const char *const refused_properties[] = {
    "group.id", "enable.auto.commit", "enable.auto.offset.store", "isolation.level", "auto.offset.reset", "transactional.id",
    "enable.idempotence", "acks", "request.required.acks", "partitioner", "allow.auto.create.topics", "bootstrap.servers", "metadata.broker.list",
    "client.id",
};

const struct sq_config_row *sq_config_row(unsigned index) { return index < COUNT(rows) ? &rows[index] : NULL; }
unsigned sq_config_row_index(const struct sq_config_row *row) { return (unsigned)(row - rows); }

static size_t last_name_at(struct sq_str path)
{
    size_t at = path.bytes;
    while (at > 0 && path.data[at - 1] != '.') at--;
    return at;
}

static bool is_other_name(const struct sq_config_row *row, struct sq_str path)
{
    if (!row->also) return false;
    size_t at = last_name_at(path);
    struct sq_str section = {path.data, at}, own = sq_str_view(row->path), own_section = {row->path, last_name_at(own)};
    return sq_str_equal(section, own_section) && sq_str_equal((struct sq_str){path.data + at, path.bytes - at}, sq_str_view(row->also));
}

const struct sq_config_row *sq_config_row_find(struct sq_str path)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (sq_str_equal(sq_str_view(rows[i].path), path) || is_other_name(&rows[i], path)) return &rows[i];
    return NULL;
}

bool sq_config_is_section(struct sq_str path)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strncmp(rows[i].path, path.data, path.bytes) == 0 && rows[i].path[path.bytes] == '.') return true;
    return false;
}

static const char *note_of(const struct note *notes, size_t notes_count, struct sq_str path)
{
    for (size_t i = 0; i < notes_count; i++)
        if (sq_str_equal(sq_str_view(notes[i].path), path)) return notes[i].text;
    return NULL;
}

const char *sq_config_later(struct sq_str path) { return note_of(later, COUNT(later), path); }

const char *sq_config_section_meaning(struct sq_str path)
{
    const char *text = note_of(sections, COUNT(sections), path);
    return text ? text : "";
}

bool sq_config_property_refused(const char *name)
{
    for (size_t i = 0; i < COUNT(refused_properties); i++)
        if (strcmp(refused_properties[i], name) == 0) return true;
    return false;
}

bool sq_config_property_secret(const char *name)
{
    static const char *const parts[] = {"password", "secret", "token", "oauthbearer.config", "ssl.key.pem", "jaas"};
    for (size_t i = 0; i < COUNT(parts); i++)
        if (strstr(name, parts[i])) return true;
    return false;
}

const char *sq_config_refused_property(unsigned index) { return index < COUNT(refused_properties) ? refused_properties[index] : NULL; }
