// Every decision about who may do what. Pure functions of an identity and what it asks for; any thread. Nobody else in
// the program compares roles or scopes.
#include "auth/auth.h"

// The three that are kept apart from each other and from business; packs/core/roles describes them.
static const char *const apart[] = { "admin", "security", "auditor" };

struct identity identity_system(void)
{
	return (struct identity){ .system = true, .name = STR("system"), .title = STR("系统"), .lang = STR("zh"),
	                          .scope = { .area = { "", 0 } }, .peer = STR_EMPTY };
}

// ---- roles -------------------------------------------------------------------------------------
bool auth_has_role(const struct identity *id, struct str role)
{
	for (size_t i = 0; i < id->nroles; i++)
		if (str_eq(id->roles[i]->name, role))
			return true;
	return false;
}

bool auth_may(const struct identity *id, const char *permission)
{
	if (id->system)
		return true;
	for (size_t i = 0; i < id->nroles; i++)
		if (role_may(id->roles[i], permission))
			return true;
	return false;
}

// "all" means everybody who has logged in.
static bool role_listed(const struct identity *id, const struct str *roles, size_t n)
{
	if (id->system)
		return true;
	for (size_t i = 0; i < n; i++)
		if ((str_is(roles[i], "all") && id->nroles > 0) || auth_has_role(id, roles[i]))
			return true;
	return false;
}

bool auth_may_create(const struct identity *id, const struct type *t)
{
	return role_listed(id, t->rights.create, t->rights.ncreate);
}

bool auth_may_read(const struct identity *id, const struct type *t)
{
	return role_listed(id, t->rights.read, t->rights.nread);
}

bool auth_may_edit(const struct identity *id, const struct type *t)
{
	return role_listed(id, t->rights.edit, t->rights.nedit);
}

bool auth_may_retire(const struct identity *id, const struct type *t)
{
	return role_listed(id, t->rights.retire, t->rights.nretire);
}

bool auth_sees_masked(const struct identity *id, const struct field *f)
{
	if (f->kind != FIELD_PHONE || id->system)
		return true;
	for (size_t i = 0; i < id->nroles; i++)
		if (id->roles[i]->unmask)
			return true;
	return false;
}

// ---- scope -------------------------------------------------------------------------------------
static bool zeros(struct str code, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i++)
		if (code.p[i] != '0')
			return false;
	return true;
}

struct str area_prefix(struct str code)
{
	static const size_t groups[] = { 3, 3, 2, 2 }; // from the right: village, town, county, city
	static const size_t length[] = { 12, 9, 6, 4 };
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (code.n == length[i] && zeros(code, code.n - groups[i], groups[i]))
			code.n -= groups[i];
	return code;
}

bool auth_in_scope(const struct identity *id, struct str area, int64_t enterprise)
{
	if (id->system)
		return true;
	const struct scope *s = &id->scope;
	if (s->nothing || (id->person == 0 && id->nroles == 0))
		return false;
	return (s->area.n == 0 || str_starts(area, s->area)) && (s->enterprise == 0 || s->enterprise == enterprise);
}

static const struct scope everything = { .area = { "", 0 } }, nothing = { .area = { "", 0 }, .nothing = true };

// Does a record of this type belong to one enterprise? Types say so by where the common column comes from.
static bool type_is_of_enterprise(const struct type *t)
{
	return t->enterprise_from.n > 0 || str_is(t->name, "enterprise") || type_field(t, STR("enterprise")) != NULL;
}

struct scope auth_scope(const struct identity *id, const struct type *t)
{
	if (id->system)
		return everything;
	struct scope s = id->scope;
	if (s.nothing || (id->person == 0 && id->nroles == 0))
		return nothing;
	if (str_is(t->name, "area"))
		return everything;
	if (s.enterprise && !type_is_of_enterprise(t))
		s = everything; // the county's own registers: rosters, organisations to call
	return s;
}

// ---- giving roles ------------------------------------------------------------------------------
// Is the role in a MENUS value ",a,b,"?
static bool menus_has(struct str menus, const char *role)
{
	while (menus.n) {
		struct str one = str_cut(&menus, ',');
		if (str_is(one, role))
			return true;
	}
	return false;
}

static size_t menus_count(struct str menus)
{
	size_t n = 0;
	while (menus.n)
		n += str_cut(&menus, ',').n > 0;
	return n;
}

static enum err check_apart(struct str roles, struct problem *p)
{
	for (size_t i = 0; i < ARRAY_LEN(apart); i++)
		if (menus_has(roles, apart[i]) && menus_count(roles) > 1)
			return problem_set(p, ERR_INVALID, "role", "系统管理员、安全管理员、审计员三员分立，不得兼任其他角色",
			                   "administrator, security officer and auditor are kept apart: none of them has another role");
	return OK;
}

enum err auth_check_grant(const struct identity *by, int64_t person, struct str old_roles, struct str new_roles,
                          struct problem *p)
{
	if (str_eq(old_roles, new_roles))
		return OK;
	if (!auth_may(by, "user.manage"))
		return problem_set(p, ERR_FORBIDDEN, "role", "只有系统管理员可以分配角色", "only an administrator gives roles");
	if (person != 0 && person == by->person)
		return problem_set(p, ERR_FORBIDDEN, "role", "不能修改自己的角色", "nobody changes his own roles");
	return check_apart(new_roles, p);
}
