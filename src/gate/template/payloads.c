// Templates from their YAML. Any thread; everything lives in the caller's arena.
#include "gate/template/payloads.h"

#include <iconv.h>
#include <math.h>

#define SAY(l, at, zh, en, ...) diag_say((l)->d, (at), zh, en, ##__VA_ARGS__)

struct load {
	struct arena *a;
	struct diags *d;
	const struct yaml_node *root;
	enum template_form form;
	iconv_t code;                // to the devices' code; NO_CODE: they send UTF-8
	struct payload_template head;
	struct template_place places[LIMIT_TEMPLATE_FIELDS];
	struct template_item items[LIMIT_TEMPLATE_FIELDS];
	struct template_word words[2 * LIMIT_TEMPLATE_FIELDS];
	struct template_text lists[LIMIT_TEMPLATE_FIELDS];
	struct buf text;
};

#define NO_CODE ((iconv_t)-1)

static const char *const form_names[TEMPLATE_FORM__MAX] = { "delimited", "pairs", "columns", "json" };

static struct template_text keep(struct load *l, const struct yaml_node *at, struct str s)
{
	struct template_text t = { (uint16_t)l->text.n, (uint16_t)s.n };
	buf_add_str(&l->text, s);
	if (!buf_ok(&l->text))
		SAY(l, at, "模板的文字超过 %u 字节；请分成几个模板", "the texts of the template are longer than %u bytes; make several templates", LIMIT_TEMPLATE / 2);
	return t;
}

// In the devices' code: the gate compares bytes and knows no codes.
static struct str coded(struct load *l, const struct yaml_node *at, struct str s)
{
	if (l->code == NO_CODE)
		return s;
	size_t room = 2 * s.n + 1, left = s.n; // three bytes become two or four, two at most four
	char *in = (char *)(uintptr_t)s.p, *out = arena_alloc(l->a, room), *to = out;
	if (iconv(l->code, &in, &left, &to, &room) == (size_t)-1)
		SAY(l, at, "“%.*s”没有 GB18030 编码", "\"%.*s\" has no code in GB18030", STR_FMT(s));
	return str_from(out, (size_t)(to - out));
}

static struct template_text keep_coded(struct load *l, const struct yaml_node *at, struct str s) { return keep(l, at, coded(l, at, s)); }

static struct str kept(const struct load *l, struct template_text t) { return str_from(l->text.p + t.at, t.n); }

static bool want_text(struct load *l, const struct yaml_node *n, struct str *ret)
{
	return n && yaml_str(n, ret, l->d);
}

// ---- places -------------------------------------------------------------------------------------

// "5" or "1-14".
static bool read_numbers(struct load *l, struct str s, struct template_place *p)
{
	struct str to = s, from = str_cut(&to, '-');
	uint64_t a, b;
	bool range = l->form == TEMPLATE_COLUMNS && from.n < s.n;
	if (!str_to_u64(from, &a) || !str_to_u64(range ? to : from, &b) || a < 1 || b < a || b > UINT16_MAX || (!range && from.n != s.n))
		return false;
	p->from = (uint16_t)a;
	p->to = (uint16_t)b;
	return true;
}

static uint8_t list_of(struct load *l, const struct yaml_node *at, struct str path)
{
	for (uint8_t i = 0; i < l->head.nlists; i++)
		if (str_eq(kept(l, l->lists[i]), path))
			return i + 1;
	if (l->head.nlists == LIMIT_TEMPLATE_FIELDS)
		return 0;
	l->lists[l->head.nlists++] = keep(l, at, path);
	return l->head.nlists;
}

static size_t find(struct str s, struct str what)
{
	for (size_t i = 0; i + what.n <= s.n; i++)
		if (memcmp(s.p + i, what.p, what.n) == 0)
			return i;
	return s.n;
}

