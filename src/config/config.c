#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/jw.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "config/config_int.h"
#include "flow/flow.h"
#include "store/audit.h"

struct config {
	struct config_options o;
	struct arena *arena;        // of the options' texts
	pthread_mutex_t changing;   // one change at a time
};

// ---- texts -------------------------------------------------------------------------------------
static void read_disk(struct config *cf, struct pack_texts *t, struct diags *d)
{
	pack_texts_read(t, cf->o.shipped, false, d);
	if (access(arena_cstr(t->arena, cf->o.own), F_OK) == 0)
		pack_texts_read(t, cf->o.own, true, d);
}

static enum err read_in_force(struct db *db, struct pack_texts *t)
{
	struct query q;
	query_begin(&q, db, STMT_CONFIG_TEXTS);
	while (query_row(&q))
		pack_texts_put(t, query_get_str(&q, 0, t->arena), query_get_str(&q, 1, t->arena), query_get_i64(&q, 2) != 0);
	return query_end(&q);
}

void config_texts(struct config *cf, struct arena *a, struct pack_texts *ret)
{
	*ret = (struct pack_texts){ .arena = a };
	read_disk(cf, ret, NULL);
}

enum err config_text(struct config *cf, struct str path, struct arena *a, struct pack_text *ret)
{
	struct pack_texts t;
	config_texts(cf, a, &t);
	const struct pack_text *found = pack_texts_find(&t, path);
	if (found)
		*ret = *found;
	return found ? OK : ERR_NOT_FOUND;
}

static void digest_hex(const struct pack_texts *t, char ret[2 * SM3_LEN + 1])
{
	uint8_t sum[SM3_LEN];
	pack_texts_digest(t, sum);
	str_to_hex(sum, SM3_LEN, ret);
	ret[2 * SM3_LEN] = 0;
}

// ---- a candidate -------------------------------------------------------------------------------
static struct registry *load(const struct pack_texts *t, struct diags *d)
{
	struct registry *reg;
	if (registry_load_texts(&reg, t, d))
		return NULL;
	if (config_compiles(reg, d))
		return reg;
	registry_free(reg);
	return NULL;
}

static enum err weigh(struct db *db, struct config_candidate *cc, struct arena *a, struct problem *p)
{
	struct migration *steps;
	size_t n;
	const struct registry *old = registry_pin();
	enum err err = OK;
	if (migrations_read(cc->reg, old, db, &cc->diags, a, &steps, &n)) {
		err = effects_find(db, old, cc->reg, a, &cc->effects, &cc->neffects, p);
		if (!err)
			err = migrations_effects(db, old, steps, n, a, &cc->effects, &cc->neffects, p);
	} else {
		config_candidate_free(cc);
	}
	registry_unpin(old);
	for (size_t i = 0; i < cc->neffects; i++)
		cc->refused |= cc->effects[i].loses;
	return err;
}

enum err config_look(struct config *cf, struct db *db, struct str path, struct str text, bool zh, struct arena *a,
                     struct config_candidate *ret, struct problem *p)
{
	*ret = (struct config_candidate){ .texts.arena = a, .diags = { .arena = a, .zh = zh } };
	if (path.n && !pack_path_ok(path))
		return problem_set(p, ERR_INVALID, "path", "路径应如 hazard/types/hazard.yaml", "the path is like hazard/types/hazard.yaml");
	if (text.n > LIMIT_YAML_FILE)
		return problem_set(p, ERR_TOO_LARGE, "text", "文件太大，最多 %u 字节", "the file is too large, at most %u bytes", LIMIT_YAML_FILE);
	read_disk(cf, &ret->texts, &ret->diags);
	if (path.n && !str_trim(text).n) { // without the county's own text the shipped one counts again
		struct pack_texts shipped = { .arena = a };
		pack_texts_read(&shipped, cf->o.shipped, false, NULL);
		const struct pack_text *was = pack_texts_find(&shipped, path);
		pack_texts_put(&ret->texts, path, STR_EMPTY, true);
		if (was)
			pack_texts_put(&ret->texts, path, was->text, false);
	} else if (path.n) {
		pack_texts_put(&ret->texts, path, arena_str(a, text), true);
	}
	digest_hex(&ret->texts, ret->digest);
	struct pack_texts before = { .arena = a };
	enum err err = read_in_force(db, &before);
	if (err)
		return problem_set(p, err, "", "读不出现行的业务包", "the packs in force cannot be read");
	pack_diff(&before, &ret->texts, a, &ret->changes, &ret->nchanges);
	ret->reg = ret->diags.n ? NULL : load(&ret->texts, &ret->diags);
	return ret->reg ? weigh(db, ret, a, p) : OK;
}

