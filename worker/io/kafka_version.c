/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_version.h"

#include <librdkafka/rdkafka.h>

const char *sq_kafka_version(void) { return rd_kafka_version_str(); }
