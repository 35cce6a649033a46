/* SPDX-License-Identifier: Apache-2.0 */
/* The sources of a configuration, their order, and what each mistake is told as. Files are written as squall.yaml in a folder of the
 * test's own, so that messages can be compared whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "worker/io/config_load.h"

#define MINIMAL "kafka: {brokers: 'b:9092'}\ninput: {topics: [posts]}\n"

static char folder[] = "/tmp/squall-config-XXXXXX";
static struct sq_config *config;
static struct sq_err err;
static const char *const no_environment[] = {NULL};

static int make_folder(void **state)
{
    (void)state;
    return !mkdtemp(folder) || chdir(folder) != 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink("squall.yaml");
    (void)unlink("secret");
    return chdir("/") != 0 || rmdir(folder) != 0;
}

static int close_config(void **state)
{
    (void)state;
    sq_config_close(config);
    config = NULL;
    return 0;
}

static void write_file(const char *path, const char *text, size_t bytes)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static int load(const char *yaml, const char *const *environment, const char *set)
{
    if (yaml) write_file("squall.yaml", yaml, strlen(yaml));
    sq_config_close(config);
    return sq_config_load(&config, &(struct sq_config_sources){.path = yaml ? "squall.yaml" : NULL, .sets = &set, .sets_count = set ? 1 : 0,
                                                              .environment = environment ? environment : no_environment}, &err);
}

static void assert_loads(const char *yaml)
{
    if (load(yaml, NULL, NULL) != 0) fail_msg("%s", err.message);
}

static void assert_refused(const char *yaml, const char *message)
{
    assert_int_equal(load(yaml, NULL, NULL), SQ_E_CONFIG);
    assert_null(config);
    assert_string_equal(err.message, message);
}

/* ---- Values and their order ---- */

static void defaults_are_the_documented_ones(void **state)
{
    (void)state;
    assert_loads(MINIMAL);
    assert_string_equal(config->app, "squall");
    assert_int_equal(config->roles, SQ_ROLE_SCORE | SQ_ROLE_ALERT);
    assert_int_equal(config->delivery, SQ_DELIVERY_EXACTLY_ONCE);
    assert_int_equal(config->shutdown_timeout_ms, 30000);
    assert_string_equal(config->input.topics[0], "posts");
    assert_int_equal(config->input.format.bytes_max, 65536);
    assert_memory_equal(&config->input.format, &sq_event_format_default, sizeof config->input.format);
    assert_int_equal(config->model.threads, 0);
    assert_int_equal(config->time.bucket_ms, 60000);
    assert_int_equal(config->future_ms_max, 300000);
    assert_int_equal(config->rules_count, 1);
    const struct sq_rule *rule = &config->rules[0];
    assert_string_equal(rule->name, "NegativeSpike");
    assert_int_equal(rule->windows_count, 2);
    assert_int_equal(rule->windows_ms[0], 15 * 60000);
    assert_int_equal(rule->windows_ms[1], 60 * 60000);
    assert_true(rule->budget_per_entity_week == 1 && rule->min_lift_pp == 5 && rule->min_lift_ratio == 1.5);
    assert_int_equal(rule->repeat_first_ms, 15 * 60000);
    assert_int_equal(rule->repeat_max_ms, 4 * 3600000);
    assert_int_equal(rule->half_life_ms, INT64_C(7) * 86400000);
    assert_int_equal(config->output.replication, -1);
    assert_int_equal(config->privacy.redact, SQ_REDACT_EMAIL | SQ_REDACT_URL | SQ_REDACT_DIGITS);
    assert_true(config->privacy.examples && config->output.create_topics);
    assert_true(config->instance[0] != '\0');
}

static void every_default_is_a_value_of_its_key(void **state)
{
    (void)state;
    assert_int_equal(sq_config_default(&config, &err), 0);
    const struct sq_config_row *row;
    for (unsigned i = 0; (row = sq_config_row(i)); i++) {
        const struct sq_config_list *list = sq_config_list_of(row);
        void *base = sq_config_base(config, list ? sq_config_item(list, 0) : SQ_NO_ITEM);
        int code = row->fallback ? sq_config_value_set_text(row, base, sq_str_view(row->fallback), &err) : 0;
        if (code != 0) fail_msg("%s: %s", row->path, err.message);
        assert_ptr_equal(sq_config_row_find(sq_str_view(row->path)), row);
        assert_null(sq_config_later(sq_str_view(row->path)));
        assert_non_null(row->meaning);
    }
}

