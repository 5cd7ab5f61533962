// libyaml events → a tree that keeps positions, and typed access to its scalars. No state; any thread. Everything
// lives in the arena of the caller except libyaml's own parser, which is gone when yaml_parse returns.
#include "model/yaml.h"

#include <yaml.h>

#include "base/limits.h"
#include "base/time.h"
#include "model/diag.h"

struct reader {
	yaml_parser_t parser;
	struct arena *arena, *texts;
	struct arena *open_arena;   // of the stack
	struct yaml_node **open;    // of the lists and mappings that have not ended: what they hold so far
	size_t nopen, cap;
	struct diags *d;
	struct str file, text;
	unsigned nodes;
};

static struct yaml_node *node_new(struct reader *r, enum yaml_kind kind, yaml_mark_t at)
{
	struct yaml_node *n = arena_one(r->arena, struct yaml_node);
	*n = (struct yaml_node){ .kind = kind, .file = r->file, .line = (unsigned)at.line + 1,
		                 .col = (unsigned)at.column + 1, .text = STR_EMPTY };
	return n;
}

static struct yaml_node *say_at(struct reader *r, yaml_mark_t at)
{
	return node_new(r, YAML_SCALAR, at);
}

static struct str line_of(struct str text, size_t line)
{
	struct str s = str_cut(&text, '\n');
	for (size_t i = 0; i < line; i++)
		s = str_cut(&text, '\n');
	return s;
}

// What most often spoils a line and cannot be seen: a full-width mark outside quotes, the last one up to where the parser gave up,
// or a tab before the first word. The mark is moved to it; empty = neither.
static struct str culprit(struct reader *r, yaml_mark_t *at)
{
	static const char *const marks[] = { "：", "，", "｛", "｝", "［", "］", "\u3000" };
	struct str line = line_of(r->text, at->line), found = STR_EMPTY;
	bool quoted = false, begun = false;
	for (size_t i = 0, col = 0; i < line.n && col <= r->parser.problem_mark.column; i++) {
		struct str rest = str_skip(line, i);
		if (line.p[i] == '\t' && !begun) {
			at->column = col;
			return str_from(line.p + i, 1);
		}
		begun |= line.p[i] != ' ';
		quoted ^= line.p[i] == '"';
		for (size_t m = 0; m < ARRAY_LEN(marks) && !quoted; m++)
			if (str_starts(rest, str_of(marks[m]))) {
				found = str_of(marks[m]);
				at->column = col;
			}
		col += i + 1 == line.n || ((unsigned char)line.p[i + 1] & 0xC0) != 0x80;
	}
	return found;
}

static bool next(struct reader *r, yaml_event_t *e)
{
	if (yaml_parser_parse(&r->parser, e))
		return true;
	const char *why = r->parser.problem ? r->parser.problem : "?";
	yaml_mark_t at = r->parser.problem_mark;
	struct str mark = culprit(r, &at);
	if (str_is(mark, "\t"))
		DIAG(r->d, say_at(r, at), TAB);
	else if (mark.n)
		DIAG(r->d, say_at(r, at), FULL_WIDTH, STR_FMT(mark));
	else
		DIAG(r->d, say_at(r, at), SYNTAX, why);
	return false;
}

static bool plain_enough(struct reader *r, const yaml_event_t *e, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		DIAG(r->d, say_at(r, e->start_mark), ANCHOR);
	else if (tag)
		DIAG(r->d, say_at(r, e->start_mark), TAG);
	return !anchor && !tag;
}

static struct yaml_node *read_node(struct reader *r, yaml_event_t *e, unsigned depth);

static struct yaml_node *read_scalar(struct reader *r, const yaml_event_t *e)
{
	if (!plain_enough(r, e, e->data.scalar.anchor, e->data.scalar.tag))
		return NULL;
	struct yaml_node *n = node_new(r, YAML_SCALAR, e->start_mark);
	n->text = arena_str(r->texts, str_from((const char *)e->data.scalar.value, e->data.scalar.length));
	n->quoted = e->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE || e->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	n->folded = e->start_mark.line != e->end_mark.line;
	for (size_t i = 0; i < n->text.n; i++) {
		unsigned char c = (unsigned char)n->text.p[i];
		if (c == 127 || (c < ' ' && c != '\n' && c != '\t')) {
			DIAG(r->d, n, CONTROL);
			return NULL;
		}
	}
	return n;
}

static void open_push(struct reader *r, struct yaml_node *n)
{
	r->open = arena_push(r->open_arena, r->open, &r->nopen, &r->cap, sizeof *r->open);
	r->open[r->nopen - 1] = n;
}

// Every step-th from `from` on, as an array of its own.
static struct yaml_node **open_take(const struct reader *r, size_t from, size_t step)
{
	size_t n = 0;
	struct yaml_node **v = r->nopen > from ? arena_many(r->arena, (r->nopen - from + step - 1) / step, struct yaml_node *) : NULL;
	for (size_t i = from; i < r->nopen; i += step)
		v[n++] = r->open[i];
	return v;
}

