// Releasing a record: a move with release: tells the persons that the matrix names for its category and level, and from then
// on each of them owes a receipt (receipt.c). What was said stays as it was said (table release): a CAP message is made of it.
// Runs in store jobs, in the transaction of the move.
#include "base/limits.h"
#include "base/time.h"
#include "flow/change.h"

#define ROWS_MAX 1000           // of a matrix

static struct str text_at(const struct field *f, const struct row *row)
{
	return f && f->ncols && row->vals[f->col].kind == VAL_TEXT ? row->vals[f->col].s : STR_EMPTY;
}

static int64_t int_at(const struct field *f, const struct row *row)
{
	return f && f->ncols && row->vals[f->col].kind == VAL_INT ? row->vals[f->col].i : 0;
}

static bool has_word(struct str list, struct str word)
{
	while (list.n)
		if (str_eq(str_cut(&list, ','), word))
			return true;
	return false;
}

static const struct menu_item *item_at(const struct field *f, const struct row *row)
{
	struct str v = text_at(f, row);
	return f && f->menu && v.n ? menu_item(f->menu, v) : NULL;
}

// ---- the matrix ---------------------------------------------------------------------------------
struct choosing {
	struct db *db;
	const struct registry *reg;
	const struct type *m;   // of the matrix
	const struct row *rule; // a row of it
	struct audience au;     // the record that is released
	struct arena *a;
};

static struct str cell(const struct choosing *ch, const char *name) { return text_at(type_field(ch->m, str_of(name)), ch->rule); }

static double number_cell(const struct choosing *ch, const char *name, double fallback)
{
	const struct value *v = &ch->rule->vals[type_field(ch->m, str_of(name))->col];
	return v->kind == VAL_REAL ? v->f : v->kind == VAL_INT ? (double)v->i : fallback;
}

static bool rule_fits(const struct choosing *ch, struct str category, struct str level, int64_t tier)
{
	struct str categories = cell(ch, "categories");
	return int_at(type_field(ch->m, STR("enabled")), ch->rule) && (!categories.n || has_word(categories, category)) &&
	       has_word(cell(ch, "levels"), level) && (int64_t)number_cell(ch, "tier", 0) == tier;
}

// Persons of the roles: whose area covers the record, or, if the row names areas, one of those.
static enum err role_people(const struct choosing *ch, struct str role, struct people *all)
{
	int64_t *areas;
	size_t n = value_ids(&ch->rule->vals[type_field(ch->m, STR("areas"))->col], ch->a, &areas);
	const struct type *t = registry_type(ch->reg, STR("area"));
	const struct field *code = t ? type_field(t, STR("code")) : NULL;
	if (n == 0 || !code)
		return people_called(ch->db, &ch->au, role, all);
	enum err err = OK;
	for (size_t i = 0; !err && i < n; i++) {
		struct row area, there = *ch->au.row;
		struct audience au = ch->au;
		if (records_get(ch->db, &t->table, NULL, areas[i], ch->a, &area))
			continue;
		there.c.area = text_at(code, &area);
		there.c.enterprise = 0;
		au.row = &there;
		err = people_called(ch->db, &au, role, all);
	}
	return err;
}

static enum err members(const struct choosing *ch, const char *list, const char *column, struct people *all)
{
	int64_t *ids;
	size_t n = value_ids(&ch->rule->vals[type_field(ch->m, str_of(list))->col], ch->a, &ids);
	enum err err = OK;
	for (size_t i = 0; !err && i < n; i++) {
		struct value id = { .kind = VAL_INT, .i = ids[i] };
		struct filter f = { str_of(column), FILTER_EQ, &id, 1 };
		err = people_where(ch->db, &ch->au, &f, false, all);
	}
	return err;
}

static struct str channels_union(struct str a, struct str b, struct arena *arena)
{
	while (b.n) {
		struct str one = str_cut(&b, ',');
		if (one.n && !has_word(a, one))
			a = arena_printf(arena, "%.*s%s%.*s,", STR_FMT(a), a.n ? "" : ",", STR_FMT(one));
	}
	return a;
}

