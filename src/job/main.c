/*
 * forge-broker: the program of jobs.  One static executable that is mounted into containers beside
 * the broker's socket.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "job/child.h"
#include "job/commands.h"
#include "job/confine.h"
#include "job/output.h"

#define ORDINARY_TIMEOUT (15 * USEC_PER_SEC)
#define WAIT_TIMEOUT     (30 * USEC_PER_SEC)
#define HELP_MAX_BYTES   8192

struct command {
        const char *name;
        const char *words; /* what it takes, for the usage line */
        const char *summary;
        const char *help; /* its own options, a line each */
        usec_t timeout;   /* unless --timeout is given */
        int (*run)(struct arguments *arguments, char **argv, struct failure *failure);
        const char *called_as; /* the program's other name that means this command; NULL: none */
};

static const struct command commands[] = {
        { "docker-credential", "get|store|erase|list|version",
          "be docker's and podman's credential helper",
          "Speaks their protocol for credential helpers on standard input and output; they\n"
          "call it as docker-credential-forge-broker.  'setup docker' configures it.\n",
          ORDINARY_TIMEOUT, command_docker_credential, "docker-credential-forge-broker" },
        { "exec", "[NAME] [--env VARIABLE] [--mask] -- COMMAND [ARGUMENT...]",
          "run a command with a token in its environment",
          "Becomes COMMAND, with the value of the token NAME in the variable FORGE_TOKEN of\n"
          "its environment and nowhere else.  Ends with its exit status; 127 if it cannot be\n"
          "found, 126 if it cannot be run.\n\n"
          "  --env VARIABLE  another variable than FORGE_TOKEN\n"
          "  --mask          first make the runner hide the value in the job's log\n",
          ORDINARY_TIMEOUT, command_exec, NULL },
        { "get", "[NAME] [--json] [--mask] [--output KEY]",
          "print a token, or make it a step's output",
          "Prints the value of the token NAME and a newline on standard output, and on\n"
          "standard error one line that says where it came from.\n\n"
          "  --json          print the broker's whole answer as JSON\n"
          "  --mask          first make the runner hide the value in the job's log\n"
          "  --output KEY    do that, then set the step's output KEY and print nothing\n",
          ORDINARY_TIMEOUT, command_get, NULL },
        { "git", "[NAME] -- ARGUMENT...", "run git as the broker's token",
          "Runs git so that the broker's token is the identity that it uses, whatever checkout\n"
          "left behind: headers, other helpers, a credential in the remote's URL.  Without NAME\n"
          "each forge gets its own token, submodules too.  Ends with git's exit status.\n",
          ORDINARY_TIMEOUT, command_git, NULL },
        { "git-check", "[REMOTE]", "say which credential git would use",
          "Says which credential plain git would send to a remote (or URL), and from which file\n"
          "it comes.  Exit status 0 if it is the broker's, 1 if not, 7 if that cannot be told.\n\n"
          "  -C DIRECTORY    as git has it\n",
          ORDINARY_TIMEOUT, command_git_check, NULL },
        { "git-credential", "[--token NAME] get|store|erase|capability", "git's credential helper",
          "Speaks git's protocol on standard input and output, and answers for the forges\n"
          "that the broker has a token for.  'erase' is a hint: the broker asks the forge.\n"
          "Also called as git-credential-forge-broker, so that this is all git needs:\n\n"
          "    git config --global credential.helper forge-broker\n\n"
          "  --token NAME    only this token, and only for its own forge\n",
          ORDINARY_TIMEOUT, command_git_credential, "git-credential-forge-broker" },
        { "list", "", "show the tokens that can be asked for",
          "Prints a line for each token: name, forge, its type and URL, the repositories\n"
          "and images it is for, state, source.\n",
          ORDINARY_TIMEOUT, command_list, NULL },
        { "preflight", "[NAME] --need NEED[,NEED...]",
          "prove what a token may do before it is needed",
          "The broker asks the forge, and the token NAME stays with it.  A line for each need "
          "says\n"
          "yes, no or cannot tell, with the evidence and the remedy; annotations and a table in\n"
          "the step's summary say the same.  Exit status 0 if all needs are proven, 1 if one is\n"
          "refused, 7 if one cannot be told.\n\n"
          "  --need NEED     contents:read, contents:write, release:write, packages:write,\n"
          "                  issues:write, pull:write; again, or with commas, for more\n"
          "  --repo PATH     the repository, OWNER/NAME [the job's own]\n"
          "  --ref REF       also past this ref's protection [the job's own, for contents:write]\n"
          "  --image PATH    the image of packages:write, OWNER/NAME\n"
          "  --write-probe   where nothing else proves it, make a draft release and delete it\n"
          "  --token-env VARIABLE  not the broker's token, but the one in that variable, at the\n"
          "                  forge of NAME\n"
          "  --json          print the broker's answer as JSON\n",
          ORDINARY_TIMEOUT, command_preflight, NULL },
        { "rejected", "[NAME] [--fingerprint FP]",
          "tell the broker that the forge rejected a token",
          "The broker asks the forge whether that is so, and looks for a newer value.  Prints\n"
          "the verdict: changed, rejected, still-valid or not-ours.  Exit status 0 for changed\n"
          "and still-valid, 1 for rejected and not-ours.\n\n"
          "  --fingerprint FP  which value it was, as the evidence line shows it [the present "
          "one]\n",
          ORDINARY_TIMEOUT, command_rejected, NULL },
        { "require", "[NAME...]", "a gate: fail unless tokens are available, but not for strangers",
          "Ends with 0 if the broker would issue each token NAME, else with 1 and an error in\n"
          "the log.  For a pull request from a fork or by AGit a missing token is a warning.\n"
          "Sets the step's output 'available' to true or false.\n",
          ORDINARY_TIMEOUT, command_require, NULL },
        { "setup", "docker [--config PATH] [--force]",
          "let docker, podman and skopeo ask the broker",
          "Adds the registries that the broker has tokens for to credHelpers in docker's\n"
          "configuration, and keeps the rest of the file as it is.\n\n"
          "  --config PATH   the file, or its directory [$DOCKER_CONFIG, ~/.docker]\n"
          "  --force         also where a registry has another credential helper\n",
          ORDINARY_TIMEOUT, command_setup, NULL },
        { "wait", "[NAME]", "wait until a token is usable",
          "Ends as soon as the broker can issue the token NAME; waits for the broker too.\n",
          WAIT_TIMEOUT, command_wait, NULL },
        { "whoami", "[NAME] [--json]", "say as whom a token comes, with which scopes, until when",
          "The broker asks the forge.  Exit status 0 if the forge knows the token, 1 if not, 7 if\n"
          "that cannot be told.\n\n"
          "  --token-env VARIABLE  not the broker's token, but the one in that variable, at the\n"
          "                  forge of NAME\n"
          "  --json          print the broker's answer as JSON\n",
          ORDINARY_TIMEOUT, command_whoami, NULL },
};

