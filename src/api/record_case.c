// POST /records/:type/:id/casefile: the file of a record (卷宗), most of all of an enforcement case: the record, those that refer to it
// and those it refers to on its thread, papers that were issued, attachments, and what was done, within the rights of who asks,
// with an index (api/casefile.h). Personal data is masked.
#include "api/casefile.h"
#include "base/time.h"
#include "exchange/table.h"

struct part {
	const struct type *t;
	struct row row;
};

struct case_of {
	struct casefile z;
	struct call *c;
	struct part *parts;
	size_t n, cap, files;
	int64_t bytes;
	struct buf index, actions;
};

// ---- which records -----------------------------------------------------------------------------
static void add_part(struct case_of *g, const struct type *t, const struct row *row)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->parts[i].t == t && g->parts[i].row.c.id == row->c.id)
			return;
	if (g->n >= LIMIT_CASE_RECORDS)
		return;
	g->parts = arena_push(g->c->arena, g->parts, &g->n, &g->cap, sizeof *g->parts);
	g->parts[g->n - 1] = (struct part){ t, *row };
}

// What the record's own references lead to, if it is on the same thread: what it came from.
static void add_sources(struct case_of *g, const struct type *t, const struct row *row)
{
	struct call *c = g->c;
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		const struct value *v = f->ncols ? &row->vals[f->col] : NULL;
		const struct type *to = NULL;
		struct row other;
		int64_t id = 0;
		if (v && f->kind == FIELD_REF && v->kind == VAL_INT) {
			to = registry_type(c->reg, f->to);
			id = v->i;
		} else if (v && f->kind == FIELD_ORIGIN && v->kind == VAL_TEXT && !origin_parse(c->reg, v->s, &to, &id)) {
			to = NULL;
		}
		if (!to || !auth_may_read(&c->id, to) || !auth_may_read_field(&c->id, f))
			continue;
		struct scope scope = auth_scope(&c->id, to);
		if (records_get(call_db(c), &to->table, &scope, id, c->arena, &other))
			continue;
		if (other.c.thread && other.c.thread == row->c.thread)
			add_part(g, to, &other);
	}
}

static enum err add_linked(struct case_of *g, const struct type *t, const struct row *row)
{
	struct call *c = g->c;
	enum err err = OK;
	for (size_t i = 0; !err && i < c->reg->ntypes; i++) {
		const struct type *from = &c->reg->types[i];
		for (size_t k = 0; !err && k < from->nfields; k++) {
			const struct field *f = &from->fields[k];
			struct filter only;
			struct list_query lq = { .filters = &only, .nfilters = 1, .limit = LIMIT_CASE_RECORDS };
			struct row *rows;
			size_t n;
			int64_t total;
			if (f->kind == FIELD_REFS || !f->ncols || !field_link(f, t, row->c.id, c->arena, &only))
				continue;
			if (!auth_may_read(&c->id, from) || !auth_may_read_field(&c->id, f))
				continue;
			struct scope scope = auth_scope(&c->id, from);
			err = records_list(call_db(c), &from->table, &scope, &lq, c->arena, &rows, &n, &total, &c->p);
			for (size_t j = n; !err && j > 0; j--) // oldest first
				add_part(g, from, &rows[j - 1]);
		}
	}
	return err;
}

// ---- members -----------------------------------------------------------------------------------
static struct str time_cell(struct call *c, int64_t us)
{
	char text[TIME_TEXT_MAX];
	return us ? arena_str(c->arena, str_from(text, time_text(us, text))) : STR_EMPTY;
}

static void put_index(struct case_of *g, const char *member, const struct part *p, struct str what, struct str sm3)
{
	const struct str cells[] = { str_of(member), label_text(g->c, p->t->label), p->row.c.number, what, sm3 };
	table_csv_row(&g->index, cells, ARRAY_LEN(cells));
}

static enum err put_record(struct case_of *g, size_t at)
{
	const struct part *p = &g->parts[at];
	struct call *c = g->c;
	struct str name = arena_printf(c->arena, "records/%03zu-%.*s.json", at + 1, STR_FMT(p->t->name));
	struct buf b;
	struct jw w;
	buf_init(&b, LIMIT_RESPONSE);
	jw_init(&w, &b);
	record_json(&w, call_db(c), c->reg, p->t, &p->row, &c->id, true, c->arena);
	enum err err = jw_done(&w) ? casefile_member(&g->z, name.p, buf_str(&b)) : ERR_TOO_LARGE;
	buf_free(&b);
	put_index(g, name.p, p, p->row.c.title, STR_EMPTY);
	return err;
}

static const char *ending(const struct file_info *i)
{
	static const char *const known[][2] = { { "application/pdf", "pdf" }, { "image/jpeg", "jpg" }, { "image/png", "png" }, { "video/mp4", "mp4" }, { "text/plain", "txt" } };
	for (size_t k = 0; k < ARRAY_LEN(known); k++)
		if (str_starts(i->mime, str_of(known[k][0])))
			return known[k][1];
	return "bin";
}