void config_candidate_free(struct config_candidate *cc)
{
	registry_free(cc->reg);
	cc->reg = NULL;
}

// ---- putting into force ------------------------------------------------------------------------
struct force {
	struct config *cf;
	const struct config_candidate *cc;
	const struct registry *old; // pinned, or NULL at the very first start
	const struct migration *steps;
	size_t nsteps;
	const struct identity *by;
	struct arena *a;
};

static enum err keep_texts(struct force *f, struct db *db)
{
	struct pack_texts before = { .arena = f->a };
	enum err err = read_in_force(db, &before);
	for (size_t i = 0; !err && i < before.n; i++) {
		struct str path = pack_text_path(&before.v[i], f->a);
		struct query q;
		if (pack_texts_find(&f->cc->texts, path))
			continue;
		query_begin(&q, db, STMT_CONFIG_TEXT_DROP);
		query_str(&q, 1, path);
		err = query_run(&q);
	}
	for (size_t i = 0; !err && i < f->cc->texts.n; i++) {
		const struct pack_text *t = &f->cc->texts.v[i];
		struct str path = pack_text_path(t, f->a);
		const struct pack_text *was = pack_texts_find(&before, path);
		struct query q;
		if (was && str_eq(was->text, t->text) && was->own == t->own)
			continue;
		query_begin(&q, db, STMT_CONFIG_TEXT_SET);
		query_str(&q, 1, path);
		query_str(&q, 2, t->text);
		query_i64(&q, 3, t->own);
		err = query_run(&q);
	}
	return err;
}

static enum err keep_type(struct force *f, struct db *db, const struct type *t)
{
	struct identity system = identity_system();
	struct query q;
	struct buf b;
	struct jw w;
	query_begin(&q, db, STMT_TYPE_VERSION_KNOWN);
	query_str(&q, 1, t->name);
	query_i64(&q, 2, t->version);
	bool known = query_row(&q);
	enum err err = query_end(&q);
	if (err || known)
		return err;
	buf_init(&b, 1 << 20);
	jw_init(&w, &b);
	type_json(&w, f->cc->reg, t, &system, true);
	query_begin(&q, db, STMT_TYPE_VERSION_ADD);
	query_str(&q, 1, t->name);
	query_i64(&q, 2, t->version);
	query_i64(&q, 3, clock_now());
	query_str(&q, 4, jw_done(&w) ? buf_str(&b) : STR("{}"));
	err = query_run(&q);
	buf_free(&b);
	return err;
}

// Those that are not what they were.
static enum err keep_types(struct force *f, struct db *db, struct problem *p)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < f->cc->reg->ntypes; i++) {
		const struct type *t = &f->cc->reg->types[i], *was = f->old ? registry_type(f->old, t->name) : NULL;
		if (was && was->version == t->version)
			continue;
		err = records_migrate(db, &t->table, p);
		if (!err)
			err = keep_type(f, db, t);
	}
	return err;
}

static struct str changes_json(const struct config_candidate *cc, struct arena *a)
{
	static const char *const names[] = { "added", "removed", "changed" };
	struct buf b;
	struct jw w;
	buf_init(&b, 4 << 20);
	jw_init(&w, &b);
	jw_arr(&w);
	for (size_t i = 0; i < MIN(cc->nchanges, (size_t)LIMIT_CONFIG_CHANGES); i++) {
		const struct pack_change *c = &cc->changes[i];
		jw_obj(&w);
		jw_kcstr(&w, "what", names[c->what]);
		jw_kstr(&w, "file", arena_printf(a, "%.*s/%.*s/%.*s", STR_FMT(c->pack), STR_FMT(c->folder), STR_FMT(c->name)));
		jw_kstr(&w, "key", c->key);
		jw_kstr(&w, "old", c->old);
		jw_kstr(&w, "now", c->now);
		jw_end(&w);
	}
	jw_end(&w);
	struct str s = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR("[]");
	buf_free(&b);
	return s;
}

