// Detectors on values whose truth is known: what they find, what they must not, and that they look neither ahead nor grow.
// needs: base detect
#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "detect/matrix.h"
#include "detect/rows.h"
#include "detect/stream.h"
#include "detect/unit.h"

static uint64_t state;

static double noise(void) // sum of twelve: nearly normal, deviation 1
{
	double s = -6;
	for (int i = 0; i < 12; i++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		s += (double)(state >> 11) * 0x1p-53;
	}
	return s;
}

// ---- matrices ----------------------------------------------------------------------------------

static void test_an_inverse_is_one(void **ignored)
{
	(void)ignored;
	double a[9] = { 4, 2, 1, 2, 5, 3, 1, 3, 6 }, b[9];
	memcpy(b, a, sizeof a);
	assert_true(matrix_invert(b, 3));
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++) {
			double s = 0;
			for (int k = 0; k < 3; k++)
				s += a[i * 3 + k] * b[k * 3 + j];
			assert_true(fabs(s - (i == j)) < 1e-12);
		}
	double singular[4] = { 1, 1, 1, 1 };
	assert_false(matrix_invert(singular, 2));
}

static void test_quadratic_forms_and_products_agree(void **ignored)
{
	(void)ignored;
	double packed[6] = { 4, 2, 5, 1, 3, 6 }, x[3][3] = { { 1, 2, 3 }, { -1, 0, 2 }, { 0, 0, 0 } }, q[3], y[3];
	matrix_quadratic3(packed, 3, (const double *const[3]){ x[0], x[1], x[2] }, q);
	for (int k = 0; k < 3; k++) {
		matrix_times(packed, 3, x[k], y);
		assert_true(fabs(q[k] - (x[k][0] * y[0] + x[k][1] * y[1] + x[k][2] * y[2])) < 1e-12);
	}
	assert_true(q[0] == 4 + 20 + 54 + 2 * (2 * 2 + 1 * 3 + 3 * 6));
}

// ---- a unit ------------------------------------------------------------------------------------

#define N 6

// Six points of which 0 and 1 follow one cause, 2 and 3 another; 4 and 5 are on their own.
static void plant(double *row)
{
	double p = noise(), q = noise();
	row[0] = 50 + p + 0.1 * noise();
	row[1] = 20 + 2 * p + 0.2 * noise();
	row[2] = -5 + q + 0.1 * noise();
	row[3] = 7 - q + 0.1 * noise();
	row[4] = 1000 + 30 * noise();
	row[5] = 0.01 * noise();
}

struct run {
	size_t flags;       // among the last rows
	size_t first;       // flagged, SIZE_MAX: none
	size_t named[N];    // how often a column came first among the causes of flagged rows
	double worst;
};

// Learns 400 rows, then rows rows with change(row, k) applied; flags are counted from `from` on.
static struct run run_unit(size_t rows, size_t from, void (*change)(double *row, size_t k))
{
	struct unit *u = unit_new(N, 400);
	struct unit_score s;
	struct run ret = { .first = SIZE_MAX };
	double row[N];
	state = 7;
	for (size_t i = 0; i < 400; i++) {
		plant(row);
		unit_feed(u, row, &s);
		assert_true(!s.flag && s.score == 0);
	}
	for (size_t k = 0; k < rows; k++) {
		plant(row);
		if (change)
			change(row, k);
		unit_feed(u, row, &s);
		assert_true(s.learned && s.score >= 0 && s.score <= 1 && s.flag == (s.score > 0.5));
		if (!s.flag || k < from)
			continue;
		ret.flags++;
		ret.first = MIN(ret.first, k);
		ret.named[s.cause[0]]++;
		ret.worst = fmax(ret.worst, s.index);
	}
	unit_free(u);
	return ret;
}

static void test_a_normal_unit_is_rarely_flagged(void **ignored)
{
	(void)ignored;
	struct run r = run_unit(5000, 0, NULL);
	assert_true(r.flags <= 5000 / 50); // the limit is for 0.5 %; autocorrelated means come in groups
}

