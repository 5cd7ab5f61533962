// What records are known by, read once for each type that is referred to and kept for the life of an import: number,
// unique fields, title. New records are added as they are made. One thread.
#include "base/arena.h"
#include "base/strmap.h"
#include "exchange/cell.h"
#include "flow/draft.h"

#define TYPES_MAX 64
#define KNOWN_MAX 400000    // records of one type kept in memory; of a larger one each name is looked up
#define AMBIGUOUS INT64_C(0)

struct known {              // of one type
	struct str name;
	struct strmap *map;     // text → index into ids
	int64_t *ids;           // AMBIGUOUS: several records are called so
	size_t n, cap;
	bool direct;            // too many: look up
};

struct area {
	struct str code, title;
};

struct names {
	struct arena *arena;
	struct known known[TYPES_MAX];
	size_t nknown;
	struct strmap *areas;   // name → index
	struct area *area;
	size_t nareas, cap_areas;
};

struct names *names_new(void)
{
	struct names *n = mem_alloc(sizeof *n);
	n->arena = arena_new(0);
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->nknown; i++) {
		strmap_free(n->known[i].map);
		mem_free(n->known[i].ids);
	}
	strmap_free(n->areas);
	arena_free(n->arena);
	mem_free(n);
}

// ---- records -----------------------------------------------------------------------------------

static void put(struct known *k, struct str text, int64_t id, bool weak)
{
	uint32_t at;
	if (text.n == 0)
		return;
	if (strmap_get(k->map, text, &at)) {
		if (k->ids[at] == NAME_PENDING)
			k->ids[at] = id;
		else if (weak && k->ids[at] != id) // a title that another record has too
			k->ids[at] = AMBIGUOUS;
		return;
	}
	if (k->n == k->cap) {
		k->cap = k->cap ? 2 * k->cap : 256;
		k->ids = mem_resize(k->ids, k->cap * sizeof *k->ids);
	}
	k->ids[k->n] = id;
	strmap_put(k->map, text, (uint32_t)k->n++);
}

struct loading {
	struct known *k;
	const struct type *t;
	const struct identity *by;
	size_t rows;
};

static bool is_unique_text(const struct field *f)
{
	return f->unique && f->ncols == 1;
}

static enum err load_row(void *arg, const struct row *row)
{
	struct loading *l = arg;
	if (!row_in_scope(l->by, l->t, &row->c))
		return OK;
	if (++l->rows > KNOWN_MAX)
		return ERR_TOO_LARGE;
	put(l->k, row->c.number, row->c.id, false);
	for (size_t i = 0; i < l->t->nfields; i++) {
		const struct field *f = &l->t->fields[i];
		if (is_unique_text(f) && row->vals[f->col].kind == VAL_TEXT)
			put(l->k, row->vals[f->col].s, row->c.id, false);
	}
	put(l->k, row->c.title, row->c.id, true);
	return OK;
}

static struct known *known_of(struct names *n, struct db *db, const struct type *t, const struct identity *by)
{
	for (size_t i = 0; i < n->nknown; i++)
		if (str_eq(n->known[i].name, t->name))
			return &n->known[i];
	if (n->nknown == TYPES_MAX)
		return NULL;
	struct known *k = &n->known[n->nknown++];
	*k = (struct known){ .name = arena_str(n->arena, t->name), .map = strmap_new(256) };
	struct arena *scratch = arena_new(0);
	struct list_query all = { 0 }; // what is not retired
	enum err err = records_each(db, &t->table, &all, scratch, load_row, &(struct loading){ k, t, by, 0 });
	arena_free(scratch);
	k->direct = err != OK;
	return k;
}

static enum err look_up(struct names *n, struct db *db, const struct type *t, const struct identity *by, struct str text, int64_t *ret)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct scope scope = auth_scope(by, t);
	struct value v = { .kind = VAL_TEXT, .s = text };
	struct row row;
	enum err err = records_find(db, &t->table, &scope, STR("number"), v, a, &row);
	for (size_t i = 0; err == ERR_NOT_FOUND && i < t->nfields; i++)
		if (is_unique_text(&t->fields[i]) && t->table.cols[t->fields[i].col].kind == COL_TEXT)
			err = records_find(db, &t->table, &scope, t->fields[i].name, v, a, &row);
	if (err == ERR_NOT_FOUND)
		err = records_find(db, &t->table, &scope, STR("title"), v, a, &row);
	(void)n;
	if (!err)
		*ret = row.c.id;
	return err;
}

