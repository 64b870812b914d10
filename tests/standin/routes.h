/*
 * The handlers, by subject; the table is in routes.c.
 */
#pragma once

#include "request.h"

/** routes_find() - the route for the request, or NULL */
const struct route *routes_find(struct request *r);

/* login.c */
void login_universal_auth(struct request *r);

/* lifecycle.c */
void token_renew(struct request *r);
void token_revoke(struct request *r);

/* secret.c, list.c */
void secret_by_name(struct request *r);
void secret_by_uuid(struct request *r);
void secret_list(struct request *r);
void secret_change_denied(struct request *r);
void secret_delete_denied(struct request *r);

/* operator.c */
void tokenauth_create(struct request *r);
void tokenauth_list(struct request *r);
void tokenauth_revoke(struct request *r);
void tokenauth_change(struct request *r);

/* project.c */
void project_get(struct request *r);
void project_list(struct request *r);
void folder_list(struct request *r);
void identity_details(struct request *r);
void status_get(struct request *r);
void webhooks_refused(struct request *r);
