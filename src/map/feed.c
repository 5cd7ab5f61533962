#include "map/feed.h"

#include <math.h>

bool map_live_of(struct str type, enum map_live *ret)
{
	static const char *const names[MAP_LIVES] = { "point", "enterprise", "installation" };
	for (size_t i = 0; i < MAP_LIVES; i++)
		if (str_is(type, names[i])) {
			*ret = (enum map_live)i;
			return true;
		}
	return false;
}

// The field that grades a record: a menu in which every item has one of the colours of a level, named as such fields are.
static const struct field *level_field(const struct type *t)
{
	static const char *const names[] = { "risk", "level", "grade" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct field *f = type_field(t, str_of(names[i]));
		if (f && f->kind == FIELD_MENU && f->menu && f->ncols == 1 && f->menu->nitems && f->menu->items[0].color.n)
			return f;
	}
	return NULL;
}

bool map_source_of(const struct type *t, struct map_source *ret)
{
	const struct field *f = t->geometry.n ? type_field(t, t->geometry) : NULL;
	*ret = (struct map_source){ .t = t, .place = f, .level = level_field(t) };
	if (!f || f->kind != FIELD_POSITION || f->ncols != 2)
		return false;
	ret->cols[0] = t->table.cols[f->col];
	ret->cols[1] = t->table.cols[f->col + 1];
	if (ret->level)
		ret->cols[2] = t->table.cols[ret->level->col];
	ret->table = (struct table){ .name = t->table.name, .cols = ret->cols, .ncols = ret->level ? 3 : 2 };
	ret->live = map_live_of(t->name, &ret->kind);
	return true;
}

static enum map_color own_color(const struct map_source *s, const struct row *row)
{
	enum map_color c = MAP_GREY;
	for (size_t i = 0; s->level && i < s->level->menu->nitems; i++)
		if (row->vals[2].kind == VAL_TEXT && str_eq(s->level->menu->items[i].value, row->vals[2].s))
			(void)map_color_of(s->level->menu->items[i].color, &c);
	return c;
}

enum map_color map_level(const struct map_source *s, const struct map_levels *lv, enum map_by by, const struct row *row)
{
	const struct state *state = row->c.state.n ? type_state(s->t, row->c.state) : NULL;
	enum map_color c = MAP_GREY;
	if (by == MAP_BY_RISK) {
		bool indexed = s->live && s->kind == MAP_LIVE_ENTERPRISE && lv->risk && lv->risk(lv->arg, row->c.id, &c);
		return indexed ? c : own_color(s, row);
	}
	if (s->live)
		return (size_t)row->c.id < lv->n[s->kind] ? (enum map_color)lv->of[s->kind][row->c.id] : MAP_GREY;
	if (state && state->end)
		return MAP_GREEN;
	if (s->level)
		return own_color(s, row);
	if (state)
		(void)map_color_of(state->color, &c);
	return c;
}

struct map_object map_object_of(const struct map_source *s, const struct map_levels *lv, const struct row *row)
{
	bool placed = row->vals[0].kind == VAL_REAL && row->vals[1].kind == VAL_REAL;
	struct map_object o = { .id = row->c.id, .lon = placed ? row->vals[0].f : NAN, .lat = placed ? row->vals[1].f : NAN,
		                .place = common_place(&row->c), .title = row->c.title, .state = row->c.state };
	for (size_t by = 0; by < MAP_BYS; by++)
		o.color[by] = map_level(s, lv, (enum map_by)by, row);
	return o;
}

struct loading {
	struct map_layer *l;
	const struct map_source *s;
	const struct map_levels *lv;
};

static enum err on_row(void *arg, const struct row *row)
{
	const struct loading *ld = arg;
	struct map_object o = map_object_of(ld->s, ld->lv, row);
	map_put(ld->l, &o);
	return OK;
}

enum err map_load(struct map_layer *l, const struct map_source *s, const struct map_levels *lv, struct db *db)
{
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(16 << 10);
	struct loading ld = { l, s, lv };
	map_begin(l, true);
	enum err err = records_each(db, &s->table, &(struct list_query){ 0 }, scratch, on_row, &ld);
	map_end(l);
	return err;
}

enum err map_follow(struct map_layer *l, const struct map_source *s, const struct map_levels *lv, struct db *db, int64_t id,
                    struct arena *a, struct map_object *ret_was, struct map_object *ret_is)
{
	struct row row;
	enum err err = records_get(db, &s->table, &(struct scope){ 0 }, id, a, &row);
	*ret_was = *ret_is = (struct map_object){ 0 };
	if (err && err != ERR_NOT_FOUND)
		return err;
	if (map_known(l, id, ret_was)) { // its texts go with the change
		ret_was->place.area = arena_str(a, ret_was->place.area);
		ret_was->place.sector = arena_str(a, ret_was->place.sector);
		ret_was->title = ret_was->state = STR_EMPTY;
	}
	if (err || row.c.retired) {
		map_drop(l, id);
		return OK;
	}
	struct map_object o = map_object_of(s, lv, &row);
	map_put(l, &o);
	if (!isnan(o.lon))
		*ret_is = o;
	return OK;
}