// data.gas.value, rows[0].v, items[].v: [] each item of an array.
static bool read_path(struct load *l, const struct yaml_node *at, struct str s, struct template_place *p)
{
	size_t list = find(s, STR("[]"));
	struct str path = s;
	if (list < s.n) {
		path = str_skip(s, list + 2);
		if (path.n && path.p[0] != '.') {
			SAY(l, at, "“%.*s”里 [] 后面要有点；请写如 items[].value", "a dot must follow [] in \"%.*s\"; write for example items[].value", STR_FMT(s));
			return false;
		}
		path = str_skip(path, 1);
		if (find(path, STR("[]")) < path.n) {
			SAY(l, at, "“%.*s”里有两个 []；只能展开一层列表", "two [] in \"%.*s\"; only one list can be opened", STR_FMT(s));
			return false;
		}
		p->list = list_of(l, at, str_first(s, list));
	}
	p->key = keep(l, at, path);
	return true;
}

static bool same_place(const struct load *l, const struct template_place *a, const struct template_place *b)
{
	return a->from == b->from && a->to == b->to && a->list == b->list && str_eq(kept(l, a->key), kept(l, b->key));
}

// The number of the place that s names; TEMPLATE_NONE after a mistake.
static uint8_t place_of(struct load *l, const struct yaml_node *at, struct str s)
{
	static const char *const zh[] = { "第几个字段，从 1 数起，如 3", "键，如 T1", "第几个字节到第几个字节，从 1 数起，如 5-8", "路径，如 data.value 或 items[].value" };
	static const char *const en[] = { "the number of a field, from 1, for example 3", "a key, for example T1",
		                          "first and last byte, from 1, for example 5-8", "a path, for example data.value or items[].value" };
	struct template_place p = { 0 };
	bool ok = s.n != 0;
	if (l->form == TEMPLATE_PAIRS)
		p.key = keep_coded(l, at, s);
	else if (l->form == TEMPLATE_JSON && ok && !read_path(l, at, s, &p))
		return TEMPLATE_NONE;
	else if (l->form != TEMPLATE_JSON)
		ok = read_numbers(l, s, &p);
	if (!ok) {
		SAY(l, at, "“%.*s”不是位置；这里要写%s", "\"%.*s\" is no place; write %s here", STR_FMT(s), l->d->zh ? zh[l->form] : en[l->form]);
		return TEMPLATE_NONE;
	}
	for (uint8_t i = 0; i < l->head.nplaces; i++)
		if (same_place(l, &l->places[i], &p))
			return i;
	if (l->head.nplaces == LIMIT_TEMPLATE_FIELDS) {
		SAY(l, at, "位置超过 %u 个；请分成几个模板", "more than %u places; make several templates", LIMIT_TEMPLATE_FIELDS);
		return TEMPLATE_NONE;
	}
	l->places[l->head.nplaces] = p;
	return l->head.nplaces++;
}

static uint8_t place_at(struct load *l, const struct yaml_node *n)
{
	struct str s;
	return want_text(l, n, &s) ? place_of(l, n, s) : TEMPLATE_NONE;
}

static uint8_t place_list(const struct load *l, uint8_t place) { return place == TEMPLATE_NONE ? 0 : l->places[place].list; }

// ---- the record ---------------------------------------------------------------------------------

static uint8_t one_byte(struct load *l, const char *key, char otherwise)
{
	const struct yaml_node *n = yaml_get(l->root, key);
	struct str s;
	if (!want_text(l, n, &s))
		return (uint8_t)otherwise;
	if (s.n != 1)
		SAY(l, n, "%s 要写一个英文字符，如 \";\"", "%s is one ASCII character, for example \";\"", key);
	return s.n ? (uint8_t)s.p[0] : 0;
}

static void only_for(struct load *l, const char *key, bool fits)
{
	const struct yaml_node *n = yaml_get(l->root, key);
	if (n && !fits)
		SAY(l, n, "%s 在 form: %s 时没有意义；请删去", "%s has no meaning with form: %s; take it out", key, form_names[l->form]);
}

