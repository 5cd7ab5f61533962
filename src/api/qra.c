// Regional assessments: begin one (a record qra_run that the core computes), how far it is, its answer.
#include "api/api.h"
#include "store/files.h"

enum err qra_post(struct call *c)
{
	c->param[0] = STR("qra_run");
	return records_create(c);
}

static enum err write_answer(struct call *c, const struct type *t, int64_t id)
{
	struct file_info *files;
	struct str text;
	size_t n;
	enum err err = files_of(call_db(c), t->name, id, c->arena, &files, &n);
	while (!err && n && !str_is(files[n - 1].field, "result"))
		n--; // the newest
	if (!err && n)
		err = files_read(c->app->store, &files[n - 1], c->arena, &text);
	if (!err && n) {
		jw_key(&c->w, "answer");
		jw_raw(&c->w, text);
	}
	return err;
}

enum err qra_get(struct call *c)
{
	const struct type *t;
	struct row row;
	int64_t id;
	double part;
	c->param[1] = c->param[0];
	c->param[0] = STR("qra_run");
	enum err err = call_record(c, &t, &id, &row);
	if (err)
		return err;
	bool working = c->app->qra_part(c->app, id, &part), done = str_is(row.c.state, "done");
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", id);
	jw_kstr(&c->w, "number", row.c.number);
	jw_kstr(&c->w, "name", row.c.title);
	jw_kstr(&c->w, "state", row.c.state);
	jw_kbool(&c->w, "working", working && !done);
	jw_kf64(&c->w, "part", done ? 1 : part);
	if (done)
		err = write_answer(c, t, id);
	jw_end(&c->w);
	return err;
}
