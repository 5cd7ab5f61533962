#include "detect/unit.h"

#include <math.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "detect/matrix.h"
#include "detect/order.h"

#define LAGS 3              // rows in one vector
#define FILTERS 3
#define BLOCKS 5
#define SHRINK 0.005
#define QUANTILE 0.995
#define LOOKS_MIN 11.0      // independent looks at a level: below, its mean is not known to 0.6 deviations (1.96 / sqrt 11)
#define FOLLOW_MOVING 0.5   // weight of a new value in the running mean of a column judged by how it moves
#define FOLLOW_LEVEL 3.0    // over the learning rows: weight of a new value in the level of a normal unit
#define HUGE_MAX 1e100      // its square can still be added up
#define WILD 1e4            // deviations: what is further away is no further
#define GLITCH 20.0         // spans of the middle 96 % of learning beyond which a value is a fault of the measurement
#define WARM 16             // rows until the running mean of an even climb is as far behind as it stays
#define EVEN 1e-6           // of the deviation of a column: one that moves by no more than this from row to row moves evenly
#define CORRELATED 0.05     // an autocorrelation below this ends the sum

static const double WEIGHT[FILTERS] = { 1, 0.3, 0.1 };

struct unit {
	struct arena *keep;      // as long as the unit
	struct arena *learning;  // until learned
	size_t columns, learn, rows;
	bool learned;
	enum unit_column *kind;
	double *last;            // value of each column, for what is missing
	double *rows_seen;       // while learning: learn x columns
	double *mean, *scale;    // of a column
	double *scale_moving;    // of what is left of it
	double *running;         // running mean of a moving column, level of another; in standard deviations
	bool running_known;
	size_t used;             // columns that are not constant
	size_t *column;          // which
	size_t size;             // LAGS * used
	double *vector;          // the newest row first
	double *filtered[FILTERS];
	double *inverse;         // packed
	double *own;             // used x LAGS x LAGS: inverse of the column's block in the inverse
	double limit[FILTERS];
	double *product;         // scratch
};

struct unit *unit_new(size_t columns, size_t learn)
{
	assert(columns && columns <= UNIT_COLUMNS_MAX && learn >= UNIT_LEARN_MIN && learn <= UNIT_LEARN_MAX);
	struct arena *keep = arena_new(0);
	struct unit *u = arena_one(keep, struct unit);
	u->keep = keep;
	u->learning = arena_new(1 << 16);
	u->columns = columns;
	u->learn = learn;
	u->kind = arena_many(keep, columns, enum unit_column);
	u->last = arena_many(keep, columns, double);
	u->mean = arena_many(keep, columns, double);
	u->scale = arena_many(keep, columns, double);
	u->scale_moving = arena_many(keep, columns, double);
	u->running = arena_many(keep, columns, double);
	u->column = arena_many(keep, columns, size_t);
	u->rows_seen = arena_many(u->learning, learn * columns, double);
	for (size_t i = 0; i < columns; i++)
		u->last[i] = NAN;
	return u;
}

void unit_free(struct unit *u)
{
	if (!u)
		return;
	arena_free(u->learning);
	struct arena *keep = u->keep;
	arena_free(keep);
}

size_t unit_bytes(const struct unit *u)
{
	return arena_used(u->keep) + (u->learning ? arena_used(u->learning) : 0);
}

enum unit_column unit_column_kind(const struct unit *u, size_t column)
{
	return u->kind[column];
}

// ---- columns -----------------------------------------------------------------------------------

static double moments(const double *x, size_t n, double *ret_deviation)
{
	double sum = 0, square = 0;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	double mean = sum / (double)n;
	for (size_t i = 0; i < n; i++)
		square += (x[i] - mean) * (x[i] - mean);
	*ret_deviation = sqrt(square / (double)n);
	return mean;
}

// Does the level wander so slowly that learning saw it fewer than LOOKS_MIN times? x: mean 0, deviation 1.
static bool level_unknown(const double *x, size_t n)
{
	double time = 1, most = (double)n / LOOKS_MIN;
	for (size_t k = 1; k < n / 2 && time <= most; k++) {
		double s = 0;
		for (size_t i = k; i < n; i++)
			s += x[i] * x[i - k];
		s /= (double)n;
		if (s < CORRELATED)
			break;
		time += 2 * s;
	}
	return time > most;
}

