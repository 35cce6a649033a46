/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SQ_IO_KAFKA_VERSION_H
#define SQ_IO_KAFKA_VERSION_H

const char *sq_kafka_version(void); /* of the librdkafka in use: "2.0.2" */

#endif
