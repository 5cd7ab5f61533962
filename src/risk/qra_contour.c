// Lines of equal risk by marching squares: rings with the higher side on their left. Pure but for the arena; any thread.
#include "risk/qra_int.h"

#define NO_EDGE UINT32_MAX

// The grid with a border of zeros: column and row 0 are outside. Edge 2 (y w + x) goes east from (x, y), the next number north.
struct field {
	const struct qra_grid *g;
	const double *v;
	double level;
	size_t w, h;
};

static double value(const struct field *f, size_t x, size_t y)
{
	return x == 0 || y == 0 || x > f->g->nx || y > f->g->ny ? 0 : f->v[(y - 1) * f->g->nx + x - 1];
}

static double place(double from, double cell, size_t n, double at)
{
	double i = fmin(fmax(at - 1, 0), (double)(n - 1)); // the border is drawn on the rim
	return from + i * cell;
}

static void point_on(const struct field *f, uint32_t edge, double *ret_x, double *ret_y)
{
	size_t at = edge / 2, x = at % f->w, y = at / f->w, north = edge & 1;
	double a = value(f, x, y), b = value(f, x + 1 - north, y + north), part = (f->level - a) / (b - a);
	*ret_x = place(f->g->x0, f->g->cell, f->g->nx, (double)x + (north ? 0 : part));
	*ret_y = place(f->g->y0, f->g->cell, f->g->ny, (double)y + (north ? part : 0));
}

// Around a square against the clock: where the line leaves the inside it starts, where it comes back it ends.
static void link_square(const struct field *f, size_t x, size_t y, uint32_t *next)
{
	double v[4] = { value(f, x, y), value(f, x + 1, y), value(f, x + 1, y + 1), value(f, x, y + 1) };
	uint32_t at = (uint32_t)(2 * (y * f->w + x)), up = (uint32_t)(2 * f->w);
	uint32_t edges[4] = { at, at + 3, at + up, at + 1 };
	bool in[4];
	int inside = 0;
	for (int i = 0; i < 4; i++) {
		in[i] = v[i] >= f->level;
		inside += in[i];
	}
	if (inside == 0 || inside == 4) {
		return;
	}
	bool saddle = inside == 2 && in[0] == in[2], joined = saddle && (v[0] + v[1] + v[2] + v[3]) / 4 >= f->level;
	for (int i = 0; i < 4; i++) {
		if (!in[i] || in[(i + 1) % 4]) {
			continue;
		}
		for (int k = 1; k < 4; k++) { // the end: backwards from here, or forwards when both corners hang together
			int e = joined ? (i + k) % 4 : (i + 4 - k) % 4;
			if (!in[e] && in[(e + 1) % 4]) {
				next[edges[i]] = edges[e];
				break;
			}
		}
	}
}

static struct qra_ring follow(const struct field *f, uint32_t *next, uint32_t start, struct arena *a)
{
	size_t n = 0;
	for (uint32_t e = start; n == 0 || e != start; e = next[e]) {
		n++;
	}
	struct qra_ring r = { arena_many(a, n + 1, double), arena_many(a, n + 1, double), 0 };
	uint32_t e = start;
	for (size_t i = 0; i < n; i++) {
		double x, y;
		point_on(f, e, &x, &y);
		if (!r.n || x != r.x[r.n - 1] || y != r.y[r.n - 1]) {
			r.x[r.n] = x, r.y[r.n] = y;
			r.n++;
		}
		uint32_t old = e;
		e = next[e];
		next[old] = NO_EDGE;
	}
	if (r.n && (r.x[0] != r.x[r.n - 1] || r.y[0] != r.y[r.n - 1])) {
		r.x[r.n] = r.x[0], r.y[r.n] = r.y[0];
		r.n++;
	}
	return r;
}

void qra_contours(const struct qra_grid *g, const double *v, double level, struct arena *a, struct qra_ring **ret, size_t *ret_n)
{
	struct field f = { g, v, level, g->nx + 2, g->ny + 2 };
	struct arena *scratch = arena_new(1 << 16);
	size_t cap = 0, edges = 2 * f.w * f.h;
	uint32_t *next = arena_many(scratch, edges, uint32_t);
	memset(next, 0xff, edges * sizeof *next);
	*ret = NULL;
	*ret_n = 0;
	for (size_t y = 0; y + 1 < f.h; y++) {
		for (size_t x = 0; x + 1 < f.w; x++) {
			link_square(&f, x, y, next);
		}
	}
	for (uint32_t e = 0; e < edges; e++) {
		if (next[e] != NO_EDGE) {
			struct qra_ring r = follow(&f, next, e, a);
			if (r.n >= 4) {
				*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
				(*ret)[*ret_n - 1] = r;
			}
		}
	}
	arena_free(scratch);
}

double qra_area(const struct qra_ring *r, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 1; k < r[i].n; k++) {
			sum += r[i].x[k - 1] * r[i].y[k] - r[i].x[k] * r[i].y[k - 1];
		}
	}
	return sum / 2;
}
