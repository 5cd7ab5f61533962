// Stills of cameras, fetched in a thread of their own: every camera in use with an address, each STILL_EVERY, and at once when somebody
// asks. What is fetched is kept in memory for LIMIT_STILL_KEPT_S; whether it could be is the camera's connection, a change of its
// record when it changes. One failure of a camera that was online is asked again before it counts. The server goes only where
// still_url_ok lets it, follows no redirect, uses no proxy, and takes only what is a JPEG or PNG.
#include <curl/curl.h>

#include "base/limits.h"
#include "core/core_int.h"
#include "core/stills.h"

#define STILL_EVERY (5 * US_PER_MIN)
#define STILL_AGAIN (10 * US_PER_S)  // after the first failure
#define STILL_ASKED US_PER_S          // asked for again at most this often
#define RELOAD_RETRY (5 * US_PER_S)

enum link { LINK_UNKNOWN, LINK_ONLINE, LINK_OFFLINE };
static const char *const links[] = { "unknown", "online", "offline" };

struct camera {
	int64_t id;
	struct buf url;             // own
	struct buf still;           // own; the newest
	const char *mime;           // of it
	int64_t at;                 // when it was fetched, wall clock; 0 = there is none
	int64_t next, began;        // clock_mono
	enum link link;             // as the record says
	int failures;
	bool busy;
	const char *why_zh, *why_en; // of the last failure; static texts
};

struct transfer { CURL *easy; int64_t camera, began; struct buf body; };

struct stills {
	struct core *co;
	pthread_t thread;
	pthread_mutex_t mutex;
	struct camera *v;           // by id; mutex
	size_t n, bytes;            // mutex; bytes of all stills
	bool stopping;              // mutex
	_Atomic bool stale;
	CURLM *multi;
	struct still_net *nets;     // of the thread
	size_t nnets;
	struct transfer t[LIMIT_STILL_TRANSFERS];
	size_t busy;
};

