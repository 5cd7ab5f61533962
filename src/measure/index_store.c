// The history of the risk index: what is kept, and what is remembered of it after a start. A row is written when an object
// comes in, changes its level or rises, and each hour in which its score has changed: an index that stands still costs nothing.
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "measure/index_int.h"

struct index_row index_row_read(struct query *q, struct arena *a)
{
	return (struct index_row){ .at = query_get_i64(q, 0), .kind = query_get_str(q, 1, a), .key = query_get_str(q, 2, a),
		                   .score = (int)query_get_i64(q, 3), .color = query_get_str(q, 4, a), .was = (int)query_get_i64(q, 5),
		                   .color_was = query_get_str(q, 6, a), .what = query_get_str(q, 7, a), .version = query_get_str(q, 8, a),
		                   .area = query_get_str(q, 9, a), .enterprise = query_get_i64(q, 10), .sector = query_get_str(q, 11, a),
		                   .parts = query_get_str(q, 12, a) };
}

// {"inherent":12.5,…} of the components that are not 0.
static struct str parts_text(const struct risk_index *x, const struct index_change *c, struct arena *a)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 8 << 10);
	jw_init(&w, &out);
	jw_obj(&w);
	for (size_t i = 0; i < x->ncomponents; i++) {
		if (fabs(c->points[i]) < 0.005)
			continue;
		jw_key_str(&w, x->components[i].name);
		jw_f64(&w, round(c->points[i] * 100) / 100);
	}
	jw_end(&w);
	struct str text = jw_done(&w) ? arena_str(a, buf_str(&out)) : STR_EMPTY;
	buf_free(&out);
	return text;
}

static const char *what_of(const struct index_change *c)
{
	return c->was < 0 ? "first" : c->color != c->color_was ? "level" : c->rise ? "rise" : "hour";
}

static enum err row_keep(struct db *db, const struct risk_index *x, const struct index_change *c, int64_t now, struct arena *a)
{
	const char *what = what_of(c);
	bool with_parts = c->kind != INDEX_ENTERPRISE || strcmp(what, "hour") != 0;
	struct query q;
	query_begin(&q, db, STMT_INDEX_ADD);
	query_str(&q, 1, x->name);
	query_i64(&q, 2, now);
	query_str(&q, 3, str_of(index_kind_name(c->kind)));
	query_str(&q, 4, c->key);
	query_i64(&q, 5, c->tenths);
	query_str(&q, 6, str_of(index_color_name(c->color)));
	query_i64(&q, 7, c->was);
	query_str(&q, 8, str_of(index_color_name(c->color_was)));
	query_str(&q, 9, str_of(what));
	query_str(&q, 10, x->version);
	query_str(&q, 11, c->place.area);
	query_i64(&q, 12, c->id);
	query_str(&q, 13, c->place.sector);
	query_str(&q, 14, with_parts ? parts_text(x, c, a) : STR_EMPTY);
	return query_run(&q);
}

enum err index_keep(struct db *db, const struct risk_index *x, const struct index_changes *c, int64_t now, struct arena *a)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < c->n; i++)
		err = row_keep(db, x, &c->v[i], now, a);
	return err;
}

// ---- what is not kept yet ----------------------------------------------------------------------
static bool differs(const struct standing *s) { return s->kept != s->tenths || s->kept_color != s->color; }

static struct index_change *differing(const struct standing *s, struct arena *a, struct index_changes *ret)
{
	ret->v = arena_push(a, ret->v, &ret->n, &ret->cap, sizeof *ret->v);
	struct index_change *c = &ret->v[ret->n - 1];
	bool first = s->kept == NO_SCORE;
	*c = (struct index_change){ .tenths = s->tenths, .was = first ? -1 : s->kept, .color = (enum index_color)s->color,
		                    .color_was = first ? INDEX_NONE : (enum index_color)s->kept_color };
	return c;
}