static void what_changed_is_named_by_its_path(void **state)
{
    (void)state;
    struct sq_config *before;
    struct sq_buf names;
    sq_buf_init(&names);
    assert_loads(MINIMAL "rules: [{name: A}]\nnotify: [{type: webhook, url: \"http://a/\"}]\n");
    before = config;
    config = NULL;
    assert_loads(MINIMAL "rules: [{name: B}]\nnotify: [{type: webhook, url: \"http://b/\"}]\nmodel: {threads: 3}\nshutdown_timeout: 7s\n");
    sq_config_changes(before, config, "rules[].", &names);
    assert_string_equal(names.data, "shutdown_timeout, model.threads, notify[].url");
    sq_buf_clear(&names);
    sq_config_changes(config, config, "", &names);
    assert_int_equal(names.bytes, 0);
    sq_buf_deinit(&names);
    sq_config_close(before);
}

static void a_model_is_one_folder_or_several(void **state)
{
    (void)state;
    struct sq_buf shown;
    sq_buf_init(&shown);
    assert_loads(MINIMAL "model: {path: ./one}\n");
    assert_int_equal(config->model.paths_count, 1);
    assert_string_equal(config->model.paths[0], "./one");
    sq_config_show(config, false, &shown);
    assert_non_null(strstr(shown.data, "path: \"./one\"\n"));
    sq_buf_clear(&shown);
    assert_loads(MINIMAL "model: {path: [./one, default]}\n");
    assert_int_equal(config->model.paths_count, 2);
    assert_string_equal(config->model.paths[1], "default");
    sq_config_show(config, false, &shown);
    assert_non_null(strstr(shown.data, "path: [\"./one\", default]\n"));
    sq_buf_deinit(&shown);
    assert_int_equal(load(MINIMAL, NULL, "model.path=a,b,c"), 0);
    assert_int_equal(config->model.paths_count, 3);
    assert_int_equal(load(MINIMAL "model: {path: [a, \"\"]}\n", NULL, NULL), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "model.path: it must not be empty"));
    assert_int_equal(load(MINIMAL "model: {path: []}\n", NULL, NULL), SQ_E_CONFIG);
    assert_int_equal(load(MINIMAL "model: {path: [1,2,3,4,5,6,7,8,9]}\n", NULL, NULL), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "at most 8 are allowed"));
}

static void flag_beats_environment_beats_file_beats_default(void **state)
{
    (void)state;
    const char *const environment[] = {"SQUALL_THREADS=3", "SQUALL_APP=env", "SQUALL_KAFKA_SASL_MECHANISM=PLAIN", "OTHER=x", NULL};
    assert_int_equal(load(MINIMAL "app: file\nmodel: {threads: 2, max_tokens: 64}\n", environment, "model.threads=4"), 0);
    assert_int_equal(config->model.threads, 4);
    assert_string_equal(config->app, "env");
    assert_int_equal(config->model.tokens_max, 64);
    assert_int_equal(config->model.batch_tokens_max, 256);
    assert_string_equal(sq_config_pair_find(&config->kafka.properties, "sasl.mechanism"), "PLAIN");

    struct sq_buf out;
    sq_buf_init(&out);
    sq_config_show(config, true, &out);
    assert_non_null(strstr(out.data, "  threads: 4  # flag\n"));
    assert_non_null(strstr(out.data, "app: env  # environment\n"));
    assert_non_null(strstr(out.data, "  max_tokens: 64  # squall.yaml:4\n"));
    assert_non_null(strstr(out.data, "    max_tokens: 256  # default\n"));
    sq_buf_deinit(&out);
}

