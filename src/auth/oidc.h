// Single sign-on, inside of auth/: what auth.h says of it is the whole of it for others.
#pragma once

#include "auth/directory.h"

struct oidc;
struct oidc *oidc_new(void);
void oidc_free(struct oidc *o); // NULL is fine
// The steps of a trial: settings, description and keys of the provider, the address to register there.
enum err oidc_try(struct auth *au, const struct directory *d, struct str site_url, struct directory_trial *t,
                  struct problem *p) must_check;
