// A document on paper: each block of its description put on the pages with what the record says now. Reads only; one thread
// a call, the one that holds the connection.
#include "alarm/alarm.h"
#include "base/limits.h"
#include "base/time.h"
#include "base/workday.h"
#include "report/document.h"
#include "report/paper.h"
#include "store/audit.h"
#include "store/files.h"

struct maker {
	const struct making *m;
	struct paper *paper;
	struct words *words;
	struct arena *a;
};

// ---- words -------------------------------------------------------------------------------------
static struct str day_text(int64_t us, struct arena *a)
{
	struct civil c = time_to_civil(us, time_zone());
	return arena_printf(a, "%d年%d月%d日", c.year, c.month, c.day);
}

static struct str time_words(int64_t us, struct arena *a)
{
	struct civil c = time_to_civil(us, time_zone());
	return arena_printf(a, "%d年%d月%d日%02d时%02d分", c.year, c.month, c.day, c.hour, c.min);
}

// In running text dates are written out.
static struct str written(struct maker *k, struct word w)
{
	if (w.kind == WORD_DATE)
		return day_text((int64_t)w.number * 86400 * US_PER_S - time_zone() * 60 * US_PER_S, k->a);
	return w.kind == WORD_TIME ? time_words(w.at, k->a) : w.text;
}

static struct word column_word(struct maker *k, const struct type *t, struct str name, const struct row *row)
{
	const struct field *f = type_field(t, name);
	return f ? words_field(k->words, t, f, row, k->a) : words_common(k->words, t, name, row, k->a);
}

static struct str doc_word(struct maker *k, struct str name)
{
	const struct making *m = k->m;
	if (str_is(name, "number"))
		return m->number.n ? m->number : STR("〔编号待定〕");
	if (str_is(name, "date"))
		return day_text(m->at, k->a);
	if (str_is(name, "time"))
		return time_words(m->at, k->a);
	if (str_is(name, "office"))
		return m->office;
	if (str_is(name, "person"))
		return m->by->title.n ? m->by->title : m->by->name;
	if (str_is(name, "period"))
		return m->period.name;
	if (str_is(name, "from"))
		return day_text(m->period.from, k->a);
	return str_is(name, "to") ? day_text(m->period.to - 1, k->a) : STR_EMPTY;
}

// One step through a reference. What the reader may not see of the other type is not on the paper either.
static struct str step_word(struct maker *k, const struct piece *pc)
{
	const struct making *m = k->m;
	const struct field *f = type_field(m->d->t, pc->ref);
	struct str type = f ? f->to : str_is(pc->ref, "enterprise") ? STR("enterprise") : STR("person");
	const struct value *v = f && f->ncols ? &m->row->vals[f->col] : NULL;
	int64_t id = v ? (v->kind == VAL_INT ? v->i : 0) :
		     str_is(type, "enterprise") ? m->row->c.enterprise : str_is(pc->ref, "created_by") ? m->row->c.created_by : m->row->c.changed_by;
	const struct type *to = registry_type(m->reg, type);
	struct row row;
	if (!to || id <= 0 || !auth_may_read(m->by, to) || records_get(m->db, &to->table, NULL, id, k->a, &row))
		return STR_EMPTY;
	return written(k, column_word(k, to, pc->text, &row));
}

static struct str menu_word(const struct expr *e, struct str value)
{
	for (size_t i = 0; i < e->root->nitems; i++)
		if (str_eq(e->root->items[i].value, value))
			return e->root->items[i].zh;
	return value;
}

static struct str expr_word(struct maker *k, const struct expr *e)
{
	char text[F64_TEXT_MAX];
	struct expr_value v = flow_eval(k->m->db, k->m->reg, k->m->d->t, e, k->m->row, k->m->by, k->a, NULL);
	if (v.kind == EXPR_NUMBER)
		return arena_str(k->a, str_from(text, f64_text(v.f, text)));
	if (v.kind == EXPR_BOOL)
		return v.i ? STR("是") : STR("否");
	if (v.kind == EXPR_DATE)
		return day_text(expr_day_start(v.i, time_zone()), k->a);
	if (v.kind == EXPR_TIME)
		return time_words(v.i, k->a);
	if (v.kind == EXPR_MENU)
		return menu_word(e, v.s);
	return v.kind == EXPR_TEXT ? v.s : STR_EMPTY;
}