static void step(double *row, size_t k)
{
	if (k >= 100)
		row[4] += 8 * 30;
}
static void test_a_jump_is_seen_in_its_row_and_named(void **ignored)
{
	(void)ignored;
	struct run r = run_unit(400, 100, step);
	assert_int_equal(r.first, 100);
	assert_true(r.flags > 295 && r.named[4] > 290);
}

static void apart(double *row, size_t k)
{
	if (k >= 100)
		row[1] -= 1.5; // well inside its own range of +-4, against what point 0 says
}
static void test_points_that_no_longer_agree_are_seen_inside_their_ranges(void **ignored)
{
	(void)ignored;
	struct run r = run_unit(400, 100, apart);
	assert_true(r.first <= 102 && r.flags > 280);
	assert_true(r.named[0] + r.named[1] > 280);
}

static void small(double *row, size_t k)
{
	if (k >= 100)
		row[4] += 1.5 * 30;
}
static void test_a_small_lasting_shift_is_seen_soon(void **ignored)
{
	(void)ignored;
	struct run r = run_unit(400, 100, small);
	assert_true(r.first < 140 && r.flags > 200);
}

static void louder(double *row, size_t k)
{
	if (k >= 100)
		row[5] *= 8;
}
static void test_a_louder_point_is_seen(void **ignored)
{
	(void)ignored;
	struct run r = run_unit(400, 100, louder);
	assert_true(r.first < 110 && r.named[5] > r.flags * 9 / 10);
}

static void stuck(double *row, size_t k)
{
	if (k >= 100)
		row[2] = -5;
}
static void test_a_stuck_point_contradicts_its_neighbour(void **ignored)
{
	(void)ignored;
	struct run r = run_unit(400, 100, stuck);
	assert_true(r.first < 120 && r.flags > 150);
	assert_true(r.named[2] + r.named[3] > r.flags * 9 / 10);
}

static void wander(double *row, size_t k)
{
	row[4] += 60.0 * (double)k / 4000; // two deviations in 4,000 rows
}
static void test_slow_wear_is_followed_without_an_alarm(void **ignored)
{
	(void)ignored;
	assert_true(run_unit(4000, 0, wander).flags <= 80);
}

// Column 1 is a constant, column 2 creeps so slowly that its level is not known, column 0 is noise.
static void test_columns_are_taken_as_what_they_are(void **ignored)
{
	(void)ignored;
	struct unit *u = unit_new(3, 400);
	struct unit_score s;
	double row[3] = { 0, 5, 0 };
	state = 3;
	for (int i = 0; i < 400; i++) {
		row[0] = noise();
		row[2] = sin(i / 120.0) + 0.01 * noise();
		unit_feed(u, row, &s);
	}
	assert_int_equal(unit_column_kind(u, 0), UNIT_LEVEL);
	assert_int_equal(unit_column_kind(u, 1), UNIT_CONSTANT);
	assert_int_equal(unit_column_kind(u, 2), UNIT_MOVING);
	row[1] = 6; // nothing is known of it
	row[0] = 0;
	unit_feed(u, row, &s);
	assert_false(s.flag);
	row[2] += 1;
	unit_feed(u, row, &s);
	assert_true(s.flag && s.cause[0] == 2 && s.ncauses == 2);
	unit_free(u);
}

static void test_a_unit_sees_no_future_and_is_deterministic(void **ignored)
{
	(void)ignored;
	struct unit *a = unit_new(N, 60), *b = unit_new(N, 60);
	struct unit_score x, y;
	double row[N], rows[300][N];
	state = 11;
	for (int i = 0; i < 300; i++)
		plant(rows[i]);
	for (int i = 0; i < 200; i++) {
		unit_feed(a, rows[i], &x);
		unit_feed(b, rows[i], &y);
		assert_true(x.score == y.score && x.flag == y.flag);
	}
	double before = x.score;
	for (int i = 200; i < 300; i++) { // another future of b changes nothing that was said
		memcpy(row, rows[i], sizeof row);
		row[0] += 1000;
		unit_feed(b, row, &y);
	}
	unit_free(b);
	b = unit_new(N, 60);
	for (int i = 0; i < 200; i++)
		unit_feed(b, rows[i], &y);
	assert_true(y.score == before);
	unit_free(a);
	unit_free(b);
}

