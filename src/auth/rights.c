// Every decision about who may do what. Pure functions of an identity and what it asks for; any thread. Nobody else in
// the program compares roles or scopes.
#include "auth/auth_int.h"

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
			return token_may(id, permission);
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
	return role_listed(id, t->rights.create, t->rights.ncreate) && auth_may_write(id, t);
}

bool auth_may_read(const struct identity *id, const struct type *t)
{
	return role_listed(id, t->rights.read, t->rights.nread) && token_may_read(id, t);
}

bool auth_may_edit(const struct identity *id, const struct type *t)
{
	return role_listed(id, t->rights.edit, t->rights.nedit) && auth_may_write(id, t);
}

bool auth_may_retire(const struct identity *id, const struct type *t)
{
	return role_listed(id, t->rights.retire, t->rights.nretire) && auth_may_write(id, t);
}

bool auth_sees_masked(const struct identity *id, const struct field *f)
{
	if (!f->personal || id->system)
		return true;
	for (size_t i = 0; i < id->nroles; i++)
		if (id->roles[i]->unmask == UNMASK_ALWAYS)
			return !id->export && !id->token;
	return false;
}

bool auth_may_read_field(const struct identity *id, const struct field *f)
{
	return f->nread == 0 || role_listed(id, f->read, f->nread);
}

bool auth_may_edit_field(const struct identity *id, const struct field *f)
{
	return auth_may_read_field(id, f) && (f->nedit == 0 || role_listed(id, f->edit, f->nedit));
}

bool auth_may_reveal(const struct identity *id)
{
	for (size_t i = 0; i < id->nroles; i++)
		if (id->roles[i]->unmask != UNMASK_NO)
			return !id->token;
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

bool auth_in_scope(const struct identity *id, struct place p)
{
	return id->system || ((id->person || id->nroles) && scope_admits(&id->scope, p));
}

// Is the value in a MENUS value ",a,b,"?
static bool menus_has(struct str menus, struct str value)
{
	while (menus.n) {
		struct str one = str_cut(&menus, ',');
		if (one.n && str_eq(one, value))
			return true;
	}
	return false;
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
		if (menus_has(roles, str_of(apart[i])) && menus_count(roles) > 1)
			return problem_set(p, ERR_INVALID, "role", "系统管理员、安全管理员、审计员三员分立，不得兼任其他角色",
			                   "administrator, security officer and auditor are kept apart: none of them has another role");
	return OK;
}

static enum err check_grant(const struct identity *by, int64_t person, struct str old_roles, struct str new_roles,
                            struct problem *p)
{
	if (str_eq(old_roles, new_roles))
		return OK;
	if (person != 0 && person == by->person)
		return problem_set(p, ERR_FORBIDDEN, "role", "不能修改自己的角色", "nobody changes his own roles");
	return check_apart(new_roles, p);
}

// Does one of his roles manage it? Those that are kept apart are never given from below.
static bool manages(const struct identity *by, struct str role)
{
	for (size_t i = 0; i < ARRAY_LEN(apart); i++)
		if (str_is(role, apart[i]))
			return false;
	for (size_t i = 0; i < by->nroles; i++)
		for (size_t k = 0; k < by->roles[i]->nmanages; k++)
			if (str_eq(by->roles[i]->manages[k], role))
				return true;
	return false;
}

static bool manages_all(const struct identity *by, struct str menus)
{
	while (menus.n) {
		struct str one = str_cut(&menus, ',');
		if (one.n && !manages(by, one))
			return false;
	}
	return true;
}

// Somebody of no sector sees all of them.
static bool sectors_within(const struct identity *by, struct str menus)
{
	bool any = false;
	while (menus.n) {
		struct str one = str_cut(&menus, ',');
		if (one.n && !menus_has(by->scope.sectors, one))
			return false;
		any |= one.n > 0;
	}
	return any;
}

static enum err check_below(const struct identity *by, const struct person_facts *f, struct problem *p)
{
	if (f->id && f->id == by->person)
		return problem_set(p, ERR_FORBIDDEN, "", "不能修改自己的人员信息", "nobody changes his own card");
	if (!auth_in_scope(by, (struct place){ f->area, f->enterprise, STR_EMPTY }))
		return problem_set(p, ERR_FORBIDDEN, "area", "只能管理本辖区内的人员", "only people of your own area are yours to manage");
	if (by->scope.sectors.n && !sectors_within(by, f->sectors))
		return problem_set(p, ERR_FORBIDDEN, "sectors", "只能管理本行业的人员", "only people of your own sectors are yours to manage");
	if (f->roles.n == 0 || !manages_all(by, f->roles))
		return problem_set(p, ERR_FORBIDDEN, "role", "您不能管理有这个角色的人员", "people with this role are not yours to manage");
	return OK;
}

enum err auth_check_person(const struct identity *by, const struct person_facts *old, const struct person_facts *now,
                           struct problem *p)
{
	if (!auth_may(by, "user.manage")) {
		if (!auth_may(by, "user.manage.below"))
			return problem_set(p, ERR_FORBIDDEN, "", "您不能管理人员", "people are not yours to manage");
		enum err err = old ? check_below(by, old, p) : OK;
		if (err || (now && (err = check_below(by, now, p))))
			return err;
	} else if (old && !auth_in_scope(by, (struct place){ old->area, old->enterprise, STR_EMPTY })) {
		return problem_set(p, ERR_FORBIDDEN, "area", "只能管理本辖区内的人员", "only people of your own area are yours to manage");
	}
	return now ? check_grant(by, old ? old->id : 0, old ? old->roles : STR_EMPTY, now->roles, p) : OK;
}