static void sets_reach_rules_lists_and_properties(void **state)
{
    (void)state;
    assert_int_equal(load(MINIMAL, NULL, "rules.NegativeSpike.half_life=3d"), 0);
    assert_int_equal(config->rules[0].half_life_ms, INT64_C(3) * 86400000);
    assert_int_equal(load(MINIMAL, NULL, "rules.NegativeSpike.windows=[30m, 2h]"), 0);
    assert_int_equal(config->rules[0].windows_ms[1], 2 * 3600000);
    assert_int_equal(load(MINIMAL, NULL, "rules.NegativeSpike.min_negative=7"), 0);
    assert_int_equal(config->rules[0].min_matched, 7);
    assert_int_equal(load(MINIMAL, NULL, "input.topics=a,b"), 0);
    assert_int_equal(config->input.topics_count, 2);
    assert_string_equal(config->input.topics[1], "b");
    assert_int_equal(load(MINIMAL, NULL, "roles="), 0);
    assert_int_equal(config->roles, 0);
    assert_int_equal(load(MINIMAL, NULL, "kafka.properties.linger.ms=5"), 0);
    assert_string_equal(sq_config_pair_find(&config->kafka.properties, "linger.ms"), "5");
    assert_int_equal(load(MINIMAL "rules: [{name: a.b}]\n", NULL, "rules.a.b.label=angry"), 0);
    assert_string_equal(config->rules[0].label, "angry");
}

static void a_rule_in_the_file_replaces_the_default_one(void **state)
{
    (void)state;
    assert_loads(MINIMAL "rules:\n  - {name: A, label: angry, entities: ['brand-*', x], warmup: {time: 1d}, annotations: {summary: '{{entity}}!'}}\n"
                         "  - {name: B, windows: [30m]}\n");
    assert_int_equal(config->rules_count, 2);
    assert_string_equal(config->rules[0].label, "angry");
    assert_int_equal(config->rules[0].entities_count, 2);
    assert_string_equal(config->rules[0].entities[0], "brand-*");
    assert_int_equal(config->rules[0].warmup_ms, 86400000);
    assert_int_equal(config->rules[0].warmup_messages, 200);
    assert_string_equal(config->rules[0].summary, "{{entity}}!");
    assert_int_equal(config->rules[1].windows_count, 1);
    assert_string_equal(config->rules[1].label, "negative");
    assert_loads(MINIMAL "rules: []\n");
    assert_int_equal(config->rules_count, 0);
}

static void variables_are_replaced_inside_values_only(void **state)
{
    (void)state;
    const char *const environment[] = {"TOPIC=po: [sts", "EMPTY=", "N=9", NULL};
    assert_int_equal(load("kafka: {brokers: '${HOST:-localhost}:909${N}'}\ninput: {topics: [posts], default_entity: \"${TOPIC}\"}\n"
                          "dead_letter: {header_prefix: '${EMPTY:-$$x$y}'}\n", environment, NULL), 0);
    assert_string_equal(config->kafka.brokers, "localhost:9099");
    assert_string_equal(config->input.format.default_entity, "po: [sts");
    assert_string_equal(config->dead_letter.header_prefix, "$$x$y"); /* a default is taken as it stands */
    assert_int_equal(load(MINIMAL "dead_letter: {header_prefix: a$$b$c}\n", environment, NULL), 0);
    assert_string_equal(config->dead_letter.header_prefix, "a$b$c");
}

static void aliases_stand_for_their_values(void **state)
{
    (void)state;
    assert_loads(MINIMAL "rules:\n  - &first {name: A, label: angry}\n  - {name: B, label: &l sad}\n  - {name: C, label: *l}\n");
    assert_string_equal(config->rules[2].label, "sad");
}

static void a_secret_comes_from_its_file(void **state)
{
    (void)state;
    write_file("secret", "pa ss\r\n", 7);
    assert_loads(MINIMAL "app: x\n");
    assert_int_equal(load(MINIMAL, NULL, "kafka.sasl_password_file=secret"), 0);
    assert_string_equal(sq_config_pair_find(&config->kafka.properties, "sasl.password"), "pa ss");
    struct sq_buf out;
    sq_buf_init(&out);
    sq_config_show(config, false, &out);
    sq_config_show_json(config, &out);
    assert_null(strstr(out.data, "pa ss"));
    assert_non_null(strstr(out.data, "sasl.password: \"********\""));
    sq_buf_deinit(&out);

    assert_int_equal(load(MINIMAL, NULL, "kafka.sasl_password_file=nowhere"), SQ_E_CONFIG);
    assert_string_equal(err.message, "--set kafka.sasl_password_file: kafka.sasl_password_file: nowhere: No such file or directory");
    const char *const environment[] = {"SQUALL_KAFKA_SASL_PASSWORD=other", NULL};
    assert_int_equal(load(MINIMAL, environment, NULL), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "sasl.password is a secret: put it into a file and name that in kafka.sasl_password_file"));
    assert_null(strstr(err.message, "other"));
}

