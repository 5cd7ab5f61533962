// The image thread: loads what questions need, one pass over the table for all of it, makes orders, and applies what jobs
// wrote when nobody asks for long. While it loads, questions about that type wait.
#include "store/image_load.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"

// ---- requests ----------------------------------------------------------------------------------
static void merge(struct image_need *to, const struct image_need *from)
{
	for (size_t i = 0; i < from->ncolumns; i++) {
		bool there = false;
		for (size_t k = 0; k < to->ncolumns; k++)
			there |= str_eq(to->columns[k].name, from->columns[i].name);
		if (!there && to->ncolumns < IMAGE_COLUMNS)
			to->columns[to->ncolumns++] = (struct column){ .name = arena_str(to->arena, from->columns[i].name),
				                                           .kind = from->columns[i].kind };
	}
	to->text |= from->text;
	if (from->nsorts == 0 || to->nsorts)
		return; // one order at a time; the next question asks again
	to->sorts = arena_many(to->arena, from->nsorts, struct sort);
	to->nsorts = from->nsorts;
	for (size_t i = 0; i < from->nsorts; i++) {
		const struct sort *s = &from->sorts[i];
		struct str *ranks = arena_many(to->arena, s->nranks, struct str);
		for (size_t r = 0; r < s->nranks; r++)
			ranks[r] = arena_str(to->arena, s->ranks[r]);
		to->sorts[i] = (struct sort){ arena_str(to->arena, s->column), s->descending, ranks, s->nranks };
	}
}

void images_request(struct images *im, struct image *m, const struct image_need *need)
{
	pthread_mutex_lock(&im->lock);
	if (!m->need) {
		struct arena *a = arena_new(0);
		m->need = arena_one(a, struct image_need);
		m->need->arena = a;
	}
	merge(m->need, need);
	pthread_cond_broadcast(&im->wake);
	pthread_mutex_unlock(&im->lock);
}

// ---- loading -----------------------------------------------------------------------------------
struct load {
	struct image *m;
	struct image_column *columns[IMAGE_COLUMNS]; // those it lacks
	size_t ncolumns;
	bool text, first;
	struct image_text search, letters;
	size_t row;
};

static void load_begin(struct load *l, struct image *m, const struct image_need *need)
{
	*l = (struct load){ .m = m, .first = m->n == 0, .text = need->text && !m->has_text };
	for (size_t i = 0; i < need->ncolumns; i++)
		if (!image_column(m, need->columns[i].name) && m->ncolumns + l->ncolumns < IMAGE_COLUMNS)
			l->columns[l->ncolumns++] = column_new(need->columns[i].name, need->columns[i].kind, m->cap);
	if (l->text) {
		text_resize(&l->search, m->cap);
		text_resize(&l->letters, m->cap);
	}
}

static void load_reserve(struct load *l)
{
	size_t cap = l->m->cap;
	image_reserve(l->m, l->m->n + 1);
	if (l->m->cap == cap)
		return;
	for (size_t i = 0; i < l->ncolumns; i++)
		column_resize(l->columns[i], l->m->cap);
	if (l->text) {
		text_resize(&l->search, l->m->cap);
		text_resize(&l->letters, l->m->cap);
	}
}

// Rows that the image does not have yet come with the changes that are noted.
static void load_row(struct load *l, struct query *q, struct arena *a)
{
	struct image *m = l->m;
	int64_t id = query_get_i64(q, 0);
	if (l->first) {
		load_reserve(l);
		column_put_int(m->ids, m->n++, id);
	}
	if (l->row >= m->n || column_int(m->ids, l->row) != id)
		return;
	for (size_t i = 0; i < l->ncolumns; i++)
		column_set(l->columns[i], l->row, value_get(q, (int)i + 1, l->columns[i]->kind, a));
	if (l->text)
		image_put_text(&l->search, &l->letters, l->row, true, query_get_str(q, (int)l->ncolumns + 1, a));
	l->row++;
}

static enum err load_rows(struct load *l, struct db *db)
{
	struct arena *own on_scope_exit(arena_freep) = arena_new(0), *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct sql s;
	struct query q;
	sql_init(&s, own);
	sql_add(&s, "SELECT id");
	for (size_t i = 0; i < l->ncolumns; i++) {
		sql_add(&s, ",");
		sql_name(&s, str_of(l->columns[i]->name));
	}
	sql_add(&s, l->text ? ",search FROM " : " FROM ");
	sql_table(&s, &(struct table){ .name = str_of(l->m->name) });
	sql_add(&s, " ORDER BY id");
	sql_begin(&q, db, &s);
	while (query_row(&q)) {
		arena_reset(a);
		load_row(l, &q, a);
	}
	enum err err = query_end(&q);
	sql_free(&s);
	return err ? err : l->row == l->m->n ? OK : ERR_CORRUPT;
}

static void load_end(struct load *l, bool ok)
{
	struct image *m = l->m;
	for (size_t i = 0; i < l->ncolumns; i++) {
		if (ok)
			m->columns[m->ncolumns++] = l->columns[i];
		else
			column_free(l->columns[i]);
	}
	if (l->text && ok) {
		m->text = l->search;
		m->letters = l->letters;
		m->has_text = true;
	} else if (l->text) {
		text_free(&l->search);
		text_free(&l->letters);
	}
}

