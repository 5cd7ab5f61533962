// Sessions: opened by a login, found again by their token, ended by log-out, revocation, age or the person's leaving.
// Only the SM3 of a token is stored. Any thread; writing goes through the store's writer.
#include "auth/auth_int.h"
#include "base/hash.h"
#include "base/jw.h"
#include "base/limits.h"
#include "base/time.h"
#include "store/audit.h"

#define SEEN_EVERY US_PER_MIN   // "last used" is written at most this often
#define ROLES_MAX 16

struct str peer_detail(struct str peer, struct arena *a) { return way_detail(peer, NULL, a); }

struct str way_detail(struct str peer, const char *way, struct arena *a)
{
	struct buf b;
	struct jw w;
	buf_init(&b, 1024);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "peer", str_first(peer, 64));
	if (way)
		jw_kcstr(&w, "way", way);
	jw_end(&w);
	struct str s = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return s;
}

// ---- opening -----------------------------------------------------------------------------------
static enum err sessions_prune(struct db *db, int64_t person, int64_t now)
{
	struct query q;
	query_begin(&q, db, STMT_SESSION_DELETE_OLD);
	query_i64(&q, 1, now - SESSION_LIFE);
	query_i64(&q, 2, now - SESSION_IDLE);
	enum err err = query_run(&q);
	if (err)
		return err;
	query_begin(&q, db, STMT_SESSION_DELETE_MANY);
	query_i64(&q, 1, person);
	query_i64(&q, 2, LIMIT_SESSIONS_PER_USER - 1); // and the new one
	return query_run(&q);
}

enum err session_open(struct db *db, int64_t person, struct str name, struct str peer, const char *action,
                      enum proof how, const char token[TOKEN_LEN])
{
	int64_t now = clock_now();
	uint8_t hash[SM3_LEN];
	enum err err = sessions_prune(db, person, now);
	if (err)
		return err;
	sm3_once(str_from(token, TOKEN_LEN), hash);
	struct query q;
	query_begin(&q, db, STMT_SESSION_ADD);
	query_blob(&q, 1, str_from((const char *)hash, sizeof(hash)));
	query_i64(&q, 2, person);
	query_i64(&q, 3, now);
	query_str(&q, 4, str_first(peer, 64));
	query_i64(&q, 5, how);
	err = query_run(&q);
	return err ? err : audit_add(db, &(struct audit_entry){ .at = now, .actor = person, .actor_name = name,
		                         .action = str_of(action), .type = STR("session"), .record = db_last_id(db),
		                         .detail = peer_detail(peer, db_arena(db)) });
}

// ---- finding -----------------------------------------------------------------------------------
struct found {
	struct session_info s;
	enum proof how;
	bool factor;            // the person has a second factor
	struct row person;
};

// The row that a begun query finds.
static enum err session_row(struct query *q, struct arena *a, struct session_info *ret, enum proof *ret_how)
{
	bool there = query_row(q);
	if (there)
		*ret = (struct session_info){ .id = query_get_i64(q, 0), .person = query_get_i64(q, 1), .created_at = query_get_i64(q, 2),
			                          .seen_at = query_get_i64(q, 3), .peer = query_get_str(q, 4, a) };
	*ret_how = (enum proof)query_get_i64(q, 5);
	enum err err = query_end(q);
	return err ? err : there ? OK : ERR_UNAUTHENTICATED;
}

static enum err session_by_token(struct db *db, struct str token, struct arena *a, struct session_info *ret, enum proof *ret_how)
{
	uint8_t hash[SM3_LEN];
	struct query q;
	sm3_once(token, hash);
	query_begin(&q, db, STMT_SESSION_BY_TOKEN);
	query_blob(&q, 1, str_from((const char *)hash, sizeof(hash)));
	return session_row(&q, a, ret, ret_how);
}

static enum err session_by_id(struct db *db, int64_t id, struct arena *a, struct session_info *ret, enum proof *ret_how)
{
	struct query q;
	query_begin(&q, db, STMT_SESSION_BY_ID);
	query_i64(&q, 1, id);
	return session_row(&q, a, ret, ret_how);
}

// Of the session that was read: is it in force, and whose?
static enum err session_whose(struct db *db, const struct registry *reg, int64_t now, struct arena *a, struct found *ret)
{
	enum err err;
	if (ret->s.created_at + SESSION_LIFE <= now || ret->s.seen_at + SESSION_IDLE <= now)
		return ERR_UNAUTHENTICATED;
	err = person_get(db, reg, ret->s.person, a, &ret->person);
	if (err == ERR_NOT_FOUND || (!err && ret->person.c.retired))
		return ERR_UNAUTHENTICATED;
	return err ? err : factor_exists(db, ret->s.person, &ret->factor);
}

