// The images of a store: which there are, what waits to be applied, the questions put to them. Loading is image_load.c.
#include "store/image.h"

#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "base/time.h"
#include "store/image_load.h"

#define LOCK_MS 200             // a question waits at most this long for an image; then SQL answers
#define WAIT_US (15 * US_PER_S) // a question waits at most this long for what is being loaded; then SQL answers
#define LOG_MAX 200000          // changed rows that orders are kept up with; beyond they are made anew

// ---- which there are ---------------------------------------------------------------------------
static struct image *find(struct images *im, struct str name)
{
	for (size_t i = 0; i < im->n; i++)
		if (str_is(name, im->v[i]->name))
			return im->v[i];
	return NULL;
}

static void image_free(struct image *m)
{
	for (struct image_change *c = m->first, *next; c; c = next) {
		next = c->next;
		mem_free(c);
	}
	for (size_t i = 0; i < m->ncolumns; i++)
		column_free(m->columns[i]);
	for (size_t i = 0; i < m->norders; i++)
		image_order_free(m->orders[i]);
	text_free(&m->text);
	text_free(&m->letters);
	if (m->need)
		arena_free(m->need->arena);
	column_free(m->ids);
	mem_free(m->log);
	pthread_rwlock_destroy(&m->lock);
	mem_free(m);
}

void image_release(struct images *im, struct image *m)
{
	pthread_mutex_lock(&im->lock);
	bool last = --m->users == 0 && atomic_load(&m->dead);
	pthread_mutex_unlock(&im->lock);
	if (last)
		image_free(m);
}

// Out of the list; freed when nobody uses it any more. Under the mutex.
static void forget(struct images *im, struct image *m)
{
	for (size_t i = 0; i < im->n; i++)
		if (im->v[i] == m)
			im->v[i] = im->v[--im->n];
	atomic_store(&m->dead, true);
	if (m->users == 0)
		image_free(m);
}

void image_forget(struct images *im, struct image *m)
{
	pthread_mutex_lock(&im->lock);
	if (!atomic_load(&m->dead))
		forget(im, m);
	pthread_mutex_unlock(&im->lock);
}

static bool is_big(struct db *db, const struct images *im, struct str type)
{
	struct query q;
	int64_t last = 0;
	char sql[128];
	size_t n = (size_t)snprintf(sql, sizeof(sql), "SELECT max(id) FROM \"r_%.*s\"", STR_FMT(type));
	query_begin_sql(&q, db, str_from(sql, n));
	if (query_row(&q))
		last = query_get_i64(&q, 0);
	return query_end(&q) == OK && last >= im->rows_min;
}

static struct image *image_new(struct str name)
{
	struct image *m = mem_alloc(sizeof(*m));
	pthread_rwlockattr_t attr;
	memcpy(m->name, name.p, MIN(name.n, sizeof(m->name) - 1));
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&m->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	return m;
}

// The type's image, made if it is big; to be released. NULL: there is none.
static struct image *image_get(struct images *im, struct db *db, struct str type)
{
	pthread_mutex_lock(&im->lock);
	struct image *m = im->rows_min == INT64_MAX ? NULL : find(im, type);
	pthread_mutex_unlock(&im->lock);
	if (!m && (!identifier_ok(type) || !is_big(db, im, type)))
		return NULL;
	pthread_mutex_lock(&im->lock);
	m = find(im, type);
	if (!m && im->n < IMAGES_MAX && !im->stop)
		m = im->v[im->n++] = image_new(type);
	if (m) {
		m->users++;
		m->asked = clock_mono();
	}
	pthread_mutex_unlock(&im->lock);
	return m;
}

// ---- what jobs write ---------------------------------------------------------------------------
struct note {
	struct images *im;
	struct str type;
	struct image_change change;
};

static struct str put_text(char **at, struct str s)
{
	char *p = *at;
	if (s.n == 0)
		return STR_EMPTY;
	memcpy(p, s.p, s.n);
	*at += s.n;
	return str_from(p, s.n);
}

static struct value put_value(char **at, struct value v)
{
	if (v.kind == VAL_TEXT)
		v.s = put_text(at, v.s);
	return v;
}

