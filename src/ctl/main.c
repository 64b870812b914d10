#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ctl/control.h"
#include "ctl/status.h"

#define STATUS_DEGRADED    1
#define STATUS_NOT_RUNNING 3
#define RELOAD_REJECTED    1

struct options {
        const char *socket;
        bool json;
};

struct command {
        const char *name, *help;
        int (*run)(const struct options *options);
};

static int run_status(const struct options *options);
static int run_reload(const struct options *options);

static const struct command commands[] = {
        { "status", "how the daemon, its Infisical servers and its tokens stand", run_status },
        { "reload", "read the configuration again and wait for the outcome", run_reload },
};

static void usage(FILE *out) {
        (void)fprintf(out, "Usage: forge-brokerctl [OPTIONS] COMMAND\n"
                           "\n"
                           "Commands:\n");
        for (size_t i = 0; i < ELEMENTS(commands); i++)
                (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
        (void)fprintf(out, "\n"
                           "Options:\n"
                           "  --json         print what the daemon answered\n"
                           "  --socket PATH  its control socket [" CONTROL_SOCKET "]\n"
                           "  --help         this text\n"
                           "  --version      the version\n"
                           "\n"
                           "Exit status: 0 done; status: 1 degraded, 3 not running; reload: 1 rejected;\n"
                           "2 usage, 6 the daemon cannot be reached.  See forge-brokerctl(8).\n");
}

static void print_error(const struct error *err) {
        (void)fprintf(stderr, "forge-brokerctl: %s\nremedy: %s\n", err->detail, error_remedy(err));
}

static void print_json(const json_t *body) {
        (void)json_dumpf(body, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        (void)fputc('\n', stdout);
}

/* An answer that is not the expected one: a problem document of the daemon, or something else altogether. */
static int unexpected(const struct control_answer *answer) {
        const char *code = json_member_string(answer->body, "code"), *detail = json_member_string(answer->body, "detail");
        const char *remedy = json_member_string(answer->body, "remedy");

        (void)fprintf(stderr, "forge-brokerctl: the daemon answered %ld: %s: %s\n", answer->status,
                      code ? code : "not a forge-brokerd", detail ? detail : "no detail");
        if (remedy)
                (void)fprintf(stderr, "remedy: %s\n", remedy);
        return code ? diagnosis_info(diagnosis_find(code))->exit_code : EXIT_UNREACHABLE;
}

static int run_status(const struct options *options) {
        struct control_answer answer;
        struct error err = { 0 };
        int status;

        if (control_request(options->socket, "GET", "/v1/status", &answer, &err) != CONTROL_ANSWERED) {
                print_error(&err);
                return STATUS_NOT_RUNNING;
        }
        if (answer.status != 200 || !json_is_object(answer.body)) {
                status = unexpected(&answer);
        } else {
                if (options->json)
                        print_json(answer.body);
                else
                        status_print(answer.body, stdout);
                status = status_is_degraded(answer.body) ? STATUS_DEGRADED : EXIT_DONE;
        }
        json_decref(answer.body);
        return status;
}

static void print_problems(const json_t *body) {
        const json_t *problems = json_object_get(body, "problems"), *problem;
        size_t i;

        json_array_foreach(problems, i, problem) {
                json_int_t line = 0;

                (void)json_member_int(problem, "line", &line);
                (void)fprintf(stderr, "%s:%lld: %s\n", json_member_string(problem, "file"), (long long)line,
                              json_member_string(problem, "text"));
        }
        (void)fprintf(stderr, "forge-brokerctl: the configuration is rejected; the older one stays in force\n");
}

static int run_reload(const struct options *options) {
        struct control_answer answer;
        struct error err = { 0 };
        int status = EXIT_DONE;

        if (control_request(options->socket, "POST", "/v1/reload", &answer, &err) != CONTROL_ANSWERED) {
                print_error(&err);
                return EXIT_UNREACHABLE;
        }
        if (options->json && answer.body)
                print_json(answer.body);
        if (answer.status == 422) {
                print_problems(answer.body);
                status = RELOAD_REJECTED;
        } else if (answer.status != 200) {
                status = unexpected(&answer);
        } else if (!options->json) {
                (void)puts("the configuration is loaded");
        }
        json_decref(answer.body);
        return status;
}

static const struct command *find_command(const char *name) {
        for (size_t i = 0; i < ELEMENTS(commands); i++)
                if (strcmp(commands[i].name, name) == 0)
                        return &commands[i];
        return NULL;
}

int main(int argc, char **argv) {
        static const struct option long_options[] = {
                { "json", no_argument, NULL, 'j' },    { "socket", required_argument, NULL, 's' },
                { "help", no_argument, NULL, 'h' },    { "version", no_argument, NULL, 'v' },
                { NULL, 0, NULL, 0 },
        };
        struct options options = { .socket = CONTROL_SOCKET };
        const struct command *command;
        struct error err = { 0 };
        int option, status;

        while ((option = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
                switch (option) {
                case 'j':
                        options.json = true;
                        break;
                case 's':
                        options.socket = optarg;
                        break;
                case 'h':
                        usage(stdout);
                        return EXIT_DONE;
                case 'v':
                        (void)puts("forge-brokerctl " PACKAGE_VERSION);
                        return EXIT_DONE;
                default:
                        usage(stderr);
                        return EXIT_USAGE;
                }
        }
        command = optind + 1 == argc ? find_command(argv[optind]) : NULL;
        if (!command) {
                (void)fprintf(stderr, "forge-brokerctl: %s\n\n",
                              optind < argc ? "no such command, or too many arguments" : "a command is missing");
                usage(stderr);
                return EXIT_USAGE;
        }
        if (control_setup(&err) < 0) {
                print_error(&err);
                return EXIT_UNREACHABLE;
        }
        status = command->run(&options);
        if (fflush(stdout) != 0 || ferror(stdout)) {
                perror("forge-brokerctl: standard output");
                return EXIT_UNREACHABLE;
        }
        return status;
}