static enum err keep_version(struct force *f, struct db *db)
{
	struct query q;
	struct str changes = changes_json(f->cc, f->a);
	query_begin(&q, db, STMT_CONFIG_VERSION_ADD);
	query_i64(&q, 1, clock_now());
	query_i64(&q, 2, f->by->person);
	query_str(&q, 3, f->by->title);
	query_blob(&q, 4, str_of(f->cc->digest));
	query_str(&q, 5, changes);
	enum err err = query_run(&q);
	struct str detail = arena_printf(f->a, "{\"digest\":\"%s\",\"changes\":%zu}", f->cc->digest, f->cc->nchanges);
	return err ? err : audit_add(db, &(struct audit_entry){ .actor = f->by->person, .actor_name = f->by->title, .detail = detail,
	                                                        .action = STR("config.apply"), .type = STR_EMPTY });
}

static enum err force_job(struct db *db, void *arg, struct problem *p)
{
	struct force *f = arg;
	enum err err = migrations_run(db, f->old, f->steps, f->nsteps, f->by, false, f->a, p);
	if (!err)
		err = keep_types(f, db, p);
	if (!err)
		err = keep_texts(f, db);
	return err ? err : keep_version(f, db);
}

// The store job, then the swap: from here on the candidate's registry belongs to everybody.
static enum err put_into_force(struct config *cf, struct config_candidate *cc, const struct identity *by, struct arena *a,
                               struct problem *p)
{
	struct force f = { .cf = cf, .cc = cc, .old = registry_pin(), .by = by, .a = a };
	struct diags none = { .arena = a };
	struct migration *steps;
	struct db *db = store_read_begin(cf->o.store);
	bool ok = migrations_read(cc->reg, f.old, f.old ? db : NULL, &none, a, &steps, &f.nsteps);
	store_read_end(cf->o.store, db);
	f.steps = steps;
	enum err err = ok ? store_write(cf->o.store, force_job, &f, p) : ERR_INVALID;
	registry_unpin(f.old);
	if (err)
		return problem_set(p, err, "", "新版本未能生效，原版本继续有效", "the new version could not be put into force; the old one stays");
	cf->o.put(cf->o.arg, cc->reg);
	cc->reg = NULL;
	return OK;
}

// ---- the county's own file ---------------------------------------------------------------------
static bool make_folders(const char *path)
{
	char dir[4096];
	size_t n = strlen(path);
	for (size_t i = 1; i < n && i < sizeof dir; i++) {
		if (path[i] != '/')
			continue;
		memcpy(dir, path, i);
		dir[i] = 0;
		if (mkdir(dir, 0755) && errno != EEXIST)
			return false;
	}
	return n < sizeof dir;
}

static bool write_whole(int fd, struct str s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = str_skip(s, (size_t)n);
	}
	return fsync(fd) == 0;
}

// Under another name first, so that a power cut leaves the old file or the new one.
static enum err own_write(struct config *cf, struct str path, struct str text, struct arena *a, struct problem *p)
{
	const char *to = arena_printf(a, "%.*s/%.*s", STR_FMT(cf->o.own), STR_FMT(path)).p;
	const char *part = arena_printf(a, "%s.part", to).p;
	if (!str_trim(text).n) {
		if (unlink(to) && errno != ENOENT)
			return problem_set(p, ERR_IO, "", "不能删除 %s：%s", "cannot remove %s: %s", to, strerror(errno));
		return OK;
	}
	int fd = make_folders(to) ? open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
	bool ok = fd >= 0 && write_whole(fd, text);
	if (fd >= 0 && close(fd))
		ok = false;
	if (ok && rename(part, to) == 0)
		return OK;
	int why = errno;
	unlink(part);
	return problem_set(p, why == ENOSPC ? ERR_FULL : ERR_IO, "", "不能写 %s：%s", "cannot write %s: %s", to, strerror(why));
}

