// packs/*/documents/*.yaml → struct documents; every mistake with its place. Runs in whichever thread loads packs.
#include <pthread.h>

#include "model/diag.h"
#include "model/exprs.h"
#include "report/document.h"

struct load {
	const struct registry *reg;
	const struct measures *measures;
	struct arena *a;
	struct diags *d;
	struct document *doc;
};

#define SAY(l, at, zh, en, ...) diag_say((l)->d, (at), zh, en, ##__VA_ARGS__)

// ---- phrases -----------------------------------------------------------------------------------
static const char *const doc_names[] = { "number", "date", "time", "office", "person", "period", "from", "to" };

static bool doc_name_ok(struct str s)
{
	for (size_t i = 0; i < ARRAY_LEN(doc_names); i++)
		if (str_is(s, doc_names[i]))
			return true;
	return false;
}

static const struct type *ref_type(const struct registry *reg, const struct type *t, struct str name)
{
	const struct field *f = type_field(t, name);
	if (f)
		return f->kind == FIELD_REF ? registry_type(reg, f->to) : NULL;
	if (str_is(name, "enterprise"))
		return registry_type(reg, STR("enterprise"));
	return str_is(name, "created_by") || str_is(name, "changed_by") ? registry_type(reg, STR("person")) : NULL;
}

static bool column_known(const struct type *t, struct str name)
{
	enum column_kind kind;
	return type_field(t, name) || type_common_column(name, &kind);
}

static size_t column_names(struct load *l, const struct type *t, struct str **ret)
{
	*ret = arena_many(l->a, t->nfields + 1, struct str);
	for (size_t i = 0; i < t->nfields; i++)
		(*ret)[i] = t->fields[i].name;
	return t->nfields;
}

static void no_column(struct load *l, const struct yaml_node *at, const struct type *t, struct str name)
{
	struct str *names;
	size_t n = column_names(l, t, &names);
	SAY(l, at, "类型“%.*s”没有“%.*s”；请改成它的字段名", "the type \"%.*s\" has no \"%.*s\"; use the name of one of its fields", STR_FMT(t->name), STR_FMT(name));
	diag_near(l->d, name, names, n);
}

static bool plain_path(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];
		if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_' || ch == '.'))
			return false;
	}
	return s.n > 0;
}

// Anything but a name or REF.NAME: an expression over the record.
static void read_expression(struct load *l, const struct yaml_node *at, struct str text, struct piece *ret)
{
	static const struct expr_name any = { .kind = EXPR_NONE };
	struct expr_ask ask = { .reg = l->reg, .t = l->doc->t, .want = &any };
	struct expr_error e;
	*ret = (struct piece){ .kind = PIECE_EXPR, .text = text, .e = type_expr(&ask, text, l->a, &e) };
	if (!ret->e)
		expr_say(l->d, at, (size_t)(text.p - at->text.p), &e);
}

static void read_piece(struct load *l, const struct yaml_node *at, struct str text, struct piece *ret)
{
	if (l->doc->t && !plain_path(str_trim(text))) {
		read_expression(l, at, text, ret);
		return;
	}
	struct str behind = str_trim(text), name = str_cut(&behind, '.');
	const struct type *t = l->doc->t;
	*ret = (struct piece){ .kind = PIECE_NAME, .text = name };
	if (str_is(name, "doc")) {
		*ret = (struct piece){ .kind = PIECE_DOC, .text = behind };
		if (!doc_name_ok(behind))
			SAY(l, at, "没有 {doc.%.*s}；可用 number date time office person period from to", "there is no {doc.%.*s}; use number date time office person period from to", STR_FMT(behind));
		return;
	}
	if (!t) {
		SAY(l, at, "报告没有字段“%.*s”；可用 {doc.period} 等", "a report has no field \"%.*s\"; use {doc.period} and the like", STR_FMT(name));
		return;
	}
	if (!behind.n) {
		if (!column_known(t, name))
			no_column(l, at, t, name);
		return;
	}
	const struct type *to = ref_type(l->reg, t, name);
	*ret = (struct piece){ .kind = PIECE_STEP, .ref = name, .text = behind };
	if (!to)
		SAY(l, at, "“%.*s”不是引用，后面不能有点", "\"%.*s\" is no reference, nothing can stand behind its dot", STR_FMT(name));
	else if (!column_known(to, behind))
		no_column(l, at, to, behind);
}