static double within(double x, double most)
{
	return fmax(fmin(x, most), -most);
}

// One standardised value of a column → what is judged of it. Moving columns lose their running mean, which follows.
static double judge(struct unit *u, size_t c, double z)
{
	z = within(z, WILD);
	double e = z - u->running[c];
	if (u->kind[c] != UNIT_MOVING)
		return e;
	u->running[c] += FOLLOW_MOVING * e;
	return within(e / u->scale_moving[c], WILD);
}

struct span {
	double from, to;
};

// Beyond it, a value while learning is what the measurement says when it fails (-9999), and would blind the unit.
static struct span believable(const struct unit *u, size_t c, size_t n, double *scratch)
{
	size_t known = 0;
	for (size_t i = 0; i < n; i++) {
		double v = u->rows_seen[i * u->columns + c];
		if (!isnan(v))
			scratch[known++] = v;
	}
	if (!known)
		return (struct span){ -INFINITY, INFINITY };
	double low = order_quantile(scratch, known, 0.02), high = order_quantile(scratch, known, 0.98), beyond = GLITCH * (high - low);
	return beyond > 0 ? (struct span){ low - beyond, high + beyond } : (struct span){ -INFINITY, INFINITY };
}

// Values of one column while learning, gaps filled (the last value; the first known one before it); false if it was constant.
static bool column_values(const struct unit *u, size_t c, size_t n, double *x)
{
	double last = NAN;
	struct span s = believable(u, c, n, x);
	for (size_t i = 0; i < n && isnan(last); i++) {
		last = u->rows_seen[i * u->columns + c];
		last = last < s.from || last > s.to ? NAN : last;
	}
	bool moves = false;
	for (size_t i = 0; i < n; i++) {
		double v = u->rows_seen[i * u->columns + c];
		v = v < s.from || v > s.to ? NAN : v;
		moves |= !isnan(v) && v != last;
		last = isnan(v) ? last : v;
		x[i] = last;
	}
	return moves;
}

// A counter, a clock: what is left of it is rounding.
static bool moves_evenly(const double *x, size_t n)
{
	double deviation;
	moments(x + WARM, n - WARM, &deviation);
	return deviation < EVEN;
}

// Fills judged (n rows of `used` values) and says how each column is taken.
static void learn_columns(struct unit *u, size_t n, double *judged)
{
	double *x = arena_many(u->learning, n, double);
	u->used = 0;
	for (size_t c = 0; c < u->columns; c++) {
		u->kind[c] = UNIT_CONSTANT;
		if (!column_values(u, c, n, x))
			continue;
		u->mean[c] = moments(x, n, &u->scale[c]);
		if (!(u->scale[c] > 1e-12 * fabs(u->mean[c]) && isfinite(u->scale[c])))
			continue;
		for (size_t i = 0; i < n; i++)
			x[i] = (x[i] - u->mean[c]) / u->scale[c];
		u->kind[c] = level_unknown(x, n) ? UNIT_MOVING : UNIT_LEVEL;
		u->scale_moving[c] = 1;
		u->running[c] = u->kind[c] == UNIT_MOVING ? x[0] : 0;
		for (size_t i = 0; i < n; i++)
			x[i] = judge(u, c, x[i]);
		if (u->kind[c] == UNIT_MOVING && moves_evenly(x, n)) {
			u->kind[c] = UNIT_CONSTANT;
			continue;
		}
		if (u->kind[c] == UNIT_MOVING) {
			moments(x, n, &u->scale_moving[c]);
			for (size_t i = 0; i < n; i++)
				x[i] /= u->scale_moving[c];
		}
		for (size_t i = 0; i < n; i++)
			judged[i * u->columns + u->used] = x[i];
		u->column[u->used++] = c;
	}
}

// ---- vectors -----------------------------------------------------------------------------------

static void vector_push(double *vector, size_t used, const double *row)
{
	memmove(vector + used, vector, (LAGS - 1) * used * sizeof *vector);
	memcpy(vector, row, used * sizeof *vector);
}

static void vector_fill(double *vector, size_t used, const double *row)
{
	for (size_t l = 0; l < LAGS; l++)
		memcpy(vector + l * used, row, used * sizeof *vector);
}

