// Reading with a template: a record's texts are put into places, then each item is made from them. See template.h.
#include "gate/decode/template.h"
#include "gate/decode/payload.h"

#include <math.h>

#define PATH_BYTES 256u

static const struct complaint NO_RECORD = { REJECT_SYNTAX, "没有一行以模板的 start 开头", "no line begins with the template's start" };

// ---- the block --------------------------------------------------------------------------------------------------------

struct tables {
	const struct template_place *places;
	const struct template_item *items;
	const struct template_word *words;
	const struct template_text *lists; // paths of arrays
	const char *text;
};

static size_t block_size(const struct payload_template *t)
{
	return sizeof *t + t->nitems * sizeof(struct template_item) + t->nwords * sizeof(struct template_word) +
	       t->nplaces * sizeof(struct template_place) + t->nlists * sizeof(struct template_text) + t->text_n;
}

// Items and words first: they are aligned to 8, the others to 2.
static struct tables tables_of(const struct payload_template *t)
{
	struct tables x;
	x.items = (const void *)(t + 1);
	x.words = (const void *)(x.items + t->nitems);
	x.places = (const void *)(x.words + t->nwords);
	x.lists = (const void *)(x.places + t->nplaces);
	x.text = (const char *)(x.lists + t->nlists);
	return x;
}

static struct str text_of(const struct tables *x, struct template_text s)
{
	return str_from(x->text + s.at, s.n);
}

static bool text_sound(const struct payload_template *t, struct template_text s)
{
	return (size_t)s.at + s.n <= t->text_n;
}

static bool place_sound(const struct payload_template *t, uint8_t place)
{
	return place == TEMPLATE_NONE || place < t->nplaces;
}

static bool name_sound(const struct payload_template *t, struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == TEMPLATE_REF) {
			i++;
			if (i == name.n || !name.p[i] || (uint8_t)name.p[i] > t->nplaces) {
				return false;
			}
		}
	}
	return name.n > 0;
}

static bool items_sound(const struct payload_template *t, const struct tables *x)
{
	for (size_t i = 0; i < t->nitems; i++) {
		const struct template_item *it = &x->items[i];
		if (!text_sound(t, it->point) || !text_sound(t, it->prefix) || !text_sound(t, it->suffix) || !place_sound(t, it->value) ||
		    !place_sound(t, it->quality) || it->list > t->nlists || !isfinite(it->scale) || !name_sound(t, text_of(x, it->point))) {
			return false;
		}
	}
	return true;
}

bool template_sound(const void *block, size_t n)
{
	const struct payload_template *t = block;
	if (n < sizeof *t || n > LIMIT_TEMPLATE || t->size != n || block_size(t) > n || t->form >= TEMPLATE_FORM__MAX ||
	    t->clock >= TEMPLATE_CLOCK__MAX || t->nplaces > LIMIT_TEMPLATE_FIELDS || t->nitems > LIMIT_TEMPLATE_FIELDS) {
		return false;
	}
	struct tables x = tables_of(t);
	bool ok = text_sound(t, t->start) && text_sound(t, t->end) && text_sound(t, t->letters) && place_sound(t, t->time[0]) &&
		  place_sound(t, t->time[1]) && (t->clock == TEMPLATE_ARRIVAL || t->time[0] != TEMPLATE_NONE);
	for (size_t i = 0; ok && i < t->nplaces; i++) {
		ok = text_sound(t, x.places[i].key) && x.places[i].list <= t->nlists && x.places[i].from <= x.places[i].to;
	}
	for (size_t i = 0; ok && i < t->nwords; i++) {
		const struct template_word *w = &x.words[i];
		ok = text_sound(t, w->word) && w->quality < Q__MAX && w->number < 2 && w->of_quality < 2 && isfinite(w->value);
	}
	for (size_t i = 0; ok && i < t->nlists; i++) {
		ok = text_sound(t, x.lists[i]);
	}
	return ok && items_sound(t, &x);
}

size_t template_most(const struct payload_template *t, struct str body)
{
	size_t records = 1;
	if (t->form == TEMPLATE_JSON) {
		records += t->nlists ? body.n / 2 : 0; // an item and its comma
	} else {
		for (size_t i = 0; i < body.n; i++) {
			records += body.p[i] == '\n';
		}
	}
	return MIN(records, (size_t)LIMIT_READINGS_PER_MESSAGE) * t->nitems * 2; // an event is two readings
}