// Attachments and papers: those of fields that he may read; names in the ZIP are ours, what they were called is in the index.
static enum err put_files(struct case_of *g, size_t at)
{
	const struct part *p = &g->parts[at];
	struct call *c = g->c;
	struct file_info *v;
	size_t n;
	enum err err = files_of(call_db(c), p->t->name, p->row.c.id, c->arena, &v, &n);
	for (size_t i = 0; !err && i < n; i++) {
		const struct field *f = type_field(p->t, v[i].field);
		struct arena *a on_scope_exit(arena_freep) = arena_new(0);
		struct str bytes;
		if (f && !auth_may_read_field(&c->id, f))
			continue;
		g->bytes += v[i].size;
		if (g->bytes > LIMIT_CASE_BYTES)
			return call_fail(c, ERR_TOO_LARGE, NULL, "附件太多，卷宗放不下，请逐件下载附件", "the attachments are too large for one file; take them one by one");
		const char *name = arena_printf(c->arena, "%s/%03zu-%02zu.%s", str_starts(v[i].field, STR("document:")) ? "documents" : "files", at + 1, i + 1, ending(&v[i])).p;
		err = files_read(c->app->store, &v[i], a, &bytes);
		if (!err)
			err = casefile_member(&g->z, name, bytes);
		put_index(g, name, p, v[i].name, v[i].sm3);
		g->files++;
	}
	return err;
}

static enum err put_actions(struct case_of *g, const struct part *p)
{
	struct call *c = g->c;
	struct audit_entry *v;
	size_t n;
	enum err err = audit_list(call_db(c), p->t->name, p->row.c.id, 0, LIMIT_CASE_ACTIONS, c->arena, &v, &n);
	for (size_t i = n; !err && i > 0; i--) {
		const struct audit_entry *e = &v[i - 1];
		const struct str cells[] = { time_cell(c, e->at), arena_printf(c->arena, "%lld", (long long)e->seq), e->actor_name, e->action, label_text(c, p->t->label),
			                         p->row.c.number, history_visible(p->t, e->detail, &c->id, c->arena) };
		table_csv_row(&g->actions, cells, ARRAY_LEN(cells));
	}
	return err;
}

static enum err put_readme(struct case_of *g)
{
	struct call *c = g->c;
	const struct row *r = &g->parts[0].row;
	struct str who = c->id.title.n ? c->id.title : c->id.name, at = time_cell(c, g->z.at);
	struct buf b;
	buf_init(&b, 1 << 16);
	buf_printf(&b, "卷宗 / CASE FILE\r\n\r\n%.*s %.*s\r\n导出 / exported：%.*s，%.*s，%.*s\r\n\r\n", STR_FMT(r->c.number), STR_FMT(r->c.title), STR_FMT(c->app->county), STR_FMT(who), STR_FMT(at));
	buf_printf(&b, "按导出人的权限；个人信息隐去。%zu 条记录，%zu 个文件。\r\nindex.csv    目录：文件、类型、编号、名称、原文件 SM3\r\nactions.csv  办理经过（审计序号可与审计链对照）\r\n"
	           "records/     记录\r\ndocuments/   已出具的文书\r\nfiles/       附件\r\nSM3SUMS.txt  以上各文件的 SM3\r\nmanifest.json 各文件大小与 SM3、本次导出的审计记录、审计链\r\n", g->n, g->files);
	casefile_how(&b, "index.csv");
	enum err err = casefile_member(&g->z, "README.txt", buf_str(&b));
	buf_free(&b);
	return err;
}

static enum err write_members(struct case_of *g)
{
	bool en = call_is_en(g->c);
	enum err err = OK;
	buf_add_cstr(&g->index, en ? "\xef\xbb\xbf" "file,type,number,name,SM3 of the original\r\n" : "\xef\xbb\xbf" "文件,类型,编号,名称,原文件SM3\r\n");
	buf_add_cstr(&g->actions, en ? "\xef\xbb\xbf" "time,audit entry,by,what,type,number,changes\r\n" : "\xef\xbb\xbf" "时间,审计序号,由谁,代码,类型,编号,变动\r\n");
	for (size_t i = 0; !err && i < g->n; i++) {
		err = put_record(g, i);
		if (!err)
			err = put_files(g, i);
		if (!err)
			err = put_actions(g, &g->parts[i]);
	}
	if (!err)
		err = buf_ok(&g->index) && buf_ok(&g->actions) ? casefile_member(&g->z, "index.csv", buf_str(&g->index)) : ERR_TOO_LARGE;
	if (!err)
		err = casefile_member(&g->z, "actions.csv", buf_str(&g->actions));
	return err ? err : put_readme(g);
}

static enum err write_all(struct case_of *g)
{
	const struct part *root = &g->parts[0];
	struct buf b;
	struct jw w;
	enum err err = write_members(g);
	if (err)
		return err;
	g->z.entry.action = STR("casefile");
	g->z.entry.type = root->t->name;
	g->z.entry.record = root->row.c.id;
	buf_init(&b, 4096);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_ki64(&w, "records", (int64_t)g->n);
	jw_ki64(&w, "files", (int64_t)g->files);
	err = casefile_end(&g->z, &b, &w);
	buf_free(&b);
	return err;
}

enum err record_case_post(struct call *c)
{
	struct case_of g = { .c = c };
	const struct type *t;
	struct row row;
	int64_t id;
	c->id.export = true; // a file to take away
	enum err err = call_record(c, &t, &id, &row);
	if (err)
		return err;
	add_part(&g, t, &row);
	add_sources(&g, t, &row);
	err = add_linked(&g, t, &row);
	if (err)
		return err;
	buf_init(&g.index, LIMIT_RESPONSE);
	buf_init(&g.actions, LIMIT_RESPONSE);
	err = casefile_begin(&g.z, c);
	if (!err)
		err = write_all(&g);
	if (!err)
		err = casefile_answer(&g.z, arena_printf(c->arena, "case-%.*s.zip", STR_FMT(row.c.number.n ? row.c.number : t->name)));
	casefile_free(&g.z);
	buf_free(&g.index);
	buf_free(&g.actions);
	return err;
}