static struct phrase read_phrase(struct load *l, const struct yaml_node *n)
{
	struct phrase ph = { 0 };
	size_t cap = 0;
	struct str rest = n->text;
	if (n->kind != YAML_SCALAR) {
		SAY(l, n, "这里要一段文字", "a text is expected here");
		return ph;
	}
	while (rest.n) {
		struct str before = rest;
		struct str text = str_cut(&rest, '{');
		bool brace = text.n < before.n;
		ph.v = arena_push(l->a, ph.v, &ph.n, &cap, sizeof *ph.v);
		ph.v[ph.n - 1] = (struct piece){ .kind = PIECE_TEXT, .text = text };
		if (!brace)
			break;
		before = rest;
		struct str inside = str_cut(&rest, '}');
		if (inside.n == before.n) {
			SAY(l, n, "花括号没有关上；请补上 }", "a brace is not closed; add }");
			break;
		}
		ph.v = arena_push(l->a, ph.v, &ph.n, &cap, sizeof *ph.v);
		read_piece(l, n, inside, &ph.v[ph.n - 1]);
	}
	return ph;
}

// ---- blocks ------------------------------------------------------------------------------------
static void read_columns(struct load *l, const struct yaml_node *n, struct block *b)
{
	if (!l->doc->t) {
		SAY(l, n, "报告没有记录，不能用这一段", "a report has no record, this block has no meaning in it");
		return;
	}
	if (!yaml_strs(n, l->a, &b->names, &b->nnames, l->d))
		return;
	for (size_t i = 0; i < b->nnames; i++)
		if (!column_known(l->doc->t, b->names[i]))
			no_column(l, n->items[i], l->doc->t, b->names[i]);
}

static void read_photos(struct load *l, const struct yaml_node *n, struct block *b)
{
	const struct field *f = l->doc->t && n->kind == YAML_SCALAR ? type_field(l->doc->t, n->text) : NULL;
	b->names = arena_one(l->a, struct str);
	b->names[0] = n->kind == YAML_SCALAR ? n->text : STR_EMPTY;
	b->nnames = 1;
	if (!f)
		SAY(l, n, "这里要一个照片或文件字段；请写它的名称", "a field of photographs or files is expected here; name one");
}

static bool time_column(const struct type *t, struct str name)
{
	const struct field *f = type_field(t, name);
	if (f)
		return f->kind == FIELD_DATE || f->kind == FIELD_TIME;
	return str_is(name, "created_at") || str_is(name, "changed_at") || str_is(name, "state_at") || str_is(name, "deadline");
}

static void read_list(struct load *l, const struct yaml_node *n, const struct yaml_node *map, struct block *b)
{
	struct str list = n->kind == YAML_SCALAR ? n->text : STR_EMPTY, type = str_cut(&list, '.');
	const struct yaml_node *in = yaml_get(map, "in"), *by = yaml_get(map, "by"), *max = yaml_get(map, "max"), *own = yaml_get(map, "own"),
	                       *of = yaml_get(map, "of");
	int64_t rows = 20;
	b->t = registry_type(l->reg, type);
	b->list = b->t ? type_listing(b->t, list) : NULL;
	if (!b->t)
		SAY(l, n, "没有类型“%.*s”；请写“类型.列表”", "there is no type \"%.*s\"; write TYPE.LIST", STR_FMT(type));
	else if (!b->list)
		SAY(l, n, "类型“%.*s”没有列表“%.*s”；请改正", "the type \"%.*s\" has no list \"%.*s\"; correct it", STR_FMT(type), STR_FMT(list));
	if (!b->list)
		return;
	if (in && yaml_str(in, &b->column, l->d) && !time_column(b->t, b->column))
		SAY(l, in, "in 要指向日期或时间字段，“%.*s”不是", "in must name a date or time, \"%.*s\" is none", STR_FMT(b->column));
	if (in && l->doc->t && !l->doc->span[0])
		SAY(l, in, "只有报告和写了 period 的文书有期间；请去掉 in 或写 period", "only a report, or a document with period, has one; take in out or write period");
	if (own && yaml_bool(own, &b->own, l->d) && !l->doc->t)
		SAY(l, own, "报告不属于哪一家企业；请去掉 own", "a report is of no enterprise; take own out");
	if (of && yaml_str(of, &b->of, l->d)) {
		const struct field *f = type_field(b->t, b->of);
		if (!l->doc->t || !f || f->kind != FIELD_REF || !str_eq(f->to, l->doc->t->name))
			SAY(l, of, "of 要写“%.*s”指向本文书记录的字段，“%.*s”不是", "of must name a field of \"%.*s\" that refers to the document's record, \"%.*s\" does not",
			    STR_FMT(b->t->name), STR_FMT(b->of));
	}
	if (by && yaml_str(by, &b->by, l->d) && !column_known(b->t, b->by))
		no_column(l, by, b->t, b->by);
	if (max && yaml_i64(max, &rows, l->d) && (rows < 0 || rows > 500))
		SAY(l, max, "max 要在 0 到 500 之间", "max must be from 0 to 500");
	b->max = (size_t)MAX(rows, (int64_t)0);
}

