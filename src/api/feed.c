// Streams of what changed, to take away: a subscription (record type `subscription` of pack notify) for a unit, and the published
// records of a type for everybody; as JSON or Atom (RFC 4287), the published ones also as lines of text for screens. What a
// subscription delivers is what who asks may read at that moment, and of it only what names a record: number, title, state, level,
// area, sector, enterprise. No field of it, no person.
#include <stdlib.h>

#include "api/api.h"
#include "base/hash.h"
#include "base/time.h"
#include "base/xml.h"
#include "flow/words.h"
#include "flow/draft.h"
#include "model/held.h"

#define SPAN (30 * US_PER_DAY)      // how far back a subscription reaches
#define PATH "/api/v1/subscriptions/"

struct entry {
	const struct type *t;
	struct row row;
};

struct delivery {
	struct call *c;
	const struct type *t;           // subscription
	struct row row;
	struct entry *v;
	size_t n, cap;
	struct str *refused;            // streams of which the caller may read nothing
	size_t nrefused, cap_refused;
	bool atom;
	struct words *words;
};

// ---- whether ------------------------------------------------------------------------------------
// Somebody of the unit that subscribed, while it is in force.
static enum err may_take(struct delivery *f)
{
	struct call *c = f->c;
	const struct value *org = held(f->t, &f->row, "organisation"), *until = held(f->t, &f->row, "until");
	bool own = (org->kind == VAL_INT && org->i && org->i == c->id.organisation) ||
	           (f->row.c.enterprise && f->row.c.enterprise == c->id.scope.enterprise);
	if (!c->id.person || !own)
		return call_fail(c, ERR_FORBIDDEN, "", "只有订阅单位的人员可以取用", "only people of the unit that subscribed may take it");
	if (f->row.c.retired || !str_is(f->row.c.state, "active") || (until->kind == VAL_TEXT && str_cmp(until->s, date_text(clock_now(), c->arena)) < 0))
		return call_fail(c, ERR_CONFLICT, "", "订阅没有生效或已到期，请联系应急管理局", "the subscription is not in force or has ended; ask the emergency bureau");
	return OK;
}

// ---- what ---------------------------------------------------------------------------------------
static struct filter *filter_of(struct arena *a, struct filter *f, struct str column, enum filter_op op, struct str list)
{
	struct value *vals = NULL;
	size_t n = 0, cap = 0;
	while (list.n) {
		struct str one = str_cut(&list, ',');
		if (!one.n)
			continue;
		vals = arena_push(a, vals, &n, &cap, sizeof *vals);
		vals[n - 1] = (struct value){ .kind = VAL_TEXT, .s = one };
	}
	*f = (struct filter){ .column = column, .op = op, .vals = vals, .nvals = n };
	return f;
}

// A level chosen is asked of types that have one; what has none is not left out for it.
static const struct field *level_of(const struct call *c, const struct type *t)
{
	const struct field *f = type_field(t, STR("level"));
	return f && f->kind == FIELD_MENU && f->ncols == 1 && auth_may_read_field(&c->id, f) ? f : NULL;
}

static enum err stream(struct delivery *f, const struct type *t)
{
	struct call *c = f->c;
	struct filter filters[4];
	size_t n = 0, nrows;
	struct row *rows;
	const struct value *sectors = held(f->t, &f->row, "sectors"), *levels = held(f->t, &f->row, "levels"), *within = held(f->t, &f->row, "within");
	struct value since = { .kind = VAL_INT, .i = clock_now() - SPAN, .s = STR_EMPTY };
	filters[n++] = (struct filter){ .column = STR("changed_at"), .op = FILTER_GE, .vals = &since, .nvals = 1 };
	if (sectors->kind == VAL_TEXT && sectors->s.n)
		filter_of(c->arena, &filters[n++], STR("sector"), FILTER_IN, sectors->s);
	if (levels->kind == VAL_TEXT && levels->s.n && level_of(c, t))
		filter_of(c->arena, &filters[n++], STR("level"), FILTER_IN, levels->s);
	if (within->kind == VAL_TEXT && within->s.n)
		filter_of(c->arena, &filters[n++], STR("area"), FILTER_PREFIX, area_prefix(within->s));
	struct sort newest = { .column = STR("changed_at"), .descending = true };
	struct list_query lq = { .text = STR_EMPTY, .filters = filters, .nfilters = n,
	                         .sorts = &newest, .nsorts = 1, .limit = LIMIT_FEED_ENTRIES };
	struct scope scope = auth_scope(&c->id, t);
	enum err err = records_list(call_db(c), &t->table, &scope, &lq, c->arena, &rows, &nrows, NULL, &c->p);
	for (size_t i = 0; !err && i < nrows; i++) {
		f->v = arena_push(c->arena, f->v, &f->n, &f->cap, sizeof *f->v);
		f->v[f->n - 1] = (struct entry){ t, rows[i] };
	}
	return err;
}