static bool read_form(struct load *l)
{
	const struct yaml_node *n = yaml_get(l->root, "form");
	struct str s = STR_EMPTY;
	size_t i = 0;
	if (!n)
		SAY(l, l->root, "缺少 form；请写 delimited、pairs、columns 或 json", "form is missing; write delimited, pairs, columns or json");
	if (!want_text(l, n, &s))
		return false;
	while (i < TEMPLATE_FORM__MAX && !str_is(s, form_names[i]))
		i++;
	if (i == TEMPLATE_FORM__MAX) {
		SAY(l, n, "没有 form “%.*s”；请写 delimited、pairs、columns 或 json", "there is no form \"%.*s\"; write delimited, pairs, columns or json", STR_FMT(s));
		return false;
	}
	l->form = (enum template_form)i;
	l->head.form = (uint8_t)i;
	return true;
}

// In GB18030 the second byte of a character may be a digit, a letter or one of @ [ \\ ] ^ _ ` { | } ~.
static void read_charset(struct load *l)
{
	const struct yaml_node *n = yaml_get(l->root, "charset");
	struct str s;
	only_for(l, "charset", l->form != TEMPLATE_JSON);
	if (!want_text(l, n, &s) || str_is(s, "utf-8"))
		return;
	if (!str_is(s, "gb18030"))
		SAY(l, n, "没有编码“%.*s”；请写 utf-8 或 gb18030（含 GBK、GB2312）", "there is no charset \"%.*s\"; write utf-8 or gb18030 (with GBK and GB2312)", STR_FMT(s));
	else if ((l->code = iconv_open("GB18030", "UTF-8")) == NO_CODE)
		SAY(l, n, "本机不能转换 GB18030 编码；请装 libc-bin", "this machine cannot convert to GB18030; install libc-bin");
}

static bool within_character(uint8_t c) { return (c >= '0' && c <= '9') || (c >= '@' && c <= '~'); }

static void read_frame(struct load *l)
{
	bool text = l->form != TEMPLATE_JSON, split = l->form == TEMPLATE_DELIMITED || l->form == TEMPLATE_PAIRS;
	struct str s;
	only_for(l, "start", text);
	only_for(l, "end", text);
	only_for(l, "separator", split);
	only_for(l, "equals", l->form == TEMPLATE_PAIRS);
	l->head.separator = one_byte(l, "separator", l->form == TEMPLATE_PAIRS ? ';' : ',');
	l->head.equals = one_byte(l, "equals", '=');
	bool within = within_character(l->head.separator) || (l->form == TEMPLATE_PAIRS && within_character(l->head.equals));
	if (l->code != NO_CODE && split && within)
		SAY(l, l->root, "GB18030 的汉字里会有这个分隔符的字节；请用 , ; : = 等", "the separator's byte is part of characters in GB18030; use one of , ; : =");
	if (want_text(l, yaml_get(l->root, "start"), &s))
		l->head.start = keep_coded(l, l->root, s);
	if (want_text(l, yaml_get(l->root, "end"), &s))
		l->head.end = keep_coded(l, l->root, s);
	if (l->form == TEMPLATE_PAIRS && l->head.equals == l->head.separator)
		SAY(l, l->root, "separator 和 equals 相同；请改其中一个", "separator and equals are the same; change one");
}

static void read_zone(struct load *l, const struct yaml_node *n)
{
	struct str s;
	uint64_t h, m;
	if (!want_text(l, n, &s))
		return;
	if (s.n == 6 && (s.p[0] == '+' || s.p[0] == '-') && s.p[3] == ':' && str_to_u64(str_from(s.p + 1, 2), &h) &&
	    str_to_u64(str_from(s.p + 4, 2), &m) && h < 15 && m < 60)
		l->head.zone_min = (int16_t)((s.p[0] == '-' ? -1 : 1) * (int)(h * 60 + m));
	else
		SAY(l, n, "“%.*s”不是时区；请写如 \"+08:00\"", "\"%.*s\" is no zone; write for example \"+08:00\"", STR_FMT(s));
}