static void read_rows(struct load *l, const struct yaml_node *n, struct block *b)
{
	const struct field *f = l->doc->t && n->kind == YAML_SCALAR ? type_field(l->doc->t, n->text) : NULL;
	b->names = arena_one(l->a, struct str);
	b->names[0] = n->kind == YAML_SCALAR ? n->text : STR_EMPTY;
	b->nnames = 1;
	if (!f || f->kind != FIELD_ROWS)
		SAY(l, n, "这里要一个表格字段（is: rows）；请写它的名称", "a field that is a table (is: rows) is expected here; name one");
}

static void read_indicator(struct load *l, const struct yaml_node *n, const struct yaml_node *map, struct block *b)
{
	static const char *const dims[] = { "area", "sector", "enterprise" };
	const struct yaml_node *by = yaml_get(map, "by");
	struct str name;
	bool known = !by;
	if (!l->measures || !yaml_str(n, &name, l->d))
		return;
	b->indicator = indicator_find(l->measures, name);
	if (!b->indicator)
		SAY(l, n, "没有指标“%.*s”；请改名，或在 indicators/ 下建立它", "there is no indicator \"%.*s\"; correct it or make it in indicators/", STR_FMT(name));
	for (size_t i = 0; by && yaml_str(by, &b->by, l->d) && i < ARRAY_LEN(dims); i++)
		known |= str_is(b->by, dims[i]);
	if (!known)
		SAY(l, by, "by 可用 area sector enterprise", "by is area, sector or enterprise");
}

static const struct {
	const char *key;
	enum block_kind kind;
} block_keys[] = {
	{ "head", BLOCK_HEAD },   { "number", BLOCK_NUMBER }, { "title", BLOCK_TITLE },   { "heading", BLOCK_HEADING }, { "text", BLOCK_TEXT },
	{ "note", BLOCK_NOTE },   { "right", BLOCK_RIGHT },   { "fields", BLOCK_FIELDS }, { "photos", BLOCK_PHOTOS },   { "history", BLOCK_HISTORY },
	{ "rows", BLOCK_ROWS },   { "indicator", BLOCK_INDICATOR },
	{ "list", BLOCK_LIST },   { "alarms", BLOCK_ALARMS }, { "sign", BLOCK_SIGN },     { "page", BLOCK_PAGE },
};

static const struct expr *read_when(struct load *l, const struct yaml_node *n)
{
	struct expr_ask ask = { .reg = l->reg, .t = l->doc->t };
	if (l->doc->t)
		return type_expr_at(&ask, n, 0, l->a, l->d);
	SAY(l, n, "报告没有记录，不能用 when", "a report has no record, when has no meaning in it");
	return NULL;
}