static int newer(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->row.c.changed_at != y->row.c.changed_at)
		return (x->row.c.changed_at < y->row.c.changed_at) - (x->row.c.changed_at > y->row.c.changed_at);
	int by = str_cmp(x->t->name, y->t->name);
	return by ? by : (x->row.c.id < y->row.c.id) - (x->row.c.id > y->row.c.id);
}

static enum err collect(struct delivery *f)
{
	const struct value *streams = held(f->t, &f->row, "streams");
	struct str rest = streams->kind == VAL_TEXT ? streams->s : STR_EMPTY;
	enum err err = OK;
	while (!err && rest.n) {
		struct str name = str_cut(&rest, ',');
		const struct type *t = name.n ? registry_type(f->c->reg, name) : NULL;
		if (t && auth_may_read(&f->c->id, t)) {
			err = stream(f, t);
		} else if (name.n) {
			f->refused = arena_push(f->c->arena, f->refused, &f->nrefused, &f->cap_refused, sizeof *f->refused);
			f->refused[f->nrefused - 1] = name;
		}
	}
	if (f->n)
		qsort(f->v, f->n, sizeof *f->v, newer);
	f->n = MIN(f->n, (size_t)LIMIT_FEED_ENTRIES);
	return err;
}

// ---- how ----------------------------------------------------------------------------------------
static struct str state_label(const struct call *c, const struct type *t, struct str name)
{
	const struct state *s = type_state(t, name);
	return s ? label_text(c, s->label) : STR_EMPTY;
}

static struct str level_label(const struct delivery *f, const struct entry *e)
{
	const struct field *level = level_of(f->c, e->t);
	return level ? words_field(f->words, e->t, level, &e->row, f->c->arena).text : STR_EMPTY;
}

static void entry_json(struct delivery *f, const struct entry *e)
{
	struct call *c = f->c;
	const struct common *k = &e->row.c;
	const struct field *level = level_of(c, e->t);
	jw_obj(&c->w);
	jw_kstr(&c->w, "type", e->t->name);
	jw_kstr(&c->w, "label", label_text(c, e->t->label));
	jw_ki64(&c->w, "id", k->id);
	jw_kstr(&c->w, "number", k->number);
	jw_kstr(&c->w, "title", k->title);
	jw_kstr(&c->w, "state", k->state);
	jw_kstr(&c->w, "state_label", state_label(c, e->t, k->state));
	jw_kstr(&c->w, "level", level && e->row.vals[level->col].kind == VAL_TEXT ? e->row.vals[level->col].s : STR_EMPTY);
	jw_kstr(&c->w, "level_label", level_label(f, e));
	jw_kstr(&c->w, "area", k->area);
	jw_kstr(&c->w, "area_title", words_area(f->words, k->area));
	jw_kstr(&c->w, "sector", k->sector);
	jw_kstr(&c->w, "enterprise", k->enterprise ? words_title(f->words, STR("enterprise"), k->enterprise) : STR_EMPTY);
	jw_ktime(&c->w, "changed_at", k->changed_at);
	jw_kstr(&c->w, "path", arena_printf(c->arena, "/records/%.*s/%lld", STR_FMT(e->t->name), (long long)k->id));
	jw_end(&c->w);
}