static void filters_reset(struct unit *u)
{
	for (size_t f = 0; f < FILTERS; f++)
		memset(u->filtered[f], 0, u->size * sizeof *u->filtered[f]);
}

// The three distances of the newest vector.
static void distances(struct unit *u, double ret[FILTERS])
{
	for (size_t f = 0; f < FILTERS; f++)
		for (size_t i = 0; i < u->size; i++)
			u->filtered[f][i] += WEIGHT[f] * (u->vector[i] - u->filtered[f][i]);
	matrix_quadratic3(u->inverse, u->size, (const double *const *)u->filtered, ret);
}

// ---- covariance --------------------------------------------------------------------------------

struct sums {
	double rows, *sum, *square; // square: packed lower triangle of the sum of products
};

static struct sums sums_new(struct arena *a, size_t size)
{
	return (struct sums){ 0, arena_many(a, size, double), arena_many(a, size * (size + 1) / 2, double) };
}

static void sums_add(struct sums *s, const double *v, size_t size)
{
	double *q = s->square;
	s->rows++;
	for (size_t i = 0; i < size; i++) {
		s->sum[i] += v[i];
		for (size_t j = 0; j <= i; j++)
			*q++ += v[i] * v[j];
	}
}

// The packed inverse of the shrunk covariance of all rows less those of `without` (NULL: all). scratch: size x size.
static bool invert_covariance(const struct sums *all, const struct sums *without, size_t size, double *scratch, double *ret)
{
	double rows = all->rows - (without ? without->rows : 0), trace = 0;
	size_t q = 0;
	for (size_t i = 0; i < size; i++)
		for (size_t j = 0; j <= i; j++, q++) {
			double si = all->sum[i] - (without ? without->sum[i] : 0), sj = all->sum[j] - (without ? without->sum[j] : 0);
			double v = (all->square[q] - (without ? without->square[q] : 0) - si * sj / rows) / (rows - 1);
			scratch[i * size + j] = scratch[j * size + i] = (1 - SHRINK) * v;
			trace += i == j ? v : 0;
		}
	for (size_t i = 0; i < size; i++)
		scratch[i * size + i] += SHRINK * trace / (double)size;
	if (!matrix_invert(scratch, size))
		return false;
	for (size_t i = 0; i < size; i++)
		for (size_t j = 0; j <= i; j++)
			*ret++ = scratch[i * size + j];
	return true;
}

// Inverse of the LAGS x LAGS block of each column in the inverse covariance: what reconstruction by the others needs
// (C. Alcala, S. J. Qin, Automatica 45, 2009).
static void learn_own(struct unit *u)
{
	for (size_t c = 0; c < u->used; c++) {
		double *block = u->own + c * LAGS * LAGS;
		for (size_t i = 0; i < LAGS; i++)
			for (size_t j = 0; j < LAGS; j++) {
				size_t row = MAX(i, j) * u->used + c, column = MIN(i, j) * u->used + c;
				block[i * LAGS + j] = u->inverse[row * (row + 1) / 2 + column];
			}
		if (!matrix_invert(block, LAGS)) // a block of a positive definite matrix is one
			memset(block, 0, LAGS * LAGS * sizeof *block);
	}
}

// ---- limits ------------------------------------------------------------------------------------

static void vector_at(const double *judged, size_t stride, size_t used, size_t i, double *vector)
{
	for (size_t l = 0; l < LAGS; l++)
		memcpy(vector + l * used, judged + (i >= l ? i - l : 0) * stride, used * sizeof *vector);
}

// Out-of-sample distances of every learned row: out[f * n + row].
static bool judge_blocks(struct unit *u, const double *judged, size_t n, const struct sums *all, const struct sums *block,
                         double *scratch, double *out)
{
	for (size_t b = 0; b < BLOCKS; b++) {
		if (!invert_covariance(all, &block[b], u->size, scratch, u->inverse))
			return false;
		filters_reset(u);
		for (size_t i = b * n / BLOCKS; i < (b + 1) * n / BLOCKS; i++) {
			double d[FILTERS];
			vector_at(judged, u->columns, u->used, i, u->vector);
			distances(u, d);
			for (size_t f = 0; f < FILTERS; f++)
				out[f * n + i] = d[f];
		}
	}
	return true;
}