static void read_block(struct load *l, const struct yaml_node *map, struct block *b)
{
	static const char *const list_keys[] = { "list", "in", "by", "max", "own", "of", "when", NULL };
	static const char *const indicator_keys[] = { "indicator", "by", "when", NULL };
	const struct yaml_node *n = NULL;
	struct str names[ARRAY_LEN(block_keys)];
	for (size_t i = 0; i < ARRAY_LEN(block_keys); i++) {
		names[i] = str_of(block_keys[i].key);
		if (!n && (n = yaml_get(map, block_keys[i].key)))
			b->kind = block_keys[i].kind;
	}
	if (!n) {
		struct str key = map->kind == YAML_MAP && map->n ? map->keys[0]->text : STR_EMPTY;
		SAY(l, map, "不认识的段；可用 head number title heading text note right fields rows photos history list indicator alarms sign page",
		    "unknown block; use head number title heading text note right fields rows photos history list indicator alarms sign page");
		diag_near(l->d, key, names, ARRAY_LEN(names));
		return;
	}
	const char *one[] = { NULL, "when", NULL };
	for (size_t i = 0; i < ARRAY_LEN(block_keys); i++)
		if (block_keys[i].kind == b->kind)
			one[0] = block_keys[i].key;
	yaml_check_keys(map, b->kind == BLOCK_LIST ? list_keys : b->kind == BLOCK_INDICATOR ? indicator_keys : one, l->d);
	if (yaml_get(map, "when"))
		b->when = read_when(l, yaml_get(map, "when"));
	switch (b->kind) {
	case BLOCK_HEAD:
	case BLOCK_TITLE:
	case BLOCK_HEADING:
	case BLOCK_TEXT:
	case BLOCK_NOTE:
	case BLOCK_RIGHT: b->phrase = read_phrase(l, n); break;
	case BLOCK_FIELDS: read_columns(l, n, b); break;
	case BLOCK_PHOTOS: read_photos(l, n, b); break;
	case BLOCK_ROWS: read_rows(l, n, b); break;
	case BLOCK_INDICATOR: read_indicator(l, n, map, b); break;
	case BLOCK_LIST: read_list(l, n, map, b); break;
	case BLOCK_SIGN: (void)yaml_strs(n, l->a, &b->names, &b->nnames, l->d); break;
	case BLOCK_HISTORY:
		if (!l->doc->t)
			SAY(l, n, "报告没有记录，不能用这一段", "a report has no record, this block has no meaning in it");
		break;
	case BLOCK_NUMBER:
	case BLOCK_ALARMS:
	case BLOCK_PAGE: break;
	}
}

static void read_body(struct load *l, const struct yaml_node *n)
{
	struct document *d = l->doc;
	if (n->kind != YAML_LIST) {
		SAY(l, n, "body 要一列段落", "body must be a list of blocks");
		return;
	}
	d->v = arena_many(l->a, n->n, struct block);
	d->n = n->n;
	for (size_t i = 0; i < n->n; i++)
		read_block(l, n->items[i], &d->v[i]);
}

// ---- the document ------------------------------------------------------------------------------
static void check_number(struct load *l, const struct yaml_node *n, struct str rule)
{
	static const char *const parts[] = { "year", "month", "day", "area", "enterprise" };
	int seqs = 0;
	struct str rest = rule;
	if (str_contains(rule, STR("/")) || str_contains(rule, STR("?")) || str_contains(rule, STR("#")))
		SAY(l, n, "编号里不能有 / ? #，验真地址会断开", "a number cannot hold / ? #: the address of its verify page would break");
	while (rest.n) {
		struct str before = rest;
		if (str_cut(&rest, '{').n == before.n)
			break;
		struct str part = str_cut(&rest, '}');
		bool known = str_starts(part, STR("seq:")) && part.n == 5 && part.p[4] >= '1' && part.p[4] <= '9';
		seqs += known;
		for (size_t i = 0; i < ARRAY_LEN(parts); i++)
			known |= str_is(part, parts[i]);
		if (!known)
			SAY(l, n, "编号规则里的“{%.*s}”未知；可用 {year} {month} {day} {area} {enterprise} {seq:N}",
			    "\"{%.*s}\" is unknown in a numbering rule; use {year} {month} {day} {area} {enterprise} {seq:N}", STR_FMT(part));
	}
	if (seqs != 1)
		SAY(l, n, "编号规则里要正好有一个 {seq:N}，N 为 1 到 9", "a numbering rule needs exactly one {seq:N} with N from 1 to 9");
}

static void read_every(struct load *l, const struct yaml_node *n, const struct yaml_node *at)
{
	static const char *const names[] = { "", "day", "week", "month", "quarter", "year" };
	struct str s, clock;
	if (yaml_str(n, &s, l->d)) {
		for (size_t i = 1; i < ARRAY_LEN(names); i++)
			if (str_is(s, names[i]))
				l->doc->every = (enum report_every)i;
		if (!l->doc->every)
			SAY(l, n, "every 可用 day week month quarter year", "every is day, week, month, quarter or year");
	}
	if (!at || !yaml_str(at, &clock, l->d))
		return;
	uint64_t hour = 24, min = 60;
	struct str m = clock, h = str_cut(&m, ':');
	if (!str_to_u64(h, &hour) || !str_to_u64(m, &min) || hour > 23 || min > 59)
		SAY(l, at, "at 要写成 08:00", "at must be like 08:00");
	else
		l->doc->at = ((int64_t)hour * 60 + (int64_t)min) * 60 * US_PER_S;
}

