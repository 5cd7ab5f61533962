// Pipes as a network: who is cut off when valves are closed, which valves part a broken section from its sources, which pipes lie near
// a place where somebody digs, and where routes cross the outlines of land-use and road plans. Nodes are records of pipe_node, edges
// are sections (pipeline_section) that name the two nodes they join. Everything is what the caller may see.
#include <math.h>
#include <stdlib.h>

#include "api/api.h"
#include "map/plane.h"
#include "map/shape.h"
#include "model/held.h"

#define PIPES_MAX 100000    // nodes, sections looked at
#define PIPES_SHOWN 20000   // nodes, sections of one picture

struct node {
	int64_t id;
	struct str title, kind, key;
	double lon, lat;
	int64_t users;
	bool source, valve, closed, fed, still; // closed: by its record or by the question; fed: as recorded; still: by the question
	uint32_t first, n;      // its edges
};

struct pipe {
	int64_t id;
	struct str title, medium, line; // line: GeoJSON
	uint32_t a, b;          // nodes; UINT32_MAX: none
};

struct net {
	struct call *c;
	const struct type *node, *section;
	struct node *nodes;
	struct pipe *pipes;
	size_t nnodes, nodes_cap, npipes, pipes_cap;
	uint32_t *edges;        // pipes of each node
};

static enum err on_node(void *arg, const struct row *row)
{
	struct net *g = arg;
	struct arena *a = g->c->arena;
	const struct value *at = held(g->node, row, "position"), *closed = held(g->node, row, "closed");
	struct str kind = held_text(g->node, row, "kind");
	bool placed = at->kind == VAL_REAL;
	g->nodes = arena_push(a, g->nodes, &g->nnodes, &g->nodes_cap, sizeof *g->nodes);
	g->nodes[g->nnodes - 1] = (struct node){ .id = row->c.id, .title = arena_str(a, row->c.title), .kind = arena_str(a, kind),
		.key = arena_str(a, held_text(g->node, row, "key_user")), .lon = placed ? at[0].f : NAN, .lat = placed ? at[1].f : NAN,
		.users = held_int(g->node, row, "users", 0), .source = str_is(kind, "source"), .valve = str_is(kind, "valve"),
		.closed = closed->kind == VAL_INT && closed->i };
	return OK;
}