// ---- time -------------------------------------------------------------------------------------------------------------

static const char LETTERS[] = "YMDhmsS";

// n digits, or with n 1 one or two. False if they are not there.
static bool take_digits(struct str *s, size_t n, int *ret)
{
	size_t most = n == 1 ? 2 : n, i = 0;
	for (*ret = 0; i < most && i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
		*ret = *ret * 10 + (s->p[i] - '0');
	}
	*s = str_skip(*s, i);
	return i >= n;
}

static size_t run_of(struct str s)
{
	size_t n = 1;
	while (n < s.n && s.p[n] == s.p[0]) {
		n++;
	}
	return n;
}

bool template_letters_ok(struct str letters)
{
	unsigned seen[7] = { 0 };
	while (letters.n) {
		const char *which = memchr(LETTERS, letters.p[0], 7);
		size_t n = run_of(letters);
		if (which) {
			size_t i = (size_t)(which - LETTERS);
			seen[i]++;
			if (i == 0 ? n != 2 && n != 4 : i == 6 ? n > 6 : n > 2) {
				return false;
			}
		}
		letters = str_skip(letters, which ? n : 1);
	}
	for (size_t i = 0; i < 7; i++) {
		if (seen[i] > 1 || (i < 5 && !seen[i])) {
			return false;
		}
	}
	return true;
}

static bool time_of_letters(struct str letters, struct str s, int zone, int64_t *ret)
{
	struct civil c = { 0 };
	int *const into[] = { &c.year, &c.month, &c.day, &c.hour, &c.min, &c.sec, &c.us };
	while (letters.n) {
		const char *which = memchr(LETTERS, letters.p[0], 7);
		size_t n = which ? run_of(letters) : 1;
		if (!which && (!s.n || s.p[0] != letters.p[0])) {
			return false;
		}
		if (!which) {
			s = str_skip(s, 1);
		} else if (!take_digits(&s, n, into[which - LETTERS])) {
			return false;
		}
		if (which && *which == 'Y' && n == 2) {
			c.year += 2000;
		}
		for (size_t i = n; which && *which == 'S' && i < 6; i++) { // parts of a second → us
			c.us *= 10;
		}
		letters = str_skip(letters, n);
	}
	if (s.n || !civil_valid(c)) {
		return false;
	}
	*ret = time_from_civil(c, zone);
	return true;
}

static bool time_of_number(struct str s, double per_second, int64_t *ret)
{
	double v;
	return decode_number(s, &v) && payload_time_ms(v * 1000 / per_second, ret);
}

// ---- a record → readings ----------------------------------------------------------------------------------------------

struct run {
	const struct payload_template *t;
	struct tables x;
	struct arena *arena;
	const struct decode_sink *sink;
	int64_t now;
	struct str *v;        // by place; p NULL: not there
	size_t n;             // readings so far
	size_t said;          // readings and refusals so far
};

static void refuse(struct run *u, enum reject why, struct str what)
{
	u->said++;
	u->sink->refuse(u->sink->owner, why, what);
}

static struct str value_at(const struct run *u, uint8_t place)
{
	return place == TEMPLATE_NONE || !u->v[place].p ? STR_EMPTY : str_trim(u->v[place]);
}

static bool record_time(const struct run *u, int64_t *ret)
{
	const struct payload_template *t = u->t;
	struct str s = value_at(u, t->time[0]), more = value_at(u, t->time[1]);
	if (t->clock != TEMPLATE_ARRIVAL && (!s.n || (t->time[1] != TEMPLATE_NONE && !more.n))) {
		return false;
	}
	if (more.n) {
		s = arena_printf(u->arena, "%.*s %.*s", STR_FMT(s), STR_FMT(more));
	}
	switch ((enum template_clock)t->clock) {
	case TEMPLATE_ARRIVAL: *ret = u->now; return true;
	case TEMPLATE_ISO: return time_parse(s, ret) || time_parse_local(s, t->zone_min, ret);
	case TEMPLATE_UNIX: return time_of_number(s, 1, ret);
	case TEMPLATE_UNIX_MS: return time_of_number(s, 1000, ret);
	case TEMPLATE_LETTERS: return time_of_letters(text_of(&u->x, t->letters), s, t->zone_min, ret);
	case TEMPLATE_CLOCK__MAX: break;
	}
	return false;
}