static size_t image_bytes(const struct image *m)
{
	size_t n = m->cap * ((m->ids ? m->ids->width : 0) + m->norders * sizeof(uint32_t)) + m->text.cap + m->letters.cap;
	for (size_t i = 0; i < m->ncolumns; i++) {
		const struct image_column *c = m->columns[i];
		n += m->cap * c->width + c->dict.pool.cap + c->dict.cap * 8 + c->dict.nslots * 4;
	}
	const struct image_text *texts[] = { &m->text, &m->letters };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		n += texts[i]->entries_cap * (texts[i]->row ? 8 : 4) + (texts[i]->entry ? m->cap * 4 : 0);
	return n;
}

static bool image_load(struct images *im, struct image *m, const struct image_need *need)
{
	struct load l;
	atomic_store(&m->loading, true);
	pthread_rwlock_wrlock(&m->lock);
	load_begin(&l, m, need);
	bool ok = true;
	if (l.first || l.ncolumns || l.text) {
		struct db *db = store_read_begin(im->store);
		enum err err = load_rows(&l, db);
		db_forget_pages(db); // all of its cache are rows that nobody asks for soon
		store_read_end(im->store, db);
		load_end(&l, ok = err == OK);
		if (err)
			log_error("store", "the lists of %s are answered from disk: %s", m->name, err_name(err));
	}
	if (ok && need->nsorts)
		image_order_make(m, need->sorts, need->nsorts);
	atomic_store(&m->bytes, image_bytes(m));
	pthread_rwlock_unlock(&m->lock);
	atomic_store(&m->loading, false);
	return ok;
}

// ---- memory ------------------------------------------------------------------------------------
// Too much in all: the images nobody has asked for longest go. In the image thread.
static void keep_within(struct images *im, struct image *just)
{
	for (;;) {
		size_t sum = 0;
		struct image *oldest = NULL;
		pthread_mutex_lock(&im->lock);
		for (size_t i = 0; i < im->n; i++) {
			sum += atomic_load(&im->v[i]->bytes);
			if (im->v[i] != just && (!oldest || im->v[i]->asked < oldest->asked))
				oldest = im->v[i];
		}
		pthread_mutex_unlock(&im->lock);
		if (sum <= LIMIT_LIST_MEMORY)
			break;
		if (!oldest) {
			log_warn("store", "the lists of %s alone take %zu MiB of memory", just->name, sum >> 20);
			break;
		}
		image_forget(im, oldest);
	}
}

// ---- the thread --------------------------------------------------------------------------------
struct work {
	struct image *m;
	struct image_need *need;
	bool drain;
};

static bool take(struct images *im, struct work *ret)
{
	for (size_t i = 0; i < im->n; i++) {
		struct image *m = im->v[i];
		if (!m->need && atomic_load(&m->pending) < PENDING_SOON)
			continue;
		*ret = (struct work){ .m = m, .need = m->need, .drain = !m->need };
		m->need = NULL;
		m->users++;
		return true;
	}
	return false;
}

static void *image_main(void *arg)
{
	struct images *im = arg;
	struct work w;
	pthread_setname_np(pthread_self(), "lists");
	pthread_mutex_lock(&im->lock);
	while (!im->stop) {
		if (im->later || !take(im, &w)) {
			pthread_cond_wait(&im->wake, &im->lock);
			continue;
		}
		pthread_mutex_unlock(&im->lock);
		if (w.drain) {
			image_drain(im, w.m);
		} else {
			bool ok = image_load(im, w.m, w.need);
			arena_free(w.need->arena);
			if (!ok)
				image_forget(im, w.m);
			else
				keep_within(im, w.m);
			mem_give_back();
		}
		image_release(im, w.m);
		pthread_mutex_lock(&im->lock);
	}
	pthread_mutex_unlock(&im->lock);
	return NULL;
}

void images_from(struct images *im, int64_t id)
{
	pthread_mutex_lock(&im->lock);
	im->rows_min = id;
	pthread_mutex_unlock(&im->lock);
}

void images_later(struct images *im, bool later)
{
	pthread_mutex_lock(&im->lock);
	im->later = later;
	pthread_cond_broadcast(&im->wake);
	pthread_mutex_unlock(&im->lock);
}

struct images *images_open(struct store *s)
{
	struct images *im = mem_alloc(sizeof(*im));
	im->store = s;
	im->rows_min = IMAGE_ROWS;
	pthread_mutex_init(&im->lock, NULL);
	pthread_cond_init(&im->wake, NULL);
	if (pthread_create(&im->thread, NULL, image_main, im)) {
		log_error("store", "no thread for lists: they are answered from disk");
		im->stop = true;
	}
	return im;
}

void images_close(struct images *im)
{
	if (!im)
		return;
	pthread_mutex_lock(&im->lock);
	bool running = !im->stop;
	im->stop = true;
	pthread_cond_broadcast(&im->wake);
	pthread_mutex_unlock(&im->lock);
	if (running)
		pthread_join(im->thread, NULL);
	while (im->n)
		image_forget(im, im->v[0]);
	pthread_mutex_destroy(&im->lock);
	pthread_cond_destroy(&im->wake);
	mem_free(im);
}