static struct str phrase_text(struct maker *k, const struct phrase *ph)
{
	struct str all = STR_EMPTY;
	for (size_t i = 0; i < ph->n; i++) {
		const struct piece *pc = &ph->v[i];
		struct str one = pc->text;
		if (pc->kind == PIECE_DOC)
			one = doc_word(k, pc->text);
		else if (pc->kind == PIECE_NAME)
			one = written(k, column_word(k, k->m->d->t, pc->text, k->m->row));
		else if (pc->kind == PIECE_STEP)
			one = step_word(k, pc);
		else if (pc->kind == PIECE_EXPR)
			one = expr_word(k, pc->e);
		all = arena_printf(k->a, "%.*s%.*s", STR_FMT(all), STR_FMT(one));
	}
	return all;
}

static struct str column_label(struct maker *k, const struct type *t, struct str name)
{
	static const struct { const char *name, *zh; } commons[] = {
		{ "number", "编号" }, { "title", "名称" }, { "state", "状态" }, { "area", "行政区划" }, { "enterprise", "企业" }, { "sector", "行业" },
		{ "deadline", "办理期限" }, { "created_at", "登记时间" }, { "created_by", "登记人" }, { "changed_at", "更新时间" }, { "changed_by", "更新人" },
		{ "state_at", "进入状态时间" }, { "escalated", "升级次数" },
	};
	const struct field *f = type_field(t, name);
	if (f)
		return f->unit.zh.n ? arena_printf(k->a, "%.*s（%.*s）", STR_FMT(f->label.zh), STR_FMT(f->unit.zh)) : f->label.zh;
	for (size_t i = 0; i < ARRAY_LEN(commons); i++)
		if (str_is(name, commons[i].name))
			return str_of(commons[i].zh);
	return name;
}

// ---- blocks of a record ------------------------------------------------------------------------
static void put_fields(struct maker *k, const struct block *b)
{
	struct str *cells = arena_many(k->a, 2 * b->nnames, struct str);
	for (size_t i = 0; i < b->nnames; i++) {
		cells[2 * i] = column_label(k, k->m->d->t, b->names[i]);
		cells[2 * i + 1] = column_word(k, k->m->d->t, b->names[i], k->m->row).text;
	}
	paper_put_table(k->paper, &(struct paper_table){ .columns = 2, .widths = (double[]){ 1, 3 }, .cells = cells, .rows = b->nnames,
	                                                 .first_bold = true });
}

static void put_table(struct maker *k, struct str field)
{
	const struct field *f = type_field(k->m->d->t, field);
	struct str *cells, *head = arena_many(k->a, f->ncolumns + 1, struct str);
	double *widths = arena_many(k->a, f->ncolumns + 1, double);
	if (!auth_may_read_field(k->m->by, f))
		return;
	size_t n = words_rows(k->words, f, &k->m->row->vals[f->col], k->a, &cells);
	for (size_t i = 0; i < f->ncolumns; i++) {
		head[i] = f->columns[i].label.zh;
		widths[i] = f->columns[i].kind == FIELD_TEXT ? 2 : 1;
	}
	paper_put_table(k->paper, &(struct paper_table){ .columns = f->ncolumns, .widths = widths, .head = head, .cells = cells, .rows = n });
}

static struct str action_word(struct maker *k, struct str action)
{
	static const struct { const char *name, *zh; } plain[] = {
		{ "create", "登记" }, { "edit", "修改" }, { "update", "修改" }, { "retire", "停用" }, { "overdue", "逾期提醒" }, { "document", "出具文书" },
	};
	struct str name = action, verb = str_cut(&name, ':');
	const struct move *m = name.n ? type_move(k->m->d->t, name) : NULL;
	if (m)
		return m->label.zh;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (str_is(verb, plain[i].name))
			return str_of(plain[i].zh);
	return action;
}