static void read_who(struct load *l, const struct yaml_node *root)
{
	const struct yaml_node *n = yaml_get(root, "who");
	struct document *d = l->doc;
	if (!n) {
		SAY(l, root, "缺少“who”；请写哪些角色可以出具（报告：可以看）", "\"who\" is missing; name the roles that may issue it (of a report: see it)");
		return;
	}
	if (!yaml_strs(n, l->a, &d->who, &d->nwho, l->d))
		return;
	for (size_t i = 0; i < d->nwho; i++)
		if (!registry_role(l->reg, d->who[i]))
			SAY(l, n->items[i], "没有角色“%.*s”；请改名，或在 roles/ 下建立它", "there is no role \"%.*s\"; correct it or make it in roles/", STR_FMT(d->who[i]));
}

static void read_states(struct load *l, const struct yaml_node *n)
{
	struct document *d = l->doc;
	if (!d->t || !yaml_strs(n, l->a, &d->states, &d->nstates, l->d))
		return;
	for (size_t i = 0; i < d->nstates; i++)
		if (!type_state(d->t, d->states[i]))
			SAY(l, n->items[i], "类型“%.*s”没有状态“%.*s”；请改正", "the type \"%.*s\" has no state \"%.*s\"; correct it", STR_FMT(d->t->name), STR_FMT(d->states[i]));
}

static const struct yaml_node *need(struct load *l, const struct yaml_node *root, const char *key)
{
	const struct yaml_node *n = yaml_get(root, key);
	if (!n)
		SAY(l, root, "缺少“%s”；请补上", "\"%s\" is missing; add it", key);
	return n;
}

// period: [first day, last day], date fields of the record: what its lists with in: are about.
static void read_span(struct load *l, const struct yaml_node *n)
{
	struct document *d = l->doc;
	struct str *names;
	size_t count = 0;
	if (!yaml_strs(n, l->a, &names, &count, l->d))
		return;
	for (size_t i = 0; i < ARRAY_LEN(d->span) && i < count && d->t; i++)
		d->span[i] = type_field(d->t, names[i]);
	if (count != 2 || !d->span[0] || !d->span[1] || d->span[0]->kind != FIELD_DATE || d->span[1]->kind != FIELD_DATE) {
		SAY(l, n, "period 要写记录的两个日期字段 [首日, 末日]", "period names two date fields of the record, [first day, last day]");
		d->span[0] = d->span[1] = NULL;
	}
}

static void read_document(struct load *l, const struct pack_file *f)
{
	static const char *const keys[] = { "document", "label", "about", "for", "number", "who", "in", "when", "every", "at", "period", "body", NULL };
	const struct yaml_node *root = f->root, *name = need(l, root, "document"), *label = need(l, root, "label"), *of = need(l, root, "for"),
			       *body = need(l, root, "body"), *number = yaml_get(root, "number"), *about = yaml_get(root, "about");
	struct document *d = l->doc;
	struct str type = STR_EMPTY;
	yaml_check_keys(root, keys, l->d);
	d->pack = f->pack;
	d->file = f->file;
	if (name)
		(void)yaml_str(name, &d->name, l->d);
	if (label)
		(void)yaml_label(label, &d->label, l->d);
	if (about)
		(void)yaml_label(about, &d->about, l->d);
	if (of && yaml_str(of, &type, l->d) && !str_is(type, "report") && !(d->t = registry_type(l->reg, type)))
		SAY(l, of, "没有类型“%.*s”；请写一个类型或 report", "there is no type \"%.*s\"; name a type, or report", STR_FMT(type));
	bool report = str_is(type, "report");
	if (number && yaml_str(number, &d->number, l->d))
		check_number(l, number, d->number);
	else if (!number && d->t)
		SAY(l, root, "缺少“number”；请写编号规则，如 改〔{year}〕{seq:3}号", "\"number\" is missing; give a numbering rule such as 改〔{year}〕{seq:3}号");
	read_who(l, root);
	if (yaml_get(root, "in"))
		read_states(l, yaml_get(root, "in"));
	if (yaml_get(root, "when"))
		d->when = read_when(l, yaml_get(root, "when"));
	if (yaml_get(root, "period"))
		read_span(l, yaml_get(root, "period"));
	if (yaml_get(root, "every"))
		read_every(l, yaml_get(root, "every"), yaml_get(root, "at"));
	else if (report)
		SAY(l, root, "报告缺少“every”；请写 day week month quarter year", "a report needs \"every\": day, week, month, quarter or year");
	if (d->every && d->t)
		SAY(l, yaml_get(root, "every"), "只有报告能定期；请去掉 every", "only a report is made regularly; take every out");
	if (body && (d->t || report))
		read_body(l, body);
}

