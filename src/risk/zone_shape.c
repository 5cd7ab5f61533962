// Outlines of zones: from half widths, ellipses and rows of ellipses; cut at a front, turned with the wind. Pure; any thread.
#include "risk/zone_int.h"

struct zone_ring zone_profile(struct arena *a, const double *x, const double *y, size_t n)
{
	struct zone_ring r = { arena_many(a, 2 * n + 1, struct zone_xy), 0 };
	for (size_t i = 0; i < n; i++) {
		r.v[r.n++] = (struct zone_xy){ x[i], fmax(y[i], 0) };
	}
	for (size_t i = n; i-- > 0;) {
		if (y[i] > 0) {
			r.v[r.n++] = (struct zone_xy){ x[i], -y[i] };
		}
	}
	return r;
}

struct zone_ring zone_ellipse(struct arena *a, double xc, double rx, double ry)
{
	double x[ZONE_SIDE + 1], y[ZONE_SIDE + 1];
	for (int i = 0; i <= ZONE_SIDE; i++) {
		double angle = M_PI * i / ZONE_SIDE;
		x[i] = xc - rx * cos(angle);
		y[i] = i == 0 || i == ZONE_SIDE ? 0 : ry * sin(angle);
	}
	return zone_profile(a, x, y, ZONE_SIDE + 1);
}

struct zone_ring zone_swept(struct arena *a, const double *xc, const double *rx, const double *ry, size_t n)
{
	double from = HUGE_VAL, to = -HUGE_VAL, x[ZONE_SIDE + 1], y[ZONE_SIDE + 1];
	for (size_t k = 0; k < n; k++) {
		from = fmin(from, xc[k] - rx[k]);
		to = fmax(to, xc[k] + rx[k]);
	}
	for (int i = 0; i <= ZONE_SIDE; i++) {
		x[i] = from + (to - from) * (1 - cos(M_PI * i / ZONE_SIDE)) / 2; // closer at the ends, which are round
		y[i] = 0;
		for (size_t k = 0; k < n; k++) {
			double part = rx[k] > 0 ? (x[i] - xc[k]) / rx[k] : 2;
			y[i] = fmax(y[i], part * part < 1 ? ry[k] * sqrt(1 - part * part) : 0);
		}
	}
	return n ? zone_profile(a, x, y, ZONE_SIDE + 1) : (struct zone_ring){ NULL, 0 };
}

// Sutherland and Hodgman against one line x = at; keep: the side of smaller (-1) or larger (1) x.
static struct zone_ring clip(struct arena *a, const struct zone_ring *r, double at, int keep)
{
	struct zone_ring out = { arena_many(a, 2 * r->n + 2, struct zone_xy), 0 };
	for (size_t i = 0; i < r->n; i++) {
		struct zone_xy p = r->v[i], q = r->v[(i + 1) % r->n];
		bool in = keep < 0 ? p.x <= at : p.x >= at, next = keep < 0 ? q.x <= at : q.x >= at;
		if (in) {
			out.v[out.n++] = p;
		}
		if (in != next) {
			double part = (at - p.x) / (q.x - p.x);
			out.v[out.n++] = (struct zone_xy){ at, p.y + (q.y - p.y) * part };
		}
	}
	return out;
}

struct zone_ring zone_cut(struct arena *a, const struct zone_ring *r, double from, double to)
{
	struct zone_ring ahead = clip(a, r, to, -1), out = clip(a, &ahead, from, 1);
	return out.n >= 3 ? out : (struct zone_ring){ NULL, 0 };
}

double zone_ring_area(const struct zone_ring *r)
{
	double sum = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct zone_xy p = r->v[i], q = r->v[(i + 1) % r->n];
		sum += p.x * q.y - q.x * p.y;
	}
	return fabs(sum) / 2;
}

void zone_measure(struct zone *zn)
{
	zn->reach = zn->upwind = zn->half_width = 0;
	for (size_t i = 0; i < zn->ring.n; i++) {
		zn->reach = fmax(zn->reach, zn->ring.v[i].x);
		zn->upwind = fmax(zn->upwind, -zn->ring.v[i].x);
		zn->half_width = fmax(zn->half_width, fabs(zn->ring.v[i].y));
	}
	zn->area = zone_ring_area(&zn->ring);
}