static size_t change_text(const struct image_change *c)
{
	size_t n = c->search.n + c->c.number.n + c->c.state.n + c->c.area.n + c->c.title.n + c->c.sector.n + c->c.prev_state.n;
	for (size_t i = 0; i < c->n; i++)
		n += c->names[i].n + (c->vals[i].kind == VAL_TEXT ? c->vals[i].s.n : 0);
	return n;
}

// A copy in one block of the heap, or of the arena if there is one.
static struct image_change *change_copy(const struct image_change *c, struct arena *a)
{
	size_t size = sizeof(*c) + c->n * (sizeof(*c->names) + sizeof(*c->vals)) + change_text(c);
	struct image_change *ret = a ? arena_alloc(a, size) : mem_alloc(size);
	*ret = *c;
	ret->vals = (struct value *)(ret + 1);
	ret->names = (struct str *)(ret->vals + c->n);
	char *at = (char *)(ret->names + c->n);
	for (size_t i = 0; i < c->n; i++) {
		ret->names[i] = put_text(&at, c->names[i]);
		ret->vals[i] = put_value(&at, c->vals[i]);
	}
	ret->search = put_text(&at, c->search);
	struct str *texts[] = { &ret->c.number, &ret->c.state, &ret->c.area, &ret->c.title, &ret->c.sector, &ret->c.prev_state };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = put_text(&at, *texts[i]);
	ret->next = NULL;
	return ret;
}

static void note_committed(void *arg)
{
	struct note *n = arg;
	pthread_mutex_lock(&n->im->lock);
	struct image *m = find(n->im, n->type);
	if (m) {
		struct image_change *c = change_copy(&n->change, NULL);
		if (m->last)
			m->last->next = c;
		else
			m->first = c;
		m->last = c;
		if (atomic_fetch_add(&m->pending, 1) + 1 == PENDING_SOON)
			pthread_cond_broadcast(&n->im->wake);
	}
	pthread_mutex_unlock(&n->im->lock);
}

void images_note(struct db *db, const struct table *t, const struct common *c, const struct value *vals)
{
	struct arena *a = db_arena(db);
	struct images *im = store_images(db->store);
	if (!im || !a)
		return;
	struct note *n = arena_one(a, struct note);
	struct str *names = arena_many(a, t->ncols, struct str);
	for (size_t i = 0; i < t->ncols; i++)
		names[i] = t->cols[i].name;
	struct image_change plain = { .c = *c, .names = names, .vals = (struct value *)(uintptr_t)vals, .n = t->ncols,
		                          .search = search_text(t, c->number, c->title, vals, a) };
	n->im = im;
	n->type = arena_str(a, t->name);
	n->change = *change_copy(&plain, a);
	db_after_commit(db, note_committed, n);
}

static void drop_committed(void *arg)
{
	struct note *n = arg;
	pthread_mutex_lock(&n->im->lock);
	struct image *m = find(n->im, n->type);
	if (m)
		forget(n->im, m);
	pthread_mutex_unlock(&n->im->lock);
}

void images_drop(struct db *db, struct str type)
{
	struct arena *a = db_arena(db);
	struct images *im = store_images(db->store);
	if (!im || !a)
		return;
	struct note *n = arena_one(a, struct note);
	*n = (struct note){ .im = im, .type = arena_str(a, type) };
	db_after_commit(db, drop_committed, n);
}

static void expect_committed(void *arg)
{
	struct note *n = arg;
	struct image_need need = { .text = true };
	static const struct column common[] = {
		{ .name = { "retired", 7 }, .kind = COL_INT },    { .name = { "area", 4 }, .kind = COL_TEXT },
		{ .name = { "enterprise", 10 }, .kind = COL_INT }, { .name = { "sector", 6 }, .kind = COL_TEXT },
		{ .name = { "state", 5 }, .kind = COL_TEXT },
	};
	memcpy(need.columns, common, sizeof(common));
	need.ncolumns = ARRAY_LEN(common);
	pthread_mutex_lock(&n->im->lock);
	struct image *m = find(n->im, n->type);
	if (!m && n->im->n < IMAGES_MAX && !n->im->stop)
		m = n->im->v[n->im->n++] = image_new(n->type);
	if (m)
		m->users++;
	pthread_mutex_unlock(&n->im->lock);
	if (!m)
		return;
	images_request(n->im, m, &need);
	image_release(n->im, m);
}