static enum err check_candidate(const struct config_candidate *cc, struct str accept, struct problem *p)
{
	if (!cc->reg)
		return problem_set(p, ERR_INVALID, "text", "有 %zu 处错误，未生效", "%zu mistakes; not put into force", cc->diags.n);
	if (!str_is(accept, cc->digest)) {
		problem_set(p, ERR_CONFLICT, "accept", "业务包已和您看到的不同", "the packs are no longer what you have seen");
		problem_hint(p, "请重新核对差异后再生效", "look at the difference again");
		return ERR_CONFLICT;
	}
	if (!cc->refused)
		return OK;
	problem_set(p, ERR_CONFLICT, "loses", "这一改动会丢失数据，未生效", "this change would lose data; it was not put into force");
	problem_hint(p, "请保留原字段或状态，或在 migrations/ 写明数据如何迁移", "keep the field or state, or write in migrations/ what becomes of the data");
	return ERR_CONFLICT;
}

static enum err apply(struct config *cf, struct config_candidate *cc, struct str path, struct str text, struct str accept,
                      const struct identity *by, struct arena *a, struct problem *p)
{
	struct pack_text was = { .text = STR_EMPTY };
	bool had = path.n && config_text(cf, path, a, &was) == OK && was.own;
	enum err err = check_candidate(cc, accept, p);
	if (err || (path.n && (err = own_write(cf, path, text, a, p))))
		return err;
	err = put_into_force(cf, cc, by, a, p);
	if (err && path.n) {
		struct problem again;
		problem_init(&again, a);
		if (own_write(cf, path, had ? was.text : STR_EMPTY, a, &again))
			log_error("config", "%.*s", STR_FMT(again.en));
	}
	return err;
}

enum err config_apply(struct config *cf, struct str path, struct str text, struct str accept, const struct identity *by, struct arena *a,
                      struct problem *p)
{
	struct config_candidate cc;
	pthread_mutex_lock(&cf->changing);
	struct db *db = store_read_begin(cf->o.store);
	enum err err = config_look(cf, db, path, text, str_is(by->lang, "zh"), a, &cc, p);
	store_read_end(cf->o.store, db);
	if (!err)
		err = apply(cf, &cc, path, text, accept, by, a, p);
	config_candidate_free(&cc);
	pthread_mutex_unlock(&cf->changing);
	return err;
}

// ---- start -------------------------------------------------------------------------------------
static bool digest_in_force(struct db *db, const char *digest, struct arena *a)
{
	struct query q;
	query_begin(&q, db, STMT_CONFIG_VERSION_NEWEST);
	bool same = query_row(&q) && str_is(query_get_str(&q, 0, a), digest);
	return query_end(&q) == OK && same;
}

// Yesterday's packs rather than no server.
static void fall_back(struct config_candidate *cc, const struct pack_texts *before, const struct diags *d)
{
	struct diags none = { .arena = cc->texts.arena };
	for (size_t i = 0; i < d->n; i++)
		log_error("config", "%.*s:%u:%u: %.*s", STR_FMT(d->v[i].file), d->v[i].line, d->v[i].col, STR_FMT(d->v[i].text));
	registry_free(cc->reg);
	cc->texts = *before;
	cc->reg = load(before, &none);
	cc->changes = NULL;
	cc->nchanges = 0;
}

struct start {
	struct force f;
	struct pack_texts before;
	bool same;                  // what is on disk is in force already
	const struct registry *old; // what was in force; NULL at the very first start
};

// What was in force and what shall be: tables are brought to their form even if nothing changed (a new program may want
// other indexes); the version is kept only if it is another one.
static enum err start_job(struct db *db, void *arg, struct problem *p)
{
	struct start *s = arg;
	const struct registry *reg = s->f.cc->reg;
	enum err err = migrations_run(db, s->f.old, s->f.steps, s->f.nsteps, s->f.by, s->before.n == 0, s->f.a, p);
	if (!err)
		err = registry_make_tables(db, reg, p);
	for (size_t i = 0; !err && i < reg->ntypes; i++)
		err = keep_type(&s->f, db, &reg->types[i]);
	if (!err && !s->same)
		err = keep_texts(&s->f, db);
	return err || s->same ? err : keep_version(&s->f, db);
}

static enum err start_with(struct config *cf, struct start *s, struct config_candidate *cc, struct diags *d, struct problem *p)
{
	struct migration *steps = NULL;
	struct db *db = store_read_begin(cf->o.store);
	bool ok = cc->reg && migrations_read(cc->reg, s->old, s->old ? db : NULL, d, s->f.a, &steps, &s->f.nsteps);
	if (!s->same) {
		digest_hex(&cc->texts, cc->digest);
		s->same = digest_in_force(db, cc->digest, s->f.a);
	}
	store_read_end(cf->o.store, db);
	s->f.steps = steps;
	s->f.old = s->old;
	return ok ? store_write(cf->o.store, start_job, s, p) : problem_set(p, ERR_INVALID, "", "业务包有错误", "the packs have mistakes");
}

