/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_version.h"

#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <string.h>

#include "worker/io/log.h"

#define VERSION(major, minor, revision) (((major) << 24) | ((minor) << 16) | ((revision) << 8))
enum { VERSION_END = 0x7fffffff };

/* The first row whose range holds the version counts; `to` is exclusive. */
static const struct {
    int from, to;
    enum sq_kafka_verdict verdict;
    const char *why;
} rows[] = {
    {0, VERSION(2, 0, 2), SQ_KAFKA_REFUSE, "it is older than 2.0.2, the oldest that Squall was tried with"},
    {VERSION(2, 1, 0), VERSION(2, 3, 0), SQ_KAFKA_REFUSE, "2.1 and 2.2 can reset offsets while validating them and lose records (fixed in 2.3.0)"},
    {VERSION(2, 5, 0), VERSION(2, 5, 3), SQ_KAFKA_REFUSE, "2.5.0 to 2.5.2 abort in their telemetry (fixed in 2.5.3)"},
    {VERSION(2, 10, 0), VERSION(2, 10, 1), SQ_KAFKA_REFUSE, "2.10.0 corrupts memory (fixed in 2.10.1)"},
    {0, VERSION(2, 6, 1), SQ_KAFKA_WARN, "below 2.6.1 the cooperative assignor is refused, as it can loop, and SCRAM fails on Kafka 4.x with right passwords"},
    {0, VERSION(2, 10, 1), SQ_KAFKA_WARN, "below 2.10.1 metadata stuck on a dead broker can keep a worker from finding its coordinators again"},
    {0, VERSION(2, 14, 2), SQ_KAFKA_WARN, "below 2.14.2 leaving the group while its coordinator is away can crash"},
    {0, VERSION_END, SQ_KAFKA_FINE, NULL},
};

enum sq_kafka_verdict sq_kafka_version_judge(int version, const char **why)
{
    size_t i = 0;
    while (version < rows[i].from || version >= rows[i].to) i++; /* the last row holds every version */
    *why = rows[i].why;
    return rows[i].verdict;
}

int sq_kafka_version_check(struct sq_err *err)
{
    const char *why;
    switch (sq_kafka_version_judge(rd_kafka_version(), &why)) {
    case SQ_KAFKA_FINE: return 0;
    case SQ_KAFKA_WARN:
        sq_log(SQ_LOG_WARN, SQ_L("librdkafka has known defects; 2.14.2 or newer is better"), SQ_LS("librdkafka", rd_kafka_version_str()),
               SQ_LS("why", why));
        return 0;
    case SQ_KAFKA_REFUSE: break;
    }
    return sq_err_set(err, SQ_E_KAFKA_FATAL, "librdkafka %s can't be used: %s; install 2.14.2 or newer", rd_kafka_version_str(), why);
}

const char *sq_kafka_version_assignor(int version)
{
    return version < VERSION(2, 10, 1) ? "range,roundrobin" : "cooperative-sticky";
}

int sq_kafka_version_check_property(int version, const char *name, const char *value, struct sq_err *err)
{
    /* KIP-848 is a preview below 2.12. The sticky assignor aborts its process when a client is closed before its group's first assignment
     * (librdkafka #4312, below 2.3.0), and the leader's may go round for ever, with the whole client waiting (#4783, below 2.6.1). */
    static const struct {
        const char *name, *value;
        int from;
        const char *from_text;
    } needs[] = {
        {"group.protocol", "consumer", VERSION(2, 12, 0), "2.12"},
        {"partition.assignment.strategy", "cooperative-sticky", VERSION(2, 6, 1), "2.6.1"},
    };
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (strcmp(name, needs[i].name) == 0 && strcmp(value, needs[i].value) == 0 && version < needs[i].from)
            return sq_err_set(err, SQ_E_CONFIG, "kafka: %s=%s needs librdkafka %s or newer, and this is %d.%d.%d: leave it out, or use a build "
                              "with a newer one", name, value, needs[i].from_text, version >> 24, version >> 16 & 0xff, version >> 8 & 0xff);
    return 0;
}

const char *sq_kafka_version_hint(int version, const char *reason)
{
    if (version < VERSION(2, 6, 1) && strstr(reason, "SCRAM"))
        return "librdkafka below 2.6.1 can't do SCRAM with Kafka 4: use a newer one, or another mechanism";
    return NULL;
}

const char *sq_kafka_version(void) { return rd_kafka_version_str(); }