void images_expect(struct db *db, const struct table *t)
{
	struct arena *a = db_arena(db);
	struct images *im = store_images(db->store);
	if (!im || !a || !is_big(db, im, t->name))
		return;
	struct note *n = arena_one(a, struct note);
	*n = (struct note){ .im = im, .type = arena_str(a, t->name) };
	db_after_commit(db, expect_committed, n);
}

// ---- applying it -------------------------------------------------------------------------------
static struct value change_value(const struct image_change *c, const char *name)
{
	enum column_kind kind;
	struct str s = str_of(name);
	if (common_column(s, &kind))
		return common_value(&c->c, s);
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->names[i], s))
			return c->vals[i];
	return (struct value){ .kind = VAL_NULL };
}

bool image_find_row(const struct image *m, int64_t id, size_t *ret)
{
	size_t lo = 0, hi = m->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (column_int(m->ids, mid) < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret = lo;
	return lo < m->n && column_int(m->ids, lo) == id;
}

void image_reserve(struct image *m, size_t rows)
{
	if (rows <= m->cap)
		return;
	m->cap = MAX(rows, m->cap + m->cap / 4 + 1024);
	if (!m->ids)
		m->ids = column_new(STR("id"), COL_INT, m->cap);
	column_resize(m->ids, m->cap);
	for (size_t i = 0; i < m->ncolumns; i++)
		column_resize(m->columns[i], m->cap);
	if (m->has_text) {
		text_resize(&m->text, m->cap);
		text_resize(&m->letters, m->cap);
	}
}

void image_put_text(struct image_text *text, struct image_text *letters, size_t row, bool fresh, struct str search)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	pinyin_initials(search, &b);
	text_put(text, row, fresh, search);
	text_put(letters, row, fresh, buf_str(&b));
	buf_free(&b);
}

static void log_row(struct image *m, size_t row)
{
	if (m->norders == 0)
		return;
	if (m->nlog == LOG_MAX) {
		for (size_t i = 0; i < m->norders; i++)
			image_order_free(m->orders[i]);
		m->norders = m->nlog = 0;
		return;
	}
	if (m->nlog == m->log_cap) {
		m->log_cap = m->log_cap * 2 + 1024;
		m->log = mem_resize(m->log, m->log_cap * sizeof(*m->log));
	}
	m->log[m->nlog++] = (uint32_t)row;
}

// False: a row came in between: the image cannot take it.
static bool apply(struct image *m, const struct image_change *c)
{
	size_t row;
	bool fresh = !image_find_row(m, c->c.id, &row);
	if (fresh && row < m->n)
		return false;
	if (fresh) {
		image_reserve(m, m->n + 1);
		column_put_int(m->ids, m->n++, c->c.id);
	}
	for (size_t i = 0; i < m->ncolumns; i++)
		column_set(m->columns[i], row, change_value(c, m->columns[i]->name));
	if (m->has_text)
		image_put_text(&m->text, &m->letters, row, fresh, c->search);
	log_row(m, row);
	return true;
}

// Under the write lock. What was loaded is never older than what is noted, so that applying twice changes nothing.
static bool drain(struct images *im, struct image *m)
{
	pthread_mutex_lock(&im->lock);
	struct image_change *c = m->first;
	m->first = m->last = NULL;
	atomic_store(&m->pending, 0);
	pthread_mutex_unlock(&im->lock);
	bool ok = true;
	for (struct image_change *next; c; c = next) {
		next = c->next;
		ok = ok && apply(m, c);
		mem_free(c);
	}
	if (m->has_text) {
		text_compact(&m->text, m->cap);
		text_compact(&m->letters, m->cap);
	}
	return ok;
}

void image_drain(struct images *im, struct image *m)
{
	pthread_rwlock_wrlock(&m->lock);
	bool ok = m->n > 0 && drain(im, m);
	pthread_rwlock_unlock(&m->lock);
	if (!ok)
		image_forget(im, m);
}