static const char common_help[] = "  --socket PATH   the broker's socket [" DEFAULT_SOCKET "]\n"
                                  "  --timeout TIME  for all of it, such as 500ms, 10s, 5m [%s]\n"
                                  "  -q, --quiet     do not say where the value came from\n"
                                  "  -h, --help      this text\n";

static const char environment_help[] =
    "\nEnvironment: FORGE_BROKER_TOKEN is the default NAME, FORGE_BROKER_SOCKET the\n"
    "default PATH.  To a broker that asks which job this is goes FORGE_BROKER_PROOF,\n"
    "else the job's ID token, else its automatic token.\n\n"
    "Exit status: 0 done, 1 the gate is shut, a need refused or the output not written,\n"
    "2 usage, 3 no such token, 4 refused, 5 no usable value, 6 the broker cannot be\n"
    "reached, 7 cannot tell.\n";

/* First of all: nothing of this process can be read by another one, now or from a core dump. */
static void shut_in(struct inherited *ret) {
        const struct sigaction ignore = { .sa_handler = SIG_IGN },
                               usual = { .sa_handler = SIG_DFL };
        struct rlimit none;

        *ret = (struct inherited){ .sigpipe.sa_handler = SIG_DFL,
                                   .sigchld.sa_handler = SIG_DFL,
                                   .core = { RLIM_INFINITY, RLIM_INFINITY } };
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        /* The soft limit alone: a hard one that was lowered could not be given back to a
         * command. */
        (void)getrlimit(RLIMIT_CORE, &ret->core);
        none = (struct rlimit){ 0, ret->core.rlim_max };
        (void)setrlimit(RLIMIT_CORE, &none);
        /* A reader of our output that leaves is an error of write(), with its message. */
        (void)sigaction(SIGPIPE, &ignore, &ret->sigpipe);
        /* Where the job ignores it, the end of a child would not be noticed, and its exit status
         * be nobody's. */
        (void)sigaction(SIGCHLD, &usual, &ret->sigchld);
}