static void write_json(struct delivery *f)
{
	struct call *c = f->c;
	jw_obj(&c->w);
	jw_kstr(&c->w, "title", f->row.c.title);
	jw_kstr(&c->w, "number", f->row.c.number);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < f->n; i++)
		entry_json(f, &f->v[i]);
	jw_end(&c->w);
	jw_karr(&c->w, "refused");
	for (size_t i = 0; i < f->nrefused; i++)
		jw_str(&c->w, f->refused[i]);
	jw_end(&c->w);
	jw_end(&c->w);
}

static void moment(struct buf *b, const char *name, int64_t us)
{
	char text[TIME_TEXT_MAX];
	size_t n = time_text(us - us % US_PER_S, text);
	xml_element(b, name, str_from(text, n));
}

static void link_to(struct buf *b, const char *rel, struct str href)
{
	buf_printf(b, "<link rel=\"%s\" href=\"", rel);
	xml_attribute(b, href);
	buf_add_cstr(b, "\"/>\n");
}

// RFC 4287, 4.2.6: an id that stays the same wherever the feed is read: a tag: of RFC 4151 in the name of the site.
static void tag(struct buf *b, struct str what)
{
	buf_add_cstr(b, "<id>tag:anlan.invalid,2026:");
	xml_text(b, what);
	buf_add_cstr(b, "</id>\n");
}

static void atom_begin(struct call *c, struct str id, struct str title, struct str self, int64_t updated)
{
	struct buf *b = &c->rs->body;
	c->rs->type = "application/atom+xml; charset=utf-8";
	buf_add_cstr(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n");
	tag(b, id);
	xml_element(b, "title", title);
	moment(b, "updated", updated);
	link_to(b, "self", self);
	buf_add_cstr(b, "<author>");
	xml_element(b, "name", c->app->county);
	buf_add_cstr(b, "</author>\n");
}

static void entry_atom(struct delivery *f, const struct entry *e)
{
	struct call *c = f->c;
	struct buf *b = &c->rs->body;
	const struct common *k = &e->row.c;
	struct str parts[] = { label_text(c, e->t->label), k->number, level_label(f, e), state_label(c, e->t, k->state),
		               words_area(f->words, k->area), k->enterprise ? words_title(f->words, STR("enterprise"), k->enterprise) : STR_EMPTY };
	buf_add_cstr(b, "<entry>\n");
	tag(b, arena_printf(c->arena, "%.*s:%lld", STR_FMT(e->t->name), (long long)k->id));
	xml_element(b, "title", k->title.n ? k->title : k->number);
	moment(b, "updated", k->changed_at);
	link_to(b, "alternate", arena_printf(c->arena, "/records/%.*s/%lld", STR_FMT(e->t->name), (long long)k->id));
	buf_printf(b, "<category term=\"%.*s\"/>\n<summary>", STR_FMT(e->t->name));
	for (size_t i = 0, n = 0; i < ARRAY_LEN(parts); i++) {
		if (!parts[i].n)
			continue;
		buf_add_cstr(b, n++ ? " · " : "");
		xml_text(b, parts[i]);
	}
	buf_add_cstr(b, "</summary>\n</entry>\n");
}

static void write_atom(struct delivery *f)
{
	struct call *c = f->c;
	struct str self = arena_printf(c->arena, PATH "%lld?format=atom", (long long)f->row.c.id);
	atom_begin(c, arena_printf(c->arena, "subscription:%lld", (long long)f->row.c.id), f->row.c.title, self,
	           f->n ? f->v[0].row.c.changed_at : f->row.c.changed_at);
	for (size_t i = 0; i < f->n; i++)
		entry_atom(f, &f->v[i]);
	buf_add_cstr(&c->rs->body, "</feed>\n");
}

// ---- the audit ----------------------------------------------------------------------------------
static enum err delivered(struct db *db, void *arg, struct problem *p)
{
	const struct delivery *f = arg;
	(void)p;
	struct str detail = arena_printf(f->c->arena, "{\"entries\":%zu,\"format\":\"%s\",\"token\":%lld}", f->n, f->atom ? "atom" : "json",
	                                 (long long)f->c->id.token);
	return history_add(db, f->t, f->row.c.id, "delivered", STR_EMPTY, detail, &f->c->id);
}

// Who has the newest already is told so, and nothing is noted; what leaves is noted before it leaves.
static enum err deliver(struct delivery *f)
{
	struct call *c = f->c;
	uint8_t hash[SM3_LEN];
	char hex[33] = "";
	if ((!f->atom && !jw_done(&c->w)) || !buf_ok(&c->rs->body))
		return buf_ok(&c->rs->body) ? ERR_BUG : OK; // too large: http/ says so
	sm3_once(buf_str(&c->rs->body), hash);
	str_to_hex(hash, 16, hex);
	c->rs->etag = arena_printf(c->arena, "\"%.32s\"", hex);
	c->rs->kept = true;
	if (str_eq(str_trim(http_header(c->rq, "If-None-Match")), c->rs->etag)) {
		c->rs->status = 304;
		buf_clear(&c->rs->body);
		return OK;
	}
	call_db_refresh(c);
	return store_write(c->app->store, delivered, f, &c->p);
}

static enum err format_of(struct call *c, bool *ret_atom)
{
	struct str format = http_query(c->rq, "format");
	*ret_atom = str_is(format, "atom");
	if (format.n && !*ret_atom && !str_is(format, "json"))
		return call_fail(c, ERR_INVALID, "format", "format 为 json 或 atom", "format is json or atom");
	return OK;
}

enum err subscription_get(struct call *c)
{
	struct delivery f = { .c = c, .t = registry_type(c->reg, STR("subscription")) };
	int64_t id;
	if (!f.t || !auth_may_read(&c->id, f.t))
		return call_fail(c, ERR_NOT_FOUND, "id", "没有这个订阅，或不在您的管辖范围", "no such subscription, or outside your scope");
	enum err err = format_of(c, &f.atom);
	if (!err)
		err = param_id(c, 0, &id);
	if (err)
		return err;
	struct scope scope = auth_scope(&c->id, f.t);
	err = records_get(call_db(c), &f.t->table, &scope, id, c->arena, &f.row);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "id", "没有这个订阅，或不在您的管辖范围", "no such subscription, or outside your scope");
	if (err || (err = may_take(&f)) || (err = collect(&f)))
		return err;
	f.words = words_new(call_db(c), c->reg, &c->id, call_is_en(c));
	if (f.atom)
		write_atom(&f);
	else
		write_json(&f);
	words_free(f.words);
	return deliver(&f);
}