static void test_a_unit_kept_and_loaded_goes_on_as_if_it_had_not_been(void **ignored)
{
	(void)ignored;
	double row[N], spectrum[N], sum = 0;
	struct unit *whole = unit_new(N, 400), *part;
	struct unit_score x, y;
	struct buf model, at;
	state = 21;
	for (int i = 0; i < 300; i++) {
		plant(row);
		unit_feed(whole, row, &x);
	}
	assert_true(unit_learn_end(whole));
	buf_init(&model, 1 << 20);
	unit_model_save(whole, &model);
	part = unit_model_load(buf_str(&model));
	assert_non_null(part);
	for (int i = 0; i < 200; i++) {
		plant(row);
		row[0] += i > 150 ? 3 : 0;
		if (i % 7 == 3)
			row[4] = NAN;
		if (i % 20 == 10) { // a restart
			buf_init(&at, 1 << 20);
			unit_state_save(part, &at);
			unit_free(part);
			part = unit_model_load(buf_str(&model));
			assert_true(unit_state_load(part, buf_str(&at)));
			assert_false(unit_state_load(part, str_from(at.p, at.n - 1)));
			assert_true(unit_state_load(part, buf_str(&at)));
			buf_free(&at);
		}
		unit_feed(whole, row, &x);
		unit_feed(part, row, &y);
		assert_true(x.score == y.score && x.flag == y.flag && x.cause[0] == y.cause[0]);
	}
	assert_true(x.flag);
	assert_int_equal(unit_used(part), N);
	unit_spectrum(part, spectrum);
	for (int i = 0; i < N; i++) {
		sum += spectrum[i];
		assert_true(!i || spectrum[i] <= spectrum[i - 1]);
	}
	assert_true(fabs(sum - N) < 1e-9);
	assert_true(spectrum[0] > 1.9 && spectrum[1] > 1.8 && spectrum[5] < 0.1); // two causes with two points each
	for (size_t n = 0; n < model.n; n += 97) // cut short or of another version
		assert_null(unit_model_load(str_from(model.p, n)));
	model.p[5]++;
	assert_null(unit_model_load(buf_str(&model)));
	buf_free(&model);
	unit_free(part);
	unit_free(whole);
}

static void test_a_unit_does_not_grow_and_bears_gaps(void **ignored)
{
	(void)ignored;
	struct unit *u = unit_new(N, 50);
	struct unit_score s;
	double row[N];
	state = 5;
	size_t bytes = 0;
	for (int i = 0; i < 3000; i++) {
		plant(row);
		row[i % N] = i % 5 ? row[i % N] : NAN;
		if (i == 700)
			row[3] = INFINITY;
		unit_feed(u, row, &s);
		assert_true(isfinite(s.score));
		if (i == 60)
			bytes = unit_bytes(u);
	}
	assert_int_equal(unit_bytes(u), bytes);
	unit_free(u);
}

// Columns of every kind a table may have. kind: 0 noise, 1 wandering, 2 constant, 3 counter, 4 noise with what a broken
// sensor says, 5 noise with gaps, 6 only gaps.
static double odd_value(unsigned kind, size_t i, double *walk)
{
	static const double broken[] = { 1e308, -1e308, -9999, 3.4e38 };
	double x = noise();
	*walk += 0.1 * x;
	switch (kind) {
	case 1: return *walk;
	case 2: return 42;
	case 3: return 1.7e9 + (double)i;
	case 4: return i % 97 == 13 ? broken[i / 97 % 4] : x;
	case 5: return i % 5 == 0 ? NAN : x;
	case 6: return NAN;
	default: return x;
	}
}