static int print_help(struct failure *failure) {
        char text[HELP_MAX_BYTES] = "";
        size_t used;

        used =
            (size_t)snprintf(text, sizeof(text),
                             "usage: forge-broker COMMAND [OPTION...]\n\n"
                             "Forge tokens for CI jobs, from the broker of the runner's host.\n\n");
        for (size_t i = 0; i < ELEMENTS(commands); i++)
                used += (size_t)snprintf(text + used, sizeof(text) - used, "  %-17s %s\n",
                                         commands[i].name, commands[i].summary);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "\n");
        used += (size_t)snprintf(text + used, sizeof(text) - used, common_help, "15s; wait: 30s");
        (void)snprintf(
            text + used, sizeof(text) - used,
            "  --version       the version\n\n'forge-broker COMMAND --help' says more.\n%s",
            environment_help);
        return output_text(text, failure);
}

static int print_command_help(const struct command *command, struct failure *failure) {
        char text[HELP_MAX_BYTES] = "", span[CLOCK_TEXT_MAX];
        size_t used;

        used = (size_t)snprintf(text, sizeof(text), "usage: forge-broker %s %s%s[OPTION...]\n\n%s",
                                command->name, command->words, *command->words ? " " : "",
                                command->help);
        if (!strstr(command->help, "\n  "))
                used += (size_t)snprintf(text + used, sizeof(text) - used, "\n");
        used += (size_t)snprintf(text + used, sizeof(text) - used, common_help,
                                 clock_format_span(command->timeout, span));
        (void)snprintf(text + used, sizeof(text) - used, "%s", environment_help);
        return output_text(text, failure);
}

static const struct command *find_command(const char *name) {
        for (size_t i = 0; i < ELEMENTS(commands); i++)
                if (strcmp(commands[i].name, name) == 0)
                        return &commands[i];
        return NULL;
}

/* Under one of its other names the program is that command: git and docker find their helpers by
 * name. */
static const struct command *find_called(const char *path) {
        const char *slash = path ? strrchr(path, '/') : NULL;
        const char *name = slash ? slash + 1 : path;

        for (size_t i = 0; name && i < ELEMENTS(commands); i++)
                if (commands[i].called_as && strcmp(commands[i].called_as, name) == 0)
                        return &commands[i];
        return NULL;
}

static int usage(struct failure *failure, int r) {
        failure_remedy_set(failure, "'forge-broker --help' lists the commands.");
        return r;
}

/* They run no program and leave no file behind.  get may have to: it sees to it itself. */
static bool only_asks(const struct command *command) {
        return command->run == command_list || command->run == command_wait ||
               command->run == command_whoami || command->run == command_git_credential ||
               command->run == command_docker_credential;
}

static int run_command(const struct command *command, struct arguments *arguments, char **argv,
                       struct failure *failure) {
        int r;

        if (only_asks(command))
                confine();
        if (arguments->timeout == 0)
                arguments->timeout = command->timeout;
        r = command->run(arguments, argv, failure);
        return r == COMMAND_HELP ? print_command_help(command, failure) : r;
}

static int run(const struct inherited *inherited, const char *called, char **argv,
               struct failure *failure) {
        struct arguments arguments;
        bool version = false;
        const struct option options[] = { { .name = "--version", .flag = &version }, { 0 } };
        const struct command *command;
        int r;

        arguments_init(&arguments);
        arguments.inherited = inherited;
        command = find_called(called);
        if (command)
                return run_command(command, &arguments, argv, failure);
        r = arguments_parse(&arguments, "", argv, options, /* only_leading= */ true, failure);
        if (r < 0)
                return r;
        if (version)
                return output_text("forge-broker " PACKAGE_VERSION "\n", failure);
        if (arguments.help)
                return print_help(failure);
        if (arguments.count == 0)
                return usage(failure, failure_set(failure, EXIT_USAGE, "which command?"));
        command = find_command(arguments.words[0]);
        if (!command)
                return usage(failure,
                             failure_set(failure, EXIT_USAGE, "there is no command '%.80s'",
                                         arguments.words[0]));
        return run_command(command, &arguments, arguments.words + 1, failure);
}

int main(int argc, char **argv) {
        struct inherited inherited;
        struct failure failure;
        int r;

        shut_in(&inherited);
        /* argc can be 0: then there is no argv[1] either. */
        r = run(&inherited, argv[0], argc > 0 ? argv + 1 : argv, &failure);
        if (r < 0)
                output_failure(&failure);
        if (r >= COMMAND_CHILD)
                return r - COMMAND_CHILD;
        return r < 0 ? failure.exit_code : EXIT_DONE;
}