// ---- for everybody ------------------------------------------------------------------------------
static struct str shown_word(struct words *w, const struct type *t, const struct shown *s, const struct row *row, struct arena *a)
{
	return s->field ? words_field(w, t, s->field, row, a).text : words_common(w, t, s->name, row, a).text;
}

static struct str shown_label(const struct call *c, const struct shown *s)
{
	static const struct { const char *name; struct label label; } commons[] = {
		{ "number", { { "编号", 6 }, { "Number", 6 } } }, { "state", { { "状态", 6 }, { "State", 5 } } },
		{ "area", { { "区域", 6 }, { "Area", 4 } } },     { "enterprise", { { "企业", 6 }, { "Enterprise", 10 } } },
	};
	for (size_t i = 0; !s->field && i < ARRAY_LEN(commons); i++)
		if (str_is(s->name, commons[i].name))
			return label_text(c, commons[i].label);
	return s->field ? label_text(c, s->field->label) : s->name;
}

static bool shows(const struct type *t, struct str name)
{
	for (size_t i = 0; i < t->publish.nshow; i++)
		if (str_eq(t->publish.show[i].name, name))
			return true;
	return false;
}

// The title of a record only where its field is shown; else the type and, if that is shown, the number.
static void published_atom(struct call *c, struct words *w, const struct type *t, const struct row *row)
{
	struct buf *b = &c->rs->body;
	struct str number = shows(t, STR("number")) ? row->c.number : STR_EMPTY;
	struct str title = shows(t, t->title) && row->c.title.n ? row->c.title
	                                                        : arena_printf(c->arena, "%.*s %.*s", STR_FMT(label_text(c, t->label)), STR_FMT(number));
	uint8_t hash[SM3_LEN];
	char hex[33] = "";
	sm3_once(arena_printf(c->arena, "%.*s:%lld:%lld", STR_FMT(t->name), (long long)row->c.id, (long long)row->c.created_at), hash);
	str_to_hex(hash, 16, hex); // the id of a record is nobody's business outside
	buf_add_cstr(b, "<entry>\n");
	tag(b, arena_printf(c->arena, "%.*s:%.32s", STR_FMT(t->name), hex));
	xml_element(b, "title", title);
	moment(b, "updated", row->c.changed_at);
	buf_add_cstr(b, "<summary>");
	for (size_t i = 0, n = 0; i < t->publish.nshow; i++) {
		const struct shown *s = &t->publish.show[i];
		struct str word = shown_word(w, t, s, row, c->arena);
		if (!word.n || str_eq(s->name, t->title))
			continue;
		buf_add_cstr(b, n++ ? "\n" : "");
		xml_text(b, shown_label(c, s));
		buf_add_cstr(b, call_is_en(c) ? ": " : "：");
		xml_text(b, word);
	}
	buf_add_cstr(b, "</summary>\n</entry>\n");
}