static void what_is_shown_can_be_read_back(void **state)
{
    (void)state;
    struct sq_buf first, second;
    sq_buf_init(&first);
    sq_buf_init(&second);
    assert_loads("input: {topics: [posts]}\nkafka: {brokers: 'b:1,c:2', properties: {client.rack: 'a: b$$', linger.ms: 5}}\n");
    sq_config_show(config, false, &first);
    assert_loads(first.data);
    sq_config_show(config, false, &second);
    assert_string_equal(first.data, second.data);
    assert_string_equal(sq_config_pair_find(&config->kafka.properties, "client.rack"), "a: b$");
    sq_buf_clear(&first);
    sq_config_init_text(config, &first);
    assert_loads(first.data);
    sq_buf_deinit(&first);
    sq_buf_deinit(&second);
}

static void offline_needs_neither_brokers_nor_topics(void **state)
{
    (void)state;
    sq_config_close(config);
    assert_int_equal(sq_config_load(&config, &(struct sq_config_sources){.environment = no_environment, .offline = true}, &err), 0);
    sq_config_close(config);
    assert_int_equal(sq_config_load(&config, &(struct sq_config_sources){.environment = no_environment}, &err), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "no file was read: name one with -c, or in SQUALL_CONFIG"));
    assert_int_equal(load("", NULL, NULL), SQ_E_CONFIG);
    assert_string_equal(err.message, "squall.yaml: kafka.brokers: it is required, as in localhost:9092\n"
                                     "squall.yaml: input.topics: it is required, as in [posts]");
}

/* ---- Mistakes ---- */