static struct str person_name(const struct choosing *ch, int64_t id)
{
	const struct type *t = registry_type(ch->reg, STR("person"));
	struct row row;
	return t && records_get(ch->db, &t->table, NULL, id, ch->a, &row) == OK ? row.c.title : STR_EMPTY;
}

static void recipient_add(const struct choosing *ch, int64_t person, struct recipients *ret)
{
	int64_t wait = (int64_t)(number_cell(ch, "wait", 0) * (double)US_PER_MIN), times = (int64_t)number_cell(ch, "times", 1);
	struct str channels = cell(ch, "channels");
	struct recipient *r = NULL;
	for (size_t i = 0; i < ret->n && !r; i++)
		r = ret->v[i].person == person ? &ret->v[i] : NULL;
	if (r) { // several rows name him: the shorter time, all channels
		r->wait = r->wait && wait ? MIN(r->wait, wait) : MAX(r->wait, wait);
		r->times = MAX(r->times, times);
		r->channels = channels_union(r->channels, channels, ch->a);
		return;
	}
	ret->v = arena_push(ch->a, ret->v, &ret->n, &ret->cap, sizeof *ret->v);
	ret->v[ret->n - 1] = (struct recipient){ .person = person, .wait = wait, .times = times, .name = person_name(ch, person),
		                                 .channels = channels_union(STR_EMPTY, channels, ch->a) };
}

static enum err rule_people(const struct choosing *ch, struct recipients *ret)
{
	struct people all = { .a = ch->a };
	struct str roles = cell(ch, "roles");
	enum err err = OK;
	while (!err && roles.n) {
		struct str role = str_cut(&roles, ',');
		if (role.n)
			err = role_people(ch, role, &all);
	}
	if (!err)
		err = members(ch, "organisations", "organisation", &all);
	if (!err)
		err = members(ch, "enterprises", "enterprise", &all);
	for (size_t i = 0; !err && i < all.n; i++)
		recipient_add(ch, all.v[i], ret);
	ret->webhook |= has_word(cell(ch, "channels"), STR("webhook"));
	return err;
}

enum err release_recipients(struct db *db, const struct registry *reg, const struct type *t, const struct row *row, int64_t tier,
                            struct arena *a, struct recipients *ret)
{
	struct problem p;
	struct row *rules;
	size_t n;
	const struct releasing *r = &t->release;
	struct list_query lq = { .text = STR_EMPTY, .limit = ROWS_MAX };
	struct choosing ch = { .db = db, .reg = reg, .m = r->matrix, .au = { .reg = reg, .t = t, .row = row, .kind = "release" }, .a = a };
	problem_init(&p, a);
	enum err err = records_list(db, &r->matrix->table, NULL, &lq, a, &rules, &n, NULL, &p);
	for (size_t i = 0; !err && i < n; i++) {
		ch.rule = &rules[i];
		if (rule_fits(&ch, text_at(r->category, row), text_at(r->level, row), tier))
			err = rule_people(&ch, ret);
	}
	return err;
}

// ---- what is said -------------------------------------------------------------------------------
static struct str verb(enum release msg, bool zh)
{
	switch (msg) {
	case RELEASE_UPDATE: return zh ? STR("更新") : STR("Updated:");
	case RELEASE_UPGRADE: return zh ? STR("升级为") : STR("Upgraded to");
	case RELEASE_DOWNGRADE: return zh ? STR("降级为") : STR("Downgraded to");
	case RELEASE_CANCEL: return zh ? STR("解除") : STR("Lifted:");
	case RELEASE_NONE:
	case RELEASE_ALERT: break;
	}
	return zh ? STR("发布") : STR("Released:");
}