enum err names_find(struct names *n, struct db *db, const struct type *t, const struct identity *by, struct str text, int64_t *ret)
{
	uint32_t at;
	struct known *k = known_of(n, db, t, by);
	if (text.n > 1 && text.p[0] == '#' && str_to_i64(str_skip(text, 1), ret) && *ret > 0)
		return OK; // flow looks whether it is there and in his scope
	if (k && strmap_get(k->map, text, &at)) {
		*ret = k->ids[at];
		return *ret == AMBIGUOUS ? ERR_CONFLICT : OK;
	}
	return !k || k->direct ? look_up(n, db, t, by, text, ret) : ERR_NOT_FOUND;
}

void names_add(struct names *n, const struct type *t, struct str text, int64_t id)
{
	for (size_t i = 0; i < n->nknown; i++)
		if (str_eq(n->known[i].name, t->name) && n->known[i].n < 2 * (size_t)KNOWN_MAX)
			put(&n->known[i], text, id, true);
}

// ---- areas -------------------------------------------------------------------------------------

struct area_load {
	struct names *n;
	const struct field *code;
};

static enum err load_area(void *arg, const struct row *row)
{
	struct area_load *l = arg;
	const struct value *code = &row->vals[l->code->col];
	if (code->kind != VAL_TEXT || code->s.n != 12)
		return OK;
	struct names *n = l->n;
	n->area = arena_push(n->arena, n->area, &n->nareas, &n->cap_areas, sizeof *n->area);
	n->area[n->nareas - 1] = (struct area){ arena_str(n->arena, code->s), arena_str(n->arena, row->c.title) };
	return OK;
}

static void put_area(struct names *n, struct str name, size_t i)
{
	uint32_t at;
	bool there = strmap_get(n->areas, name, &at);
	if (!there)
		strmap_put(n->areas, name, (uint32_t)i);
	else if (at != UINT32_MAX && !str_eq(n->area[at].code, n->area[i].code))
		strmap_put(n->areas, name, UINT32_MAX); // two villages of one name
}

// The area itself and, in front of it, those that contain it: 南河村, 城关镇南河村, 安澜县城关镇南河村.
static void name_area(struct names *n, size_t i)
{
	static const size_t tiers[] = { 9, 6, 4, 2 };
	struct str full = n->area[i].title, prefix = area_prefix(n->area[i].code);
	put_area(n, full, i);
	put_area(n, n->area[i].code, i);
	for (size_t k = 0; k < ARRAY_LEN(tiers); k++) {
		if (tiers[k] >= prefix.n)
			continue;
		for (size_t j = 0; j < n->nareas; j++) {
			struct str above = area_prefix(n->area[j].code);
			if (above.n == tiers[k] && str_starts(prefix, above)) {
				full = arena_printf(n->arena, "%.*s%.*s", STR_FMT(n->area[j].title), STR_FMT(full));
				put_area(n, full, i);
				break;
			}
		}
	}
}

static void load_areas(struct names *n, struct db *db, const struct registry *reg)
{
	const struct type *t = registry_type(reg, STR("area"));
	const struct field *code = t ? type_field(t, STR("code")) : NULL;
	n->areas = strmap_new(256);
	if (!code || code->ncols != 1)
		return;
	struct arena *scratch = arena_new(0);
	struct list_query all = { 0 };
	enum err err = records_each(db, &t->table, &all, scratch, load_area, &(struct area_load){ n, code });
	arena_free(scratch);
	for (size_t i = 0; !err && i < n->nareas; i++)
		name_area(n, i);
}

struct str names_area(struct names *n, struct db *db, const struct registry *reg, struct str text)
{
	uint32_t at;
	if (!n->areas)
		load_areas(n, db, reg);
	return strmap_get(n->areas, text, &at) && at < n->nareas ? n->area[at].code : STR_EMPTY;
}
