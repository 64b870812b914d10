#include "ctl/sudo_rules.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define RELAY     "/forge-broker/relay"
#define DIRECTORY "/etc/sudoers.d"

/* Adds a line that is a rule and names the relay; comments and options are none. */
static void check_line(struct findings *findings, const char *file, unsigned number,
                       const char *line) {
        char name[192], text[160];

        while (isspace((unsigned char)*line))
                line++;
        if (*line == '#' || !strchr(line, '=') || !strstr(line, RELAY))
                return;
        (void)snprintf(name, sizeof(name), "%.150s:%u", file, number);
        finding_note(finding_add(findings, NULL, "sudo-rule", name),
                     "opens the jobs' socket to others: %s",
                     text_clean(text, sizeof(text), line, strcspn(line, "\n")));
}

static void check_file(struct findings *findings, const char *file) {
        _cleanup_(fclosep) FILE *in = fopen(file, "re");
        char line[1024];
        unsigned number = 0;

        while (in && number < 100000 && fgets(line, sizeof(line), in))
                check_line(findings, file, ++number, line);
}

void sudo_rules_check(struct findings *findings) {
        DIR *directory = opendir(DIRECTORY);
        const struct dirent *entry;

        check_file(findings, "/etc/sudoers");
        while (directory && (entry = readdir(directory))) {
                char file[sizeof(DIRECTORY) + 256];

                /* As sudo does: no backups, nothing hidden. */
                if (strchr(entry->d_name, '.') || entry->d_name[strlen(entry->d_name) - 1] == '~')
                        continue;
                (void)snprintf(file, sizeof(file), DIRECTORY "/%s", entry->d_name);
                check_file(findings, file);
        }
        if (directory)
                (void)closedir(directory);
}