static struct camera *find(struct stills *s, int64_t id)
{
	size_t lo = 0, hi = s->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (s->v[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n && s->v[lo].id == id ? &s->v[lo] : NULL;
}

static void drop_still(struct stills *s, struct camera *k)
{
	s->bytes -= k->still.n;
	buf_free(&k->still);
	buf_init(&k->still, LIMIT_STILL_BYTES);
	k->at = 0;
}

// ---- what the records say ------------------------------------------------------------------------
struct cameras_read {
	const struct type *t;
	struct camera *v;
	size_t n;
	struct still_net *nets;
	size_t nnets;
};

static void camera_read(struct cameras_read *r, const struct row *row)
{
	struct camera *k = &r->v[r->n++];
	struct str link = held_text(r->t, row, "link");
	*k = (struct camera){ .id = row->c.id };
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (str_is(link, links[i]))
			k->link = (enum link)i;
	buf_init(&k->url, 1001);
	buf_init(&k->still, LIMIT_STILL_BYTES);
	buf_add_str(&k->url, held_text(r->t, row, "still_url"));
}

static enum err rows_of(struct stills *s, const struct type *t, struct list_query *lq, struct arena *a, struct row **ret, size_t *ret_n)
{
	struct problem p;
	problem_init(&p, a);
	struct sort by_id = { .column = STR("id") };
	lq->sorts = &by_id;
	lq->nsorts = 1;
	struct db *db = store_read_begin(s->co->app.store);
	enum err err = records_list(db, &t->table, NULL, lq, a, ret, ret_n, NULL, &p);
	store_read_end(s->co->app.store, db);
	return err;
}

static enum err read_records(struct stills *s, const struct registry *reg, struct arena *a, struct cameras_read *r)
{
	const struct type *nets = registry_type(reg, STR("camera_network"));
	struct value active = { .kind = VAL_TEXT, .s = STR("active") };
	struct filter f[] = { { STR("service"), FILTER_EQ, &active, 1 }, { STR("still_url"), FILTER_NOT_NULL, NULL, 0 } };
	struct row *rows;
	size_t n = 0;
	r->t = registry_type(reg, STR("camera"));
	if (!r->t || !nets)
		return OK;
	enum err err = rows_of(s, nets, &(struct list_query){ .limit = LIMIT_CAMERA_NETWORKS }, a, &rows, &n);
	r->nets = mem_alloc((n + 1) * sizeof *r->nets);
	for (size_t i = 0; !err && i < n; i++)
		r->nnets += still_net_read(held_text(nets, &rows[i], "network"), &r->nets[r->nnets]);
	if (err)
		return err;
	err = rows_of(s, r->t, &(struct list_query){ .filters = f, .nfilters = ARRAY_LEN(f), .limit = LIMIT_CAMERAS }, a, &rows, &n);
	if (err)
		return err;
	r->v = mem_alloc((n + 1) * sizeof *r->v);
	for (size_t i = 0; i < n; i++)
		camera_read(r, &rows[i]);
	return OK;
}

static void cameras_free(struct camera *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_free(&v[i].url);
		buf_free(&v[i].still);
	}
	mem_free(v);
}

// What is known of a camera goes over to the new list, unless its address is another.
static void take_over(struct stills *s, struct camera *k)
{
	struct camera *old = find(s, k->id);
	if (!old || !str_eq(buf_str(&old->url), buf_str(&k->url)))
		return;
	struct camera mine = *k;
	*k = *old;
	k->url = mine.url;
	k->link = mine.link;
	old->still = mine.still;
}

static void adopt(struct stills *s, struct cameras_read *r)
{
	bool same = r->nnets == s->nnets && (!r->nnets || memcmp(r->nets, s->nets, r->nnets * sizeof *r->nets) == 0);
	pthread_mutex_lock(&s->mutex);
	for (size_t i = 0; i < r->n; i++) {
		take_over(s, &r->v[i]);
		if (!same)
			r->v[i].next = 0; // other addresses are allowed now
	}
	struct camera *old = s->v;
	size_t n = s->n;
	s->v = r->v;
	s->n = r->n;
	s->bytes = 0;
	for (size_t i = 0; i < s->n; i++)
		s->bytes += s->v[i].still.n;
	pthread_mutex_unlock(&s->mutex);
	cameras_free(old, n);
	mem_free(s->nets);
	s->nets = r->nets;
	s->nnets = r->nnets;
}

static bool reload(struct stills *s)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct cameras_read r = { 0 };
	const struct registry *reg = registry_pin();
	enum err err = read_records(s, reg, a, &r);
	registry_unpin(reg);
	if (!err) {
		adopt(s, &r);
		return true;
	}
	cameras_free(r.v, r.n);
	mem_free(r.nets);
	log_error("stills", "the cameras cannot be read: %s", err_name(err));
	return false;
}

// ---- the record's connection ---------------------------------------------------------------------
struct link_job {
	struct core *co;
	const struct registry *reg; // pinned
	struct arena *arena;
	int64_t id;
	enum link link;
	const char *zh, *en;
};

static enum err link_run(struct db *db, void *arg, struct problem *p)
{
	struct link_job *j = arg;
	const struct type *t = registry_type(j->reg, STR("camera"));
	struct str why = j->zh ? arena_printf(j->arena, "%s / %s", j->zh, j->en) : STR_EMPTY;
	struct flow_field f[] = {
		{ "link", { .kind = VAL_TEXT, .s = str_of(links[j->link]) } },
		{ "link_at", { .kind = VAL_INT, .i = clock_now() } },
		{ "link_why", { .kind = why.n ? VAL_TEXT : VAL_NULL, .s = why } },
	};
	struct row row;
	enum err err = t ? flow_update(db, j->reg, t, j->id, f, ARRAY_LEN(f), LABEL_EMPTY, j->arena, &row, p) : OK;
	return err == ERR_NOT_FOUND || err == ERR_CONFLICT ? OK : err; // it was retired meanwhile
}

static void link_done(void *arg, enum err err)
{
	struct link_job *j = arg;
	if (err)
		log_error("stills", "camera %lld: its connection cannot be kept: %s", (long long)j->id, err_name(err));
	registry_unpin(j->reg);
	arena_free(j->arena);
	mem_free(j);
}

static void keep_link(struct stills *s, const struct camera *k)
{
	struct link_job *j = mem_alloc(sizeof *j);
	*j = (struct link_job){ .co = s->co, .reg = registry_pin(), .arena = arena_new(4 << 10), .id = k->id, .link = k->link,
		                .zh = k->link == LINK_OFFLINE ? k->why_zh : NULL, .en = k->why_en };
	store_post(s->co->app.store, link_run, j, link_done);
}