static struct yaml_node *read_list(struct reader *r, const yaml_event_t *start, unsigned depth)
{
	if (!plain_enough(r, start, start->data.sequence_start.anchor, start->data.sequence_start.tag))
		return NULL;
	struct yaml_node *n = node_new(r, YAML_LIST, start->start_mark);
	size_t from = r->nopen;
	for (yaml_event_t e; next(r, &e);) {
		if (e.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&e);
			n->items = open_take(r, from, 1);
			n->n = (unsigned)(r->nopen - from);
			r->nopen = from;
			return n;
		}
		struct yaml_node *item = read_node(r, &e, depth + 1);
		if (!item)
			return NULL;
		open_push(r, item);
	}
	return NULL;
}

static struct yaml_node *read_key(struct reader *r, yaml_event_t *e)
{
	if (e->type == YAML_SCALAR_EVENT) {
		struct yaml_node *key = read_scalar(r, e);
		yaml_event_delete(e);
		return key;
	}
	if (e->type == YAML_ALIAS_EVENT)
		DIAG(r->d, say_at(r, e->start_mark), ALIAS);
	else
		DIAG(r->d, say_at(r, e->start_mark), KEY_SCALAR);
	yaml_event_delete(e);
	return NULL;
}

// A key written twice is reported and its second value left out; reading goes on.
static void map_put(struct reader *r, size_t from, struct yaml_node *key, struct yaml_node *val)
{
	for (size_t i = from; i < r->nopen; i += 2)
		if (str_eq(r->open[i]->text, key->text)) {
			DIAG(r->d, key, KEY_TWICE, STR_FMT(key->text), r->open[i]->line);
			return;
		}
	open_push(r, key);
	open_push(r, val);
}

static struct yaml_node *read_map(struct reader *r, const yaml_event_t *start, unsigned depth)
{
	if (!plain_enough(r, start, start->data.mapping_start.anchor, start->data.mapping_start.tag))
		return NULL;
	struct yaml_node *n = node_new(r, YAML_MAP, start->start_mark);
	size_t from = r->nopen;
	for (yaml_event_t e; next(r, &e);) {
		if (e.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&e);
			n->keys = open_take(r, from, 2);
			n->items = open_take(r, from + 1, 2);
			n->n = (unsigned)(r->nopen - from) / 2;
			r->nopen = from;
			return n;
		}
		struct yaml_node *key = read_key(r, &e);
		if (!key || !next(r, &e))
			return NULL;
		struct yaml_node *val = read_node(r, &e, depth + 1);
		if (!val)
			return NULL;
		map_put(r, from, key, val);
	}
	return NULL;
}

// Takes the event over.
static struct yaml_node *read_node(struct reader *r, yaml_event_t *e, unsigned depth)
{
	struct yaml_node *n = NULL;
	if (depth > LIMIT_YAML_DEPTH)
		DIAG(r->d, say_at(r, e->start_mark), DEPTH, LIMIT_YAML_DEPTH);
	else if (++r->nodes > LIMIT_YAML_NODES)
		DIAG(r->d, say_at(r, e->start_mark), NODES, LIMIT_YAML_NODES);
	else if (e->type == YAML_SCALAR_EVENT)
		n = read_scalar(r, e);
	else if (e->type == YAML_SEQUENCE_START_EVENT)
		n = read_list(r, e, depth);
	else if (e->type == YAML_MAPPING_START_EVENT)
		n = read_map(r, e, depth);
	else if (e->type == YAML_ALIAS_EVENT)
		DIAG(r->d, say_at(r, e->start_mark), ALIAS);
	yaml_event_delete(e);
	return n;
}

// Skips to the event after STREAM-START and DOCUMENT-START. False at a mistake or an empty file.
static bool read_start(struct reader *r, yaml_event_t *e)
{
	while (next(r, e)) {
		if (e->type == YAML_STREAM_END_EVENT) {
			DIAG(r->d, say_at(r, e->start_mark), EMPTY);
			yaml_event_delete(e);
			return false;
		}
		if (e->type != YAML_STREAM_START_EVENT && e->type != YAML_DOCUMENT_START_EVENT)
			return true;
		yaml_event_delete(e);
	}
	return false;
}

static bool read_rest(struct reader *r)
{
	for (yaml_event_t e; next(r, &e);) {
		yaml_event_type_t type = e.type;
		yaml_mark_t at = e.start_mark;
		yaml_event_delete(&e);
		if (type == YAML_STREAM_END_EVENT)
			return true;
		if (type != YAML_DOCUMENT_END_EVENT) {
			DIAG(r->d, say_at(r, at), DOCUMENTS);
			return false;
		}
	}
	return false;
}

