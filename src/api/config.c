// Packs while the server runs: the files, a check of a change with what it would touch, putting it into force, versions.
#include "api/api.h"

static const char *const change_names[] = { "added", "removed", "changed" };

static void write_diags(struct call *c, const struct diags *d)
{
	jw_karr(&c->w, "errors");
	for (size_t i = 0; i < d->n; i++) {
		jw_obj(&c->w);
		jw_kstr(&c->w, "file", d->v[i].file);
		jw_ki64(&c->w, "line", d->v[i].line);
		jw_ki64(&c->w, "col", d->v[i].col);
		jw_kstr(&c->w, "text", d->v[i].text);
		jw_end(&c->w);
	}
	jw_end(&c->w);
}

static void write_change(struct call *c, const struct pack_change *ch)
{
	jw_obj(&c->w);
	jw_kcstr(&c->w, "what", change_names[ch->what]);
	jw_kstr(&c->w, "file", arena_printf(c->arena, "%.*s/%.*s/%.*s", STR_FMT(ch->pack), STR_FMT(ch->folder), STR_FMT(ch->name)));
	jw_kstr(&c->w, "key", ch->key);
	jw_kstr(&c->w, "old", ch->old);
	jw_kstr(&c->w, "now", ch->now);
	jw_end(&c->w);
}

static void write_effect(struct call *c, const struct config_effect *e)
{
	const struct type *t = registry_type(c->reg, e->type);
	jw_obj(&c->w);
	jw_kstr(&c->w, "type", e->type);
	if (t)
		jw_klabel(&c->w, "label", t->label);
	jw_kstr(&c->w, "key", e->key);
	jw_ki64(&c->w, "records", e->records);
	jw_kbool(&c->w, "loses", e->loses);
	jw_kstr(&c->w, "text", label_text(c, e->says));
	jw_end(&c->w);
}

static void write_candidate(struct call *c, const struct config_candidate *cc)
{
	jw_kbool(&c->w, "ok", cc->reg != NULL);
	jw_kbool(&c->w, "refused", cc->refused);
	jw_kcstr(&c->w, "digest", cc->digest);
	write_diags(c, &cc->diags);
	jw_karr(&c->w, "changes");
	for (size_t i = 0; i < MIN(cc->nchanges, (size_t)LIMIT_CONFIG_CHANGES); i++)
		write_change(c, &cc->changes[i]);
	jw_end(&c->w);
	jw_karr(&c->w, "effects");
	for (size_t i = 0; i < cc->neffects; i++)
		write_effect(c, &cc->effects[i]);
	jw_end(&c->w);
}

static enum err look(struct call *c, struct str path, struct str text, struct config_candidate *cc)
{
	return config_look(c->app->config, call_db(c), path, text, !call_is_en(c), c->arena, cc, &c->p);
}

enum err config_get(struct call *c)
{
	struct config_candidate cc;
	enum err err = look(c, STR_EMPTY, STR_EMPTY, &cc);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "files");
	for (size_t i = 0; i < cc.texts.n; i++) {
		jw_obj(&c->w);
		jw_kstr(&c->w, "path", pack_text_path(&cc.texts.v[i], c->arena));
		jw_kbool(&c->w, "own", cc.texts.v[i].own);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_kobj(&c->w, "pending");
	write_candidate(c, &cc);
	jw_end(&c->w);
	jw_end(&c->w);
	config_candidate_free(&cc);
	return OK;
}

enum err config_file(struct call *c)
{
	struct pack_text t;
	struct str path = http_query(c->rq, "path");
	if (!pack_path_ok(path) || config_text(c->app->config, path, c->arena, &t))
		return call_fail(c, ERR_NOT_FOUND, "path", "没有这个文件", "there is no such file");
	jw_obj(&c->w);
	jw_kstr(&c->w, "path", path);
	jw_kstr(&c->w, "text", t.text);
	jw_kbool(&c->w, "own", t.own);
	jw_end(&c->w);
	return OK;
}

enum err config_check_post(struct call *c)
{
	struct config_candidate cc;
	enum err err = look(c, body_str(c, "path"), body_str(c, "text"), &cc);
	if (err)
		return err;
	jw_obj(&c->w);
	write_candidate(c, &cc);
	jw_end(&c->w);
	config_candidate_free(&cc);
	return OK;
}

enum err config_apply_post(struct call *c)
{
	enum err err = config_apply(c->app->config, body_str(c, "path"), body_str(c, "text"), body_str(c, "accept"), &c->id, c->arena, &c->p);
	return err ? err : call_done(c);
}

enum err config_versions_get(struct call *c)
{
	int64_t size;
	struct config_version *v;
	size_t n;
	enum err err = query_int(c, "size", 50, 1, LIMIT_PAGE_SIZE, &size);
	if (!err)
		err = config_versions(call_db(c), (size_t)size, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_obj(&c->w);
		jw_ki64(&c->w, "id", v[i].id);
		jw_ktime(&c->w, "at", v[i].at);
		jw_kstr(&c->w, "by", v[i].by_name);
		jw_key(&c->w, "changes");
		jw_raw(&c->w, v[i].changes);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err types_versions(struct call *c)
{
	const struct type *t = registry_type(c->reg, c->param[0]);
	struct type_version *v;
	size_t n;
	if (!t || !auth_may_read(&c->id, t))
		return call_fail(c, ERR_NOT_FOUND, "type", "没有这个类型，或无权查看", "no such type, or not yours to see");
	enum err err = config_type_versions(call_db(c), t->name, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_obj(&c->w);
		jw_ki64(&c->w, "version", v[i].version);
		jw_ktime(&c->w, "at", v[i].at);
		jw_kbool(&c->w, "in_force", v[i].version == t->version);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}