static void read_clock(struct load *l, const struct yaml_node *n)
{
	struct str s = STR_EMPTY;
	if (!want_text(l, n, &s))
		return;
	l->head.clock = str_is(s, "iso") ? TEMPLATE_ISO : str_is(s, "unix") ? TEMPLATE_UNIX : str_is(s, "unix_ms") ? TEMPLATE_UNIX_MS : TEMPLATE_LETTERS;
	if (l->head.clock == TEMPLATE_LETTERS && !template_letters_ok(s))
		SAY(l, n, "“%.*s”不是时间格式；请写 iso、unix、unix_ms，或如 YYYY-MM-DD hh:mm:ss（年 YYYY 或 YY、月 MM、日 DD、时 hh、分 mm、秒 ss、毫秒 SSS）",
		    "\"%.*s\" is no format of a time; write iso, unix, unix_ms, or for example YYYY-MM-DD hh:mm:ss (year YYYY or YY, month MM, day DD, hour hh, minute mm, second ss, milliseconds SSS)",
		    STR_FMT(s));
	l->head.letters = keep_coded(l, n, s);
}

static void read_time(struct load *l)
{
	static const char *const keys[] = { "at", "as", "zone", NULL };
	const struct yaml_node *n = yaml_get(l->root, "time");
	l->head.time[0] = l->head.time[1] = TEMPLATE_NONE;
	l->head.zone_min = ZONE_CHINA_MIN;
	l->head.clock = TEMPLATE_ISO;
	if (n && n->kind == YAML_SCALAR && str_is(n->text, "arrival")) {
		l->head.clock = TEMPLATE_ARRIVAL;
		return;
	}
	const struct yaml_node *at = yaml_get(n, "at");
	if (!n || n->kind != YAML_MAP || !at || !yaml_get(n, "as")) {
		SAY(l, n ? n : l->root, "要说明时间在哪里；请写如 time: {at: …, as: YYYYMMDDhhmmss}，或 time: arrival（报文没有时间，用到达时间）",
		    "say where the time is: time: {at: …, as: YYYYMMDDhhmmss}, or time: arrival (the message has none, its arrival counts)");
		return;
	}
	yaml_check_keys(n, keys, l->d);
	if (at->kind == YAML_LIST && at->n == 2)
		for (size_t i = 0; i < 2; i++)
			l->head.time[i] = place_at(l, at->items[i]);
	else
		l->head.time[0] = place_at(l, at);
	read_clock(l, yaml_get(n, "as"));
	read_zone(l, yaml_get(n, "zone"));
}

// ---- points -------------------------------------------------------------------------------------

// All places of an item, and the time, are in one list or around the lists.
static void in_list(struct load *l, const struct yaml_node *at, struct template_item *it, uint8_t place)
{
	uint8_t list = place_list(l, place);
	if (list && it->list && list != it->list)
		SAY(l, at, "这一项用了两个不同列表里的值；请分成两项", "this value uses two different lists; make two of it");
	it->list = list ? list : it->list;
}

// TANK{2}.level → text with TEMPLATE_REF.
static void read_point(struct load *l, const struct yaml_node *n, struct template_item *it)
{
	struct str rest = STR_EMPTY;
	struct buf out;
	buf_init(&out, LIMIT_TEMPLATE);
	if (!n || !want_text(l, n, &rest) || !rest.n)
		SAY(l, n ? n : l->root, "缺少 point；请写监测点在协议中的名字", "point is missing; write the name the point has in the protocol");
	while (rest.n) {
		struct str before = rest, text = str_cut(&rest, '{');
		buf_add_str(&out, text);
		if (text.n == before.n)
			break;
		before = rest;
		struct str inside = str_cut(&rest, '}');
		if (inside.n == before.n)
			SAY(l, n, "花括号没有关上；请补上 }", "a brace is not closed; add }");
		uint8_t place = place_of(l, n, inside);
		buf_add_u8(&out, (uint8_t)TEMPLATE_REF);
		buf_add_u8(&out, place == TEMPLATE_NONE ? 1 : (uint8_t)(place + 1));
		in_list(l, n, it, place);
	}
	it->point = keep(l, n ? n : l->root, buf_str(&out));
	buf_free(&out);
}