struct yaml_node *yaml_parse_apart(struct arena *tree, struct arena *texts, struct str file, struct str text, struct diags *d)
{
	struct arena *open on_scope_exit(arena_freep) = arena_new(0);
	struct reader r = { .arena = tree, .texts = texts, .open_arena = open, .d = d, .file = file, .text = text };
	if (text.n > LIMIT_YAML_FILE) {
		DIAG(d, say_at(&r, (yaml_mark_t){ 0, 0, 0 }), FILE_LARGE, LIMIT_YAML_FILE);
		return NULL;
	}
	if (!yaml_parser_initialize(&r.parser))
		return NULL;
	size_t before = d->n;
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
	struct yaml_node *root = NULL;
	yaml_event_t e;
	if (read_start(&r, &e)) {
		root = read_node(&r, &e, 1);
		if (root && !read_rest(&r))
			root = NULL;
	}
	yaml_parser_delete(&r.parser);
	return d->n == before ? root : NULL;
}

struct yaml_node *yaml_parse(struct arena *a, struct str file, struct str text, struct diags *d)
{
	return yaml_parse_apart(a, a, file, text, d);
}

struct yaml_node *yaml_keep(const struct yaml_node *n, struct arena *a)
{
	struct yaml_node *kept = arena_one(a, struct yaml_node);
	*kept = *n;
	if (n->items)
		kept->items = arena_many(a, n->n, struct yaml_node *);
	if (n->keys)
		kept->keys = arena_many(a, n->n, struct yaml_node *);
	for (unsigned i = 0; i < n->n; i++) {
		kept->items[i] = yaml_keep(n->items[i], a);
		if (n->keys)
			kept->keys[i] = yaml_keep(n->keys[i], a);
	}
	return kept;
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (str_is(map->keys[i]->text, key))
			return map->items[i];
	return NULL;
}

bool yaml_str(const struct yaml_node *n, struct str *ret, struct diags *d)
{
	if (n->kind != YAML_SCALAR) {
		DIAG(d, n, WANT_TEXT);
		return false;
	}
	*ret = n->text;
	return true;
}

bool yaml_f64(const struct yaml_node *n, double *ret, struct diags *d)
{
	struct str s;
	if (!yaml_str(n, &s, d))
		return false;
	if (!str_to_f64(s, ret)) {
		DIAG(d, n, WANT_NUMBER, STR_FMT(s));
		return false;
	}
	return true;
}

bool yaml_i64(const struct yaml_node *n, int64_t *ret, struct diags *d)
{
	struct str s;
	if (!yaml_str(n, &s, d))
		return false;
	if (!str_to_i64(s, ret)) {
		DIAG(d, n, WANT_INTEGER, STR_FMT(s));
		return false;
	}
	return true;
}

bool yaml_bool(const struct yaml_node *n, bool *ret, struct diags *d)
{
	struct str s;
	if (!yaml_str(n, &s, d))
		return false;
	*ret = str_is(s, "true");
	if (*ret || str_is(s, "false"))
		return true;
	DIAG(d, n, WANT_BOOL, STR_FMT(s));
	return false;
}

bool yaml_duration(const struct yaml_node *n, int64_t *ret_us, struct diags *d)
{
	struct str s;
	if (!yaml_str(n, &s, d))
		return false;
	if (!duration_parse(s, ret_us)) {
		DIAG(d, n, WANT_DURATION, STR_FMT(s));
		return false;
	}
	return true;
}

static bool label_part(const struct yaml_node *map, const char *lang, struct str *ret, struct diags *d)
{
	const struct yaml_node *n = yaml_get(map, lang);
	if (!n) {
		DIAG(d, map, LABEL_LANGUAGE, lang);
		return false;
	}
	if (!yaml_str(n, ret, d))
		return false;
	*ret = str_trim(*ret);
	if (ret->n == 0)
		DIAG(d, n, LABEL_EMPTY);
	return ret->n > 0;
}

bool yaml_label(const struct yaml_node *n, struct label *ret, struct diags *d)
{
	static const char *const keys[] = { "zh", "en", NULL };
	*ret = (struct label){ STR_EMPTY, STR_EMPTY };
	if (n->kind != YAML_MAP) {
		DIAG(d, n, WANT_LABEL);
		return false;
	}
	yaml_check_keys(n, keys, d);
	bool zh = label_part(n, "zh", &ret->zh, d), en = label_part(n, "en", &ret->en, d);
	return zh && en;
}

bool yaml_strs(const struct yaml_node *n, struct arena *a, struct str **ret, size_t *ret_n, struct diags *d)
{
	*ret = NULL;
	*ret_n = 0;
	if (n->kind != YAML_LIST) {
		DIAG(d, n, WANT_LIST);
		return false;
	}
	*ret = arena_many(a, n->n, struct str);
	for (size_t i = 0; i < n->n; i++) {
		if (!yaml_str(n->items[i], &(*ret)[i], d))
			return false;
		for (size_t j = 0; j < i; j++)
			if (str_eq((*ret)[j], (*ret)[i])) {
				DIAG(d, n->items[i], LISTED_TWICE, STR_FMT((*ret)[i]));
				return false;
			}
	}
	*ret_n = n->n;
	return true;
}