static void plain(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_add_u8(b, (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : (uint8_t)s.p[i]);
}

// For a screen of lights or a ticker: a line a record, with no sign that such a player does not show.
static void published_line(struct call *c, struct words *w, const struct type *t, const struct row *row)
{
	struct buf *b = &c->rs->body;
	bool en = call_is_en(c);
	for (size_t i = 0, n = 0; i < t->publish.nshow; i++) {
		const struct shown *s = &t->publish.show[i];
		struct str word = str_trim(shown_word(w, t, s, row, c->arena));
		if (!word.n)
			continue;
		buf_add_cstr(b, n++ ? (en ? "; " : "；") : "");
		if (!str_eq(s->name, t->title)) {
			plain(b, shown_label(c, s));
			buf_add_cstr(b, en ? ": " : "：");
		}
		plain(b, word);
	}
	buf_add_u8(b, '\n');
}

static enum err published(struct call *c)
{
	const struct type *t = registry_type(c->reg, c->param[0]);
	struct str format = http_query(c->rq, "format");
	bool text = str_is(format, "text");
	struct identity nobody = { .lang = c->id.lang };
	struct sort newest = { .column = STR("changed_at"), .descending = true };
	struct row *rows;
	size_t n;
	if (!t || !t->publish.cond)
		return call_fail(c, ERR_NOT_FOUND, "type", "没有公开这类记录", "no records of this type are published");
	if (format.n && !text && !str_is(format, "atom"))
		return call_fail(c, ERR_INVALID, "format", "format 为 atom 或 text", "format is atom or text");
	struct list_query lq = { .text = STR_EMPTY, .sorts = &newest, .nsorts = 1, .limit = LIMIT_PUBLIC_SIZE };
	lq.cond = flow_published(c->reg, t, STR_EMPTY, c->arena);
	enum err err = records_list(call_db(c), &t->table, NULL, &lq, c->arena, &rows, &n, NULL, &c->p);
	if (err)
		return err;
	struct words *w = words_new(call_db(c), c->reg, &nobody, call_is_en(c));
	if (text)
		c->rs->type = "text/plain; charset=utf-8";
	else
		atom_begin(c, arena_printf(c->arena, "public:%.*s", STR_FMT(t->name)), label_text(c, t->label),
		           arena_printf(c->arena, "/public/types/%.*s/feed", STR_FMT(t->name)), n ? rows[0].c.changed_at : 0);
	for (size_t i = 0; i < n; i++)
		(text ? published_line : published_atom)(c, w, t, &rows[i]);
	if (!text)
		buf_add_cstr(&c->rs->body, "</feed>\n");
	words_free(w);
	return OK;
}

enum err public_feed(struct call *c) { return public_answer(c, published); }