static uint32_t node_at(const struct net *g, int64_t id) // nodes stand in the order of their ids
{
	size_t lo = 0, hi = g->nnodes;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (g->nodes[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < g->nnodes && g->nodes[lo].id == id ? (uint32_t)lo : UINT32_MAX;
}

static enum err on_pipe(void *arg, const struct row *row)
{
	struct net *g = arg;
	struct arena *a = g->c->arena;
	g->pipes = arena_push(a, g->pipes, &g->npipes, &g->pipes_cap, sizeof *g->pipes);
	g->pipes[g->npipes - 1] = (struct pipe){ .id = row->c.id, .title = arena_str(a, row->c.title),
		.medium = arena_str(a, held_text(g->section, row, "medium")), .line = arena_str(a, held_text(g->section, row, "line")),
		.a = node_at(g, held_int(g->section, row, "from_node", 0)), .b = node_at(g, held_int(g->section, row, "to_node", 0)) };
	return OK;
}

static int by_node_id(const void *x, const void *y)
{
	const struct node *a = x, *b = y;
	return (a->id > b->id) - (a->id < b->id);
}

static void join(struct net *g)
{
	for (size_t i = 0; i < g->npipes; i++)
		if (g->pipes[i].a != UINT32_MAX && g->pipes[i].b != UINT32_MAX) {
			g->nodes[g->pipes[i].a].n++;
			g->nodes[g->pipes[i].b].n++;
		}
	uint32_t at = 0;
	for (size_t i = 0; i < g->nnodes; i++) {
		g->nodes[i].first = at;
		at += g->nodes[i].n;
		g->nodes[i].n = 0;
	}
	g->edges = arena_many(g->c->arena, at + 1, uint32_t);
	for (size_t i = 0; i < g->npipes; i++) {
		const struct pipe *p = &g->pipes[i];
		if (p->a == UINT32_MAX || p->b == UINT32_MAX)
			continue;
		g->edges[g->nodes[p->a].first + g->nodes[p->a].n++] = (uint32_t)i;
		g->edges[g->nodes[p->b].first + g->nodes[p->b].n++] = (uint32_t)i;
	}
}

static enum err read_net(struct call *c, struct net *g)
{
	*g = (struct net){ .c = c, .node = registry_type(c->reg, STR("pipe_node")), .section = registry_type(c->reg, STR("pipeline_section")) };
	if (!g->node || !g->section || !auth_may_read(&c->id, g->node) || !auth_may_read(&c->id, g->section))
		return call_fail(c, ERR_NOT_FOUND, "type", "没有管网台账，或无权查看", "there is no register of pipes, or not yours to see");
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct scope nodes = auth_scope(&c->id, g->node), pipes = auth_scope(&c->id, g->section);
	const struct list_query lq = { .limit = PIPES_MAX };
	enum err err = records_scan(call_db(c), &g->node->table, &nodes, &lq, scratch, on_node, g, &c->p);
	if (err)
		return err;
	if (g->nnodes)
		qsort(g->nodes, g->nnodes, sizeof *g->nodes, by_node_id);
	err = records_scan(call_db(c), &g->section->table, &pipes, &lq, scratch, on_pipe, g, &c->p);
	if (!err)
		join(g);
	return err;
}

// ---- the network itself ---------------------------------------------------------------------------

static void node_json(struct jw *w, const struct node *v);
static void pipe_head(struct jw *w, const struct pipe *p);

// GET /pipes: nodes and sections as they stand in the registers; a section says which two nodes it joins and, if it was drawn, its line.
enum err pipes_get(struct call *c)
{
	struct net g;
	enum err err = read_net(c, &g);
	if (err)
		return err;
	struct jw *w = &c->w;
	jw_obj(w);
	jw_karr(w, "nodes");
	for (size_t i = 0; i < MIN(g.nnodes, (size_t)PIPES_SHOWN); i++)
		node_json(w, &g.nodes[i]);
	jw_end(w);
	jw_karr(w, "sections");
	for (size_t i = 0; i < MIN(g.npipes, (size_t)PIPES_SHOWN); i++) {
		const struct pipe *p = &g.pipes[i];
		pipe_head(w, p);
		if (p->a != UINT32_MAX && p->b != UINT32_MAX) {
			jw_karr(w, "joins");
			jw_i64(w, g.nodes[p->a].id);
			jw_i64(w, g.nodes[p->b].id);
			jw_end(w);
		}
		if (p->line.n) {
			jw_key(w, "line");
			jw_raw(w, p->line);
		}
		jw_end(w);
	}
	jw_end(w);
	jw_kbool(w, "cut", g.nnodes > PIPES_SHOWN || g.npipes > PIPES_SHOWN);
	jw_end(w);
	return OK;
}

// ---- closing valves --------------------------------------------------------------------------------

// What sources reach without passing a node that is closed: into fed, or into still.
static void flow(struct net *g, bool still)
{
	uint32_t *queue = arena_many(g->c->arena, g->nnodes + 1, uint32_t);
	size_t head = 0, tail = 0;
	for (size_t i = 0; i < g->nnodes; i++)
		if (g->nodes[i].source && !g->nodes[i].closed) {
			*(still ? &g->nodes[i].still : &g->nodes[i].fed) = true;
			queue[tail++] = (uint32_t)i;
		}
	while (head < tail) {
		uint32_t at = queue[head++];
		for (uint32_t k = 0; k < g->nodes[at].n; k++) {
			const struct pipe *p = &g->pipes[g->edges[g->nodes[at].first + k]];
			struct node *next = &g->nodes[p->a == at ? p->b : p->a];
			bool *seen = still ? &next->still : &next->fed;
			if (*seen || next->closed)
				continue;
			*seen = true;
			queue[tail++] = (uint32_t)(next - g->nodes);
		}
	}
}

// The nearest valves around a section, closed in the answer; sources that no valve parts from it stay open and are told.
static enum err part_section(struct net *g, int64_t section)
{
	uint32_t *queue = arena_many(g->c->arena, g->nnodes + 1, uint32_t);
	bool *seen = arena_many(g->c->arena, g->nnodes + 1, bool);
	size_t head = 0, tail = 0, i = 0;
	while (i < g->npipes && g->pipes[i].id != section)
		i++;
	if (i == g->npipes || g->pipes[i].a == UINT32_MAX || g->pipes[i].b == UINT32_MAX)
		return call_fail(g->c, ERR_INVALID, "section", "没有这条管段，或它没有起止节点", "no such section, or it does not name its two nodes");
	uint32_t ends[] = { g->pipes[i].a, g->pipes[i].b };
	for (size_t k = 0; k < ARRAY_LEN(ends); k++)
		if (!seen[ends[k]]) {
			seen[ends[k]] = true;
			queue[tail++] = ends[k];
		}
	while (head < tail) {
		struct node *at = &g->nodes[queue[head++]];
		at->closed |= at->valve;
		for (uint32_t k = 0; !at->valve && k < at->n; k++) {
			const struct pipe *p = &g->pipes[g->edges[at->first + k]];
			uint32_t next = &g->nodes[p->a] == at ? p->b : p->a;
			if (!seen[next]) {
				seen[next] = true;
				queue[tail++] = next;
			}
		}
	}
	return OK;
}

static enum err close_asked(struct net *g)
{
	struct str rest = http_query(g->c->rq, "valves");
	while (rest.n) {
		int64_t id;
		uint32_t at = str_to_i64(str_cut(&rest, ','), &id) ? node_at(g, id) : UINT32_MAX;
		if (at == UINT32_MAX || !g->nodes[at].valve)
			return call_fail(g->c, ERR_INVALID, "valves", "须为阀门的编号，多个用逗号隔开", "must be ids of valves, several with commas");
		g->nodes[at].closed = true;
	}
	return OK;
}

static void node_json(struct jw *w, const struct node *v)
{
	jw_obj(w);
	jw_ki64(w, "id", v->id);
	jw_kstr(w, "title", v->title);
	jw_kstr(w, "kind", v->kind);
	jw_ki64(w, "users", v->users);
	jw_kstr(w, "key_user", v->key);
	jw_kbool(w, "closed", v->closed);
	if (!isnan(v->lon)) {
		jw_karr(w, "position");
		jw_f64(w, v->lon);
		jw_f64(w, v->lat);
		jw_end(w);
	}
	jw_end(w);
}

static void pipe_head(struct jw *w, const struct pipe *p)
{
	jw_obj(w);
	jw_ki64(w, "id", p->id);
	jw_kstr(w, "title", p->title);
	jw_kstr(w, "medium", p->medium);
}

static void closed_json(struct net *g, const bool *before)
{
	struct jw *w = &g->c->w;
	int64_t users = 0, sources = 0;
	jw_obj(w);
	jw_karr(w, "close");
	for (size_t i = 0; i < g->nnodes; i++)
		if (g->nodes[i].closed && !before[i])
			node_json(w, &g->nodes[i]);
	jw_end(w);
	jw_karr(w, "cut");
	for (size_t i = 0; i < g->nnodes; i++)
		if (g->nodes[i].fed && !g->nodes[i].still) {
			users += g->nodes[i].users;
			node_json(w, &g->nodes[i]);
		}
	jw_end(w);
	jw_karr(w, "sections");
	for (size_t i = 0; i < g->npipes; i++) {
		const struct pipe *p = &g->pipes[i];
		if (p->a == UINT32_MAX || p->b == UINT32_MAX || g->nodes[p->a].still || g->nodes[p->b].still ||
		    !(g->nodes[p->a].fed || g->nodes[p->b].fed))
			continue;
		pipe_head(w, p);
		jw_end(w);
	}
	jw_end(w);
	for (size_t i = 0; i < g->nnodes; i++)
		sources += g->nodes[i].still && g->nodes[i].source;
	jw_ki64(w, "users", users);
	jw_ki64(w, "sources", sources);
	jw_end(w);
}

enum err pipes_close(struct call *c)
{
	struct net g;
	int64_t section;
	enum err err = query_int(c, "section", 0, 0, INT64_MAX, &section);
	if (!err && !section && !http_query(c->rq, "valves").n)
		err = call_fail(c, ERR_INVALID, "valves", "请写出要关的阀门，或要隔离的管段", "name the valves to be closed, or the section to be parted");
	if (!err)
		err = read_net(c, &g);
	if (err)
		return err;
	flow(&g, false);
	bool *before = arena_many(c->arena, g.nnodes + 1, bool);
	for (size_t i = 0; i < g.nnodes; i++)
		before[i] = g.nodes[i].closed;
	err = section ? part_section(&g, section) : OK;
	if (!err)
		err = close_asked(&g);
	if (err)
		return err;
	flow(&g, true);
	closed_json(&g, before);
	return OK;
}

// ---- routes on the ground --------------------------------------------------------------------------

struct trail {              // one line of a route, m on a plane
	struct zone_xy *v;
	size_t n;
};

static struct trail trail_of(const json_t *line, const struct plane *plane, struct arena *a)
{
	struct trail r = { arena_many(a, json_array_size(line) + 1, struct zone_xy), 0 };
	size_t i;
	const json_t *at;
	json_array_foreach(line, i, at)
		r.v[r.n++] = plane_metres(plane, json_number_value(json_array_get(at, 0)), json_number_value(json_array_get(at, 1)));
	return r;
}

// The lines of a LineString or MultiLineString; *ret in the arena.
static size_t trails_of(struct str geometry, const struct plane *plane, struct arena *a, struct trail **ret)
{
	json_t *j = geometry.n ? json_loadb(geometry.p, geometry.n, 0, NULL) : NULL;
	const json_t *lines = json_object_get(j, "coordinates"), *line;
	bool one = !json_is_array(json_array_get(json_array_get(lines, 0), 0));
	size_t n = 0, i;
	*ret = arena_many(a, json_array_size(lines) + 1, struct trail);
	if (one)
		(*ret)[n++] = trail_of(lines, plane, a);
	else
		json_array_foreach(lines, i, line)
			(*ret)[n++] = trail_of(line, plane, a);
	json_decref(j);
	return n;
}

static double beside(struct zone_xy p, struct zone_xy a, struct zone_xy b) // m from p to the stretch from a to b
{
	double x = b.x - a.x, y = b.y - a.y, len = x * x + y * y;
	double t = len > 0 ? ((p.x - a.x) * x + (p.y - a.y) * y) / len : 0;
	t = t < 0 ? 0 : t > 1 ? 1 : t;
	return hypot(p.x - a.x - t * x, p.y - a.y - t * y);
}

struct beside { const struct pipe *p; double metres; };

static int nearest_first(const void *x, const void *y)
{
	const struct beside *a = x, *b = y;
	return (a->metres > b->metres) - (a->metres < b->metres);
}

enum err pipes_near(struct call *c)
{
	double lon, lat, metres;
	struct net g;
	enum err err = query_real(c, "lon", -180, 180, &lon);
	if (!err)
		err = query_real(c, "lat", -85, 85, &lat);
	if (!err)
		err = query_real(c, "m", 1, 20000, &metres);
	if (!err)
		err = read_net(c, &g);
	if (err)
		return err;
	struct plane plane = plane_at(lon, lat);
	struct beside *v = arena_many(c->arena, g.npipes + 1, struct beside);
	size_t n = 0;
	for (size_t i = 0; i < g.npipes; i++) {
		struct trail *r;
		double d = INFINITY;
		size_t lines = trails_of(g.pipes[i].line, &plane, c->arena, &r);
		for (size_t k = 0; k < lines; k++)
			for (size_t j = 1; j < r[k].n; j++)
				d = fmin(d, beside((struct zone_xy){ 0 }, r[k].v[j - 1], r[k].v[j]));
		if (d <= metres)
			v[n++] = (struct beside){ &g.pipes[i], d };
	}
	qsort(v, n, sizeof *v, nearest_first);
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		pipe_head(&c->w, v[i].p);
		jw_kf64(&c->w, "metres", round(v[i].metres * 10) / 10);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

// ---- routes against plans --------------------------------------------------------------------------

struct crossing {
	struct net *g;
	const struct type *of;
	const struct field *outline;
	size_t zones;
};

static double length_inside(const struct map_ring *ring, struct str line, struct arena *a)
{
	const struct plane plane = plane_at(ring->v[0][0], ring->v[0][1]);
	struct zone_ring outline = { .v = arena_many(a, ring->n, struct zone_xy), .n = ring->n };
	struct trail *r;
	double sum = 0;
	for (size_t i = 0; i < ring->n; i++)
		outline.v[i] = plane_metres(&plane, ring->v[i][0], ring->v[i][1]);
	size_t lines = trails_of(line, &plane, a, &r);
	for (size_t k = 0; k < lines; k++)
		for (size_t j = 1; j < r[k].n; j++) {
			struct zone_xy cut[64];
			size_t n = 0;
			sum += plane_inside_length(&outline, r[k].v[j - 1], r[k].v[j], cut, ARRAY_LEN(cut), &n);
		}
	return sum;
}

static void crossing_json(struct crossing *x, const struct row *row, const struct pipe *p, double metres)
{
	struct jw *w = &x->g->c->w;
	pipe_head(w, p);
	jw_kobj(w, "zone");
	jw_ki64(w, "id", row->c.id);
	jw_kstr(w, "title", row->c.title);
	jw_kstr(w, "kind", held_text(x->of, row, "kind"));
	jw_end(w);
	jw_kf64(w, "metres", round(metres * 10) / 10);
	jw_end(w);
}

static enum err on_zone(void *arg, const struct row *row)
{
	struct crossing *x = arg;
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	const struct value *shape = &row->vals[x->outline->col];
	struct map_ring *rings;
	size_t n;
	json_t *j = shape->kind == VAL_TEXT ? json_loadb(shape->s.p, shape->s.n, 0, NULL) : NULL;
	bool ok = shape_rings(j, a, &rings, &n);
	json_decref(j);
	x->zones += ok;
	for (size_t i = 0; ok && i < x->g->npipes; i++) {
		double metres = 0;
		for (size_t k = 0; k < n; k++) // holes are taken off
			metres += (rings[k].outer ? 1 : -1) * length_inside(&rings[k], x->g->pipes[i].line, a);
		if (metres > 0.5)
			crossing_json(x, row, &x->g->pipes[i], metres);
	}
	return OK;
}

enum err pipes_conflicts(struct call *c)
{
	struct net g;
	struct crossing x = { &g, registry_type(c->reg, http_query(c->rq, "of")), NULL, 0 };
	x.outline = x.of ? call_area_field(c, x.of) : NULL;
	if (!x.outline)
		return call_fail(c, ERR_NOT_FOUND, "of", "没有这类范围，或无权查看", "no such outlines, or not yours to see");
	enum err err = read_net(c, &g);
	if (err)
		return err;
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct scope scope = auth_scope(&c->id, x.of);
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	err = records_scan(call_db(c), &x.of->table, &scope, &(struct list_query){ .limit = LIMIT_MAP_AREAS }, scratch, on_zone, &x, &c->p);
	jw_end(&c->w);
	jw_ki64(&c->w, "zones", (int64_t)x.zones);
	jw_end(&c->w);
	return err;
}
