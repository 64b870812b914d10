#include "job/commands.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "job/docker_config.h"
#include "job/forge_env.h"
#include "job/output.h"
#include "job/private_file.h"
#include "job/registries.h"
#include "job/workflow.h"

#define HELPER_PROGRAM   "docker-credential-" DOCKER_HELPER
#define MOUNTED_PROGRAMS "/run/forge-broker/bin" /* in a job's container */

static int append_path(char path[static PRIVATE_PATH_MAX], const char *directory, const char *below,
                       const char *file, struct failure *failure) {
        size_t used = 0;

        path[0] = '\0';
        if (text_append(path, PRIVATE_PATH_MAX, &used, "%s%s/%s", directory, below, file))
                return 0;
        return failure_set(failure, EXIT_USAGE, "the path of docker's configuration is too long");
}

/* --config FILE or DIRECTORY, else where docker looks: podman, buildah and skopeo look there too,
 * after their own. */
static int find_file(const char *config, char path[static PRIVATE_PATH_MAX],
                     struct failure *failure) {
        const char *directory = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
        struct stat st;

        if (config &&
            (config[strlen(config) - 1] == '/' || (stat(config, &st) == 0 && S_ISDIR(st.st_mode))))
                return append_path(path, config, "", "config.json", failure);
        if (config) {
                size_t used = 0;

                path[0] = '\0';
                if (!text_append(path, PRIVATE_PATH_MAX, &used, "%s", config))
                        return failure_set(failure, EXIT_USAGE,
                                           "the path of docker's configuration is too long");
                return 0;
        }
        if (directory && *directory)
                return append_path(path, directory, "", "config.json", failure);
        if (home && *home)
                return append_path(path, home, "/.docker", "config.json", failure);
        return failure_set(
            failure, EXIT_USAGE,
            "neither DOCKER_CONFIG nor HOME says where docker's configuration is; give "
            "--config");
}

static bool is_on_path(const char *program) {
        const char *path = getenv("PATH");

        while (path && *path) {
                size_t length = strcspn(path, ":"), used = 0;
                char file[PRIVATE_PATH_MAX] = "";
                struct stat st;

                if (length > 0 &&
                    text_append(file, sizeof(file), &used, "%.*s/%s", (int)length, path, program) &&
                    stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0)
                        return true;
                path += length + (path[length] == ':');
        }
        return false;
}

/* docker finds its helper by name: without it every registry access fails with "executable file
 * not found". */
static void warn_of_path(void) {
        enum forge_env env = forge_env_detect();

        if (is_on_path(HELPER_PROGRAM))
                return;
        if (workflow_has_commands(env))
                workflow_annotate(
                    env, ANNOTATION_WARNING, "forge-broker setup docker",
                    HELPER_PROGRAM
                    " is not on PATH: docker will not find it. Add this line to an earlier step: "
                    "echo " MOUNTED_PROGRAMS " >> \"$GITHUB_PATH\"");
        else
                output_note("warning: " HELPER_PROGRAM
                            " is not on PATH: docker will not find it. In a job: "
                            "PATH=" MOUNTED_PROGRAMS ":$PATH");
}

/* All of them or none. */
static int add_all(const struct registries *registries, bool force, struct locked_buffer *text,
                   size_t *ret_added, struct failure *failure) {
        *ret_added = 0;
        for (size_t i = 0; i < registries->count; i++) {
                int r = docker_config_add(text, registries->items[i].host, force, failure);

                if (r < 0)
                        return r;
                *ret_added += r == DOCKER_CONFIG_ADDED;
        }
        return 0;
}

static int no_registry(struct failure *failure) {
        (void)failure_set(failure, EXIT_UNMET, "the broker has no token for a container registry");
        failure_remedy_set(
            failure,
            "On the host, set registry = in the [forge NAME] section whose token is for it.");
        return -EXIT_UNMET;
}

static int prefix(struct failure *failure, const char *path) {
        char detail[sizeof(failure->detail)], clean[256];
        size_t used = 0;

        detail[0] = '\0';
        (void)text_append(detail, sizeof(detail), &used, "%s: %s",
                          text_clean(clean, sizeof(clean), path, strlen(path)), failure->detail);
        memcpy(failure->detail, detail, sizeof(detail));
        return -failure->exit_code;
}

static int setup_docker(const struct arguments *arguments, const char *config, bool force,
                        struct failure *failure) {
        _cleanup_(registries_done) struct registries registries = { 0 };
        _cleanup_(locked_buffer_done) struct locked_buffer text = { 0 };
        struct private_file file;
        char path[PRIVATE_PATH_MAX];
        struct client client;
        size_t added;
        int r;

        r = find_file(config, path, failure);
        if (r < 0)
                return r;
        client_init(&client, arguments->socket, arguments->timeout);
        r = registries_get(&client, &registries, failure);
        if (r < 0)
                return r;
        if (registries.count == 0)
                return no_registry(failure);
        r = private_file_read(path, &file, &text, failure);
        if (r < 0)
                return r;
        r = add_all(&registries, force, &text, &added, failure);
        if (r < 0)
                return prefix(failure, path);
        if (added > 0)
                r = private_file_replace(&file, &text, failure);
        if (r < 0)
                return r;
        for (size_t i = 0; !arguments->quiet && i < registries.count; i++)
                output_note("%s: %s has its credentials from the broker", path,
                            registries.items[i].host);
        warn_of_path();
        return 0;
}

int command_setup(struct arguments *arguments, char **argv, struct failure *failure) {
        const char *config = NULL;
        bool force = false;
        const struct option options[] = {
                { .name = "--config", .text = &config },
                { .name = "--force", .flag = &force },
                { 0 },
        };
        int r;

        r = arguments_parse(arguments, "setup", argv, options, /* only_leading= */ false, failure);
        if (r < 0)
                return r;
        if (arguments->help)
                return COMMAND_HELP;
        if (arguments->count != 1 || strcmp(arguments->words[0], "docker") != 0) {
                (void)failure_set(failure, EXIT_USAGE,
                                  "what is to be set up? Only 'docker' is known");
                failure_remedy_set(failure, "'forge-broker setup --help' says what it takes.");
                return -EXIT_USAGE;
        }
        return setup_docker(arguments, config, force, failure);
}
