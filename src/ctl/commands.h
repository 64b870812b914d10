/*
 * The program's commands: one function each, in a file of its own; main.c has the table.
 */
#pragma once

#include "ctl/options.h"

#define STATUS_DEGRADED    1
#define STATUS_NOT_RUNNING 3
#define RELOAD_REJECTED    1
#define CONFIG_REJECTED    1
#define DOCTOR_BROKEN      1

#define CONFIG_FILE SYSCONFDIR "/forge-broker/forge-broker.conf"

/*
 * A command gets argv with its own name as argv[0] and parses it with options_next().
 * Return: the exit status, or COMMAND_HELP (its help was asked for).
 */
enum { COMMAND_HELP = -1 };

int command_audit(struct options *options, int argc, char **argv);
int command_check_config(struct options *options, int argc, char **argv);
int command_credential(struct options *options, int argc, char **argv);
int command_doctor(struct options *options, int argc, char **argv);
int command_explain(struct options *options, int argc, char **argv);
int command_metrics(struct options *options, int argc, char **argv);
int command_refresh(struct options *options, int argc, char **argv);
int command_reload(struct options *options, int argc, char **argv);
int command_show_config(struct options *options, int argc, char **argv);
int command_status(struct options *options, int argc, char **argv);