static const struct {
    const char *yaml, *message;
} mistakes[] = {
    {"modle: {path: x}\n", "squall.yaml:1:1: there is no key 'modle'; did you mean 'model'?"},
    {"model:\n  max_token: 5\n", "squall.yaml:2:3: there is no key 'max_token'; did you mean 'max_tokens'?"},
    {"rules: [{name: A, budget: 1}]\n", "squall.yaml:1:19: there is no key 'budget'; did you mean 'budget_per_entity_week'?"},
    {"threads: 5\n", "squall.yaml:1:1: there is no key 'threads'; did you mean 'model.threads'?"},
    {"zzzzzz: 5\n", "squall.yaml:1:1: there is no key 'zzzzzz'; squall config schema lists all"},
    {"a.b: 5\n", "squall.yaml:1:1: there is no key 'a.b'; squall config schema lists all"},
    {"model.path: x\n", "squall.yaml:1:1: there is no key 'model.path'; squall config schema lists all"},
    {"app: a\napp: b\n", "squall.yaml:2:1: the key 'app' stands twice"},
    {"app:\n", "squall.yaml:1:5: app has no value; leave the key out for its default"},
    {"app: ~\n", "squall.yaml:1:6: app has no value; leave the key out for its default"},
    {"app: [a]\n", "squall.yaml:1:6: app: expected a single value, found a list"},
    {"app: {a: b}\n", "squall.yaml:1:6: app: expected a value, found a mapping"},
    {"app: a/b\n", "squall.yaml:1: app: it begins topic names, so 1 to 100 of a-z A-Z 0-9 . _ - are allowed"},
    {"version: 2\n", "squall.yaml:1:10: version: expected 1, found '2'"},
    {"model: 5\n", "squall.yaml:1:8: model: expected a mapping of keys to values, found a single value"},
    {"model: {threads: 0}\n", "squall.yaml:1:18: model.threads: expected auto or a whole number from 1 to 1024, found '0'"},
    {"model: {threads: 4.5}\n", "squall.yaml:1:18: model.threads: expected auto or a whole number from 1 to 1024, found '4.5'"},
    {"model: {threads: 0x4}\n", "squall.yaml:1:18: model.threads: expected auto or a whole number from 1 to 1024, found '0x4'"},
    {"model: {max_tokens: 9999999999999999999}\n",
     "squall.yaml:1:21: model.max_tokens: expected a whole number from 8 to 8192, found '9999999999999999999'"},
    {"shutdown_timeout: 30\n",
     "squall.yaml:1:19: shutdown_timeout: expected a duration with its unit, such as 500ms, 30s, 15m, 2h or 7d, found '30'"},
    {"shutdown_timeout: 1h\n", "squall.yaml:1:19: shutdown_timeout: expected a duration from 1s to 10m, found '1h'"},
    {"output: {create_topics: yes}\n", "squall.yaml:1:25: output.create_topics: expected true or false, found 'yes'"},
    {"input: {max_bytes: 2MiB}\n",
     "squall.yaml:1:20: input.max_bytes: expected a size from 64 to 1048576 bytes, as 65536 or 64KiB, found '2MiB'"},
    {"input: {format: yaml}\n", "squall.yaml:1:17: input.format: expected one of json, text, protobuf, found 'yaml'"},
    {"input: {format: cloudevents}\n", "squall.yaml:1:17: input.format: 'cloudevents' is not available in this version; it comes later"},
    {"overload: drop\n", "squall.yaml:1:11: overload: expected one of wait, sample, found 'drop'"},
    {"tasks: [embed]\n", "squall.yaml:1:1: 'tasks' is not available in this version: every worker classifies; embed.path adds vectors over HTTP"},
    {"input: {topics: posts}\n", "squall.yaml:1:17: input.topics: expected a list, as in [a, b], found 'posts'"},
    {"input: {topics: [[a]]}\n", "squall.yaml:1:18: input.topics: an item must be a single value"},
    {"input: {fields: {text: a..b}}\n", "squall.yaml:1:24: input.fields.text: a dotted path has a name on both sides of each dot, as in user.name"},
    {"roles: [score, eat]\n", "squall.yaml:1:8: roles: expected one of score, alert, found 'eat'"},
    {"kafka: {properties: {acks: 1}}\n",
     "squall.yaml:1:28: kafka.properties: 'acks' is squall's own to set, since what it promises rests on it"},
    {"kafka: {properties: {a: [b]}}\n", "squall.yaml:1:25: kafka.properties.a: expected a single value, found a list"},
    {"kafka: {properties: x}\n", "squall.yaml:1:21: kafka.properties: expected a mapping of names to values, found a single value"},
    {"rules: x\n", "squall.yaml:1:8: rules: expected a list, as in rules: [{name: NegativeSpike}], found a single value"},
    {"rules: [x]\n", "squall.yaml:1:9: rules: expected a rule with its keys, found a single value"},
    {"rules: [{label: x}]\n", "squall.yaml:1:9: a rule needs a name"},
    {"rules: [{name: A, lable: x}]\n", "squall.yaml:1:19: there is no key 'lable'; did you mean 'label'?"},
    {"rules: [{name: A, type: burst}]\n", "squall.yaml:1:25: type: expected one of rate, volume, threshold, found 'burst'"},
    {"rules: [{name: A, type: threshold}]\n", "squall.yaml:1: rules.A.above: a threshold rule needs a share in (0, 1]"},
    {"rules: [{name: A, type: threshold, above: 0.4, resolve_below: 0.5}]\n",
     "squall.yaml:1: rules.A.resolve_below: a threshold rule needs a share in (0, above]"},
    {"rules: [{name: A, above: 0.4}]\n", "squall.yaml:1: rules.A.above and resolve_below belong to rules of type threshold"},
    {"rules: [{name: A, annotations: {runbook_url: 'https://x/{{moon}}'}}]\n",
     "squall.yaml:1: rules.A.annotations.runbook_url: no such placeholder at '{{moon}}'; there are rule, entity, label, severity, matched, "
     "count, rate, baseline_rate, baseline_low, baseline_high, lift_ratio, strength, threshold, authors, collapsed, sample"},
    {"rules: [{name: A, repeat: [1h]}]\n", "squall.yaml:1:27: repeat: it has 1 items, just 2 are expected"},
    {"rules: [{name: A, windows: [1h, 2h, 3h]}]\n", "squall.yaml:1:28: windows: it has 3 items, at most 2 are allowed"},
    {"rules: [{name: A, min_score: nan}]\n", "squall.yaml:1:30: min_score: expected a number from 0 to 1, found 'nan'"},
    {"app: ${NOPE}\n", "squall.yaml:1:6: the variable NOPE is not set; ${NOPE:-default} gives it a default"},
    {"app: ${NOPE:?ask Ann}\n", "squall.yaml:1:6: the variable NOPE is not set: ask Ann"},
    {"app: ${NOPE\n", "squall.yaml:1:6: '${' has no '}'; a plain $ is written $$"},
    {"app: ${a b}\n", "squall.yaml:1:6: '${a b}' is not ${VAR}, ${VAR:-default} or ${VAR:?message}; a plain $ is written $$"},
    {"app: \"a\\u0007\"\n", "squall.yaml:1:6: app: it holds a control character"},
    {"- a\n", "squall.yaml:1:1: expected keys such as kafka: and input:, found a list"},
    {"? [a]\n: b\n", "squall.yaml:1:3: a key must be a word, found a list"},
    {"---\napp: a\n---\napp: b\n", "the file: more than one YAML document"},
};

