// One enterprise, one file. See dossier.h. Reads only; any thread with a connection.
#include "report/dossier.h"

#include <stdlib.h>

#include "base/time.h"
#include "flow/words.h"
#include "report/paper.h"

struct reading {
	struct db *db;
	const struct registry *reg;
	const struct identity *by;
	struct arena *a;
	struct dossier_view *v;
	size_t items;
	struct problem *p;
};

struct label dossier_section_label(const struct registry *reg, struct str section)
{
	const struct menu *m = registry_menu(reg, STR("dossier_section"));
	const struct menu_item *i = m ? menu_item(m, section) : NULL;
	return i ? i->label : (struct label){ section, section };
}

// ---- conditions --------------------------------------------------------------------------------
static enum err count(const struct reading *r, const struct type *t, const struct filter *f, size_t n, int64_t *ret)
{
	struct scope scope = auth_scope(r->by, t);
	struct list_query lq = { .filters = f, .nfilters = n, .limit = 1 };
	struct row *rows;
	size_t nrows;
	return records_list(r->db, &t->table, &scope, &lq, r->a, &rows, &nrows, ret, r->p);
}

static struct filter value_filter(const struct reading *r, struct str column, enum filter_op op, struct value v)
{
	struct value *one = arena_one(r->a, struct value);
	*one = v;
	return (struct filter){ .column = column, .op = op, .vals = one, .nvals = 1 };
}

// A record that has expired does not make the file complete.
static enum err good_ones(const struct reading *r, const struct type *t, struct filter own, int64_t *ret)
{
	const struct field *f = t->expires.at;
	struct civil c = time_to_civil(clock_now(), time_zone());
	struct value today = { .kind = VAL_TEXT, .s = arena_printf(r->a, "%04d-%02d-%02d", c.year, c.month, c.day) };
	struct value now = { .kind = VAL_INT, .i = clock_now() };
	struct filter both[2] = { own };
	if (f)
		both[1] = value_filter(r, t->table.cols[f->col].name, FILTER_GE, f->kind == FIELD_DATE ? today : now);
	return count(r, t, both, f ? 2 : 1, ret);
}

static bool needed(const struct reading *r, const struct type *t)
{
	const struct dossier *d = &t->dossier;
	return d->always || (d->need && flow_holds(r->db, r->reg, r->v->t, d->need, &r->v->enterprise, r->by, r->a));
}

// ---- parts -------------------------------------------------------------------------------------
static enum err read_items(const struct reading *r, struct dossier_part *part, const struct filter *own)
{
	static const struct sort newest = { .column = { "changed_at", 10 }, .descending = true };
	struct scope scope = auth_scope(r->by, part->t);
	struct list_query lq = { .filters = own, .nfilters = 1, .sorts = &newest, .nsorts = 1, .limit = r->items };
	return records_list(r->db, &part->t->table, &scope, &lq, r->a, &part->items, &part->nitems, &part->total, r->p);
}

static enum err read_part(const struct reading *r, const struct type *t, struct dossier_part *part)
{
	struct value id = { .kind = VAL_INT, .i = r->v->enterprise.c.id };
	struct filter f[3] = { value_filter(r, STR("enterprise"), FILTER_EQ, id) };
	int64_t good = 0;
	const struct field *field = type_field(t, STR("enterprise"));
	*part = (struct dossier_part){ .t = t, .field = field ? field->name : t->enterprise_from, .need = needed(r, t) };
	enum err err = read_items(r, part, f);
	if (!err)
		err = good_ones(r, t, f[0], &good);
	part->complete = good > 0;
	if (err || !t->nstates)
		return err;
	f[1] = type_open_states(t, r->a);
	err = count(r, t, f, 2, &part->open);
	f[2] = value_filter(r, STR("deadline"), FILTER_LT, (struct value){ .kind = VAL_INT, .i = clock_now() });
	struct filter late[4] = { f[0], f[1], f[2], value_filter(r, STR("deadline"), FILTER_GT, (struct value){ .kind = VAL_INT }) };
	return err ? err : count(r, t, late, 4, &part->overdue);
}

// In the order of the menu of sections, then of the types.
static int section_rank(const struct registry *reg, struct str section)
{
	const struct menu *m = registry_menu(reg, STR("dossier_section"));
	for (size_t i = 0; m && i < m->nitems; i++)
		if (str_eq(m->items[i].value, section))
			return (int)i;
	return INT32_MAX;
}

static void sort_parts(const struct reading *r)
{
	struct dossier_part *v = r->v->v;
	for (size_t i = 1; i < r->v->n; i++) // few; in place, keeps the order of equals
		for (size_t k = i; k > 0; k--) {
			struct dossier_part here = v[k];
			if (section_rank(r->reg, v[k - 1].t->dossier.section) <= section_rank(r->reg, here.t->dossier.section))
				break;
			v[k] = v[k - 1];
			v[k - 1] = here;
		}
}