static struct label release_text(const struct change *ch, enum release msg, const struct row *row, struct str reason)
{
	const struct menu_item *level = item_at(ch->t->release.level, row), *category = item_at(ch->t->release.category, row);
	struct label l = level ? level->label : (struct label){ STR_EMPTY, STR_EMPTY };
	struct label c = category ? category->label : (struct label){ STR("未分类"), STR("no category") };
	const struct common *k = &row->c;
	struct str why_zh = reason.n ? arena_printf(ch->a, "，原因：%.*s", STR_FMT(reason)) : STR_EMPTY;
	struct str why_en = reason.n ? arena_printf(ch->a, ", reason: %.*s", STR_FMT(reason)) : STR_EMPTY;
	return (struct label){
		arena_printf(ch->a, "%.*s%.*s%.*s（%.*s）%.*s：%.*s%.*s。请确认收到", STR_FMT(verb(msg, true)), STR_FMT(l.zh),
		             STR_FMT(ch->t->label.zh), STR_FMT(c.zh), STR_FMT(k->number), STR_FMT(k->title), STR_FMT(why_zh)),
		arena_printf(ch->a, "%.*s %.*s %.*s (%.*s) %.*s: %.*s%.*s. Please confirm that you have it", STR_FMT(verb(msg, false)),
		             STR_FMT(l.en), STR_FMT(ch->t->label.en), STR_FMT(c.en), STR_FMT(k->number), STR_FMT(k->title), STR_FMT(why_en)),
	};
}

// ---- facts: what a CAP message will say --------------------------------------------------------
static void word_over(struct str *to, struct str from)
{
	if (from.n)
		*to = from;
}

// The words of all menu fields, a later field over an earlier one.
static struct cap_words words_of(const struct type *t, const struct row *row)
{
	struct cap_words w = { STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY };
	for (size_t i = 0; i < t->nfields; i++) {
		const struct menu_item *item = t->fields[i].kind == FIELD_MENU ? item_at(&t->fields[i], row) : NULL;
		if (!item)
			continue;
		word_over(&w.category, item->cap.category);
		word_over(&w.response, item->cap.response);
		word_over(&w.urgency, item->cap.urgency);
		word_over(&w.severity, item->cap.severity);
		word_over(&w.certainty, item->cap.certainty);
	}
	return w;
}

// The position of what the record refers to: the last of its fields that has one (a point stands after its enterprise).
static bool position_of(const struct change *ch, const struct row *row, double *lon, double *lat)
{
	bool found = false;
	for (size_t i = 0; i < ch->t->nfields; i++) {
		const struct field *f = &ch->t->fields[i];
		const struct type *to = f->kind == FIELD_REF ? registry_type(ch->reg, f->to) : NULL;
		const struct field *g = to && to->geometry.n ? type_field(to, to->geometry) : NULL;
		int64_t id = g && g->kind == FIELD_POSITION ? row_ref(ch->t, f->name, row) : 0;
		struct row at;
		if (!id || records_get(ch->db, &to->table, NULL, id, ch->a, &at) || at.vals[g->col].kind != VAL_REAL)
			continue;
		*lon = at.vals[g->col].f;
		*lat = at.vals[g->col + 1].f;
		found = true;
	}
	return found;
}

static void place_json(const struct change *ch, struct jw *w, const struct row *row)
{
	const struct releasing *r = &ch->t->release;
	const struct type *areas = registry_type(ch->reg, STR("area")), *firms = registry_type(ch->reg, STR("enterprise"));
	struct value code = { .kind = VAL_TEXT, .s = row->c.area };
	struct row area, firm;
	double lon, lat;
	jw_kstr(w, "area", row->c.area);
	if (areas && row->c.area.n && records_find(ch->db, &areas->table, NULL, STR("code"), code, ch->a, &area) == OK)
		jw_kstr(w, "area_title", area.c.title);
	if (firms && row->c.enterprise && records_get(ch->db, &firms->table, NULL, row->c.enterprise, ch->a, &firm) == OK)
		jw_kstr(w, "enterprise_title", firm.c.title);
	if (text_at(r->shape, row).n) {
		jw_key(w, "shape");
		jw_raw(w, text_at(r->shape, row));
	}
	if (position_of(ch, row, &lon, &lat)) {
		jw_kf64(w, "lon", lon);
		jw_kf64(w, "lat", lat);
		if (r->radius && row->vals[r->radius->col].kind == VAL_REAL)
			jw_kf64(w, "radius", row->vals[r->radius->col].f);
	}
}