// Whatever the rows: a score is in 0..1 and does not depend on what follows.
static void test_any_rows_give_a_score_that_no_later_row_changes(void **ignored)
{
	(void)ignored;
	enum { ROWS = 260, LEARN = 100 };
	static double rows[ROWS][UNIT_COLUMNS_MAX];
	for (unsigned seed = 1; seed <= 30; seed++) {
		size_t columns = 1 + seed % 7, cut = LEARN + seed * 5;
		double walk[8] = { 0 };
		struct unit_score whole[ROWS], s;
		state = seed;
		for (size_t i = 0; i < ROWS; i++)
			for (size_t c = 0; c < columns; c++)
				rows[i][c] = odd_value((seed + 3 * (unsigned)c) % 7, i, &walk[c]);
		struct unit *u = unit_new(columns, LEARN), *v = unit_new(columns, LEARN);
		for (size_t i = 0; i < ROWS; i++) {
			unit_feed(u, rows[i], &whole[i]);
			assert_true(whole[i].score >= 0 && whole[i].score <= 1 && !isnan(whole[i].index));
			assert_true(whole[i].ncauses <= MIN(columns, (size_t)UNIT_CAUSES));
		}
		for (size_t i = 0; i < ROWS; i++) {
			for (size_t c = 0; i > cut && c < columns; c++)
				rows[i][c] = -rows[i][c]; // another future
			unit_feed(v, rows[i], &s);
			assert_true(i > cut || (s.score == whole[i].score && s.flag == whole[i].flag && s.cause[0] == whole[i].cause[0]));
		}
		unit_free(u);
		unit_free(v);
	}
}

// A counter or a clock among the columns, and a sensor that fails now and then while learning, blind nobody.
static void test_counters_and_glitches_while_learning_do_not_blind(void **ignored)
{
	(void)ignored;
	double row[4];
	struct unit_score s;
	struct unit *u = unit_new(4, 400);
	size_t before = 0, behind = 0;
	state = 3;
	for (size_t i = 0; i < 900; i++) {
		double p = noise();
		row[0] = 20 + p;
		row[1] = 5 + 2 * p + 0.1 * noise();
		row[2] = (double)i;
		row[3] = i < 400 && i % 60 == 7 ? -9999 : 3 + noise();
		if (i >= 600)
			row[1] += 1;
		unit_feed(u, row, &s);
		before += i >= 400 && i < 600 && s.flag;
		behind += i >= 600 && s.flag;
	}
	assert_int_equal(unit_column_kind(u, 2), UNIT_CONSTANT);
	assert_int_equal(unit_column_kind(u, 3), UNIT_LEVEL);
	assert_true(before <= 4 && behind >= 298);
	unit_free(u);
}

static void test_too_little_to_learn_from_is_refused(void **ignored)
{
	(void)ignored;
	struct unit *u = unit_new(1, 400);
	struct unit_score s;
	double v = 1;
	for (int i = 0; i < UNIT_LEARN_MIN - 1; i++)
		unit_feed(u, &v, &s);
	assert_false(unit_learn_end(u));
	unit_feed(u, &v, &s);
	assert_true(unit_learn_end(u)); // a constant is all there is: never an alarm
	v = 100;
	unit_feed(u, &v, &s);
	assert_false(s.flag);
	unit_free(u);
}

// ---- a stream ----------------------------------------------------------------------------------

static double daily(size_t i)
{
	return 20 + 10 * sin((double)i * 2 * M_PI / 96) + 0.3 * noise();
}

static size_t events(double (*value)(size_t i), size_t n, size_t *ret_first, enum stream_reason *ret_reason)
{
	struct stream *s = stream_new(STREAM_LEARN_DEFAULT);
	struct stream_score r;
	size_t found = 0;
	state = 21;
	*ret_first = SIZE_MAX;
	for (size_t i = 0; i < n; i++) {
		stream_feed(s, value(i), &r);
		assert_true(r.score >= 0 && r.score <= 1 && r.flag == (r.score >= 0.5));
		if (r.flag && found++ == 0) {
			*ret_first = i;
			*ret_reason = r.reason;
		}
	}
	stream_free(s);
	return found;
}

static void test_a_daily_rhythm_is_no_event(void **ignored)
{
	(void)ignored;
	size_t first;
	enum stream_reason why;
	assert_true(events(daily, 20000, &first, &why) <= 4); // 208 days
}

