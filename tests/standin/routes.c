#include <string.h>

#include "routes.h"

static const struct route table[] = {
        { "GET", "/api/status", "status", false, false, status_get },
        { "POST", "/api/v1/auth/universal-auth/login", "login", false, false,
          login_universal_auth },
        { "POST", "/api/v1/auth/token/renew", "renew", false, false, token_renew },
        { "POST", "/api/v1/auth/token/revoke", "revoke", false, false, token_revoke },
        { "GET", "/api/v3/secrets/raw", "list", true, false, secret_list },
        { "GET", "/api/v3/secrets/raw/:", "secret", true, false, secret_by_name },
        { "GET", "/api/v3/secrets/raw/id/:", "secret", true, false, secret_by_uuid },
        { "POST", "/api/v3/secrets/raw/:", "write", true, false, secret_change_denied },
        { "PATCH", "/api/v3/secrets/raw/:", "write", true, false, secret_change_denied },
        { "DELETE", "/api/v3/secrets/raw/:", "write", true, false, secret_delete_denied },
        { "GET", "/api/v4/secrets", "list", true, true, secret_list },
        { "GET", "/api/v4/secrets/:", "secret", true, true, secret_by_name },
        { "GET", "/api/v4/secrets/id/:", "secret", true, true, secret_by_uuid },
        { "POST", "/api/v1/auth/token-auth/identities/:/tokens", "write", true, false,
          tokenauth_create },
        { "GET", "/api/v1/auth/token-auth/identities/:/tokens", "read", true, false,
          tokenauth_list },
        { "PATCH", "/api/v1/auth/token-auth/identities/:", "write", true, false, tokenauth_change },
        { "POST", "/api/v1/auth/token-auth/tokens/:/revoke", "write", true, false,
          tokenauth_revoke },
        { "GET", "/api/v1/workspace", "read", true, false, project_list },
        { "GET", "/api/v1/workspace/:", "read", true, false, project_get },
        { "GET", "/api/v1/folders", "read", true, false, folder_list },
        { "GET", "/api/v1/identities/details", "read", true, false, identity_details },
        { "GET", "/api/v1/webhooks", "read", true, false, webhooks_refused },
};

const struct route *routes_find(struct request *r) {
        bool v4 = settings_true(r->standin, "v4", false);

        for (size_t i = 0; i < ELEMENTS(table); i++)
                if ((v4 || !table[i].v4) && request_match(r, &table[i]))
                        return &table[i];
        return NULL;
}
