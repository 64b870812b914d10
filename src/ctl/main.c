/*
 * forge-brokerctl: the program of operators.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/confine.h"
#include "base/error.h"
#include "base/process.h"
#include "base/secret.h"
#include "ctl/commands.h"
#include "ctl/control.h"
#include "ctl/output.h"
#include "net/http.h"

struct command {
        const char *name;
        const char *words; /* what it takes, for the usage line */
        const char *summary;
        const char *help; /* what it does and its own options, a line each */
        int (*run)(struct options *options, int argc, char **argv);
};

static const struct command commands[] = {
        { "audit", "", "which tokens were issued from which source, as the journal has it",
          "  --since TIME      from then on: 48h, yesterday, '2026-11-20 10:00' [48h]\n"
          "  --until TIME      up to then [now]\n"
          "  --token NAME      only this token; may be repeated\n"
          "  --format FORMAT   text, json, markdown or html [text]\n"
          "  --require '[TOKEN/]SOURCE>=N'               a gate: at least so many issuances\n"
          "  --require '[TOKEN/]SOURCE:runs>=N'          so many distinct runs, proven or claimed\n"
          "  --require '[TOKEN/]SOURCE:proven-runs>=N'   so many that the forge vouched for\n"
          "  --forbid [TOKEN/]SOURCE                     no issuance at all\n"
          "  --allow-holes     records that are missing do not fail the gate\n"
          "  --directory DIR   journals of other machines in this directory\n"
          "  --file FILE       such a journal; may be repeated\n"
          "  --merge           this machine's journal and those collected from others\n"
          "  --uid UID         the uid that the daemon ran as [of the user forge-broker]\n\n"
          "Exit status: 0 printed, and the gate is met; 1 it is not met; 2 usage; 7 the journal "
          "cannot be read.\n",
          command_audit },
        { "check-config", "[FILE]", "check a configuration as a reload would, without the daemon",
          "Prints every mistake with file and line.  FILE is the main file [" CONFIG_FILE "];\n"
          "conf.d beside it is read too.  Exit status: 0 nothing is wrong, 1 it is rejected.\n",
          command_check_config },
        { "credential", "set [IDENTITY]",
          "replace the credential of an identity, once it is proven",
          "Reads the new access token from standard input (a terminal is asked), proves that it\n"
          "reads every token of the identity [default], encrypts it into place, restarts the\n"
          "service, and waits until all its tokens are served from it.  A credential that does\n"
          "not work changes nothing.\n\n"
          "  --universal-auth  client id and client secret instead, a line each\n"
          "  --config FILE     the main file [" CONFIG_FILE "]\n\n"
          "Exit status: 0 done, 1 nothing was changed, or the old one is in place again.\n",
          command_credential },
        { "doctor", "", "prove every step from the configuration to the forge",
          "Own options:\n"
          "  --config FILE  of a daemon that does not run under systemd\n"
          "                 [" CONFIG_FILE "]\n"
          "  --unit UNIT    also look for direct tokens in this unit's environment\n\n"
          "Exit status: 0 all is proven, 1 something is broken, 7 nothing is broken and\n"
          "something could not be checked.\n",
          command_doctor },
        { "explain", "NAME", "who gets a token, and whether a case would, by which rule",
          "Nothing is issued.  Without an option it says who gets the token; with one, whether\n"
          "such a process of uid 0 would.\n\n"
          "  --unit UNIT       it runs in this systemd unit\n"
          "  --container ID    or in this container: docker:ID, podman:ID, or an ID of docker's\n"
          "  --repo OWNER/NAME its job runs in this repository,\n"
          "  --event EVENT     for this event,\n"
          "  --ref REF         on this whole ref: refs/heads/main\n"
          "  --proof PROOF     who vouches for that: oidc, run-api, repository or none [the most\n"
          "                    that the forge can prove]\n"
          "  --fork            it is of a fork's or an AGit pull request\n\n"
          "Exit status: 0 the token would be issued, 4 it would not.\n",
          command_explain },
        { "metrics", "", "the daemon's metrics for Prometheus",
          "  --textfile FILE  write them to FILE, for the textfile collector of node_exporter;\n"
          "                   without a daemon the file says forge_broker_up 0\n",
          command_metrics },
        { "refresh", "NAME", "read the value of a token again, now",
          "Waits for the outcome.  At most once per token and 10 s.\n"
          "Exit status: 0 the value is fresh, 1 it is not: code and remedy are printed.\n",
          command_refresh },
        { "reload", "", "read the configuration again and wait for the outcome",
          "Exit status: 0 loaded, 1 rejected: each mistake is printed with file and line, and\n"
          "the older configuration stays in force.\n",
          command_reload },
        { "show-config", "[FILE]", "every setting, its value and where it comes from",
          "What is printed could be read again.  FILE is the main file\n"
          "[" CONFIG_FILE "].  Exit status: 0, or 1 if it is rejected.\n",
          command_show_config },
        { "status", "", "how the daemon, its Infisical servers and its tokens stand",
          "  --watch          draw it again and again, in place\n"
          "  --interval TIME  how often [2s]\n\n"
          "Exit status: 0 all is well, 1 degraded, 3 not running.\n",
          command_status },
};