static void read_roles(const struct registry *reg, struct str menus, struct arena *a, struct identity *id)
{
	id->roles = arena_many(a, ROLES_MAX, const struct role *);
	while (menus.n && id->nroles < ROLES_MAX) {
		struct str name = str_cut(&menus, ',');
		const struct role *r = name.n ? registry_role(reg, name) : NULL;
		if (r)
			id->roles[id->nroles++] = r;
	}
}

// A person with sectors sees these and what is of none.
// A person of an enterprise sees that enterprise wherever it lies in his area; one with neither area nor enterprise sees
// everything, unless his role is bound to a place: then something is missing and he sees nothing.
static struct scope person_scope(const struct registry *reg, const struct identity *id, const struct row *row)
{
	struct scope s = { .area = area_prefix(row->c.area), .enterprise = row->c.enterprise,
		               .sectors = person_text(reg, row, "sectors") };
	s.nothing = id->nroles == 0;
	for (size_t i = 0; i < id->nroles; i++)
		s.nothing |= (str_is(id->roles[i]->bound, "enterprise") && s.enterprise == 0) ||
		             (str_is(id->roles[i]->bound, "area") && s.area.n == 0);
	return s;
}

void identity_of(const struct registry *reg, const struct row *person, struct arena *a, struct identity *ret)
{
	struct str lang = person_text(reg, person, "lang");
	*ret = (struct identity){
		.person = person->c.id,
		.name = person_text(reg, person, "login"),
		.title = person->c.title,
		.organisation = person_int(reg, person, "organisation"),
		.lang = lang.n ? lang : STR("zh"),
	};
	read_roles(reg, person_text(reg, person, "role"), a, ret);
	ret->scope = person_scope(reg, ret, person);
}

static void identity_make(const struct registry *reg, const struct found *f, struct arena *a, struct identity *ret)
{
	identity_of(reg, &f->person, a, ret);
	ret->session = f->s.id;
	ret->peer = f->s.peer;
	ret->second_factor = f->factor;
	for (size_t i = 0; i < ret->nroles; i++)
		ret->must_enrol |= ret->roles[i]->second_factor && f->how == PROOF_PASSWORD;
}

enum err auth_person_identity(struct db *db, const struct registry *reg, int64_t person, struct arena *a, struct identity *ret)
{
	struct found f = { .s = { .person = person, .peer = STR_EMPTY } };
	enum err err = person_get(db, reg, person, a, &f.person);
	if (!err)
		identity_make(reg, &f, a, ret);
	return err;
}

enum err auth_person(struct db *db, const struct registry *reg, int64_t person, struct arena *a, struct identity *ret)
{
	struct found f = { .s = { .person = person, .peer = STR_EMPTY } };
	enum err err = person_get(db, reg, person, a, &f.person);
	if (err == ERR_NOT_FOUND || (!err && f.person.c.retired))
		return ERR_UNAUTHENTICATED;
	if (!err)
		identity_make(reg, &f, a, ret);
	return err;
}

struct seen {
	int64_t session, at;
};

static enum err job_seen(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	const struct seen *s = arg;
	struct query q;
	query_begin(&q, db, STMT_SESSION_SEEN);
	query_i64(&q, 1, s->session);
	query_i64(&q, 2, s->at);
	return query_run(&q);
}

static void seen_done(void *arg, enum err err)
{
	(void)err; // "last used" a minute late does no harm
	mem_free(arg);
}

enum err auth_session(struct auth *au, const struct registry *reg, struct str token, struct arena *a, struct identity *ret)
{
	if (token.n != TOKEN_LEN)
		return ERR_UNAUTHENTICATED;
	int64_t now = clock_now();
	struct found f = { 0 };
	struct db *db = store_read_begin(au->store);
	enum err err = session_by_token(db, token, a, &f.s, &f.how);
	if (!err)
		err = session_whose(db, reg, now, a, &f);
	store_read_end(au->store, db);
	if (err)
		return err;
	identity_make(reg, &f, a, ret);
	if (now - f.s.seen_at >= SEEN_EVERY) {
		struct seen *s = mem_alloc(sizeof(*s));
		*s = (struct seen){ f.s.id, now };
		store_post(au->store, job_seen, s, seen_done);
	}
	return OK;
}

