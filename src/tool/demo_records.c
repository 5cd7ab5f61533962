// Records of packs/*/demo/records.json: what shows a pack working, created and moved by the demo's persons through the same
// doors as everybody's records. Called by demo.c inside the fill job.
//
//   {"note": "…", "records": [{"key": "a1", "type": "accident", "by": "duty", "fields": {…},
//                              "moves": [{"do": "verify", "by": "duty", "with": {…}}]}]}
// A text that begins with @ stands for something else: @key:a1 a record made before, @person:LOGIN, @org:KEY,
// @TYPE:TITLE the record of that type with that title, @now-2h a time, @today+30d a day. A move that is signed is made by the
// system, for nobody's password is known.
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "tool/demo_int.h"

struct making {
	struct demo *d;
	json_t *keys;               // key → id
	const char *file;
	struct arena *a;            // of one record
};

static enum err misfit(struct making *m, const char *what, const char *name)
{
	return problem_set(m->d->p, ERR_INVALID, "", "%s：%s %s", "%s: %s %s", m->file, what, name);
}

static enum err find_title(struct making *m, const char *type, const char *title, json_t **ret)
{
	const struct type *t = registry_type(m->d->reg, str_of(type));
	struct row row;
	if (!t)
		return misfit(m, "no type", type);
	if (records_find(m->d->db, &t->table, NULL, STR("title"), (struct value){ .kind = VAL_TEXT, .s = str_of(title) }, m->a, &row))
		return misfit(m, type, title);
	*ret = json_integer(row.c.id);
	return OK;
}

static json_t *moment(struct making *m, const char *text, bool day)
{
	struct str rest = str_skip(str_of(text), day ? 5 : 3); // behind today or now
	int64_t us = 0;
	char name[TIME_TEXT_MAX];
	if (rest.n && !duration_parse(str_skip(rest, 1), &us))
		return NULL;
	int64_t at = m->d->now + (rest.n && rest.p[0] == '-' ? -us : us);
	if (day)
		demo_day(at, name);
	else
		name[time_text(at - at % US_PER_MIN, name)] = 0;
	return json_string(name);
}

static enum err meaning(struct making *m, const char *text, json_t **ret)
{
	struct str rest = str_of(text), kind = str_cut(&rest, ':');
	if (str_starts(kind, STR("today")) || str_starts(kind, STR("now"))) {
		*ret = moment(m, text, str_starts(kind, STR("today")));
		return *ret ? OK : misfit(m, "no moment:", text);
	}
	const char *name = arena_cstr(m->a, rest);
	json_t *ids = str_is(kind, "key") ? m->keys : str_is(kind, "person") ? m->d->person_ids : str_is(kind, "org") ? m->d->org_ids : NULL;
	if (!ids)
		return find_title(m, arena_cstr(m->a, kind), name, ret);
	json_t *id = json_object_get(ids, name);
	*ret = json_incref(id);
	return id ? OK : misfit(m, "nothing is called", text);
}

// A copy of j with every @ text replaced.
static enum err resolve(struct making *m, const json_t *j, json_t **ret)
{
	enum err err = OK;
	const char *text = json_string_value(j), *key;
	json_t *item, *one;
	size_t i;
	if (text && text[0] == '@')
		return meaning(m, text + 1, ret);
	*ret = json_is_object(j) ? json_object() : json_is_array(j) ? json_array() : json_incref((json_t *)(uintptr_t)j);
	if (json_is_object(j)) {
		json_object_foreach((json_t *)(uintptr_t)j, key, item) {
			if (!err && !(err = resolve(m, item, &one)))
				json_object_set_new(*ret, key, one);
		}
	} else if (json_is_array(j)) {
		json_array_foreach(j, i, item) {
			if (!err && !(err = resolve(m, item, &one)))
				json_array_append_new(*ret, one);
		}
	}
	if (err)
		json_decref(*ret);
	return err;
}

static enum err identity_of(struct making *m, const json_t *step, struct identity *ret)
{
	const char *login = demo_text(step, "by");
	json_t *id = json_object_get(m->d->person_ids, login);
	*ret = m->d->system;
	if (!*login)
		return OK;
	if (!id || auth_person_identity(m->d->db, m->d->reg, json_integer_value(id), m->a, ret))
		return misfit(m, "no person", login);
	return OK;
}

static enum err failed(struct making *m, enum err err, const struct problem *p, const char *what)
{
	return problem_set(m->d->p, err, "", "%s %s：%.*s %.*s", "%s %s: %.*s %.*s", m->file, what, STR_FMT(p->field), STR_FMT(p->en));
}

static enum err make_move(struct making *m, const struct type *t, int64_t id, const json_t *step)
{
	const struct move *mv = type_move(t, str_of(demo_text(step, "do")));
	const json_t *with = json_object_get(step, "with");
	json_t *none = json_object(), *body = NULL;
	struct identity by;
	struct problem p;
	problem_init(&p, m->a);
	enum err err = identity_of(m, step, &by);
	if (!err)
		err = resolve(m, with ? with : none, &body);
	if (!err && mv && mv->sign)
		by = m->d->system;
	if (!err && (err = flow_move(m->d->db, m->d->reg, t, id, str_of(demo_text(step, "do")), body, &by, false, m->a, &p)))
		err = failed(m, err, &p, demo_text(step, "do"));
	json_decref(none);
	json_decref(body);
	return err;
}

static enum err make_record(struct making *m, const json_t *r)
{
	const struct type *t = registry_type(m->d->reg, str_of(demo_text(r, "type")));
	json_t *body = NULL, *step;
	struct identity by;
	struct problem p;
	int64_t id = 0;
	size_t i;
	arena_reset(m->a);
	problem_init(&p, m->a);
	if (!t)
		return misfit(m, "no type", demo_text(r, "type"));
	enum err err = identity_of(m, r, &by);
	if (!err)
		err = resolve(m, json_object_get(r, "fields"), &body);
	if (!err && (err = flow_create(m->d->db, m->d->reg, t, body, &by, m->a, &id, &p)))
		err = failed(m, err, &p, *demo_text(r, "key") ? demo_text(r, "key") : demo_text(r, "type"));
	json_decref(body);
	if (!err && *demo_text(r, "key"))
		json_object_set_new(m->keys, demo_text(r, "key"), json_integer(id));
	json_array_foreach(json_object_get(r, "moves"), i, step) {
		if (!err)
			err = make_move(m, t, id, step);
	}
	return err;
}

enum err demo_records(struct demo *d)
{
	struct making m = { .d = d, .keys = json_object(), .a = arena_new(64 << 10) };
	enum err err = OK;
	for (size_t f = 0; f < d->nrecord_files && !err; f++) {
		json_t *r;
		size_t i;
		m.file = d->record_files[f].path;
		json_array_foreach(json_object_get(d->record_files[f].json, "records"), i, r) {
			if (!err)
				err = make_record(&m, r);
		}
	}
	arena_free(m.a);
	json_decref(m.keys);
	return err;
}