// False: a text that the name needs is not in the record, or it is no name.
static bool item_name(const struct run *u, const struct template_item *it, struct str *ret)
{
	struct str text = text_of(&u->x, it->point);
	*ret = text;
	if (!memchr(text.p, TEMPLATE_REF, text.n)) {
		return true;
	}
	char name[LIMIT_POINT_NAME];
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		struct str part = text.p[i] == TEMPLATE_REF ? value_at(u, (uint8_t)(text.p[++i] - 1)) : str_from(text.p + i, 1);
		if (!part.n || part.n > sizeof name - n) {
			return false;
		}
		memcpy(name + n, part.p, part.n);
		n += part.n;
	}
	*ret = arena_str(u->arena, str_from(name, n));
	return str_utf8_valid(*ret);
}

static const struct template_word *word_of(const struct run *u, struct str s, bool of_quality)
{
	for (size_t i = 0; i < u->t->nwords; i++) {
		if (u->x.words[i].of_quality == (of_quality ? 1 : 0) && str_eq(text_of(&u->x, u->x.words[i].word), s)) {
			return &u->x.words[i];
		}
	}
	return NULL;
}

static bool bare(struct str *s, struct str prefix, struct str suffix)
{
	if (!str_starts(*s, prefix) || s->n < prefix.n + suffix.n || !str_ends(*s, suffix)) {
		return false;
	}
	*s = str_from(s->p + prefix.n, s->n - prefix.n - suffix.n);
	return true;
}

// By 0.1 is by 1/10: 3 gives 0.3, not its neighbour.
static double scaled(double v, double scale)
{
	double inverse = round(1 / scale);
	return inverse > 1 && 1 / inverse == scale ? v / inverse : v * scale;
}

// The value of an item; -1: it is in *d. Otherwise enum reject.
static int item_value(const struct run *u, const struct template_item *it, struct str s, struct decoded *d)
{
	const struct template_word *w = word_of(u, s, false);
	if (!w && !bare(&s, text_of(&u->x, it->prefix), text_of(&u->x, it->suffix))) {
		return REJECT_SYNTAX;
	}
	if (!w && decode_number(s, &d->value)) {
		d->value = scaled(d->value, it->scale);
		return isfinite(d->value) ? -1 : REJECT_VALUE;
	}
	w = w ? w : word_of(u, str_trim(s), false);
	if (!w || (!w->number && w->quality == Q_GOOD)) {
		return REJECT_VALUE;
	}
	d->value = w->number ? w->value : 0;
	d->quality = (enum quality)w->quality;
	return -1;
}

static void put(struct run *u, const struct decoded *d)
{
	u->n++;
	u->said++;
	u->sink->reading(u->sink->owner, d);
}

static void put_item(struct run *u, const struct template_item *it, int64_t time)
{
	struct decoded d = { .alias = STR_EMPTY, .time = time, .quality = Q_GOOD };
	struct str s = value_at(u, it->value), quality = value_at(u, it->quality);
	bool event = it->value == TEMPLATE_NONE;
	bool may_lack = u->t->form == TEMPLATE_PAIRS || u->t->form == TEMPLATE_JSON;
	if (!event && !s.n && may_lack) {
		return;
	}
	if (!item_name(u, it, &d.name)) {
		refuse(u, REJECT_SYNTAX, STR_EMPTY);
		return;
	}
	int wrong = event ? -1 : s.n ? item_value(u, it, s, &d) : REJECT_SYNTAX;
	const struct template_word *w = quality.n ? word_of(u, quality, true) : NULL;
	bool cut = !may_lack && it->quality != TEMPLATE_NONE && !u->v[it->quality].p; // a text that ends before it is no whole one
	if (wrong < 0 && (cut || (quality.n && !w))) {
		wrong = REJECT_SYNTAX;
	}
	if (wrong >= 0) {
		refuse(u, (enum reject)wrong, d.name);
		return;
	}
	d.quality = w ? MAX(d.quality, (enum quality)w->quality) : d.quality;
	if (event) {
		d.value = 1;
		put(u, &d);
		d.value = 0;
		d.time += PAYLOAD_EVENT_US;
	}
	put(u, &d);
}