static void item_json(struct jw *w, const char *key, const struct menu_item *item)
{
	jw_kobj(w, key);
	jw_kstr(w, "value", item ? item->value : STR_EMPTY);
	jw_kstr(w, "zh", item ? item->label.zh : STR_EMPTY);
	jw_kstr(w, "en", item ? item->label.en : STR_EMPTY);
	jw_end(w);
}

static void texts_json(struct jw *w, const char *key, const struct field *const *f, const struct row *row)
{
	jw_kobj(w, key);
	jw_kstr(w, "zh", text_at(f[0], row));
	jw_kstr(w, "en", text_at(f[1], row));
	jw_end(w);
}

static struct str release_facts(const struct change *ch, const struct row *row)
{
	const struct releasing *r = &ch->t->release;
	struct cap_words words = words_of(ch->t, row);
	struct buf b;
	struct jw w;
	buf_init(&b, LIMIT_RESPONSE);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "number", row->c.number);
	jw_kstr(&w, "title", row->c.title);
	item_json(&w, "level", item_at(r->level, row));
	item_json(&w, "category", item_at(r->category, row));
	jw_kstr(&w, "cap_category", words.category);
	jw_kstr(&w, "response", words.response);
	jw_kstr(&w, "urgency", words.urgency);
	jw_kstr(&w, "severity", words.severity);
	jw_kstr(&w, "certainty", words.certainty);
	jw_ki64(&w, "effective", int_at(r->effective, row));
	jw_ki64(&w, "expires", int_at(r->expires, row));
	jw_kbool(&w, "exercise", int_at(r->exercise, row) != 0);
	texts_json(&w, "description", r->description, row);
	texts_json(&w, "instruction", r->instruction, row);
	place_json(ch, &w, row);
	jw_end(&w);
	struct str ret = jw_done(&w) ? arena_str(ch->a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return ret;
}

// ---- the move -----------------------------------------------------------------------------------
static int rank(const struct field *level, struct str value)
{
	for (size_t i = 0; level->menu && i < level->menu->nitems; i++)
		if (str_eq(level->menu->items[i].value, value))
			return (int)i;
	return -1;
}

enum err release_check(const struct change *ch, const struct move *m, const struct row *old, const struct value *vals)
{
	const struct releasing *r = &ch->t->release;
	struct row now = { .c = old->c, .vals = (struct value *)(uintptr_t)vals };
	if (!m->release || !r->level || !r->expires)
		return OK;
	int was = rank(r->level, text_at(r->level, old)), is = rank(r->level, text_at(r->level, &now)); // 0 is the highest
	if (m->release == RELEASE_UPGRADE && !(is >= 0 && is < was))
		return field_wrong(ch->p, r->level, ERR_INVALID, "升级要选比现在更高的级别", "an upgrade needs a higher level than it has");
	if (m->release == RELEASE_DOWNGRADE && is <= was)
		return field_wrong(ch->p, r->level, ERR_INVALID, "降级要选比现在更低的级别", "a downgrade needs a lower level than it has");
	int64_t until = int_at(r->expires, &now);
	if (m->release != RELEASE_CANCEL && until && until <= clock_now())
		return field_wrong(ch->p, r->expires, ERR_INVALID, "有效期已经过去", "the time of validity is over");
	return OK;
}

// Who had the message before has the next one too, under the tier and terms he had.
static enum err tell_again(const struct change *ch, const struct row *row, int64_t release, struct label text, bool chase, int64_t now,
                           const int64_t before_n, const struct recipient *before, const int64_t *tiers)
{
	enum err err = OK;
	for (int64_t i = 0; !err && i < before_n; i++) {
		struct recipient one = before[i];
		one.wait = chase ? one.wait : 0;
		struct recipients to = { .v = &one, .n = 1 };
		err = receipts_add(ch->db, ch->t, row, release, tiers[i], &to, text, "release", now);
	}
	return err;
}