static double spike(size_t i)
{
	return i == 3000 ? 60 : daily(i);
}
static void test_a_spike_beyond_the_range_is_one_event(void **ignored)
{
	(void)ignored;
	size_t first, quiet = events(daily, 3099, &first, &(enum stream_reason){ 0 });
	enum stream_reason why;
	assert_int_equal(events(spike, 3099, &first, &why), quiet + 1);
	if (!quiet) {
		assert_int_equal(first, 3000);
		assert_int_equal(why, STREAM_ABOVE);
	}
}

static double flat(size_t i) // a day that is missing, at a usual value
{
	return i >= 5000 && i < 5096 ? 20 + 0.3 * noise() : daily(i);
}
static void test_a_day_unlike_all_others_is_an_event_within_the_usual_range(void **ignored)
{
	(void)ignored;
	struct stream *s = stream_new(STREAM_LEARN_DEFAULT);
	struct stream_score r;
	bool found = false;
	state = 21;
	for (size_t i = 0; i < 5096; i++) {
		stream_feed(s, flat(i), &r);
		if (i >= 5000 && r.flag) {
			found = true;
			assert_true(r.reason >= STREAM_SHAPE_16 && r.reason <= STREAM_SHAPE_256);
		}
	}
	assert_true(found);
	stream_free(s);
}

static void test_a_stream_sees_no_future_does_not_grow_and_bears_gaps(void **ignored)
{
	(void)ignored;
	struct stream *a = stream_new(100), *b = stream_new(100);
	struct stream_score x, y;
	state = 2;
	stream_feed(a, NAN, &x);
	stream_feed(b, NAN, &y);
	size_t bytes = stream_bytes(a);
	double values[4000];
	for (int i = 0; i < 4000; i++)
		values[i] = i % 50 ? daily((size_t)i) : NAN;
	for (int i = 0; i < 4000; i++)
		stream_feed(a, values[i], &x);
	for (int i = 0; i < 2000; i++) // b stops early: a said the same up to there
		stream_feed(b, values[i], &y);
	stream_free(a);
	a = stream_new(100);
	stream_feed(a, NAN, &x);
	for (int i = 0; i < 2000; i++)
		stream_feed(a, values[i], &x);
	assert_true(x.score == y.score && x.index == y.index);
	assert_int_equal(stream_bytes(b), bytes);
	stream_free(a);
	stream_free(b);
}

// ---- rows --------------------------------------------------------------------------------------

static void test_rows_of_every_kind_are_read(void **ignored)
{
	(void)ignored;
	struct arena *a = arena_new(0);
	struct problem p;
	struct rows r;
	struct str time[2];
	double v[ROWS_VALUES_MAX];
	problem_init(&p, a);
	assert_int_equal(rows_begin(&r, a, STR("\xef\xbb\xbf" "datetime;A;B;anomaly;changepoint\r"), false, &p), OK);
	assert_true(r.headed && r.separator == ';' && r.time == 0 && r.nvalues == 2 && r.nlabels == 2);
	assert_int_equal(rows_read(&r, STR("2020-01-01 00:00:00;1.5;;0;1\r"), 2, time, v, &p), OK);
	assert_true(str_is(time[0], "2020-01-01 00:00:00") && v[0] == 1.5 && isnan(v[1]));
	assert_int_equal(rows_begin(&r, a, STR("  2.5e-01   3.6700e+03 "), false, &p), OK);
	assert_true(!r.headed && r.time == ROWS_NONE && r.nvalues == 2 && str_is(r.name[1], "x2"));
	assert_int_equal(rows_read(&r, STR("  2.5e-01   3.6700e+03 "), 1, time, v, &p), OK);
	assert_true(v[0] == 0.25 && v[1] == 3670);
	assert_int_equal(rows_begin(&r, a, STR("timestamp,\"value\""), true, &p), OK);
	assert_true(r.time == 0 && r.nvalues == 1 && r.value[0] == 1);
	assert_int_equal(rows_begin(&r, a, STR("2014-04-01 00:00:00,20.5"), true, &p), OK);
	assert_true(!r.headed && r.time == 0 && r.value[0] == 1);
	assert_int_equal(rows_begin(&r, a, STR("time;a;b"), false, &p), OK); // a decimal comma, a separator at the end, a dash
	assert_int_equal(rows_read(&r, STR("1;-9,25;-;"), 2, time, v, &p), OK);
	assert_true(v[0] == -9.25 && isnan(v[1]));
	assert_int_equal(rows_read(&r, STR("1;1,000.5;2"), 3, time, v, &p), OK);
	assert_true(isnan(v[0]) && v[1] == 2 && r.odd == 1); // of which kind is that?
	assert_int_equal(rows_begin(&r, a, STR("7;9,25;8,5"), false, &p), OK);
	assert_true(!r.headed && r.separator == ';' && r.nvalues == 3);
	assert_int_equal(rows_begin(&r, a, STR("time,a"), false, &p), OK);
	assert_int_equal(rows_read(&r, STR("1,\"1,250\""), 2, time, v, &p), OK);
	assert_true(isnan(v[0]) && r.odd == 1); // where the comma separates it is no point
	assert_int_equal(rows_read(&r, STR("1,-inf"), 3, time, v, &p), OK);
	assert_true(isnan(v[0]));
	arena_free(a);
}