static void read_item(struct load *l, const struct yaml_node *n, struct template_item *it)
{
	static const char *const keys[] = { "at", "point", "scale", "prefix", "suffix", "quality", "event", NULL };
	const struct yaml_node *at = yaml_get(n, "at"), *quality = yaml_get(n, "quality"), *scale = yaml_get(n, "scale"), *event = yaml_get(n, "event");
	struct str s;
	bool is_event = false;
	*it = (struct template_item){ .value = TEMPLATE_NONE, .quality = TEMPLATE_NONE, .scale = 1 };
	yaml_check_keys(n, keys, l->d);
	if (event)
		yaml_bool(event, &is_event, l->d);
	if (!at == !is_event)
		SAY(l, n, "每一项要么写 at（值在哪里），要么写 event: true（记录本身就是事件）", "each has either at (where the value is) or event: true (the record itself is the event)");
	if (at)
		it->value = place_at(l, at);
	if (quality)
		it->quality = place_at(l, quality);
	in_list(l, n, it, it->value);
	in_list(l, n, it, it->quality);
	read_point(l, yaml_get(n, "point"), it);
	if (scale && yaml_f64(scale, &it->scale, l->d) && it->scale == 0)
		SAY(l, scale, "scale 不能为 0", "scale cannot be 0");
	if (want_text(l, yaml_get(n, "prefix"), &s))
		it->prefix = keep_coded(l, n, s);
	if (want_text(l, yaml_get(n, "suffix"), &s))
		it->suffix = keep_coded(l, n, s);
}