static void put_history(struct maker *k)
{
	static const struct str head[] = { { "时间", 6 }, { "经办人", 9 }, { "事项", 6 } };
	struct audit_entry *v;
	size_t n;
	if (audit_list(k->m->db, k->m->d->t->name, k->m->row->c.id, 0, 200, k->a, &v, &n))
		return;
	struct str *cells = arena_many(k->a, 3 * n, struct str);
	for (size_t i = 0; i < n; i++) { // oldest first
		const struct audit_entry *e = &v[n - 1 - i];
		cells[3 * i] = words_time(e->at, k->a);
		cells[3 * i + 1] = e->actor_name.n ? e->actor_name : STR("系统");
		cells[3 * i + 2] = action_word(k, e->action);
	}
	paper_put_table(k->paper, &(struct paper_table){ .columns = 3, .widths = (double[]){ 2, 2, 3 }, .head = head, .cells = cells, .rows = n });
}

static struct str photo_caption(struct maker *k, const struct file_info *i)
{
	struct str at = words_time(i->taken_at, k->a);
	return at.n ? arena_printf(k->a, "%.*s  %.*s", STR_FMT(i->name), STR_FMT(at)) : i->name;
}

static void put_photos(struct maker *k, struct str field)
{
	struct file_info *v;
	size_t n;
	if (files_of(k->m->db, k->m->d->t->name, k->m->row->c.id, k->a, &v, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		struct arena *own on_scope_exit(arena_freep) = arena_new(0);
		struct str bytes = STR_EMPTY;
		if (!str_eq(v[i].field, field))
			continue;
		bool picture = str_is(file_group(v[i].mime), "image") && v[i].size < (int64_t)(16u << 20);
		if (picture && files_read(k->m->store, &v[i], own, &bytes))
			bytes = STR_EMPTY;
		paper_picture(k->paper, bytes, v[i].mime, photo_caption(k, &v[i]));
	}
	paper_pictures_end(k->paper);
}

static void put_sign(struct maker *k, const struct block *b)
{
	for (size_t i = 0; i < b->nnames; i++)
		paper_text(k->paper, arena_printf(k->a, "%.*s：＿＿＿＿＿＿＿＿　　日期：＿＿＿＿＿＿＿＿", STR_FMT(b->names[i])), false);
}

// ---- blocks of a report ------------------------------------------------------------------------
// "from" and "to" as the column holds times: us, or the text of a date.
static struct value limit_value(struct maker *k, const struct type *t, struct str column, int64_t us)
{
	const struct field *f = type_field(t, column);
	struct civil c = time_to_civil(us, time_zone());
	if (f && f->kind == FIELD_DATE)
		return (struct value){ .kind = VAL_TEXT, .s = arena_printf(k->a, "%04d-%02d-%02d", c.year, c.month, c.day) };
	return (struct value){ .kind = VAL_INT, .i = us };
}

static struct list_query list_of(struct maker *k, const struct block *b)
{
	struct filter *v, *all;
	size_t n;
	flow_list_filters(b->t, b->list, k->m->by, k->a, &v, &n);
	all = arena_many(k->a, n + 4, struct filter);
	for (size_t i = 0; i < n; i++)
		all[i] = v[i];
	struct value *limits = arena_many(k->a, 4, struct value);
	if (b->own && k->m->row) {
		limits[2] = (struct value){ .kind = VAL_INT, .i = k->m->row->c.enterprise, .s = STR_EMPTY };
		all[n++] = (struct filter){ .column = STR("enterprise"), .op = FILTER_EQ, .vals = &limits[2], .nvals = 1 };
	}
	if (b->of.n && k->m->row) {
		limits[3] = (struct value){ .kind = VAL_INT, .i = k->m->row->c.id, .s = STR_EMPTY };
		all[n++] = (struct filter){ .column = b->of, .op = FILTER_EQ, .vals = &limits[3], .nvals = 1 };
	}
	if (b->column.n) {
		limits[0] = limit_value(k, b->t, b->column, k->m->period.from);
		limits[1] = limit_value(k, b->t, b->column, k->m->period.to);
		all[n++] = (struct filter){ .column = b->column, .op = FILTER_GE, .vals = &limits[0], .nvals = 1 };
		all[n++] = (struct filter){ .column = b->column, .op = FILTER_LT, .vals = &limits[1], .nvals = 1 };
	}
	return (struct list_query){ .filters = all, .nfilters = n, .cond = flow_list_cond(k->m->reg, b->list, k->m->by, k->a),
	                            .sorts = b->list->sorts, .nsorts = b->list->nsorts,
	                            .limit = MAX(b->max, (size_t)1) };
}

static struct str key_word(struct maker *k, const struct type *t, struct str column, struct value v)
{
	const struct field *f = type_field(t, column);
	struct value *vals = arena_many(k->a, MAX(t->table.ncols, (size_t)1), struct value);
	struct row row = { .vals = vals };
	if (v.kind == VAL_NULL || (v.kind == VAL_TEXT && !v.s.n))
		return STR("（未填）");
	if (f && f->ncols)
		vals[f->col] = v;
	else if (str_is(column, "state"))
		row.c.state = v.s;
	else if (str_is(column, "area"))
		row.c.area = v.s;
	else if (str_is(column, "sector"))
		row.c.sector = v.s;
	else if (str_is(column, "enterprise"))
		row.c.enterprise = v.i;
	struct str s = column_word(k, t, column, &row).text;
	return s.n ? s : STR("（未填）");
}

static void put_counts(struct maker *k, const struct block *b, const struct scope *scope, const struct list_query *lq)
{
	struct value *keys;
	int64_t *counts;
	size_t n;
	if (records_count_by(k->m->db, &b->t->table, scope, b->by, lq, k->a, &keys, &counts, &n))
		return;
	struct str *cells = arena_many(k->a, 2 * n, struct str);
	for (size_t i = 0; i < n; i++) {
		cells[2 * i] = key_word(k, b->t, b->by, keys[i]);
		cells[2 * i + 1] = arena_printf(k->a, "%lld", (long long)counts[i]);
	}
	struct str head[] = { column_label(k, b->t, b->by), STR("数量") };
	paper_put_table(k->paper, &(struct paper_table){ .columns = 2, .widths = (double[]){ 3, 1 }, .head = head, .cells = cells, .rows = n });
}

static void put_rows(struct maker *k, const struct block *b, const struct row *rows, size_t n)
{
	size_t columns = MIN(b->list->nshow, (size_t)7);
	struct str *head = arena_many(k->a, columns + 1, struct str), *cells = arena_many(k->a, columns * n + 1, struct str);
	double *widths = arena_many(k->a, columns + 1, double);
	for (size_t c = 0; c < columns; c++) {
		struct str name = b->list->show[c];
		head[c] = column_label(k, b->t, name);
		widths[c] = str_eq(name, b->t->title) || str_is(name, "title") || str_is(name, "enterprise") ? 2 : 1;
		for (size_t i = 0; i < n; i++)
			cells[i * columns + c] = column_word(k, b->t, name, &rows[i]).text;
	}
	if (columns)
		paper_put_table(k->paper, &(struct paper_table){ .columns = columns, .widths = widths, .head = head, .cells = cells, .rows = n });
}

static void put_list(struct maker *k, const struct block *b)
{
	struct list_query lq = list_of(k, b);
	struct scope scope = auth_scope(k->m->by, b->t);
	struct row *rows;
	size_t n;
	int64_t total = 0;
	struct problem p;
	problem_init(&p, k->a);
	if (!auth_may_read(k->m->by, b->t) || records_list(k->m->db, &b->t->table, &scope, &lq, k->a, &rows, &n, &total, &p))
		return;
	paper_text(k->paper, arena_printf(k->a, "%.*s（%.*s）：%lld 项", STR_FMT(b->t->label.zh), STR_FMT(b->list->label.zh), (long long)total), true);
	if (b->by.n)
		put_counts(k, b, &scope, &lq);
	else if (n && b->max)
		put_rows(k, b, rows, n);
	if (!b->by.n && b->max && total > (int64_t)n)
		paper_note(k->paper, arena_printf(k->a, "仅列出前 %zu 项。", n));
}

static void put_alarms(struct maker *k)
{
	static const struct { const char *color, *zh; } colors[] = { { "red", "红色" }, { "orange", "橙色" }, { "yellow", "黄色" }, { "blue", "蓝色" } };
	static const struct str head[] = { { "等级", 6 }, { "本期发生", 12 }, { "其中已恢复", 15 }, { "其中已确认", 15 }, { "期末仍未关闭", 18 } };
	struct str cells[5 * ARRAY_LEN(colors)];
	for (size_t i = 0; i < ARRAY_LEN(cells); i++)
		cells[i] = i % 5 ? STR("0") : str_of(colors[i / 5].zh);
	struct query q;
	query_begin(&q, k->m->db, STMT_ALARM_PERIOD);
	query_i64(&q, 1, k->m->period.from);
	query_i64(&q, 2, k->m->period.to);
	while (query_row(&q)) {
		struct str color = query_get_str(&q, 0, k->a);
		for (size_t i = 0; i < ARRAY_LEN(colors); i++)
			for (int c = 1; c < 5 && str_is(color, colors[i].color); c++)
				cells[5 * i + (size_t)c] = arena_printf(k->a, "%lld", (long long)query_get_i64(&q, c));
	}
	if (query_end(&q))
		return;
	paper_put_table(k->paper, &(struct paper_table){ .columns = 5, .widths = (double[]){ 1, 1, 1, 1, 1 }, .head = head, .cells = cells,
	                                                 .rows = ARRAY_LEN(colors) });
}

// ---- indicators --------------------------------------------------------------------------------
static struct str figure_word(struct maker *k, const struct indicator *i, const struct figure *f)
{
	if (!f->has)
		return STR("无数据");
	return arena_printf(k->a, "%.*f%s%.*s", i->decimals, f->value, i->unit.zh.n ? " " : "", STR_FMT(i->unit.zh));
}

static struct str light_word(struct maker *k, const struct measure_ask *q, const struct indicator *i, const struct figure *f)
{
	struct target t = { .light = STR_EMPTY };
	struct str area = f->key.kind == VAL_TEXT && q->dim == DIM_AREA ? f->key.s : STR_EMPTY;
	if (measure_target(q, i, f, area, &t))
		return STR_EMPTY;
	(void)k;
	return str_is(t.light, "green") ? STR("达标") : str_is(t.light, "amber") ? STR("接近目标") : str_is(t.light, "red") ? STR("未达标") : STR_EMPTY;
}

static struct str figure_key(struct maker *k, const struct measure_ask *q, struct value v)
{
	const struct menu *sectors = registry_menu(k->m->reg, STR("sector"));
	const struct menu_item *item = sectors && v.kind == VAL_TEXT ? menu_item(sectors, v.s) : NULL;
	if (q->dim == DIM_AREA && v.kind == VAL_TEXT)
		return words_area(k->words, v.s);
	if (q->dim == DIM_ENTERPRISE && v.kind == VAL_INT)
		return words_title(k->words, STR("enterprise"), v.i);
	return item ? item->label.zh : v.kind == VAL_TEXT && v.s.n ? v.s : STR("（未填）");
}

static void put_figures(struct maker *k, const struct block *b, const struct measures *ms)
{
	struct problem p;
	struct figure *v;
	size_t n;
	problem_init(&p, k->a);
	const struct indicator *i = indicator_find(ms, b->indicator->name);
	int64_t in = k->m->d->t ? k->m->at : k->m->period.to - 1;
	struct measure_ask q = { .db = k->m->db, .m = ms, .by = k->m->by, .arena = k->a, .p = &p, .now = k->m->at,
				 .period = period_at(i->period, in, false, k->a), .tier = 9,
				 .dim = str_is(b->by, "area") ? DIM_AREA : str_is(b->by, "sector") ? DIM_SECTOR :
					str_is(b->by, "enterprise") ? DIM_ENTERPRISE : DIM_NONE };
	if (!indicator_visible(ms, i, k->m->by) || measure_figures(&q, i, &v, &n))
		return;
	if (q.dim == DIM_NONE && n) {
		struct str value = figure_word(k, i, &v[0]), light = light_word(k, &q, i, &v[0]);
		paper_text(k->paper, arena_printf(k->a, "%.*s（%.*s）：%.*s%s%.*s", STR_FMT(i->label.zh), STR_FMT(q.period.name), STR_FMT(value),
		                                  light.n ? "，" : "", STR_FMT(light)), true);
		return;
	}
	struct str *cells = arena_many(k->a, 3 * n + 1, struct str), head[] = { i->label.zh, q.period.name, STR("评价") };
	for (size_t r = 0; r < n; r++) {
		cells[3 * r] = figure_key(k, &q, v[r].key);
		cells[3 * r + 1] = figure_word(k, i, &v[r]);
		cells[3 * r + 2] = light_word(k, &q, i, &v[r]);
	}
	paper_put_table(k->paper, &(struct paper_table){ .columns = 3, .widths = (double[]){ 2, 1, 1 }, .head = head, .cells = cells, .rows = n });
}

static void put_indicator(struct maker *k, const struct block *b)
{
	const struct documents *ds = documents_take(k->m->reg);
	if (ds->measures && b->indicator)
		put_figures(k, b, ds->measures);
	documents_give(ds);
}

// ---- the whole ---------------------------------------------------------------------------------
static void put_block(struct maker *k, const struct block *b)
{
	const struct making *m = k->m;
	if (b->when && !flow_holds(m->db, m->reg, m->d->t, b->when, m->row, m->by, k->a))
		return;
	switch (b->kind) {
	case BLOCK_HEAD: paper_head(k->paper, phrase_text(k, &b->phrase)); break;
	case BLOCK_NUMBER: paper_number(k->paper, doc_word(k, STR("number"))); break;
	case BLOCK_TITLE: paper_title(k->paper, phrase_text(k, &b->phrase)); break;
	case BLOCK_HEADING: paper_heading(k->paper, phrase_text(k, &b->phrase)); break;
	case BLOCK_TEXT: paper_text(k->paper, phrase_text(k, &b->phrase), true); break;
	case BLOCK_NOTE: paper_note(k->paper, phrase_text(k, &b->phrase)); break;
	case BLOCK_RIGHT: paper_right(k->paper, phrase_text(k, &b->phrase)); break;
	case BLOCK_FIELDS: put_fields(k, b); break;
	case BLOCK_PHOTOS: put_photos(k, b->names[0]); break;
	case BLOCK_ROWS: put_table(k, b->names[0]); break;
	case BLOCK_INDICATOR: put_indicator(k, b); break;
	case BLOCK_HISTORY: put_history(k); break;
	case BLOCK_LIST: put_list(k, b); break;
	case BLOCK_ALARMS: put_alarms(k); break;
	case BLOCK_SIGN: put_sign(k, b); break;
	case BLOCK_PAGE: paper_page(k->paper); break;
	}
}

static void put_code(struct maker *k)
{
	const struct making *m = k->m;
	if (!m->number.n)
		return;
	struct str lines[] = {
		STR("扫码验真：核对文号、日期与审计锚点"),
		arena_printf(k->a, "文号：%.*s", STR_FMT(m->number)),
		arena_printf(k->a, "审计锚点：%.*s", STR_FMT(m->anchor)),
		m->url,
	};
	paper_code(k->paper, m->url, lines, ARRAY_LEN(lines));
}

// What the dates of the record say; without them the lists have nothing in them.
static struct report_period span_of(const struct document *d, const struct row *row)
{
	struct report_period p = { .name = STR_EMPTY };
	int64_t first, last;
	const struct value *v[] = { &row->vals[d->span[0]->col], &row->vals[d->span[1]->col] };
	if (v[0]->kind == VAL_TEXT && v[1]->kind == VAL_TEXT && day_parse(v[0]->s, &first) && day_parse(v[1]->s, &last)) {
		p.from = day_start(first);
		p.to = day_start(last + 1);
	}
	return p;
}

enum err document_make(const struct making *given, struct str *ret_pdf)
{
	struct making own = *given;
	const struct making *m = &own;
	if (own.d->span[0] && own.row)
		own.period = span_of(own.d, own.row);
	static const struct identity nobody; // a report is read by many: personal data stays masked in it
	struct maker k = { .m = m, .a = m->arena, .words = words_new(m->db, m->reg, m->row ? m->by : &nobody, false) };
	struct paper_options o = { .title = m->d->label.zh, .at = m->at, .watermark = m->number.n ? STR_EMPTY : STR("预览 非正式文书") };
	k.paper = paper_new(&o);
	for (size_t i = 0; i < m->d->n; i++)
		put_block(&k, &m->d->v[i]);
	put_code(&k);
	words_free(k.words);
	return paper_end(k.paper, m->arena, ret_pdf);
}
