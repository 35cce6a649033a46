/* SPDX-License-Identifier: Apache-2.0 */
/* What <app>.alerts holds, a line a transition, or of each alert that is still open its latest. */
#ifndef SQ_CLI_ALERTS_LIST_H
#define SQ_CLI_ALERTS_LIST_H

#include "worker/io/config.h"
#include "worker/io/kafka_place.h"

struct sq_alerts_list {
    const char *state;   /* FIRING, UPDATED, RESOLVED; NULL: all */
    const char *rule, *entity; /* globs; NULL: all */
    struct sq_kafka_place since;
    bool only_open;      /* what is open at the end of what is there */
    bool follows;
    bool json;           /* the records as they are */
};

/* SQ_E_CONFIG: output.alerts.format is one that these commands don't read. */
int sq_alerts_check_format(const struct sq_config *config, struct sq_err *err);

/* Reads and writes to stdout until the end, or for ever. SQ_E_BROKER, SQ_E_IO, SQ_E_CONFIG: alerts are not written as JSON. */
int sq_alerts_list(const struct sq_config *config, const struct sq_alerts_list *list, struct sq_err *err);

#endif