static void mistakes_name_their_place_and_the_way_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        int code = load(mistakes[i].yaml, NULL, NULL);
        if (code != SQ_E_CONFIG) fail_msg("accepted: %s", mistakes[i].yaml);
        if (strncmp(err.message, mistakes[i].message, strlen(mistakes[i].message)) != 0)
            fail_msg("%s\n  says     %s\n  expected %s", mistakes[i].yaml, err.message, mistakes[i].message);
    }
}

static void contradictions_are_found(void **state)
{
    (void)state;
    assert_refused(MINIMAL "rules: [{name: A}, {name: A}]\n", "squall.yaml:3: two rules are called 'A'");
    assert_refused(MINIMAL "http: {listen: '8088'}\n",
                   "squall.yaml:3: http.listen: expected address:port, as in 127.0.0.1:8088 or [::1]:8088, found '8088'");
    assert_loads(MINIMAL "http: {listen: ''}\n");
    assert_refused("kafka: {brokers: b}\ninput: {topics: [squall.scores]}\n",
                   "squall.yaml:2: input.topics: 'squall.scores' is one of the topics this app writes");
    assert_refused("kafka: {brokers: b}\ninput: {topics: [a, a]}\n", "squall.yaml:2: input.topics: 'a' stands twice");
    assert_refused("kafka: {brokers: b}\ninput: {topics: [a b]}\n",
                   "squall.yaml:2: input.topics: 'a b' is no topic name: 1 to 249 of a-z A-Z 0-9 . _ - are allowed");
    assert_loads("kafka: {brokers: b}\ninput: {topics: ['^a.*']}\n");
    assert_refused(MINIMAL "notify: [{url: 'http://me:secret@h/x'}]\n",
                   "squall.yaml:3: notify: url: expected http:// or https:// and a host, without a password");
    assert_refused(MINIMAL "notify: [{type: alertmanager, urls: ['am:9093']}]\n",
                   "squall.yaml:3: notify: urls: expected http:// or https:// and a host, without a password");
    assert_refused(MINIMAL "output: {alerts: {format: protobuf}}\nnotify: [{url: 'https://h/x'}]\n",
                   "squall.yaml:3: output.alerts.format: notify reads the alerts as json");
    assert_refused("kafka: {brokers: b}\ninput: {topics: [a], format: protobuf, fields: {text: body}}\n",
                   "squall.yaml:2: input.format: a squall.v1.Event has the fields text, entity, ts, author and id; input.fields names another");
    assert_refused("kafka: {brokers: b}\ninput: {topics: [a], fields: {text: ''}}\n", "squall.yaml:2: input.fields.text: it is required");
    assert_int_equal(load(MINIMAL "rules: [{name: A, windows: [1h, 15m]}]\n", NULL, NULL), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "rules.A.windows"));
}