static const char common_help[] =
    "\nOptions of every command:\n"
    "  --json         print JSON\n"
    "  --socket PATH  the daemon's control socket [" CONTROL_SOCKET "]\n"
    "  --help         this text\n";

static int print_help(FILE *out) {
        (void)fprintf(out, "Usage: forge-brokerctl COMMAND [OPTION...]\n\nCommands:\n");
        for (size_t i = 0; i < ELEMENTS(commands); i++)
                (void)fprintf(out, "  %-14s %s\n", commands[i].name, commands[i].summary);
        (void)fprintf(
            out,
            "%s  --version      the version\n\n'forge-brokerctl COMMAND --help' says more.\n"
            "Exit status: 0 done, 2 usage, 6 the daemon cannot be reached.  See "
            "forge-brokerctl(8).\n",
            common_help);
        return EXIT_DONE;
}

static int print_version(void) {
        (void)puts("forge-brokerctl " PACKAGE_VERSION);
        return EXIT_DONE;
}

static void print_command_help(const struct command *command) {
        (void)printf("Usage: forge-brokerctl %s %s%s[OPTION...]\n\n%s.\n\n%s%s", command->name,
                     command->words, *command->words ? " " : "", command->summary, command->help,
                     common_help);
}

static const struct command *find_command(const char *name) {
        for (size_t i = 0; i < ELEMENTS(commands); i++)
                if (strcmp(commands[i].name, name) == 0)
                        return &commands[i];
        return NULL;
}

/* Options may stand before the command too.  Return: an exit status, or -1 and the words that
 * begin with it. */
static int parse_leading(struct options *options, int argc, char **argv) {
        static const struct option own[] = {
                { "version", no_argument, NULL, 'V' },
                { "json", no_argument, NULL, 'j' },
                { "socket", required_argument, NULL, 's' },
                { "help", no_argument, NULL, 'h' },
                { NULL, 0, NULL, 0 },
        };
        int option;

        while ((option = getopt_long(argc, argv, "+h", own, NULL)) >= 0) {
                if (option == 'j')
                        options->json = true;
                else if (option == 's')
                        options->socket = optarg;
                else if (option == 'h')
                        return print_help(stdout);
                else if (option == 'V')
                        return print_version();
                else
                        return EXIT_USAGE;
        }
        options->words = argv + optind;
        options->count = argc - optind;
        return -1;
}

/* What reads credentials needs locked memory and wiping libraries, as the daemon does. */
/* They start nothing and write nothing: the rest of root's powers is not for what reads other
 * people's records. */
static bool only_asks(const struct command *command) {
        return command->run == command_audit || command->run == command_check_config ||
               command->run == command_explain || command->run == command_refresh ||
               command->run == command_reload || command->run == command_show_config ||
               command->run == command_status;
}

static int setup(const struct command *command, struct error *err) {
        int r;

        if (only_asks(command))
                confine_to_asking();
        if (command->run != command_doctor && command->run != command_credential)
                return control_setup(err);
        (void)signal(SIGPIPE, SIG_IGN);
        r = process_harden(err);
        if (r >= 0)
                r = secret_init(/* use_memfd= */ true, err);
        return r < 0 ? r : http_setup(err);
}

static int run(struct options *options) {
        const struct command *command = options->count > 0 ? find_command(options->words[0]) : NULL;
        struct error err = { 0 };
        int status;

        if (!command) {
                if (options->count > 0)
                        (void)fprintf(stderr, "forge-brokerctl: there is no command '%.80s'\n\n",
                                      options->words[0]);
                else
                        (void)fprintf(stderr, "forge-brokerctl: which command?\n\n");
                (void)print_help(stderr);
                return EXIT_USAGE;
        }
        if (setup(command, &err) < 0) {
                output_error(&err);
                return EXIT_UNREACHABLE;
        }
        optind = 0; /* glibc: begin anew, with the command's own words */
        status = command->run(options, options->count, options->words);
        if (status == COMMAND_HELP) {
                print_command_help(command);
                status = EXIT_DONE;
        }
        return status;
}

int main(int argc, char **argv) {
        struct options options = { .socket = CONTROL_SOCKET };
        int status = parse_leading(&options, argc, argv);

        /* Where the caller ignores it, a program that failed would have the exit status of one
         * that did not. */
        (void)signal(SIGCHLD, SIG_DFL);
        if (status < 0)
                status = run(&options);
        if (fflush(stdout) != 0 || ferror(stdout)) {
                perror("forge-brokerctl: standard output");
                return EXIT_UNREACHABLE;
        }
        return status;
}