// ---- questions ---------------------------------------------------------------------------------
static struct timespec soon(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += LOCK_MS * 1000000L;
	ts.tv_sec += ts.tv_nsec / 1000000000L;
	ts.tv_nsec %= 1000000000L;
	return ts;
}

static bool has_all(const struct image *m, const struct image_need *need, struct arena *a, struct image_order **ret_order)
{
	*ret_order = NULL;
	if (m->n == 0 || (need->text && !m->has_text))
		return false;
	for (size_t i = 0; i < need->ncolumns; i++) {
		const struct image_column *c = image_column(m, need->columns[i].name);
		if (!c || c->kind != need->columns[i].kind)
			return false;
	}
	if (need->nsorts == 0)
		return true;
	*ret_order = image_order(m, order_spec(need->sorts, need->nsorts, a));
	return *ret_order != NULL;
}

// Everything noted before the question is applied, and the order it wants brought up to date.
static bool catch_up(struct images *im, struct image *m, const struct image_need *need, struct arena *a)
{
	struct image_order *o;
	struct timespec ts = soon();
	if (pthread_rwlock_clockwrlock(&m->lock, CLOCK_MONOTONIC, &ts))
		return false;
	bool ok = drain(im, m);
	if (ok && has_all(m, need, a, &o) && o) {
		image_order_refresh(m, o);
		o->used = clock_mono();
	}
	pthread_rwlock_unlock(&m->lock);
	if (!ok)
		image_forget(im, m);
	return ok;
}

// The image locked for reading if all that is needed is there.
static bool question_try(struct images *im, struct image *m, const struct image_need *need, struct arena *a,
                         struct image_order **ret_order)
{
	bool ready = !atomic_load(&m->loading) && !atomic_load(&m->dead);
	for (int i = 0; ready && i < 2; i++) {
		struct timespec ts = soon();
		if (pthread_rwlock_clockrdlock(&m->lock, CLOCK_MONOTONIC, &ts))
			break;
		bool all = has_all(m, need, a, ret_order);
		if (all && (i == 1 || (atomic_load(&m->pending) == 0 && (!*ret_order || (*ret_order)->seen == m->nlog))))
			return true;
		pthread_rwlock_unlock(&m->lock);
		ready = all && catch_up(im, m, need, a);
	}
	return false;
}