static enum err before_of(const struct change *ch, int64_t id, struct recipients *ret, int64_t **ret_tiers)
{
	struct query q;
	size_t n = 0, cap = 0;
	query_begin(&q, ch->db, STMT_RECEIPT_BEFORE);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, id);
	while (query_row(&q)) {
		ret->v = arena_push(ch->a, ret->v, &ret->n, &ret->cap, sizeof *ret->v);
		ret->v[ret->n - 1] = (struct recipient){ .person = query_get_i64(&q, 0), .name = query_get_str(&q, 1, ch->a),
			                                 .channels = query_get_str(&q, 3, ch->a), .wait = query_get_i64(&q, 4),
			                                 .times = query_get_i64(&q, 5) };
		*ret_tiers = arena_push(ch->a, *ret_tiers, &n, &cap, sizeof **ret_tiers);
		(*ret_tiers)[n - 1] = query_get_i64(&q, 2);
	}
	return query_end(&q);
}

static enum err close_before(const struct change *ch, int64_t id, int64_t now)
{
	struct query q;
	query_begin(&q, ch->db, STMT_RECEIPT_CLOSE);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, id);
	enum err err = query_run(&q);
	if (err)
		return err;
	query_begin(&q, ch->db, STMT_RELEASE_SUPERSEDE);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, id);
	query_i64(&q, 3, now);
	return query_run(&q);
}

static enum err release_add(const struct change *ch, const struct move *m, const struct row *row, struct str reason, struct label text,
                            bool webhook, int64_t now, int64_t *ret_id)
{
	struct query q;
	query_begin(&q, ch->db, STMT_RELEASE_ADD);
	query_str(&q, 1, ch->t->name);
	query_i64(&q, 2, row->c.id);
	query_str(&q, 3, str_of(release_name(m->release)));
	query_str(&q, 4, text_at(ch->t->release.level, row));
	query_i64(&q, 5, now);
	query_i64(&q, 6, ch->by->person);
	query_str(&q, 7, ch->by->title.n ? ch->by->title : ch->by->name);
	query_str(&q, 8, reason);
	query_str(&q, 9, text.zh);
	query_str(&q, 10, text.en);
	query_i64(&q, 11, m->release == RELEASE_CANCEL ? 0 : int_at(ch->t->release.expires, row));
	query_i64(&q, 12, webhook);
	query_str(&q, 13, release_facts(ch, row));
	enum err err = query_run(&q);
	*ret_id = err ? 0 : db_last_id(ch->db);
	return err;
}

// ---- tasks of departments -----------------------------------------------------------------------
// Is this task of the department still open for the record? Then it is not given twice (an upgrade tells everybody again).
static enum err task_is_open(const struct change *ch, const struct row *row, int64_t organisation, struct str task, bool *ret)
{
	const struct releasing *r = &ch->t->release;
	struct value of = { .kind = VAL_INT, .i = row->c.id }, org = { .kind = VAL_INT, .i = organisation };
	struct filter f[] = { { r->task_of->name, FILTER_EQ, &of, 1 }, { STR("organisation"), FILTER_EQ, &org, 1 } };
	struct list_query lq = { .text = STR_EMPTY, .filters = f, .nfilters = ARRAY_LEN(f), .limit = ROWS_MAX };
	struct row *rows;
	size_t n;
	enum err err = records_list(ch->db, &r->tasks->table, NULL, &lq, ch->a, &rows, &n, NULL, ch->p);
	*ret = false;
	for (size_t i = 0; !err && i < n; i++) {
		const struct state *s = type_state(r->tasks, rows[i].c.state);
		*ret |= !rows[i].c.retired && !(s && s->end) && str_eq(text_at(type_field(r->tasks, STR("task")), &rows[i]), task);
	}
	return err;
}