// The items of one record: what stands in list, 0: around the lists.
static void put_record(struct run *u, uint8_t list)
{
	int64_t time;
	bool any = false;
	for (size_t i = 0; i < u->t->nitems; i++) {
		any |= u->x.items[i].list == list;
	}
	if (!any) {
		return;
	}
	if (!record_time(u, &time)) {
		refuse(u, REJECT_TIME, STR_EMPTY);
		return;
	}
	size_t before = u->said;
	for (size_t i = 0; i < u->t->nitems; i++) {
		if (u->x.items[i].list == list) {
			put_item(u, &u->x.items[i], time);
		}
	}
	if (u->said == before && (list || !u->t->nlists)) { // nothing the template knows; around lists there may be nothing
		refuse(u, REJECT_SYNTAX, STR_EMPTY);
	}
}

// ---- text -------------------------------------------------------------------------------------------------------------

static unsigned last_field(const struct run *u)
{
	unsigned last = 0;
	for (size_t i = 0; i < u->t->nplaces; i++) {
		last = MAX(last, (unsigned)u->x.places[i].from);
	}
	return last;
}

static void take_fields(struct run *u, struct str s)
{
	for (unsigned n = 1, last = last_field(u); s.p && n <= last; n++) {
		const char *behind = s.n ? memchr(s.p, (char)u->t->separator, s.n) : NULL;
		struct str field = str_from(s.p, behind ? (size_t)(behind - s.p) : s.n);
		for (size_t i = 0; i < u->t->nplaces; i++) {
			if (u->x.places[i].from == n) {
				u->v[i] = field;
			}
		}
		s = behind ? str_from(behind + 1, s.n - field.n - 1) : (struct str){ NULL, 0 };
	}
}

static void take_pairs(struct run *u, struct str s)
{
	while (s.n) {
		struct str value = str_cut(&s, (char)u->t->separator), whole = value;
		struct str key = str_trim(str_cut(&value, (char)u->t->equals));
		for (size_t i = 0; whole.n > key.n && i < u->t->nplaces; i++) {
			if (!u->v[i].p && str_eq(text_of(&u->x, u->x.places[i].key), key)) {
				u->v[i] = value;
			}
		}
	}
}

static void take_columns(struct run *u, struct str s)
{
	for (size_t i = 0; i < u->t->nplaces; i++) {
		const struct template_place *p = &u->x.places[i];
		if (p->from && p->to <= s.n) {
			u->v[i] = str_from(s.p + p->from - 1, (size_t)(p->to - p->from) + 1);
		}
	}
}

static struct str before_end(struct str s, struct str end)
{
	for (size_t i = 0; end.n && i + end.n <= s.n; i++) {
		if (memcmp(s.p + i, end.p, end.n) == 0) {
			return str_first(s, i);
		}
	}
	return s;
}

static bool read_text(struct run *u, struct str body, struct refusal *why)
{
	struct str start = text_of(&u->x, u->t->start), end = text_of(&u->x, u->t->end), rest = body;
	bool any = false;
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		if (str_ends(line, STR("\r"))) {
			line.n--;
		}
		if (!str_trim(line).n || !str_starts(line, start)) {
			continue;
		}
		any = true;
		memset(u->v, 0, u->t->nplaces * sizeof *u->v);
		struct str s = before_end(str_skip(line, start.n), end);
		switch (u->t->form) {
		case TEMPLATE_DELIMITED: take_fields(u, s); break;
		case TEMPLATE_PAIRS: take_pairs(u, s); break;
		default: take_columns(u, s); break;
		}
		put_record(u, 0);
		if (u->said > LIMIT_READINGS_PER_MESSAGE) {
			return payload_too_many_at((size_t)(line.p - body.p), why);
		}
	}
	return any || refuse_as(why, &NO_RECORD, 0);
}

// ---- JSON -------------------------------------------------------------------------------------------------------------

struct walk {
	struct run *u;
	struct jr r;
	uint8_t list;               // 0: around the lists
	struct str *lists;          // texts of the arrays; list 0 only
	char path[PATH_BYTES];
	size_t n;
};

static int place_named(const struct walk *w)
{
	for (size_t i = 0; i < w->u->t->nplaces; i++) {
		const struct template_place *p = &w->u->x.places[i];
		if (p->list == w->list && p->key.n == w->n && memcmp(w->u->x.text + p->key.at, w->path, w->n) == 0) {
			return (int)i;
		}
	}
	return -1;
}