static void read_points(struct load *l)
{
	const struct yaml_node *list = yaml_get(l->root, "points");
	if (!list || list->kind != YAML_LIST || !list->n || list->n > LIMIT_TEMPLATE_FIELDS) {
		SAY(l, list ? list : l->root, "points 要写 1 至 %u 项，如 - {at: 3, point: T1}", "points has 1 to %u values, for example - {at: 3, point: T1}", LIMIT_TEMPLATE_FIELDS);
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		read_item(l, list->items[i], &l->items[i]);
	l->head.nitems = (uint8_t)list->n;
	uint8_t time = place_list(l, l->head.time[0]);
	for (size_t i = 0; i < list->n; i++)
		if (time && l->items[i].list != time)
			SAY(l, list->items[i], "时间在列表里面，而这一项不在同一个列表里；请改 at 或 time", "the time is inside a list, this value is not in the same; change at or time");
}

static void read_word(struct load *l, const struct yaml_node *key, const struct yaml_node *n, bool of_quality)
{
	struct template_word *w = &l->words[l->head.nwords++];
	struct str s = STR_EMPTY;
	enum quality q = Q_GOOD;
	if (!want_text(l, n, &s))
		return;
	w->word = keep_coded(l, key, key->text);
	w->of_quality = of_quality;
	w->number = !of_quality && str_to_f64(s, &w->value);
	while (!w->number && q < Q__MAX && !str_is(s, quality_name(q)))
		q++;
	w->quality = w->number ? Q_GOOD : (uint8_t)q;
	if (q == Q__MAX || (q == Q_GOOD && !of_quality && !w->number))
		SAY(l, n, "“%.*s”不能用在这里；请写质量 good（只在 qualities）calibration maintenance flat range stale bad 之一，在 words 里也可写数",
		    "\"%.*s\" has no meaning here; write a quality: good (in qualities only) calibration maintenance flat range stale bad, or under words a number", STR_FMT(s));
}

// words: what may stand instead of a number; qualities: what may stand where a quality is.
static void read_words(struct load *l, const char *name, bool of_quality)
{
	const struct yaml_node *map = yaml_get(l->root, name);
	if (!map)
		return;
	if (map->kind != YAML_MAP || map->n > LIMIT_TEMPLATE_FIELDS) {
		SAY(l, map, "%s 要写至多 %u 个词，如 {FAULT: bad}", "%s are at most %u words, for example {FAULT: bad}", name, LIMIT_TEMPLATE_FIELDS);
		return;
	}
	for (size_t i = 0; i < map->n; i++)
		read_word(l, map->keys[i], map->items[i], of_quality);
}

// ---- the block ----------------------------------------------------------------------------------

static const struct payload_template *block_of(struct load *l)
{
	struct buf out;
	l->head.text_n = (uint16_t)l->text.n;
	buf_init(&out, LIMIT_TEMPLATE);
	buf_add(&out, &l->head, sizeof l->head);
	buf_add(&out, l->items, l->head.nitems * sizeof *l->items);
	buf_add(&out, l->words, l->head.nwords * sizeof *l->words);
	buf_add(&out, l->places, l->head.nplaces * sizeof *l->places);
	buf_add(&out, l->lists, l->head.nlists * sizeof *l->lists);
	buf_add_str(&out, buf_str(&l->text));
	while (out.n % 8)
		buf_add_u8(&out, 0);
	struct payload_template *t = NULL;
	if (buf_ok(&out)) {
		t = arena_alloc(l->a, out.n);
		memcpy(t, out.p, out.n);
		t->size = (uint32_t)out.n;
	}
	if (!t || !template_sound(t, t->size)) {
		SAY(l, l->root, "模板超过 %u 字节；请分成几个模板", "the template is larger than %u bytes; make several", LIMIT_TEMPLATE);
		t = NULL;
	}
	buf_free(&out);
	return t;
}

// ---- examples -----------------------------------------------------------------------------------

struct example {
	struct load *l;
	const struct yaml_node *at, *gives;
	bool *met;
	bool has_time;
	int64_t time;
};

static struct str reading_text(struct example *x, const struct decoded *d)
{
	char text[F64_TEXT_MAX];
	size_t n = f64_text(d->value, text);
	const char *q = quality_name(d->quality);
	return d->quality == Q_GOOD ? arena_str(x->l->a, str_from(text, n)) : arena_printf(x->l->a, "%.*s %s", (int)n, text, q);
}

static void on_reading(void *owner, const struct decoded *d)
{
	struct example *x = owner;
	struct str got = reading_text(x, d);
	for (size_t i = 0; i < x->gives->n; i++) {
		if (x->met[i] || !str_eq(x->gives->keys[i]->text, d->name))
			continue;
		x->met[i] = true;
		if (!str_eq(x->gives->items[i]->text, got))
			SAY(x->l, x->gives->items[i], "例子读出来 %.*s 是 %.*s；请改例子或模板", "the example gives %.*s = %.*s; correct it or the template", STR_FMT(d->name), STR_FMT(got));
		if (x->has_time && d->time != x->time) {
			char text[TIME_TEXT_MAX];
			SAY(x->l, x->at, "例子的时间读出来是 %.*s；请改例子或模板", "the example's time is read as %.*s; correct it or the template", (int)time_text(d->time, text), text);
		}
		return;
	}
	if (d->value != 0 || d->quality != Q_GOOD || x->gives->n == 0) // not the end of an event
		SAY(x->l, x->at, "例子还读出 %.*s = %.*s；请写进 gives", "the example also gives %.*s = %.*s; write it under gives", STR_FMT(d->name), STR_FMT(got));
}

static void on_refuse(void *owner, enum reject why, struct str what)
{
	struct example *x = owner;
	SAY(x->l, x->at, "例子里的“%.*s”读不出来：%s；请改例子或模板", "\"%.*s\" of the example cannot be read: %s; correct it or the template", STR_FMT(what),
	    reject_text(why, x->l->d->zh));
}

static void try_example(struct load *l, const struct payload_template *t, const struct yaml_node *n)
{
	static const char *const keys[] = { "text", "time", "gives", NULL };
	const struct yaml_node *text = yaml_get(n, "text"), *time = yaml_get(n, "time");
	struct example x = { .l = l, .at = text ? text : n, .gives = yaml_get(n, "gives") };
	struct decode_sink sink = { &x, on_reading, on_refuse };
	struct refusal why = { 0 };
	struct str body;
	yaml_check_keys(n, keys, l->d);
	if (!x.gives || x.gives->kind != YAML_MAP || !want_text(l, text, &body)) {
		SAY(l, n, "例子要写 {text: 一条报文, gives: {监测点: 值}}", "an example is {text: a message, gives: {POINT: value}}");
		return;
	}
	x.met = arena_many(l->a, x.gives->n + 1, bool);
	x.has_time = time && time->kind == YAML_SCALAR;
	if (x.has_time && !time_parse(time->text, &x.time))
		SAY(l, time, "时间请写如 2026-06-21T08:10:34+08:00", "write the time as 2026-06-21T08:10:34+08:00");
	if (!template_decode(t, coded(l, text, body), l->a, clock_now(), &sink, &why))
		SAY(l, x.at, "例子读不出来：%s；请改例子或模板", "the example cannot be read: %s; correct it or the template", l->d->zh ? why.zh : why.en);
	for (size_t i = 0; i < x.gives->n; i++)
		if (!x.met[i])
			SAY(l, x.gives->keys[i], "例子里没有读出“%.*s”；请改例子或模板", "the example does not give \"%.*s\"; correct it or the template", STR_FMT(x.gives->keys[i]->text));
}

static void try_examples(struct load *l, const struct payload_template *t)
{
	const struct yaml_node *list = yaml_get(l->root, "examples");
	if (!list || list->kind != YAML_LIST || !list->n) {
		SAY(l, list ? list : l->root, "缺少 examples；请写一条真实报文和它应读出的值", "examples is missing; write a real message and what it must give");
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		try_example(l, t, list->items[i]);
}

const struct payload_template *payload_load(const struct yaml_node *root, struct arena *a, struct diags *d)
{
	static const char *const keys[] = { "payload", "label", "form", "charset", "start", "end", "separator", "equals", "time", "points", "words", "qualities", "examples", NULL };
	struct load *l = arena_one(a, struct load);
	const struct payload_template *t = NULL;
	size_t before = d->n;
	l->a = a;
	l->d = d;
	l->root = root;
	l->code = NO_CODE;
	buf_init(&l->text, LIMIT_TEMPLATE / 2);
	yaml_check_keys(root, keys, d);
	if (read_form(l)) {
		read_charset(l);
		read_frame(l);
		read_time(l);
		read_points(l);
		read_words(l, "words", false);
		read_words(l, "qualities", true);
		if (d->n == before && (t = block_of(l)))
			try_examples(l, t);
	}
	if (l->code != NO_CODE)
		iconv_close(l->code);
	buf_free(&l->text);
	return d->n == before ? t : NULL;
}

bool payloads_load(const struct registry *reg, struct arena *a, struct diags *d, struct named_template **ret, size_t *ret_n)
{
	size_t before = d->n;
	*ret = arena_many(a, reg->nfiles, struct named_template);
	*ret_n = 0;
	for (size_t i = 0; i < reg->nfiles; i++) {
		const struct yaml_node *name = yaml_get(reg->files[i].root, "payload");
		if (!str_is(reg->files[i].folder, "payloads") || !name)
			continue;
		struct named_template p = { name->text, payload_load(reg->files[i].root, a, d) };
		if (p.t)
			(*ret)[(*ret_n)++] = p;
	}
	return d->n == before;
}

const struct named_template *payload_find(const struct named_template *v, size_t n, struct str name)
{
	for (size_t i = 0; name.n && i < n; i++)
		if (str_eq(v[i].name, name))
			return &v[i];
	return NULL;
}