static struct zone_xy turned(struct zone_xy p, double angle)
{
	return (struct zone_xy){ p.x * cos(angle) - p.y * sin(angle), p.x * sin(angle) + p.y * cos(angle) };
}

// Farthest crossing of the ray at an angle with the outline, m; 0: none.
static double ray(const struct zone_ring *r, double angle)
{
	double dx = cos(angle), dy = sin(angle), far = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct zone_xy p = r->v[i], q = r->v[(i + 1) % r->n];
		double ex = q.x - p.x, ey = q.y - p.y, cross = dx * ey - dy * ex;
		double along = cross != 0 ? (p.x * ey - p.y * ex) / cross : -1, part = cross != 0 ? (p.x * dy - p.y * dx) / cross : -1;
		far = part >= 0 && part <= 1 ? fmax(far, along) : far;
	}
	return far;
}

// Of an outline that is wide around its source: in each direction the farthest that any wind within the spread brings.
static struct zone_ring round_band(struct arena *a, const struct zone_ring *r, double spread)
{
	enum { RAYS = 240 };
	double far[RAYS];
	int turn = (int)ceil(spread / (2 * M_PI / RAYS));
	struct zone_ring out = { arena_many(a, RAYS, struct zone_xy), RAYS };
	for (int i = 0; i < RAYS; i++) {
		far[i] = ray(r, 2 * M_PI * i / RAYS);
	}
	for (int i = 0; i < RAYS; i++) {
		double most = 0;
		for (int k = -turn; k <= turn; k++) {
			most = fmax(most, far[((i + k) % RAYS + RAYS) % RAYS]);
		}
		out.v[i] = (struct zone_xy){ most * cos(2 * M_PI * i / RAYS), most * sin(2 * M_PI * i / RAYS) };
	}
	return out;
}

// The left side turned to the left, an arc at the farthest distance, the right side turned to the right: what the outline covers
// while it turns, if it gets narrower seen from the source with the angle to the wind, as these do.
struct zone_ring zone_band(struct arena *a, const struct zone_ring *r, double spread_deg)
{
	enum { ARC = 24 };
	double spread = fmin(spread_deg, 180) * M_PI / 180, far = 0, half = 0;
	size_t tip = 0, back = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].x > r->v[tip].x) {
			tip = i;
		}
		if (r->v[i].x < r->v[back].x) {
			back = i;
		}
		far = fmax(far, hypot(r->v[i].x, r->v[i].y));
		half = fmax(half, r->v[i].y);
	}
	if (r->n < 3 || spread <= 0) {
		return *r;
	}
	if (spread >= M_PI) {
		return zone_ellipse(a, 0, far, far);
	}
	if (half > far / 10) { // seen from the source it is wide enough for rays
		return round_band(a, r, spread);
	}
	struct zone_ring out = { arena_many(a, r->n + ARC + 3, struct zone_xy), 0 };
	// outlines begin at the back and go along the left side (y > 0) to the tip
	for (size_t i = back; i != tip; i = (i + 1) % r->n) {
		out.v[out.n++] = turned(r->v[i], spread);
	}
	double reach = r->v[tip].x;
	for (int i = 0; i <= ARC; i++) {
		double angle = spread - 2 * spread * i / ARC;
		out.v[out.n++] = (struct zone_xy){ reach * cos(angle), reach * sin(angle) };
	}
	for (size_t i = (tip + 1) % r->n; i != back; i = (i + 1) % r->n) {
		out.v[out.n++] = turned(r->v[i], -spread);
	}
	return out;
}

void zone_turn(struct zone_ring *r, double from_deg)
{
	// downwind points to from + 180, clockwise from north; left of it is 90 degrees less
	double to = (from_deg + 180) * M_PI / 180, east = sin(to), north = cos(to);
	for (size_t i = 0; i < r->n; i++) {
		struct zone_xy p = r->v[i];
		r->v[i] = (struct zone_xy){ p.x * east - p.y * north, p.x * north + p.y * east };
	}
}