static bool same_roles(const struct identity *x, const struct identity *y)
{
	bool same = x->nroles == y->nroles;
	for (size_t i = 0; same && i < x->nroles; i++)
		same = str_eq(x->roles[i]->name, y->roles[i]->name);
	return same;
}

bool auth_still(struct auth *au, const struct registry *reg, const struct identity *id)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct found f = { 0 };
	struct identity now;
	struct problem p;
	problem_init(&p, a);
	struct db *db = store_read_begin(au->store);
	enum err err = session_by_id(db, id->session, a, &f.s, &f.how);
	if (!err)
		err = session_whose(db, reg, clock_now(), a, &f);
	if (!err)
		identity_make(reg, &f, a, &now);
	if (!err && id->actor)
		err = auth_act_for(db, reg, id->person, a, &now, &p);
	store_read_end(au->store, db);
	return !err && now.person == id->person && same_roles(&now, id) && now.scope.enterprise == id->scope.enterprise &&
	       str_eq(now.scope.area, id->scope.area) && str_eq(now.scope.sectors, id->scope.sectors) && now.scope.nothing == id->scope.nothing;
}

// ---- ending ------------------------------------------------------------------------------------
struct ending {
	const struct identity *by;
	int64_t session;
	const char *action;
};

static enum err session_owner(struct db *db, int64_t session, int64_t *ret)
{
	struct query q;
	query_begin(&q, db, STMT_SESSION_PERSON);
	query_i64(&q, 1, session);
	bool there = query_row(&q);
	if (there)
		*ret = query_get_i64(&q, 0);
	enum err err = query_end(&q);
	return err ? err : there ? OK : ERR_NOT_FOUND;
}

static enum err job_end(struct db *db, void *arg, struct problem *p)
{
	const struct ending *e = arg;
	int64_t owner = 0;
	enum err err = session_owner(db, e->session, &owner);
	if (err)
		return err;
	if (owner != e->by->person && !auth_may(e->by, "session.manage"))
		return problem_set(p, ERR_NOT_FOUND, "", "没有这个会话", "there is no such session"); // of others nothing is said
	struct query q;
	query_begin(&q, db, STMT_SESSION_DELETE);
	query_i64(&q, 1, e->session);
	err = query_run(&q);
	return err ? err : audit_add(db, &(struct audit_entry){ .actor = e->by->person, .actor_name = e->by->name,
		                         .action = str_of(e->action), .type = STR("session"), .record = e->session,
		                         .detail = peer_detail(e->by->peer, db_arena(db)) });
}

static enum err session_end(struct auth *au, const struct identity *by, int64_t session, const char *action)
{
	struct arena *a = arena_new(0);
	struct problem p;
	problem_init(&p, a);
	struct ending e = { by, session, action };
	enum err err = store_write(au->store, job_end, &e, &p);
	arena_free(a);
	return err;
}

enum err auth_logout(struct auth *au, const struct identity *id)
{
	enum err err = session_end(au, id, id->session, "logout");
	return err == ERR_NOT_FOUND ? OK : err; // somebody else has ended it already
}

enum err auth_revoke(struct auth *au, const struct identity *by, int64_t session)
{
	return session_end(au, by, session, "session.revoke");
}

// ---- listing -----------------------------------------------------------------------------------
enum err auth_sessions(struct auth *au, const struct identity *id, struct arena *a, struct session_info **ret, size_t *ret_n)
{
	bool all = auth_may(id, "session.manage");
	int64_t now = clock_now();
	struct query q;
	size_t cap = 0;
	int col = 1;
	*ret = NULL;
	*ret_n = 0;
	struct db *db = store_read_begin(au->store);
	query_begin(&q, db, all ? STMT_SESSION_LIST_ALL : STMT_SESSION_LIST);
	if (!all)
		query_i64(&q, col++, id->person);
	query_i64(&q, col++, now - SESSION_LIFE);
	query_i64(&q, col, now - SESSION_IDLE);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof(**ret));
		(*ret)[*ret_n - 1] = (struct session_info){ .id = query_get_i64(&q, 0), .person = query_get_i64(&q, 1),
			                                        .created_at = query_get_i64(&q, 2), .seen_at = query_get_i64(&q, 3),
			                                        .peer = query_get_str(&q, 4, a),
			                                        .current = query_get_i64(&q, 0) == id->session };
	}
	enum err err = query_end(&q);
	store_read_end(au->store, db);
	return err;
}