// The image, locked for reading; to be given back with question_end. What is not loaded yet is waited for: reading a long
// table in the order of a column without an index takes longer. NULL: SQL answers. A job asks SQL: it may have written what
// is not committed yet.
static struct image *question_begin(struct db *db, const struct table *t, const struct image_need *need, struct arena *a,
                                    struct image_order **ret_order)
{
	struct images *im = db->writer ? NULL : store_images(db->store);
	for (int64_t until = im ? clock_mono() + WAIT_US : 0; im;) {
		struct image *m = image_get(im, db, t->name);
		if (!m)
			return NULL;
		if (question_try(im, m, need, a, ret_order))
			return m;
		images_request(im, m, need);
		image_release(im, m);
		if (clock_mono() >= until)
			return NULL;
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	return NULL;
}

static void question_end(struct db *db, struct image *m)
{
	pthread_rwlock_unlock(&m->lock);
	image_release(store_images(db->store), m);
}

static size_t page_of_order(const struct image *m, const struct image_order *o, const uint64_t *bits, size_t skip, size_t limit,
                            int64_t *ret)
{
	size_t n = 0;
	for (size_t i = 0; i < o->n && n < limit; i++) {
		uint32_t r = o->v[i];
		if (!(bits[r / 64] >> r % 64 & 1))
			continue;
		if (skip)
			skip--;
		else
			ret[n++] = column_int(m->ids, r);
	}
	return n;
}

// The youngest first.
static size_t page_by_id(const struct image *m, const uint64_t *bits, size_t skip, size_t limit, int64_t *ret)
{
	size_t n = 0;
	for (size_t w = BITS_WORDS(m->n); w-- > 0 && n < limit;) {
		size_t here = (size_t)__builtin_popcountll(bits[w]);
		if (skip >= here) {
			skip -= here;
			continue;
		}
		for (uint64_t left = bits[w]; left && n < limit;) {
			unsigned bit = 63 - (unsigned)__builtin_clzll(left);
			left &= ~(UINT64_C(1) << bit);
			if (skip)
				skip--;
			else
				ret[n++] = column_int(m->ids, w * 64 + bit);
		}
	}
	return n;
}

bool image_list(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                struct arena *a, int64_t **ret_ids, size_t *ret_n, int64_t *ret_total)
{
	struct image_need need = { 0 };
	struct image_order *o;
	uint64_t *bits;
	struct image *m = image_needs(t, scope, lq, &need) ? question_begin(db, t, &need, a, &o) : NULL;
	if (!m)
		return false;
	bool ok = image_select(m, t, scope, lq, a, &bits);
	if (ok) {
		size_t total = 0, skip = lq ? lq->offset : 0;
		for (size_t w = 0; w < BITS_WORDS(m->n); w++)
			total += (size_t)__builtin_popcountll(bits[w]);
		size_t limit = MIN(lq && lq->limit ? lq->limit : total, total);
		*ret_ids = arena_many(a, limit + 1, int64_t);
		*ret_total = (int64_t)total;
		*ret_n = o ? page_of_order(m, o, bits, skip, limit, *ret_ids) : page_by_id(m, bits, skip, limit, *ret_ids);
	}
	question_end(db, m);
	return ok;
}

bool image_warm(struct db *db, const struct table *t, const struct list_query *lq, int64_t wait_us)
{
	struct scope all = { .area = STR("9"), .enterprise = 1, .sectors = STR(",x,") };
	struct image_need need = { 0 };
	struct image_order *o;
	if (!image_needs(t, &all, lq, &need))
		return false;
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	for (int64_t until = clock_mono() + wait_us;;) {
		struct image *m = question_begin(db, t, &need, a, &o);
		if (m) {
			question_end(db, m);
			return true;
		}
		if (clock_mono() >= until)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
}

// ---- counts ------------------------------------------------------------------------------------
static void count_texts(const struct image *m, const struct image_column *c, const uint64_t *bits, size_t length, struct arena *a,
                        struct value **ret_keys, int64_t **ret_counts, size_t *ret_n)
{
	int64_t *count = arena_many(a, c->dict.n + 1, int64_t);
	struct dict cut = { 0 };
	for (size_t w = 0; w < BITS_WORDS(m->n); w++)
		for (uint64_t left = bits[w]; left; left &= left - 1)
			count[column_int(c, w * 64 + (size_t)__builtin_ctzll(left))]++;
	*ret_keys = arena_many(a, c->dict.n + 1, struct value);
	*ret_counts = arena_many(a, c->dict.n + 1, int64_t);
	*ret_n = 0;
	for (size_t i = 0; i <= c->dict.n; i++) {
		if (count[i] == 0)
			continue;
		struct str s = dict_text(&c->dict, (uint32_t)i);
		bool none = i == 0 || (length && s.n == 0);
		size_t at = dict_code(&cut, none ? STR("\1") : length ? str_first(s, length) : s) - 1;
		if (at == *ret_n) {
			++*ret_n;
			(*ret_keys)[at] = none ? (struct value){ .kind = VAL_NULL } : value_str(arena_str(a, length ? str_first(s, length) : s));
		}
		(*ret_counts)[at] += count[i];
	}
	dict_free(&cut);
}

bool image_counts(struct db *db, const struct table *t, const struct scope *scope, const struct list_query *lq,
                  struct str column, size_t length, struct arena *a, struct value **ret_keys, int64_t **ret_counts, size_t *ret_n)
{
	struct image_need need = { 0 };
	struct list_query plain = lq ? *lq : (struct list_query){ 0 };
	struct image_order *o;
	struct sort by = { .column = column };
	uint64_t *bits;
	plain.sorts = &by; // for the column only
	plain.nsorts = 1;
	if (!image_needs(t, scope, &plain, &need))
		return false;
	need.nsorts = 0;
	struct image *m = question_begin(db, t, &need, a, &o);
	if (!m)
		return false;
	const struct image_column *c = image_column(m, column);
	bool ok = c && c->kind == COL_TEXT && image_select(m, t, scope, lq, a, &bits);
	if (ok)
		count_texts(m, c, bits, length, a, ret_keys, ret_counts, ret_n);
	question_end(db, m);
	return ok;
}