// A limit for each distance, then one factor so that the worst of the three exceeds its limit as rarely as one alone.
static void learn_limits(struct unit *u, double *out, size_t n)
{
	double *sorted = arena_many(u->learning, n, double);
	for (size_t f = 0; f < FILTERS; f++) {
		memcpy(sorted, out + f * n, n * sizeof *sorted);
		u->limit[f] = MAX(order_quantile(sorted, n, QUANTILE), 1e-9);
	}
	for (size_t i = 0; i < n; i++) {
		sorted[i] = 0;
		for (size_t f = 0; f < FILTERS; f++)
			sorted[i] = fmax(sorted[i], out[f * n + i] / u->limit[f]);
	}
	double factor = fmax(order_quantile(sorted, n, QUANTILE), 1);
	for (size_t f = 0; f < FILTERS; f++)
		u->limit[f] *= factor;
}

static void learned_arrays(struct unit *u)
{
	u->size = LAGS * u->used;
	u->vector = arena_many(u->keep, u->size, double);
	u->product = arena_many(u->keep, u->size, double);
	for (size_t f = 0; f < FILTERS; f++)
		u->filtered[f] = arena_many(u->keep, u->size, double);
	u->inverse = arena_many(u->keep, u->size * (u->size + 1) / 2, double);
	u->own = arena_many(u->keep, u->used * LAGS * LAGS, double);
}

// follows: what comes next is the row behind the last one learned.
static void learn(struct unit *u, bool follows)
{
	size_t n = u->learn = u->rows;
	double *judged = arena_many(u->learning, n * u->columns, double);
	learn_columns(u, n, judged);
	learned_arrays(u);
	struct sums all = sums_new(u->learning, u->size), block[BLOCKS];
	for (size_t b = 0; b < BLOCKS; b++) {
		block[b] = sums_new(u->learning, u->size);
		for (size_t i = b * n / BLOCKS; i < (b + 1) * n / BLOCKS; i++) {
			vector_at(judged, u->columns, u->used, i, u->vector);
			sums_add(&block[b], u->vector, u->size);
			sums_add(&all, u->vector, u->size);
		}
	}
	double *scratch = arena_many(u->learning, u->size * u->size, double);
	double *out = arena_many(u->learning, n * FILTERS, double);
	if (u->used && judge_blocks(u, judged, n, &all, block, scratch, out) &&
	    invert_covariance(&all, NULL, u->size, scratch, u->inverse)) {
		learn_limits(u, out, n);
		learn_own(u);
	} else {
		u->used = u->size = 0; // nothing moved: nothing can be said
	}
	filters_reset(u);
	for (size_t i = 0; u->used && follows && i < n; i++) { // the filters stand where they would if the model had been there
		double d[FILTERS];
		vector_at(judged, u->columns, u->used, i, u->vector);
		distances(u, d);
	}
	u->running_known = follows;
	u->learned = true;
	arena_free(u->learning);
	u->learning = NULL;
}

bool unit_learn_end(struct unit *u)
{
	if (u->learned)
		return true;
	if (u->rows < UNIT_LEARN_MIN)
		return false;
	learn(u, false);
	return true;
}

// ---- judging -----------------------------------------------------------------------------------

// What the distance would lose if the column were what the others say: y' (A_cc)^-1 y with y = (A x)_c.
static double contribution(const struct unit *u, size_t c)
{
	const double *own = u->own + c * LAGS * LAGS;
	double s = 0;
	for (size_t i = 0; i < LAGS; i++)
		for (size_t j = 0; j < LAGS; j++)
			s += u->product[i * u->used + c] * own[i * LAGS + j] * u->product[j * u->used + c];
	return s;
}

static void name_causes(struct unit *u, size_t worst, double distance, struct unit_score *ret)
{
	matrix_times(u->inverse, u->size, u->filtered[worst], u->product);
	for (size_t c = 0; c < u->used; c++) {
		double share = distance > 0 ? fmin(contribution(u, c) / distance, 1) : 0;
		size_t at = ret->ncauses;
		while (at && ret->share[at - 1] < share)
			at--;
		if (at == UNIT_CAUSES)
			continue;
		ret->ncauses = MIN(ret->ncauses + 1, (size_t)UNIT_CAUSES);
		for (size_t k = ret->ncauses - 1; k > at; k--) {
			ret->cause[k] = ret->cause[k - 1];
			ret->share[k] = ret->share[k - 1];
		}
		ret->cause[at] = u->column[c];
		ret->share[at] = share;
	}
}

