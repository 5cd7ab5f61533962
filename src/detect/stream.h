// What is unusual in one stream of values that nobody explained: a shape that was never seen (left discord: E. Keogh, J. Lin,
// A. Fu, "HOT SAX", ICDM 2005, kept on line by leader clusters: J. Hartigan, Clustering Algorithms, 1975, ch. 3) or a value
// beyond the range seen so far. Both are judged by records: how much further than the furthest before.
//
// The last 16, 64 and 256 values, each as eight means, are compared with at most 800 shapes that stand for all earlier ones;
// a shape further from every one of them than a fifth of the deviation of the last 2,000 values becomes one itself, half
// a window later, and pushes out the one not met for longest. The index is the distance over the largest of: that fifth, 3.5
// deviations above the usual distance, and the furthest before, which fades by half in 4,500 values; or it is one plus the
// distance of a value beyond the range seen, over that range, if that is more than 2 %. In a stream of independent values
// records get ever rarer (the n-th is one with probability 1/n: A. Renyi, 1962), whatever their distribution: that is why one
// limit serves all.
// One event is said once: for 100 values after it only one half as large again is.
//
// Version: STREAM_VERSION changes whenever the same values could get another score. Memory: see stream_bytes, never
// grows. Time: at most about 40,000 additions a value. Deterministic; the score of a value depends on no later one.
// One thread a stream.
#pragma once

#include "base/base.h"

#define STREAM_VERSION "stream-2"
#define STREAM_LEARN_MIN 70
#define STREAM_LEARN_DEFAULT 250 // values
#define STREAM_LIMIT 1.01         // index of an event

enum stream_reason { STREAM_NOTHING, STREAM_SHAPE_16, STREAM_SHAPE_64, STREAM_SHAPE_256, STREAM_ABOVE, STREAM_BELOW };

struct stream_score {
	double score;   // 0..1: below 0.5 no event; 0.5 at the limit, 1 for an index without bound
	double index;
	bool flag;      // an event begins
	enum stream_reason reason; // of the index
};

struct stream;

struct stream *stream_new(size_t learn); // no event among the first `learn` values, STREAM_LEARN_MIN or more
void stream_free(struct stream *s);      // NULL is fine
// value: NaN is a missing value, the last one stands for it.
void stream_feed(struct stream *s, double value, struct stream_score *ret);
size_t stream_bytes(const struct stream *s);