// ---- fetching ------------------------------------------------------------------------------------
static void set_link(struct stills *s, struct camera *k, enum link link)
{
	if (k->link == link)
		return;
	k->link = link;
	keep_link(s, k);
}

static void failed(struct stills *s, struct camera *k, const char *zh, const char *en)
{
	k->why_zh = zh;
	k->why_en = en;
	k->next = clock_mono() + (++k->failures == 1 ? STILL_AGAIN : STILL_EVERY);
	if (k->failures > 1 || k->link != LINK_ONLINE)
		set_link(s, k, LINK_OFFLINE);
}

// The oldest stills go when all together are too much.
static void make_room(struct stills *s, size_t n)
{
	while (s->bytes + n > LIMIT_STILLS_BYTES) {
		struct camera *oldest = NULL;
		for (size_t i = 0; i < s->n; i++)
			if (s->v[i].at && (!oldest || s->v[i].at < oldest->at))
				oldest = &s->v[i];
		if (!oldest)
			return;
		drop_still(s, oldest);
	}
}

static void arrived(struct stills *s, struct camera *k, const struct buf *body)
{
	struct str mime = file_mime(str_first(buf_str(body), 16 << 10), STR_EMPTY, STR_EMPTY);
	bool jpeg = str_is(mime, "image/jpeg");
	if (!jpeg && !str_is(mime, "image/png")) {
		failed(s, k, "答复不是 JPEG 或 PNG 图片", "the answer is no JPEG or PNG");
		return;
	}
	drop_still(s, k);
	make_room(s, body->n);
	buf_add_str(&k->still, buf_str(body));
	s->bytes += k->still.n;
	k->mime = jpeg ? "image/jpeg" : "image/png";
	k->at = clock_now();
	k->failures = 0;
	k->why_zh = k->why_en = NULL;
	k->next = clock_mono() + STILL_EVERY;
	set_link(s, k, LINK_ONLINE);
}

static void answered(struct stills *s, struct transfer *t, CURLcode code)
{
	long status = 0;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	pthread_mutex_lock(&s->mutex);
	struct camera *k = find(s, t->camera);
	if (k && k->began == t->began) { // else it has another address now
		k->busy = false;
		if (!buf_ok(&t->body) || code == CURLE_FILESIZE_EXCEEDED)
			failed(s, k, "图片太大", "the picture is too large");
		else if (code == CURLE_OPERATION_TIMEDOUT)
			failed(s, k, "没有在规定时间内答复", "it does not answer in time");
		else if (code != CURLE_OK)
			failed(s, k, "连接不上", "it cannot be reached");
		else if (status != 200)
			failed(s, k, status == 401 || status == 403 ? "要求用户名密码，平台不支持" : "没有答复图片",
			       status == 401 || status == 403 ? "it asks for a password, which is not supported" : "it answers without a picture");
		else
			arrived(s, k, &t->body);
	}
	pthread_mutex_unlock(&s->mutex);
	curl_multi_remove_handle(s->multi, t->easy);
	curl_easy_cleanup(t->easy);
	buf_free(&t->body);
	*t = (struct transfer){ 0 };
	s->busy--;
}

static size_t on_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;
	buf_add(b, p, size * n);
	return buf_ok(b) ? size * n : 0; // too much ends it
}

// mutex is held
static void start(struct stills *s, struct camera *k)
{
	const char *zh, *en;
	size_t i = 0;
	if (!still_url_ok(buf_str(&k->url), s->nets, s->nnets, &zh, &en)) {
		k->failures = MAX(k->failures, 1); // nothing is gained by asking again
		failed(s, k, zh, en);
		return;
	}
	while (s->t[i].easy)
		i++;
	struct transfer *t = &s->t[i];
	char url[1002];
	snprintf(url, sizeof url, "%.*s", (int)k->url.n, k->url.p);
	if (!(t->easy = curl_easy_init()))
		return;
	t->camera = k->id;
	buf_init(&t->body, LIMIT_STILL_BYTES);
	curl_easy_setopt(t->easy, CURLOPT_URL, url);
	curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->easy, CURLOPT_TIMEOUT, (long)LIMIT_STILL_SECONDS);
	curl_easy_setopt(t->easy, CURLOPT_MAXFILESIZE, (long)LIMIT_STILL_BYTES);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, &t->body);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_multi_add_handle(s->multi, t->easy);
	k->busy = true;
	k->began = t->began = clock_mono();
	s->busy++;
}

