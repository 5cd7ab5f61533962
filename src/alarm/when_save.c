// The state of all windows and conditions as bytes: for the snapshot of the series, and from one generation of rules to the next. What
// is kept is found again by point and by what it measures, so it fits any other set as far as that has the same. Machines of both
// kinds are little-endian, so structs are written as they are (no padding; sizes asserted). T_SERIES.
#include "alarm/when.h"
#include "base/cursor.h"
#include "base/strmap.h"

#define VERSION 1u

struct head { uint32_t version, channels; };
struct saved_channel {
	uint32_t point, features;
	int64_t time;
	double value;
	uint32_t quality, usable;
};
struct saved_feature { uint32_t digest, words; };
struct saved_watcher {
	uint32_t point, key;
	int64_t clock, offset, since[WATCH__MAX], cause;
	uint32_t bits, zero;    // active, pending << 8, dirty << 16, unsure << 17
};
_Static_assert(sizeof(struct saved_channel) == 32 && sizeof(struct saved_watcher) == 56, "no padding");

void when_save(const struct when_set *s, struct buf *out)
{
	struct head h = { VERSION, (uint32_t)s->nchannels };
	buf_add(out, &h, sizeof h);
	for (size_t i = 0; i < s->nchannels; i++) {
		const struct channel *c = &s->channels[i];
		int64_t words[WHEN_WORDS];
		struct saved_channel v = { c->point, c->nfeatures, c->time, c->value, c->quality, c->usable };
		buf_add(out, &v, sizeof v);
		for (uint32_t k = c->features; k < c->features + c->nfeatures; k++) {
			struct saved_feature f = { s->features[k].digest, (uint32_t)when_state(s->features[k].slot) };
			buf_add(out, &f, sizeof f);
			window_save(&s->features[k], s->rings + s->features[k].ring, words);
			buf_add(out, words, f.words * sizeof *words);
		}
	}
	for (size_t i = 0; i < s->nwatchers; i++) {
		const struct watcher *w = &s->watchers[i];
		struct saved_watcher v = { .point = w->point, .key = w->key, .clock = w->clock, .offset = w->offset,
			                   .since = { s->cold[i].since[0], s->cold[i].since[1] }, .cause = w->cause };
		v.bits = w->active | (uint32_t)w->pending << 8 | (uint32_t)w->dirty << 16 | (uint32_t)w->unsure << 17;
		buf_add(out, &v, sizeof v);
	}
}

// All windows that measure the same (they may differ in what a duration is compared with).
static void restore_feature(struct when_set *s, const struct channel *c, const struct saved_feature *f, struct str words)
{
	int64_t copy[WHEN_WORDS];
	for (uint32_t k = c->features; k < c->features + c->nfeatures; k++)
		if (s->features[k].digest == f->digest && when_state(s->features[k].slot) * sizeof *copy == words.n) {
			memcpy(copy, words.p, words.n); // which need not be aligned
			window_restore(&s->features[k], s->rings + s->features[k].ring, copy);
		}
}

static bool restore_channel(struct when_set *s, struct cursor *cur)
{
	struct saved_channel v;
	struct str raw = take_str(cur, sizeof v);
	if (!cursor_ok(cur))
		return false;
	memcpy(&v, raw.p, sizeof v);
	struct channel *c = when_channel(s, v.point);
	if (c) {
		c->time = v.time;
		c->value = v.value;
		c->quality = (uint8_t)v.quality;
		c->usable = v.usable != 0;
	}
	for (uint32_t i = 0; i < v.features; i++) {
		struct saved_feature f;
		raw = take_str(cur, sizeof f);
		if (!cursor_ok(cur))
			return false;
		memcpy(&f, raw.p, sizeof f);
		struct str words = take_str(cur, (size_t)f.words * sizeof(int64_t));
		if (!cursor_ok(cur))
			return false;
		if (c)
			restore_feature(s, c, &f, words);
	}
	return true;
}

static void restore_watcher(struct when_set *s, const struct saved_watcher *v)
{
	struct watcher *w = when_watcher(s, v->point, v->key);
	if (!w)
		return;
	w->clock = v->clock;
	w->offset = v->offset;
	memcpy(s->cold[w - s->watchers].since, v->since, sizeof v->since);
	w->cause = v->cause;
	w->active = (uint8_t)(v->bits & 3);
	w->pending = (uint8_t)(v->bits >> 8 & 3);
	w->unsure = v->bits >> 17 & 1;
	if (w->active & 1u << WATCH_BLIND || w->pending & 1u << WATCH_BLIND)
		when_drop_blind(s, w);
}

void when_restore(struct when_set *s, struct str saved)
{
	struct cursor cur = cursor_of(saved);
	struct head h;
	for (size_t i = 0; i < s->nwatchers; i++)
		s->watchers[i].unsure = true;
	struct str raw = take_str(&cur, sizeof h);
	bool good = cursor_ok(&cur);
	if (good) {
		memcpy(&h, raw.p, sizeof h);
		good = h.version == VERSION;
	}
	for (uint32_t i = 0; good && i < h.channels; i++)
		good = restore_channel(s, &cur);
	while (good && cursor_left(&cur) >= sizeof(struct saved_watcher)) {
		struct saved_watcher v;
		raw = take_str(&cur, sizeof v);
		memcpy(&v, raw.p, sizeof v);
		restore_watcher(s, &v);
	}
	when_news(s); // whoever was judged is judged again: rules and points may be others
}