static void receivers_are_a_list(void **state)
{
    (void)state;
    assert_loads(MINIMAL "notify: [{url: 'https://h/x'}, {name: am, type: alertmanager, urls: ['http://a:1', 'http://b:1'], severity: critical}]\n");
    assert_int_equal(config->notify_count, 2);
    assert_string_equal(config->notify[0].name, "webhook");
    assert_int_equal(config->notify[1].urls_count, 2);
    assert_int_equal(config->notify[1].severity, SQ_SEVERITY_CRITICAL);
    assert_int_equal(config->notify[1].every_ms, 60000);
    assert_loads(MINIMAL "notify: []\n");
    assert_int_equal(config->notify_count, 0);
    assert_int_equal(load(MINIMAL "notify: [{name: am, type: alertmanager, urls: ['http://a:1']}]\n", NULL, "notify.am.every=5m"), 0);
    assert_int_equal(config->notify[0].every_ms, 300000);
    assert_refused(MINIMAL "notify: {webhook: {url: 'https://h/x'}}\n",
                   "squall.yaml:3:9: notify: expected a list, as in notify: [{type: webhook, url: 'https://ops.example/hook'}], found a mapping");
    assert_refused(MINIMAL "notify: [{url: 'https://h/x'}, {url: 'https://h/y'}]\n",
                   "squall.yaml: notify: two receivers are called 'webhook': give each a name");
    assert_refused(MINIMAL "notify: [{type: pagerduty}]\n", "squall.yaml:3: notify: a receiver of the type pagerduty needs routing_key_file");
    assert_refused(MINIMAL "notify: [{url: 'https://h/x', every: 1m}]\n", "squall.yaml:3: every: a receiver of the type webhook has no such key");
    assert_refused(MINIMAL "notify: [{name: 'a b', url: 'https://h/x'}]\n",
                   "squall.yaml:3: notify: 'a b' becomes part of a group's name: a-z A-Z 0-9 . _ - are allowed");
}

static void wrong_sets_and_variables_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *set, *message;
    } cases[] = {
        {"x", "--set x: expected path=value, as in model.threads=4"},
        {"model.treads=1", "--set model.treads: there is no key 'treads'; did you mean 'threads'?"},
        {"model.threads=x", "--set model.threads: model.threads: expected auto or a whole number from 1 to 1024, found 'x'"},
        {"rules.B.label=x", "--set rules.B.label: there is no rule of that name; there is NegativeSpike; a rule's key is rules.NAME.key"},
        {"rules.NegativeSpike.labl=x", "--set rules.NegativeSpike.labl: there is no key 'labl'; did you mean 'label'?"},
        {"rules[].label=x", "--set rules[].label: there is no rule of that name; there is NegativeSpike; a rule's key is rules.NAME.key"},
        {"kafka.properties.group.id=x", "--set kafka.properties.group.id: kafka.properties: 'group.id' is squall's own to set"},
        {"kafka.properties=x", "--set kafka.properties: kafka.properties: name the property too, as in kafka.properties.linger.ms=5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(load(MINIMAL, NULL, cases[i].set), SQ_E_CONFIG);
        if (strncmp(err.message, cases[i].message, strlen(cases[i].message)) != 0) fail_msg("%s: %s", cases[i].set, err.message);
    }
    const char *const environment[] = {"SQUALL_THREADS=many", "SQUALL_KAFKA_GROUP_ID=x", NULL};
    assert_int_equal(load(MINIMAL, environment, NULL), SQ_E_CONFIG);
    assert_string_equal(err.message, "SQUALL_THREADS: model.threads: expected auto or a whole number from 1 to 1024, found 'many'\n"
                                     "SQUALL_KAFKA_GROUP_ID: kafka.properties: 'group.id' is squall's own to set, since what it promises rests on it");
}

static void many_problems_are_told_at_once(void **state)
{
    (void)state;
    assert_refused("app: ''\nlog: {level: loud}\nxapp: 1\nhttp: {lisen: x}\n",
                   "squall.yaml:2:14: log.level: expected one of debug, info, warn, error, found 'loud'\n"
                   "squall.yaml:3:1: there is no key 'xapp'; did you mean 'app'?\n"
                   "squall.yaml:4:8: there is no key 'lisen'; did you mean 'listen'?");
    char yaml[4096];
    size_t used = 0;
    for (int i = 0; i < 60; i++) used += (size_t)snprintf(yaml + used, sizeof yaml - used, "wrong_key_number_%d: 1\n", i);
    assert_int_equal(load(yaml, NULL, NULL), SQ_E_CONFIG);
    const char *last = strrchr(err.message, '\n');
    int told = 1, left = 0;
    for (const char *c = err.message; *c; c++) told += *c == '\n';
    assert_int_equal(sscanf(last, "\nand %d more", &left), 1);
    assert_int_equal(told - 1 + left, 60);
}