static enum err task_open(const struct change *ch, const struct row *row, int64_t organisation, struct str task, double within, int64_t now)
{
	const struct releasing *r = &ch->t->release;
	const struct field *level = type_field(r->tasks, STR("level"));
	struct flow_field fields[] = {
		{ "title", { .kind = VAL_TEXT, .s = row->c.title } }, { "task", { .kind = VAL_TEXT, .s = task } },
		{ arena_cstr(ch->a, r->task_of->name), { .kind = VAL_INT, .i = row->c.id } },
		{ "organisation", { .kind = VAL_INT, .i = organisation } },
		{ "due", { .kind = VAL_INT, .i = now + (int64_t)(within * (double)US_PER_MIN) } },
		{ "level", { .kind = VAL_TEXT, .s = text_at(r->level, row) } },
	};
	bool open;
	int64_t id;
	enum err err = task_is_open(ch, row, organisation, task, &open);
	if (err || open)
		return err;
	err = flow_open(ch->db, ch->reg, r->tasks, fields, ARRAY_LEN(fields) - !level, row->c.area, row->c.enterprise, row->c.thread,
	                ch->a, &id, ch->p);
	if (err)
		return err;
	struct str detail = arena_printf(ch->a, "{\"type\":\"%.*s\",\"id\":%lld}", STR_FMT(r->tasks->name), (long long)id);
	return history_add(ch->db, ch->t, row->c.id, "open", r->tasks->name, detail, ch->by);
}

// Rows of the matrix that say what its departments are to do, besides confirming that they know: a receipt is no task.
static enum err release_tasks(const struct change *ch, const struct row *row, int64_t now)
{
	const struct releasing *r = &ch->t->release;
	struct row *rules;
	size_t n;
	struct list_query lq = { .text = STR_EMPTY, .limit = ROWS_MAX };
	struct choosing to = { .db = ch->db, .reg = ch->reg, .m = r->matrix, .a = ch->a };
	enum err err = r->tasks ? records_list(ch->db, &r->matrix->table, NULL, &lq, ch->a, &rules, &n, NULL, ch->p) : OK;
	for (size_t i = 0; r->tasks && !err && i < n; i++) {
		to.rule = &rules[i];
		struct str task = str_trim(cell(&to, "task"));
		double within = number_cell(&to, "task_within", 0);
		if (!task.n || !(within > 0) || !rule_fits(&to, text_at(r->category, row), text_at(r->level, row), 0))
			continue;
		int64_t *ids;
		size_t nids = value_ids(&rules[i].vals[type_field(r->matrix, STR("organisations"))->col], ch->a, &ids);
		for (size_t k = 0; !err && k < nids; k++)
			err = task_open(ch, row, ids[k], task, within, now);
	}
	return err;
}

enum err release_make(const struct change *ch, const struct move *m, const struct row *row, struct str reason)
{
	int64_t now = clock_now(), id = 0, *tiers = NULL;
	struct recipients before = { 0 }, to = { 0 };
	struct label text = release_text(ch, m->release, row, reason);
	bool cancel = m->release == RELEASE_CANCEL;
	enum err err = release_recipients(ch->db, ch->reg, ch->t, row, 0, ch->a, &to);
	if (!err)
		err = before_of(ch, row->c.id, &before, &tiers);
	if (!err)
		err = close_before(ch, row->c.id, now);
	if (!err)
		err = release_add(ch, m, row, reason, text, to.webhook, now, &id);
	if (!err && !cancel)
		err = release_tasks(ch, row, now);
	if (!err && !cancel) // what is lifted goes to those who had it, and to nobody new
		err = receipts_add(ch->db, ch->t, row, id, 0, &to, text, "release", now);
	if (!err)
		err = tell_again(ch, row, id, text, !cancel, now, (int64_t)before.n, before.v, tiers);
	if (err)
		return err;
	struct str detail = arena_printf(ch->a, "{\"message\":\"%s\",\"level\":\"%.*s\"}", release_name(m->release),
	                                 STR_FMT(text_at(ch->t->release.level, row)));
	return history_add(ch->db, ch->t, row->c.id, "release", arena_printf(ch->a, "%lld", (long long)id), detail, ch->by);
}
