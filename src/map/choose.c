// Which objects a reader gets: the one place where map/ asks who may see what.
#include "map/layer.h"

static bool listed(struct str list, struct str one)
{
	while (list.n)
		if (str_eq(str_cut(&list, ','), one))
			return true;
	return false;
}

void choice_make(struct choice *c, const struct map_layer *l, const struct scope *scope, const struct map_ask *ask, struct arena *a)
{
	*c = (struct choice){ .l = l, .scope = scope, .sectors = ask->sectors, .colors = ask->colors ? ask->colors : UINT32_MAX,
		                     .by = ask->by };
	c->place = arena_alloc(a, l->nplaces + 1);
	if (!ask->states.n)
		return;
	c->state = arena_many(a, l->nstates + 1, bool);
	for (size_t i = 0; i < l->nstates; i++)
		c->state[i] = listed(ask->states, l->states[i]);
}

// An area and sector as a whole. With a scope of one enterprise each object is asked for besides.
static bool place_ok(const struct choice *c, uint32_t number)
{
	struct place p = c->l->places[number];
	p.enterprise = c->scope->enterprise;
	return scope_admits(c->scope, p) && (!c->sectors.n || listed(c->sectors, p.sector));
}

bool choice_has(struct choice *c, const struct entry *e)
{
	uint8_t *known = &c->place[entry_place(e)];
	if (!*known)
		*known = place_ok(c, entry_place(e)) ? 2 : 1;
	if (*known == 1 || !(c->colors >> entry_color(e, c->by) & 1))
		return false;
	if (!c->scope->enterprise && !c->state)
		return true;
	const struct object *o = &c->l->objects[e->id];
	if (c->state && !c->state[o->state])
		return false;
	if (!c->scope->enterprise)
		return true;
	struct place p = c->l->places[o->place];
	p.enterprise = o->enterprise;
	return scope_admits(c->scope, p);
}

void sum_add(struct map_sum *s, uint8_t color)
{
	s->n++;
	s->color[color]++;
}

enum map_color map_sum_worst(const struct map_sum *s)
{
	enum map_color c = MAP_RED;
	while (c > MAP_GREY && !s->color[c])
		c--;
	return c;
}