void index_differs(struct index_live *l, size_t which, size_t max, struct arena *a, struct index_changes *ret)
{
	const struct board *b = l->boards[which]; // changed by this thread only
	size_t nc = b->x->ncomponents;
	for (size_t i = 0; i < b->nunits && ret->n < max; i++) {
		const struct unit *u = &b->units[i];
		if (!u->there || !differs(&u->s))
			continue;
		struct index_change *c = differing(&u->s, a, ret);
		c->kind = INDEX_ENTERPRISE;
		c->id = (int64_t)i;
		c->key = arena_printf(a, "%zu", i);
		c->place = unit_where(b, (int64_t)i);
		c->place.area = arena_str(a, c->place.area);
		c->place.sector = arena_str(a, c->place.sector);
		for (size_t k = 0; k < nc; k++)
			c->points[k] = (double)b->parts[i * nc + k];
	}
	for (size_t i = 0; i < b->nnodes && ret->n < max; i++) {
		const struct node *n = &b->nodes[i];
		if (!differs(&n->s))
			continue;
		struct index_change *c = differing(&n->s, a, ret);
		c->kind = n->kind;
		c->key = arena_str(a, str_of(n->key));
		c->place = node_place(b, n);
		c->place.area = arena_str(a, c->place.area);
		c->place.sector = arena_str(a, c->place.sector);
		for (size_t k = 0; k < nc; k++)
			c->points[k] = n->n ? n->parts[k] / n->n : 0;
	}
}

static struct standing *standing_of(struct board *b, enum index_kind kind, struct str key)
{
	int64_t id;
	if (kind == INDEX_ENTERPRISE)
		return str_to_i64(key, &id) && id > 0 && (size_t)id < b->nunits && b->units[id].there ? &b->units[id].s : NULL;
	struct node *n = board_node(b, kind, key);
	return n ? &n->s : NULL;
}

void index_kept(struct index_live *l, size_t which, const struct index_changes *c)
{
	pthread_rwlock_wrlock(&l->lock);
	for (size_t i = 0; i < c->n; i++) {
		struct standing *s = standing_of(l->boards[which], c->v[i].kind, c->v[i].key);
		if (!s)
			continue;
		s->kept = (uint16_t)c->v[i].tenths;
		s->kept_color = (uint8_t)c->v[i].color;
	}
	pthread_rwlock_unlock(&l->lock);
}

// ---- after a start -----------------------------------------------------------------------------
static bool kind_of(struct str name, enum index_kind *ret)
{
	for (int k = INDEX_ENTERPRISE; k <= INDEX_GRID; k++) {
		*ret = (enum index_kind)k;
		if (str_is(name, index_kind_name(*ret)))
			return true;
	}
	return false;
}

// The score as it was a day ago goes into the oldest place of the ring, what came since into its hours.
static enum err recall_kind(struct board *b, struct db *db, enum index_kind kind, int64_t until, bool ring, struct arena *a)
{
	struct query q;
	query_begin(&q, db, STMT_INDEX_AS_OF);
	query_str(&q, 1, b->x->name);
	query_str(&q, 2, str_of(index_kind_name(kind)));
	query_i64(&q, 3, until);
	while (query_row(&q)) {
		struct index_row r = index_row_read(&q, a);
		struct standing *s = standing_of(b, kind, r.key);
		if (!s)
			continue;
		if (ring) {
			s->ring[(b->hour + 1) % RING] = (uint16_t)r.score;
		} else {
			s->kept = (uint16_t)r.score;
			s->kept_color = (uint8_t)index_color_of(r.color);
		}
	}
	return query_end(&q);
}

static enum err recall_day(struct board *b, struct db *db, int64_t now, struct arena *a)
{
	struct query q;
	query_begin(&q, db, STMT_INDEX_SINCE);
	query_str(&q, 1, b->x->name);
	query_i64(&q, 2, now - US_PER_DAY);
	while (query_row(&q)) {
		struct index_row r = index_row_read(&q, a);
		enum index_kind kind;
		struct standing *s = kind_of(r.kind, &kind) ? standing_of(b, kind, r.key) : NULL;
		if (!s)
			continue;
		uint16_t *hour = &s->ring[(b->hour + RING - (int)((now - r.at) / US_PER_HOUR) % RING) % RING];
		*hour = MIN(*hour, (uint16_t)r.score); // an hour that is not known yet is the highest
		if (str_is(r.what, "rise"))
			s->rise_at = r.at;
	}
	return query_end(&q);
}

enum err index_recall(struct index_live *l, struct db *db, int64_t now, struct arena *a)
{
	enum err err = OK;
	pthread_rwlock_wrlock(&l->lock);
	for (size_t i = 0; !err && i < l->n; i++) {
		struct board *b = l->boards[i];
		for (int k = INDEX_ENTERPRISE; !err && k <= INDEX_GRID; k++) {
			err = recall_kind(b, db, (enum index_kind)k, now - US_PER_DAY, true, a);
			if (!err)
				err = recall_kind(b, db, (enum index_kind)k, now, false, a);
		}
		if (!err)
			err = recall_day(b, db, now, a);
	}
	pthread_rwlock_unlock(&l->lock);
	return err;
}
