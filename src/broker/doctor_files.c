#include <stdio.h>
#include <string.h>

#include "broker/doctor.h"
#include "infisical/credential.h"

/* Return: true if the file can be used. */
static bool check_file(struct findings *findings, json_t *parent, const char *setting,
                       const char *file) {
        _cleanup_(secret_unrefp) struct secret *content = NULL;
        bool headers = strcmp(setting, "header_file") == 0;
        struct error err = { 0 };
        char name[224];
        json_t *finding;
        int r;

        (void)snprintf(name, sizeof(name), "%s %.190s", setting, file);
        finding = finding_add(findings, parent, "credential-file", name);
        r = headers ? credential_read_headers(setting, file, &content, &err)
                    : credential_read(setting, file, &content, &err);
        if (r < 0)
                finding_broken(finding, &err);
        else
                finding_ok(finding, NULL);
        return r >= 0;
}

unsigned doctor_check_files(struct findings *findings, json_t *parent,
                            const struct identity_config *identity) {
        unsigned usable = 0;
        bool id, secret;

        if (identity->token_file &&
            check_file(findings, parent, "token_file", identity->token_file))
                usable |= 1U << SOURCE_INFISICAL_TOKEN_AUTH;
        if (identity->client_id_file) {
                id = check_file(findings, parent, "client_id_file", identity->client_id_file);
                secret = check_file(findings, parent, "client_secret_file",
                                    identity->client_secret_file);
                if (id && secret)
                        usable |= 1U << SOURCE_INFISICAL_UNIVERSAL_AUTH;
        }
        if (identity->header_file)
                (void)check_file(findings, parent, "header_file", identity->header_file);
        return usable;
}
