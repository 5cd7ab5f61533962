// Fault detection for a unit of equipment from all its points at once, learned from its own normal operation.
//
// Each row of N values is made comparable (mean and deviation of learning); a column that wandered so slowly while
// learning that its level is not known (fewer than 11 independent looks: learning rows over the integrated
// autocorrelation time, A. Sokal 1989) is judged by how it moves, not by where it is: its distance from its own running
// mean of two rows. A value while learning that lies 20 spans of the middle 96 % beyond them is what a measurement says
// when it fails, and counts as missing; what is more than 10,000 deviations away is that far away.
// The row and the two before it are one vector of 3N (dynamic PCA: W. Ku, R. Storer, C. Georgakis,
// Chemometr. Intell. Lab. Syst. 30, 1995). Its Mahalanobis distance, with the covariance shrunk by 0.5 % towards a sphere
// (O. Ledoit, M. Wolf, J. Multivariate Anal. 88, 2004), is taken at once and of exponentially weighted means with
// weights 0.3 and 0.1 (MEWMA: C. Lowry et al., Technometrics 34, 1992), so that a jump is seen in the next row and a small
// lasting shift soon after. What is normal for each of the three is measured out of sample: learning is cut into five
// blocks, each judged by a model of the other four, and the limit is the 99.5 % quantile of that.
// While the unit is normal, the levels follow it slowly (weight 3 / learning rows), so that wear and weather do not end
// in an alarm; as soon as it is not, they stand still, so that a fault is not learned.
//
// Version: UNIT_VERSION changes whenever the same rows could get another score.
// Memory: 3N(3N+1)/2 + 27N doubles (about 100 KB for 50 columns) a unit, and while learning its rows. Never grows.
// Time: 9N^2 multiplications a row. Deterministic; the score of a row depends on no later row. One thread a unit.
#pragma once

#include "base/base.h"
#include "base/buf.h"

#define UNIT_VERSION "unit-2"
#define UNIT_COLUMNS_MAX 128
#define UNIT_LEARN_MIN 40      // rows: eight a block
#define UNIT_LEARN_MAX 5000
#define UNIT_LEARN_DEFAULT 400 // rows
#define UNIT_CAUSES 3

enum unit_column { UNIT_LEVEL, UNIT_MOVING, UNIT_CONSTANT }; // constant, or evenly rising, while learning: left out, nothing is known of it

struct unit_score {
	bool learned;       // false while learning: score 0, no flag
	double score;       // 0..1; 0.5 at the limit: 1 - 2^-index
	double index;       // the worst of the three distances, 1 = limit
	bool flag;
	size_t ncauses;     // columns that contribute most, the largest first; 0 while learning
	size_t cause[UNIT_CAUSES];
	double share[UNIT_CAUSES]; // of the distance that goes away if the column alone is made what the others say, 0..1
};

struct unit;

// columns 1..UNIT_COLUMNS_MAX, learn UNIT_LEARN_MIN..UNIT_LEARN_MAX rows. Freed with unit_free.
struct unit *unit_new(size_t columns, size_t learn);
void unit_free(struct unit *u); // NULL is fine
// One row of `columns` values; NaN is a missing value, the last one stands for it. The first `learn` rows are learned.
void unit_feed(struct unit *u, const double *row, struct unit_score *ret);
// Learning ends with the rows there are, and what comes next does not follow the last of them (it was learned from another
// file). False if there were fewer than UNIT_LEARN_MIN.
bool unit_learn_end(struct unit *u) must_check;
// How a column is judged. Only after learning.
enum unit_column unit_column_kind(const struct unit *u, size_t column);
size_t unit_bytes(const struct unit *u); // memory in use

// ---- keeping it. Little-endian doubles; of this version only ------------------------------------
// What was learned; and where it stands in what it judges, which changes with each row. Only after learning.
void unit_model_save(const struct unit *u, struct buf *out);
void unit_state_save(const struct unit *u, struct buf *out);
// A unit as it was at the end of learning, to be freed; what comes next does not follow a row it knows. NULL: not of this
// version, or damaged.
struct unit *unit_model_load(struct str bytes) must_check;
// False: not of this unit; then it stands as after unit_model_load.
bool unit_state_load(struct unit *u, struct str bytes) must_check;
size_t unit_used(const struct unit *u); // columns that are judged; 0: nothing moved while learning
void unit_limits(const struct unit *u, double ret[3]); // of the three distances
// Eigenvalues of the correlations of what is judged of the columns, the largest first: how many directions the unit moves in.
// ret has room for unit_used().
void unit_spectrum(const struct unit *u, double *ret);