static void take_scalar(struct walk *w)
{
	int place = place_named(w);
	enum jr_type type = jr_peek(&w->r);
	if (place < 0 || type == JR_NULL || w->u->v[place].p) {
		jr_skip(&w->r);
	} else {
		w->u->v[place] = type == JR_STRING ? jr_str(&w->r) : jr_skip(&w->r);
	}
}

// True if the array here is one of the lists: its text is kept for later.
static bool take_list(struct walk *w)
{
	for (size_t i = 0; w->lists && i < w->u->t->nlists; i++) {
		if (str_eq(text_of(&w->u->x, w->u->x.lists[i]), str_from(w->path, w->n))) {
			struct str s = jr_skip(&w->r);
			if (!w->lists[i].n) {
				w->lists[i] = s;
			}
			return true;
		}
	}
	return false;
}

// The path grows by a step; false: it is longer than any of a template.
static bool step(struct walk *w, const char *between, struct str name, const char *behind)
{
	size_t n = strlen(between), m = strlen(behind);
	if (name.n + n + m > sizeof w->path - w->n) {
		return false;
	}
	memcpy(w->path + w->n, between, n);
	memcpy(w->path + w->n + n, name.p, name.n);
	memcpy(w->path + w->n + n + name.n, behind, m);
	w->n += n + name.n + m;
	return true;
}

static void walk_value(struct walk *w); // its depth is the reader's

static void walk_array(struct walk *w)
{
	char text[24];
	size_t n = w->n;
	unsigned i = 0;
	for (jr_arr(&w->r); jr_more(&w->r); w->n = n) {
		if (step(w, "[", str_from(text, f64_text(i++, text)), "]")) {
			walk_value(w);
		} else {
			jr_skip(&w->r);
		}
	}
}

static void walk_object(struct walk *w)
{
	size_t n = w->n;
	struct str key;
	for (jr_obj(&w->r); jr_key(&w->r, &key); w->n = n) {
		if (step(w, n ? "." : "", key, "")) {
			walk_value(w);
		} else {
			jr_skip(&w->r);
		}
	}
}

static void walk_value(struct walk *w)
{
	switch (jr_peek(&w->r)) {
	case JR_ARRAY:
		if (!take_list(w)) {
			walk_array(w);
		}
		break;
	case JR_OBJECT: walk_object(w); break;
	case JR_NONE: case JR_NULL: case JR_BOOL: case JR_NUMBER: case JR_STRING: take_scalar(w); break;
	}
}

// Each item of a list is a record; what stands around the lists stays.
static bool read_list(struct run *u, struct str body, struct str list, uint8_t number, struct refusal *why)
{
	struct walk w = { .u = u, .list = number };
	jr_init(&w.r, list, u->arena);
	w.r.start = body.p; // offsets count from the beginning of the body
	for (jr_arr(&w.r); jr_more(&w.r);) {
		for (size_t i = 0; i < u->t->nplaces; i++) {
			if (u->x.places[i].list) {
				u->v[i] = (struct str){ NULL, 0 };
			}
		}
		w.n = 0;
		walk_value(&w);
		if (!w.r.error) {
			put_record(u, number);
		}
		if (u->said > LIMIT_READINGS_PER_MESSAGE) {
			return payload_too_many(&w.r, why);
		}
	}
	return payload_end(&w.r, why);
}

static bool read_json(struct run *u, struct str body, struct refusal *why)
{
	struct walk w = { .u = u, .lists = arena_many(u->arena, u->t->nlists + 1u, struct str) };
	jr_init(&w.r, body, u->arena);
	walk_value(&w);
	if (!payload_end(&w.r, why)) {
		return false;
	}
	put_record(u, 0);
	for (uint8_t i = 0; i < u->t->nlists; i++) {
		if (w.lists[i].n && !read_list(u, body, w.lists[i], i + 1, why)) {
			return false;
		}
	}
	if (!u->said) {
		refuse(u, REJECT_SYNTAX, STR_EMPTY);
	}
	return true;
}

bool template_decode(const struct payload_template *t, struct str body, struct arena *arena, int64_t now, const struct decode_sink *sink,
		     struct refusal *why)
{
	struct run u = { .t = t, .x = tables_of(t), .arena = arena, .sink = sink, .now = now };
	u.v = arena_many(arena, t->nplaces + 1u, struct str);
	return t->form == TEMPLATE_JSON ? read_json(&u, body, why) : read_text(&u, body, why);
}
