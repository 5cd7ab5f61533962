// The polar raster of a source: where a place lies on it, which column each wind direction is. Pure; any thread.
#include "risk/qra_int.h"

#define ROWS_USUAL 256
#define COLUMNS_USUAL 720

static void farther(double *far, const struct qra_source *s, double x, double y)
{
	*far = fmax(*far, hypot(x - s->x, y - s->y));
}

double qra_reach(const struct qra_input *in)
{
	double far = QRA_NEAR;
	const struct qra_grid *g = &in->grid;
	for (size_t i = 0; i < in->nsources; i++) {
		for (int corner = 0; corner < 4 && g->nx && g->ny; corner++) {
			farther(&far, &in->sources[i], g->x0 + (corner & 1 ? (double)(g->nx - 1) * g->cell : 0),
				g->y0 + (corner & 2 ? (double)(g->ny - 1) * g->cell : 0));
		}
		for (size_t k = 0; k < in->npeople; k++) {
			farther(&far, &in->sources[i], in->people[k].x, in->people[k].y);
		}
		for (size_t k = 0; k < in->nplaces; k++) {
			farther(&far, &in->sources[i], in->places[k].x, in->places[k].y);
		}
	}
	return far * 1.0001;
}

struct qra_polar qra_polar_of(const struct qra_input *in, double reach)
{
	size_t rows = in->rows ? in->rows : ROWS_USUAL, want = in->columns ? in->columns : COLUMNS_USUAL;
	size_t unit = 2 * in->directions * in->split, columns = (want + unit - 1) / unit * unit;
	return (struct qra_polar){ rows, columns, log1p(reach / QRA_NEAR) / (double)(rows - 1), reach };
}

bool qra_polar_at(const struct qra_polar *p, double dx, double dy, struct qra_node *ret)
{
	double r = sqrt(dx * dx + dy * dy), u = log1p(r / QRA_NEAR) / p->step;
	if (r > p->reach) {
		return false;
	}
	double t = r > 0 ? atan2(dx, dy) * ((double)p->columns / (2 * M_PI)) : 0;
	t = t < 0 ? t + (double)p->columns : t;
	size_t row = (size_t)u, column = (size_t)t;
	row = MIN(row, p->rows - 2);
	double right = t - (double)column;
	column = column >= p->columns ? column - p->columns : column;
	size_t next = column + 1 == p->columns ? 0 : column + 1;
	*ret = (struct qra_node){ row, column, next, u - (double)row, right };
	return true;
}

size_t qra_directions(const struct qra_input *in, size_t columns, struct arena *a, struct qra_direction **ret)
{
	size_t n = in->directions * in->split, at = 0, unit = columns / (2 * n);
	struct qra_direction *v = arena_many(a, n, struct qra_direction);
	for (size_t k = 0; k < in->directions; k++) {
		for (size_t i = 0; i < in->split; i++, at++) {
			// from sector k, in the middle of its i-th part, and blowing to the other side
			size_t turned = 2 * k * in->split + 2 * i + 1 + 2 * n - in->split + n;
			size_t column = turned * unit % columns;
			v[at] = (struct qra_direction){ k, column, (double)column * 2 * M_PI / (double)columns, 1.0 / (double)in->split };
		}
	}
	*ret = v;
	return n;
}