static enum err start(struct config *cf, struct arena *a, struct diags *d, struct problem *p)
{
	struct config_candidate cc = { .texts.arena = a };
	struct identity system = identity_system();
	struct start s = { .f = { .cf = cf, .cc = &cc, .by = &system, .a = a }, .before.arena = a };
	struct diags none = { .arena = a };
	struct registry *before = NULL;
	struct db *db = store_read_begin(cf->o.store);
	enum err err = read_in_force(db, &s.before);
	store_read_end(cf->o.store, db);
	if (err)
		return problem_set(p, err, "", "读不出现行的业务包", "the packs in force cannot be read");
	read_disk(cf, &cc.texts, d);
	cc.reg = d->n ? NULL : load(&cc.texts, d);
	s.same = pack_texts_same(&s.before, &cc.texts);
	s.old = cc.reg;
	if (!s.same)
		s.old = s.before.n && registry_load_texts(&before, &s.before, &none) == OK ? before : NULL;
	if (s.before.n && !s.same) // at the very first start everything is new
		pack_diff(&s.before, &cc.texts, a, &cc.changes, &cc.nchanges);
	err = start_with(cf, &s, &cc, d, p);
	if (err && before) {
		log_error("config", "%.*s %.*s", STR_FMT(p->en), STR_FMT(p->hint_en));
		log_error("config", "the packs on disk are not put into force; those that were in force go on");
		fall_back(&cc, &s.before, d);
		problem_init(p, p->arena);
		d->n = 0;
		err = start_with(cf, &s, &cc, d, p);
	}
	registry_free(before);
	if (!err)
		cf->o.put(cf->o.arg, cc.reg);
	else
		registry_free(cc.reg);
	return err;
}

enum err config_open(struct config **ret, const struct config_options *o, struct diags *d, struct problem *p)
{
	struct arena *a = arena_new(0), *scratch = arena_new(1 << 20);
	struct config *cf = arena_one(a, struct config);
	*cf = (struct config){ .o = *o, .arena = a };
	cf->o.shipped = arena_str(a, o->shipped);
	cf->o.own = arena_str(a, o->own);
	pthread_mutex_init(&cf->changing, NULL);
	enum err err = start(cf, scratch, d, p);
	if (p->err == OK && err)
		problem_set(p, err, "", "业务包未能生效", "the packs could not be put into force");
	arena_free(scratch);
	*ret = cf;
	if (err) {
		config_close(cf);
		*ret = NULL;
	}
	return err;
}

void config_close(struct config *cf)
{
	if (!cf)
		return;
	pthread_mutex_destroy(&cf->changing);
	arena_free(cf->arena);
}

// ---- what was ----------------------------------------------------------------------------------
enum err config_versions(struct db *db, size_t limit, struct arena *a, struct config_version **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_CONFIG_VERSIONS);
	query_i64(&q, 1, (int64_t)limit);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct config_version){ .id = query_get_i64(&q, 0), .at = query_get_i64(&q, 1), .by = query_get_i64(&q, 2),
			                                      .by_name = query_get_str(&q, 3, a), .changes = query_get_str(&q, 4, a) };
	}
	return query_end(&q);
}

enum err config_type_version(struct db *db, struct str type, int64_t version, struct arena *a, struct str *ret)
{
	struct query q;
	query_begin(&q, db, STMT_TYPE_VERSION_GET);
	query_str(&q, 1, type);
	query_i64(&q, 2, version);
	bool found = query_row(&q);
	if (found)
		*ret = query_get_str(&q, 0, a);
	enum err err = query_end(&q);
	return err ? err : found ? OK : ERR_NOT_FOUND;
}

enum err config_type_versions(struct db *db, struct str type, struct arena *a, struct type_version **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_TYPE_VERSIONS);
	query_str(&q, 1, type);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct type_version){ query_get_i64(&q, 0), query_get_i64(&q, 1) };
	}
	return query_end(&q);
}