static void judge_row(struct unit *u, const double *row, struct unit_score *ret)
{
	double judged[UNIT_COLUMNS_MAX], d[FILTERS];
	for (size_t k = 0; k < u->used; k++) {
		size_t c = u->column[k];
		double z = ((isnan(row[c]) ? u->mean[c] : row[c]) - u->mean[c]) / u->scale[c];
		if (!u->running_known && u->kind[c] == UNIT_MOVING)
			u->running[c] = z;
		judged[k] = judge(u, c, z);
	}
	if (u->running_known)
		vector_push(u->vector, u->used, judged);
	else
		vector_fill(u->vector, u->used, judged);
	u->running_known = true;
	distances(u, d);
	size_t worst = 0;
	for (size_t f = 1; f < FILTERS; f++)
		if (d[f] / u->limit[f] > d[worst] / u->limit[worst])
			worst = f;
	ret->index = d[worst] / u->limit[worst];
	ret->score = 1 - exp2(-ret->index);
	ret->flag = ret->index > 1;
	name_causes(u, worst, d[worst], ret);
	if (ret->flag)
		return;
	for (size_t k = 0; k < u->used; k++)
		if (u->kind[u->column[k]] == UNIT_LEVEL)
			u->running[u->column[k]] += FOLLOW_LEVEL / (double)u->learn * judged[k];
}

void unit_feed(struct unit *u, const double *row, struct unit_score *ret)
{
	*ret = (struct unit_score){ .learned = u->learned };
	for (size_t c = 0; c < u->columns; c++)
		if (isfinite(row[c]))
			u->last[c] = within(row[c], HUGE_MAX);
	if (!u->learned) {
		memcpy(u->rows_seen + u->rows * u->columns, u->last, u->columns * sizeof *row);
		if (++u->rows == u->learn)
			learn(u, true);
	} else if (u->used) {
		judge_row(u, u->last, ret);
	}
}

// ---- keeping it --------------------------------------------------------------------------------

static const char MODEL_MARK[8] = UNIT_VERSION "m", STATE_MARK[8] = UNIT_VERSION "s";
_Static_assert(sizeof UNIT_VERSION + 1 <= sizeof MODEL_MARK, "room for the version");

static void put_doubles(struct buf *out, const double *v, size_t n) { buf_add(out, v, n * sizeof *v); }

size_t unit_used(const struct unit *u) { return u->used; }

void unit_limits(const struct unit *u, double ret[3])
{
	_Static_assert(FILTERS == 3, "three distances");
	memcpy(ret, u->limit, sizeof u->limit);
}

void unit_model_save(const struct unit *u, struct buf *out)
{
	assert(u->learned);
	buf_add(out, MODEL_MARK, sizeof MODEL_MARK);
	buf_add_le32(out, (uint32_t)u->columns);
	buf_add_le32(out, (uint32_t)u->used);
	buf_add_le32(out, (uint32_t)u->learn);
	for (size_t c = 0; c < u->columns; c++)
		buf_add_u8(out, (uint8_t)u->kind[c]);
	for (size_t k = 0; k < u->used; k++)
		buf_add_u8(out, (uint8_t)u->column[k]);
	put_doubles(out, u->mean, u->columns);
	put_doubles(out, u->scale, u->columns);
	put_doubles(out, u->scale_moving, u->columns);
	put_doubles(out, u->limit, FILTERS);
	if (u->used) {
		put_doubles(out, u->inverse, u->size * (u->size + 1) / 2);
		put_doubles(out, u->own, u->used * LAGS * LAGS);
	}
}

void unit_state_save(const struct unit *u, struct buf *out)
{
	assert(u->learned);
	buf_add(out, STATE_MARK, sizeof STATE_MARK);
	buf_add_le32(out, (uint32_t)u->columns);
	buf_add_le32(out, (uint32_t)u->used);
	buf_add_u8(out, u->running_known);
	put_doubles(out, u->last, u->columns);
	put_doubles(out, u->running, u->columns);
	if (!u->used)
		return;
	put_doubles(out, u->vector, u->size);
	for (size_t f = 0; f < FILTERS; f++)
		put_doubles(out, u->filtered[f], u->size);
}