static void files_that_are_no_yaml_are_told_so(void **state)
{
    (void)state;
    assert_refused("app: [\n", "squall.yaml:2:1: not valid YAML: did not find expected node content while parsing a flow node");
    assert_refused("app: \xff\n", "squall.yaml: byte 5: not valid YAML: invalid leading UTF-8 octet");
    assert_refused("app: *nobody\n", "squall.yaml:1:6: not valid YAML: found undefined alias");
    assert_int_equal(sq_config_load(&config, &(struct sq_config_sources){.path = "nowhere.yaml", .environment = no_environment}, &err), SQ_E_CONFIG);
    assert_string_equal(err.message, "configuration: nowhere.yaml: No such file or directory");
}

/* A billion leaves, and a list that holds itself: both are a few lines of YAML. */
static void hostile_yaml_ends_soon(void **state)
{
    (void)state;
    assert_int_equal(load("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                          "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\nrules: &e [*d,*d,*d,*d,*d,*d,*d]\ninput: {topics: *e}\n", NULL, NULL), SQ_E_CONFIG);
    assert_int_equal(load("rules: &r\n- *r\n", NULL, NULL), SQ_E_CONFIG);
    assert_int_equal(load("model: &m {batch: *m}\n", NULL, NULL), SQ_E_CONFIG);
    char *deep = malloc(200001);
    memset(deep, '[', 200000);
    deep[200000] = '\0';
    assert_refused(deep, "the file: brackets nest more than 256 deep");
    free(deep);
}

static void distances_count_edits(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned distance;
    } cases[] = {{"", "", 0}, {"abc", "abc", 0}, {"abc", "ab", 1}, {"ab", "abc", 1}, {"abc", "acb", 1}, {"modle", "model", 1}, {"abc", "xyz", 3}, {"", "abcd", 4}, {"ca", "abc", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(sq_config_distance(sq_str_view(cases[i].a), sq_str_view(cases[i].b), 9), cases[i].distance);
    assert_int_equal(sq_config_distance(SQ_STR("abc"), SQ_STR("xyz"), 1), 2);
}

static void durations_come_back(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
        const char *shown;
    } cases[] = {{"0s", 0, "0s"}, {"500ms", 500, "500ms"}, {"90s", 90000, "90s"}, {"120s", 120000, "2m"}, {"1h30m", 5400000, "90m"}, {"3d40m", 261600000, "4360m"}, {"48h", 172800000, "2d"}, {"1m1ms", 60001, "60001ms"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms;
        char shown[32];
        assert_true(sq_config_duration_parse(sq_str_view(cases[i].text), &ms));
        assert_int_equal(ms, cases[i].ms);
        sq_config_duration_format(ms, shown);
        assert_string_equal(shown, cases[i].shown);
    }
    static const char *const wrong[] = {"", "5", "s", "5x", "-5s", "5 s", "1.5h", "30m1h", "5s5s", "99999999999999d", "1h "};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t ms;
        if (sq_config_duration_parse(sq_str_view(wrong[i]), &ms)) fail_msg("accepted: %s", wrong[i]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_config)
    const struct CMUnitTest tests[] = {
        TEST(defaults_are_the_documented_ones),
        TEST(every_default_is_a_value_of_its_key),
        TEST(what_changed_is_named_by_its_path),
        TEST(a_model_is_one_folder_or_several),
        TEST(flag_beats_environment_beats_file_beats_default),
        TEST(sets_reach_rules_lists_and_properties),
        TEST(a_rule_in_the_file_replaces_the_default_one),
        TEST(variables_are_replaced_inside_values_only),
        TEST(aliases_stand_for_their_values),
        TEST(a_secret_comes_from_its_file),
        TEST(what_is_shown_can_be_read_back),
        TEST(offline_needs_neither_brokers_nor_topics),
        TEST(mistakes_name_their_place_and_the_way_out),
        TEST(contradictions_are_found),
        TEST(receivers_are_a_list),
        TEST(wrong_sets_and_variables_are_named),
        TEST(many_problems_are_told_at_once),
        TEST(files_that_are_no_yaml_are_told_so),
        TEST(hostile_yaml_ends_soon),
        TEST(distances_count_edits),
        TEST(durations_come_back),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