static void test_numbers_are_read_as_people_write_them(void **ignored)
{
	(void)ignored;
	static const struct {
		const char *text;
		double v;
	} known[] = { { "+.5", 0.5 }, { "-.5", -0.5 }, { "5.", 5 }, { "5.e2", 500 }, { "007", 7 }, { "-0012.50", -12.5 }, { "0", 0 }, { "1E+02", 100 } };
	static const char *const none[] = { "1.2.3", "1..2", "+", "0x10", "1e400", "five", "5.#QNAN" };
	double v;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		assert_true(rows_number(str_of(known[i].text), &v) && v == known[i].v);
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(rows_number(str_of(none[i]), &v));
	assert_true(rows_number(STR("-nan"), &v) && isnan(v));
}

// What the columns are, from header and first row: "T" time, "C" time of day, "V" value, "L" label, "-" not read.
static void test_columns_are_found_whatever_they_are_called(void **ignored)
{
	(void)ignored;
	static const struct {
		const char *header, *row, *columns;
		bool one_value;
	} cases[] = {
		{ "datetime;A;B;anomaly", "2020-01-01 00:00:00;1;2;0", "TVVL", false },
		{ ",datetime,A,Anomaly_Label", "0,2020-01-01 00:00:00,1,0", "-TVL", false },
		{ ",A,B", "0,1.5,2", "TVV", false },
		{ "A,B", "1.5,2", "VV", false },                        // a fraction is no time
		{ "t|A|B", "12|1.5|2", "TVV", false },
		{ "Time (s),A", "0.5,1", "TV", false },
		{ "Temperature,Timer_A", "0.5,1", "VV", false },
		{ "date,time,A,B", "2020-01-01,00:00:00,1,2", "TCVV", false },
		{ "采集时间,压力,故障", "2020-01-01 00:00:00,1,0", "TVL", false },
		{ "A,B,when", "1,2,2020-01-01T00:00:00Z", "VVT", false },
		{ "when,A,updated", "2020-01-01,2,2020-01-02", "TV-", false },
		{ "datetime,A,B", "2020-01-01 00:00:00,ERR,2", "TVV", false }, // that may yet be a number
		{ "load,when", "5,2020-01-01 00:00:00", "VT", true },
		{ "value,label", "5,0", "VL", true },
		{ "timestamp,is_anomaly,load,state", "2020-01-01 00:00:00,0,5,on", "TLV.", true },
		{ "t,v", "0,5", "TV", true },
	};
	struct arena *a = arena_new(0);
	for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
		struct rows r;
		struct problem p;
		problem_init(&p, a);
		assert_int_equal(rows_begin(&r, a, str_of(cases[k].header), cases[k].one_value, &p), OK);
		assert_int_equal(rows_settle(&r, str_of(cases[k].row), cases[k].one_value, &p), OK);
		char found[ROWS_CELLS_MAX + 1] = { 0 };
		memset(found, '.', r.cells);
		for (size_t i = 0; i < r.nvalues; i++)
			found[r.value[i]] = 'V';
		for (size_t i = 0; i < r.nlabels; i++)
			found[r.label[i]] = 'L';
		for (size_t i = 0; i < r.nskipped; i++)
			found[r.skipped[i]] = strcmp(cases[k].columns, "TLV.") == 0 ? '.' : '-';
		if (r.time != ROWS_NONE)
			found[r.time] = 'T';
		if (r.clock != ROWS_NONE)
			found[r.clock] = 'C';
		assert_string_equal(found, cases[k].columns);
	}
	arena_free(a);
}