struct documents *documents_load(const struct registry *reg, struct arena *a, struct diags *d)
{
	struct documents *ds = arena_one(a, struct documents);
	size_t before = d->n;
	struct diags quiet = { .arena = a }; // their own mistakes are told by who owns them
	ds->reg = reg;
	ds->measures = measures_load(reg, a, &quiet);
	ds->v = arena_many(a, reg->nfiles + 1, struct document);
	for (size_t i = 0; i < reg->nfiles; i++) {
		const struct pack_file *f = &reg->files[i];
		if (!str_is(f->folder, "documents"))
			continue;
		struct load l = { .reg = reg, .measures = ds->measures, .a = a, .d = d, .doc = &ds->v[ds->n] };
		read_document(&l, f);
		const struct document *same = document_find(ds, l.doc->name);
		if (same)
			SAY(&l, f->root, "文书“%.*s”已在 %.*s 定义", "the document \"%.*s\" is already defined in %.*s", STR_FMT(same->name), STR_FMT(same->file));
		ds->n++;
	}
	return d->n == before ? ds : NULL;
}

const struct document *document_find(const struct documents *ds, struct str name)
{
	for (size_t i = 0; i < ds->n; i++)
		if (str_eq(ds->v[i].name, name))
			return &ds->v[i];
	return NULL;
}

bool document_offered(const struct document *d, const struct row *row, const struct identity *by)
{
	bool who = by->system, state = d->nstates == 0;
	for (size_t i = 0; i < d->nwho; i++)
		who |= auth_has_role(by, d->who[i]);
	for (size_t i = 0; row && i < d->nstates; i++)
		state |= str_eq(d->states[i], row->c.state);
	return who && (!row || (state && !row->c.retired));
}

bool document_fits(struct db *db, const struct registry *reg, const struct document *d, const struct row *row, const struct identity *by,
                   struct arena *a)
{
	return !d->when || (row && flow_holds(db, reg, d->t, d->when, row, by, a));
}

// ---- the set in use ----------------------------------------------------------------------------
struct kept {
	uint64_t generation;
	struct arena *arena;
	struct documents *set;
	int users;              // besides being the newest
	struct kept *next;
};
static struct kept *kept_sets; // newest first
static pthread_mutex_t kept_mutex = PTHREAD_MUTEX_INITIALIZER;

static struct kept *keep(const struct registry *reg)
{
	struct kept *k = mem_alloc(sizeof *k);
	*k = (struct kept){ .generation = reg->generation, .arena = arena_new(16 << 10), .next = kept_sets };
	struct diags d = { .arena = k->arena };
	k->set = documents_load(reg, k->arena, &d);
	if (!k->set) // cannot be: it was tried before it was put into force
		k->set = arena_one(k->arena, struct documents);
	kept_sets = k;
	return k;
}

static void drop_unused(void)
{
	for (struct kept **at = kept_sets ? &kept_sets->next : &kept_sets; *at;) {
		struct kept *k = *at;
		if (k->users) {
			at = &k->next;
			continue;
		}
		*at = k->next;
		arena_free(k->arena);
		mem_free(k);
	}
}

const struct documents *documents_take(const struct registry *reg)
{
	pthread_mutex_lock(&kept_mutex);
	struct kept *k = kept_sets;
	while (k && k->generation != reg->generation)
		k = k->next;
	if (!k)
		k = keep(reg);
	k->users++;
	drop_unused();
	pthread_mutex_unlock(&kept_mutex);
	return k->set;
}

void documents_give(const struct documents *ds)
{
	pthread_mutex_lock(&kept_mutex);
	for (struct kept *k = kept_sets; k; k = k->next)
		if (k->set == ds)
			k->users--;
	drop_unused();
	pthread_mutex_unlock(&kept_mutex);
}