enum err dossier_read(struct db *db, const struct registry *reg, int64_t enterprise, const struct identity *by, size_t items,
                      struct arena *a, struct dossier_view *ret, struct problem *p)
{
	struct reading r = { .db = db, .reg = reg, .by = by, .a = a, .v = ret, .items = items, .p = p };
	*ret = (struct dossier_view){ .t = registry_type(reg, STR("enterprise")), .v = arena_many(a, reg->ntypes, struct dossier_part) };
	if (!ret->t || !auth_may_read(by, ret->t))
		return ERR_NOT_FOUND;
	struct scope scope = auth_scope(by, ret->t);
	enum err err = records_get(db, &ret->t->table, &scope, enterprise, a, &ret->enterprise);
	for (size_t i = 0; i < reg->ntypes && !err; i++) {
		const struct type *t = &reg->types[i];
		if (t->dossier.section.n && t != ret->t && auth_may_read(by, t))
			err = read_part(&r, t, &ret->v[ret->n++]);
	}
	for (size_t i = 0; i < ret->n && !err; i++) {
		ret->need += ret->v[i].need;
		ret->have += ret->v[i].need && ret->v[i].complete;
	}
	sort_parts(&r);
	return err;
}

// ---- paper -------------------------------------------------------------------------------------
static void put_enterprise(struct paper *p, struct words *w, const struct dossier_view *v, const struct identity *by, struct arena *a)
{
	size_t n = 0;
	struct str *cells = arena_many(a, 2 * v->t->nfields + 1, struct str);
	for (size_t i = 0; i < v->t->nfields; i++) {
		const struct field *f = &v->t->fields[i];
		bool shown = f->kind != FIELD_SHAPE && !f->expert && auth_may_read_field(by, f);
		struct str s = shown ? words_field(w, v->t, f, &v->enterprise, a).text : STR_EMPTY;
		if (!s.n)
			continue;
		cells[2 * n] = f->label.zh;
		cells[2 * n++ + 1] = s;
	}
	paper_put_table(p, &(struct paper_table){ .columns = 2, .widths = (double[]){ 1, 3 }, .cells = cells, .rows = n, .first_bold = true });
}

static void put_part(struct paper *p, struct words *w, const struct dossier_part *part, struct arena *a)
{
	static const struct str head[] = { { "编号", 6 }, { "名称", 6 }, { "状态", 6 }, { "更新时间", 12 } };
	struct str *cells = arena_many(a, 4 * part->nitems + 1, struct str);
	paper_text(p, arena_printf(a, "%.*s：共 %lld 项，未办结 %lld 项，逾期 %lld 项%s", STR_FMT(part->t->label.zh), (long long)part->total, (long long)part->open,
	                           (long long)part->overdue, !part->need ? "" : part->complete ? "；应有，已有" : part->total ? "；应有，已过期" : "；应有，缺"), false);
	for (size_t i = 0; i < part->nitems; i++) {
		const struct row *row = &part->items[i];
		cells[4 * i] = row->c.number;
		cells[4 * i + 1] = row->c.title;
		cells[4 * i + 2] = words_common(w, part->t, STR("state"), row, a).text;
		cells[4 * i + 3] = words_time(row->c.changed_at, a);
	}
	if (part->nitems)
		paper_put_table(p, &(struct paper_table){ .columns = 4, .widths = (double[]){ 2, 4, 1.5, 2 }, .head = head, .cells = cells,
		                                          .rows = part->nitems });
}

enum err dossier_paper(struct db *db, const struct registry *reg, const struct dossier_view *v, const struct identity *by,
                       struct str office, int64_t at, struct arena *a, struct str *ret_pdf)
{
	struct words *w = words_new(db, reg, by, false);
	struct paper_options o = { .title = v->enterprise.c.title, .at = at, .watermark = STR_EMPTY };
	struct paper *p = paper_new(&o);
	struct str section = STR_EMPTY;
	paper_title(p, arena_printf(a, "%.*s 安全生产一企一档", STR_FMT(v->enterprise.c.title)));
	paper_note(p, arena_printf(a, "%.*s　%.*s", STR_FMT(office), STR_FMT(words_time(at, a))));
	put_enterprise(p, w, v, by, a);
	if (v->need)
		paper_text(p, arena_printf(a, "完整度：应有 %lld 类，已有 %lld 类，%lld ÷ %lld = %.1f%%", (long long)v->need, (long long)v->have, (long long)v->have,
		                           (long long)v->need, 100.0 * (double)v->have / (double)v->need), false);
	for (size_t i = 0; i < v->n; i++) {
		if (!str_eq(section, v->v[i].t->dossier.section))
			paper_heading(p, dossier_section_label(reg, v->v[i].t->dossier.section).zh);
		section = v->v[i].t->dossier.section;
		put_part(p, w, &v->v[i], a);
	}
	words_free(w);
	return paper_end(p, a, ret_pdf);
}