// Returns in how many ms something is due, at most 1000.
static int start_due(struct stills *s)
{
	int64_t now = clock_mono(), next = now + US_PER_S, old = clock_now() - LIMIT_STILL_KEPT_S * US_PER_S;
	pthread_mutex_lock(&s->mutex);
	for (size_t i = 0; i < s->n; i++) {
		struct camera *k = &s->v[i];
		if (k->at && k->at < old)
			drop_still(s, k);
		if (!k->busy && k->next <= now && s->busy < LIMIT_STILL_TRANSFERS)
			start(s, k);
		else if (!k->busy && k->next > now)
			next = MIN(next, k->next);
	}
	pthread_mutex_unlock(&s->mutex);
	return (int)((next - now) / US_PER_MS) + 1;
}

static bool stopping(struct stills *s)
{
	pthread_mutex_lock(&s->mutex);
	bool stop = s->stopping;
	pthread_mutex_unlock(&s->mutex);
	return stop;
}

static void *stills_main(void *arg)
{
	struct stills *s = arg;
	int64_t not_before = 0;
	int running, left;
	pthread_setname_np(pthread_self(), "stills");
	while (!stopping(s)) {
		if (clock_mono() >= not_before && atomic_exchange(&s->stale, false) && !reload(s)) {
			atomic_store(&s->stale, true);
			not_before = clock_mono() + RELOAD_RETRY;
		}
		int ms = start_due(s);
		curl_multi_perform(s->multi, &running);
		curl_multi_poll(s->multi, NULL, 0, ms, NULL);
		curl_multi_perform(s->multi, &running);
		for (CURLMsg *m; (m = curl_multi_info_read(s->multi, &left)) != NULL;) {
			struct transfer *t = NULL;
			CURLcode code = m->data.result;
			if (m->msg != CURLMSG_DONE)
				continue;
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
			answered(s, t, code);
		}
	}
	return NULL;
}

// ---- for the rest of the core --------------------------------------------------------------------
void stills_start(struct core *co)
{
	struct stills *s = mem_alloc(sizeof *s);
	s->co = co;
	pthread_mutex_init(&s->mutex, NULL);
	atomic_store(&s->stale, true);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(s->multi = curl_multi_init()))
		log_die("core", "libcurl does not start");
	co->stills = s;
	if (pthread_create(&s->thread, NULL, stills_main, s))
		log_die("core", "cannot start a thread");
}

void stills_note(struct core *co, const struct record_event *e)
{
	if (!co->stills || (!str_is(e->type, "camera") && !str_is(e->type, "camera_network")))
		return;
	atomic_store(&co->stills->stale, true);
	curl_multi_wakeup(co->stills->multi);
}

void stills_stop(struct core *co)
{
	struct stills *s = co->stills;
	pthread_mutex_lock(&s->mutex);
	s->stopping = true;
	pthread_mutex_unlock(&s->mutex);
	curl_multi_wakeup(s->multi);
	pthread_join(s->thread, NULL);
}

bool core_still(struct app *app, int64_t camera, struct arena *a, struct still_view *ret)
{
	struct stills *s = ((struct core *)app)->stills;
	pthread_mutex_lock(&s->mutex);
	const struct camera *k = find(s, camera);
	*ret = (struct still_view){ 0 };
	if (k && k->at && a)
		ret->bytes = arena_str(a, buf_str(&k->still));
	if (k) {
		ret->at = k->at;
		ret->mime = k->mime;
		ret->why = (struct label){ str_of(k->why_zh), str_of(k->why_en) };
	}
	pthread_mutex_unlock(&s->mutex);
	return k != NULL;
}

bool core_still_ask(struct app *app, int64_t camera)
{
	struct stills *s = ((struct core *)app)->stills;
	pthread_mutex_lock(&s->mutex);
	struct camera *k = find(s, camera);
	if (k && !k->busy)
		k->next = k->began + STILL_ASKED;
	pthread_mutex_unlock(&s->mutex);
	curl_multi_wakeup(s->multi);
	return k != NULL;
}