static void take_doubles(struct cursor *c, double *ret, size_t n) { take_bytes(c, ret, n * sizeof *ret); }

// The columns as they are judged; false: they are not possible.
static bool load_columns(struct unit *u, struct cursor *c, size_t used)
{
	size_t at = 0;
	for (size_t i = 0; i < u->columns; i++) {
		uint8_t kind = take_u8(c);
		if (kind > UNIT_CONSTANT)
			return false;
		u->kind[i] = (enum unit_column)kind;
	}
	for (size_t k = 0; k < used; k++) {
		u->column[k] = take_u8(c);
		if (u->column[k] >= u->columns || u->column[k] < at || u->kind[u->column[k]] == UNIT_CONSTANT)
			return false;
		at = u->column[k] + 1;
	}
	u->used = used;
	return true;
}

struct unit *unit_model_load(struct str bytes)
{
	struct cursor c = cursor_of(bytes);
	struct str mark = take_str(&c, sizeof MODEL_MARK);
	size_t columns = take_le32(&c), used = take_le32(&c), learned = take_le32(&c);
	if (!cursor_ok(&c) || memcmp(mark.p, MODEL_MARK, sizeof MODEL_MARK) != 0 || !columns || columns > UNIT_COLUMNS_MAX || used > columns ||
	    learned < UNIT_LEARN_MIN || learned > UNIT_LEARN_MAX)
		return NULL;
	struct unit *u = unit_new(columns, UNIT_LEARN_MIN);
	arena_free(u->learning);
	u->learning = NULL;
	u->learn = u->rows = learned;
	u->learned = true;
	bool good = load_columns(u, &c, used);
	take_doubles(&c, u->mean, columns);
	take_doubles(&c, u->scale, columns);
	take_doubles(&c, u->scale_moving, columns);
	take_doubles(&c, u->limit, FILTERS);
	if (good && used) {
		learned_arrays(u);
		take_doubles(&c, u->inverse, u->size * (u->size + 1) / 2);
		take_doubles(&c, u->own, used * LAGS * LAGS);
	}
	if (good && cursor_done(&c))
		return u;
	unit_free(u);
	return NULL;
}

// As after learning: nothing was judged yet.
static void state_reset(struct unit *u)
{
	for (size_t i = 0; i < u->columns; i++) {
		u->last[i] = NAN;
		u->running[i] = 0;
	}
	u->running_known = false;
	if (u->used) {
		memset(u->vector, 0, u->size * sizeof *u->vector);
		filters_reset(u);
	}
}

bool unit_state_load(struct unit *u, struct str bytes)
{
	struct cursor c = cursor_of(bytes);
	struct str mark = take_str(&c, sizeof STATE_MARK);
	size_t columns = take_le32(&c), used = take_le32(&c);
	bool good = cursor_ok(&c) && memcmp(mark.p, STATE_MARK, sizeof STATE_MARK) == 0 && columns == u->columns && used == u->used;
	if (good) {
		u->running_known = take_u8(&c) == 1;
		take_doubles(&c, u->last, columns);
		take_doubles(&c, u->running, columns);
		if (used)
			take_doubles(&c, u->vector, u->size);
		for (size_t f = 0; used && f < FILTERS; f++)
			take_doubles(&c, u->filtered[f], u->size);
		good = cursor_done(&c);
	}
	if (!good)
		state_reset(u);
	return good;
}

void unit_spectrum(const struct unit *u, double *ret)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 16);
	double *full = arena_many(a, u->size * u->size + 1, double), *block = arena_many(a, u->used * u->used + 1, double);
	size_t q = 0;
	if (!u->used)
		return;
	for (size_t i = 0; i < u->size; i++)
		for (size_t j = 0; j <= i; j++)
			full[i * u->size + j] = full[j * u->size + i] = u->inverse[q++];
	memset(ret, 0, u->used * sizeof *ret);
	if (!matrix_invert(full, u->size))
		return;
	for (size_t i = 0; i < u->used; i++) // the newest row's part of the vector
		for (size_t j = 0; j < u->used; j++)
			block[i * u->used + j] = full[i * u->size + j] / sqrt(full[i * u->size + i] * full[j * u->size + j]);
	matrix_eigenvalues(block, u->used, ret);
}