static void test_what_is_wrong_with_a_row_is_said_with_line_and_column(void **ignored)
{
	(void)ignored;
	struct arena *a = arena_new(0);
	struct problem p;
	struct rows r;
	struct str time[2];
	double v[ROWS_VALUES_MAX];
	problem_init(&p, a);
	assert_int_equal(rows_begin(&r, a, STR("time,pressure"), false, &p), OK);
	assert_int_equal(rows_read(&r, STR("1,high"), 7, time, v, &p), OK);
	assert_true(isnan(v[0]) && r.odd == 1 && str_is(r.odd_text, "high"));
	assert_int_equal(rows_read(&r, STR("1"), 7, time, v, &p), OK); // cut off
	assert_true(isnan(v[0]) && r.odd == 1 && !r.odd_text.n);
	assert_int_equal(rows_read(&r, STR("1,2"), 7, time, v, &p), OK);
	assert_true(v[0] == 2 && r.odd == ROWS_NONE);
	assert_int_equal(rows_read(&r, STR("1,2,3"), 8, time, v, &p), ERR_INVALID);
	assert_true(str_is(p.en, "line 8 has 3 columns, not 2"));
	problem_init(&p, a);
	assert_int_equal(rows_begin(&r, a, STR("time,anomaly"), false, &p), ERR_INVALID);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_inverse_is_one),
		cmocka_unit_test(test_quadratic_forms_and_products_agree),
		cmocka_unit_test(test_a_normal_unit_is_rarely_flagged),
		cmocka_unit_test(test_a_jump_is_seen_in_its_row_and_named),
		cmocka_unit_test(test_points_that_no_longer_agree_are_seen_inside_their_ranges),
		cmocka_unit_test(test_a_small_lasting_shift_is_seen_soon),
		cmocka_unit_test(test_a_louder_point_is_seen),
		cmocka_unit_test(test_a_stuck_point_contradicts_its_neighbour),
		cmocka_unit_test(test_slow_wear_is_followed_without_an_alarm),
		cmocka_unit_test(test_columns_are_taken_as_what_they_are),
		cmocka_unit_test(test_a_unit_sees_no_future_and_is_deterministic),
		cmocka_unit_test(test_a_unit_kept_and_loaded_goes_on_as_if_it_had_not_been),
		cmocka_unit_test(test_a_unit_does_not_grow_and_bears_gaps),
		cmocka_unit_test(test_any_rows_give_a_score_that_no_later_row_changes),
		cmocka_unit_test(test_counters_and_glitches_while_learning_do_not_blind),
		cmocka_unit_test(test_too_little_to_learn_from_is_refused),
		cmocka_unit_test(test_a_daily_rhythm_is_no_event),
		cmocka_unit_test(test_a_spike_beyond_the_range_is_one_event),
		cmocka_unit_test(test_a_day_unlike_all_others_is_an_event_within_the_usual_range),
		cmocka_unit_test(test_a_stream_sees_no_future_does_not_grow_and_bears_gaps),
		cmocka_unit_test(test_rows_of_every_kind_are_read),
		cmocka_unit_test(test_numbers_are_read_as_people_write_them),
		cmocka_unit_test(test_columns_are_found_whatever_they_are_called),
		cmocka_unit_test(test_what_is_wrong_with_a_row_is_said_with_line_and_column),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
