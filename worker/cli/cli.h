/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one table of commands, one file each (worker/cli/NAME.c). */
#ifndef SQ_CLI_H
#define SQ_CLI_H

struct sq_command {
    const char *name;
    const char *summary; /* one line for `squall --help` */
    const char *usage;   /* the whole of `squall NAME --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns an exit code */
};

/* Runs one command; returns the exit code: 0 ok, 1 failure, 2 usage, 69 broker, 78 configuration, 130 second Ctrl-C. */
int sq_cli_main(int argc, char **argv);

/* One declaration a file in worker/cli/. */
extern const struct sq_command sq_command_alerts;
extern const struct sq_command sq_command_bench;
extern const struct sq_command sq_command_classify;
extern const struct sq_command sq_command_config;
extern const struct sq_command sq_command_demo;
extern const struct sq_command sq_command_dlq;
extern const struct sq_command sq_command_healthcheck;
extern const struct sq_command sq_command_init;
extern const struct sq_command sq_command_model;
extern const struct sq_command sq_command_replay;
extern const struct sq_command sq_command_run;
extern const struct sq_command sq_command_test;
extern const struct sq_command sq_command_validate;
extern const struct sq_command sq_command_version;

#endif
