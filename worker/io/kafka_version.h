/* SPDX-License-Identifier: Apache-2.0 */
/* Which librdkafka this process may run on: one table of versions with known defects, and what follows from them. */
#ifndef SQ_IO_KAFKA_VERSION_H
#define SQ_IO_KAFKA_VERSION_H

#include "engine/base/err.h"

enum sq_kafka_verdict { SQ_KAFKA_FINE, SQ_KAFKA_WARN, SQ_KAFKA_REFUSE };

/* `version` is rd_kafka_version()'s number, 0xMMmmrrpp. *why is a sentence, NULL when fine. Pure. */
enum sq_kafka_verdict sq_kafka_version_judge(int version, const char **why);

/* Judges the library in use: logs a warning, or fails with SQ_E_KAFKA_FATAL. */
int sq_kafka_version_check(struct sq_err *err);

/* partition.assignment.strategy where the configuration names none. Below 2.10.1 an offset commit during a cooperative rebalance loses the
 * whole assignment, so what was in flight is scored twice (seen on 2.0.2: 1,536 of 21,000 records over one join and one leave, none with the
 * eager assignors); we commit several times a second. */
const char *sq_kafka_version_assignor(int version);

/* SQ_E_CONFIG where a property of a consumer asks for what this version doesn't have, or has with a defect that takes the worker down. Pure. */
int sq_kafka_version_check_property(int version, const char *name, const char *value, struct sq_err *err);

/* What this library's version has to do with an error that librdkafka told as `reason`; NULL: nothing known. */
const char *sq_kafka_version_hint(int version, const char *reason);

const char *sq_kafka_version(void); /* of the library in use: "2.0.2" */

#endif
