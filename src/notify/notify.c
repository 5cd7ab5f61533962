// The notify thread: one store job a turn notes what came of the last messages, makes new ones and takes what is due;
// then they are sent. Nothing is sent that is not in the table as "sending"; what a crash leaves there is sent again
// with the same id.
#include "notify/notify.h"

#include <pthread.h>

#include "base/log.h"
#include "notify/notify_int.h"

#define TURN_MS 1000            // without a wake-up it looks so often
#define DEAD_AFTER 5            // failures in a row until the administrator hears of it
#define BACKOFF_MAX_S 3600
#define STOP_S 5                // for the transfers under way when the platform stops

struct notify {
	struct notify_config cfg;
	struct sender *sender;
	pthread_t thread;
	_Atomic bool stop, poked;
};

struct turn {                   // one job
	struct notify *n;
	const struct registry *reg;
	struct arena *arena;
	struct channel *chs;
	size_t nchs;
	struct outcome *outcomes;
	size_t noutcomes;
	struct outgoing *picked[LIMIT_MESSAGE_TRANSFERS];
	size_t npicked, room;
	bool more, first, last;
};

int64_t notify_backoff(int64_t base_s, int64_t tries)
{
	int64_t s = base_s;
	for (int64_t i = 1; i < tries && s < BACKOFF_MAX_S; i++)
		s *= 2;
	return MIN(s, (int64_t)BACKOFF_MAX_S);
}

// ---- what came of it ---------------------------------------------------------------------------
static enum err state_ok(struct db *db, const struct channel *c, int64_t now)
{
	struct query q;
	query_begin(&q, db, STMT_CHANNEL_STATE_OK);
	query_str(&q, 1, c->via);
	query_i64(&q, 2, c->id);
	query_i64(&q, 3, now);
	return query_run(&q);
}

struct word { struct str zh, en; };

// One notice to every administrator, wherever he is: the channel serves all.
static enum err tell_admins(struct turn *t, struct db *db, const struct word *words, const struct outcome *o, int64_t now)
{
	const struct type *people = registry_type(t->reg, STR("person"));
	struct problem p;
	struct row *rows = NULL;
	size_t n = 0;
	struct value admin = { .kind = VAL_TEXT, .s = STR(",admin,") };
	struct filter filter = { .column = STR("role"), .op = FILTER_CONTAINS, .vals = &admin, .nvals = 1 };
	struct list_query lq = { .filters = &filter, .nfilters = 1 };
	problem_init(&p, t->arena);
	enum err err = people ? records_list(db, &people->table, NULL, &lq, t->arena, &rows, &n, NULL, &p) : OK;
	for (size_t i = 0; !err && i < n; i++) {
		struct query q;
		query_begin(&q, db, STMT_NOTIFY_NOTICE_ADD);
		query_i64(&q, 1, rows[i].c.id);
		query_i64(&q, 2, now);
		query_str(&q, 3, words->zh);
		query_str(&q, 4, words->en);
		query_str(&q, 5, o->ch.via);
		query_i64(&q, 6, o->ch.id);
		err = query_run(&q);
	}
	return err;
}

static enum err tell_dead(struct turn *t, struct db *db, const struct outcome *o, int64_t now)
{
	struct query q;
	query_begin(&q, db, STMT_CHANNEL_STATE_TOLD);
	query_str(&q, 1, o->ch.via);
	query_i64(&q, 2, o->ch.id);
	query_i64(&q, 3, now);
	enum err err = query_run(&q);
	struct str zh = arena_printf(t->arena, "通道“%.*s”连续发送失败：%.*s。请检查地址、口令和网络", STR_FMT(o->ch.name), STR_FMT(o->error));
	struct str en = arena_printf(t->arena, "The channel \"%.*s\" fails again and again: %.*s; check address, password and network",
	                             STR_FMT(o->ch.name), STR_FMT(o->error));
	return err ? err : tell_admins(t, db, &(struct word){ zh, en }, o, now);
}

static enum err state_failure(struct turn *t, struct db *db, const struct outcome *o, int64_t now)
{
	struct query q;
	int64_t failures = 0, told = 0;
	query_begin(&q, db, STMT_CHANNEL_STATE_FAILURE);
	query_str(&q, 1, o->ch.via);
	query_i64(&q, 2, o->ch.id);
	query_i64(&q, 3, now);
	query_str(&q, 4, o->error);
	enum err err = query_run(&q);
	query_begin(&q, db, STMT_CHANNEL_STATE);
	query_str(&q, 1, o->ch.via);
	query_i64(&q, 2, o->ch.id);
	if (query_row(&q)) {
		failures = query_get_i64(&q, 0);
		told = query_get_i64(&q, 1);
	}
	err = err ? err : query_end(&q);
	if (err || failures < DEAD_AFTER || told)
		return err;
	return tell_dead(t, db, o, now);
}

static enum err note_sent(struct db *db, const struct outcome *o, int64_t now)
{
	struct query q;
	query_begin(&q, db, STMT_OUTMSG_SENT);
	query_i64(&q, 1, o->id);
	query_i64(&q, 2, now);
	query_str(&q, 3, o->receipt);
	enum err err = query_run(&q);
	return err ? err : state_ok(db, &o->ch, now);
}

static enum err note_failure(struct turn *t, struct db *db, const struct outcome *o, int64_t now)
{
	struct query q;
	bool over = o->final || o->tries >= o->ch.tries;
	int64_t wait = MAX(notify_backoff(o->ch.retry_s, o->tries), MIN(o->after_s, (int64_t)BACKOFF_MAX_S));
	query_begin(&q, db, over ? STMT_OUTMSG_FAILED : STMT_OUTMSG_AGAIN);
	query_i64(&q, 1, o->id);
	if (over) {
		query_str(&q, 2, o->error);
	} else {
		query_i64(&q, 2, now + wait * US_PER_S);
		query_str(&q, 3, o->error);
	}
	enum err err = query_run(&q);
	if (!err && over)
		err = fall_back(db, t->reg, t->chs, t->nchs, o, now, t->arena);
	return err ? err : state_failure(t, db, o, now);
}

// ---- what is due -------------------------------------------------------------------------------
static struct channel channel_copy(const struct channel *c, struct arena *a)
{
	struct channel k = *c;
	struct str *const all[] = { &k.via, &k.name, &k.kind, &k.url, &k.from, &k.user, &k.tls, &k.template, &k.success, &k.receipt,
		                    &k.area, &k.secret, &k.types, &k.events };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		*all[i] = arena_str(a, *all[i]);
	return k;
}

static enum err rate_left(struct db *db, const struct channel *c, int64_t now, int64_t *ret)
{
	struct query q;
	int64_t used = 0;
	query_begin(&q, db, STMT_OUTMSG_RATE);
	query_str(&q, 1, c->via);
	query_i64(&q, 2, c->id);
	query_i64(&q, 3, now - US_PER_MIN);
	if (query_row(&q))
		used = query_get_i64(&q, 0);
	*ret = MAX(c->rate - used, 0);
	return query_end(&q);
}

static enum err mark_sending(struct db *db, int64_t id, int64_t now)
{
	struct query q;
	query_begin(&q, db, STMT_OUTMSG_SENDING);
	query_i64(&q, 1, id);
	query_i64(&q, 2, now);
	return query_run(&q);
}

static struct outgoing *outgoing_read(struct query *q, const struct channel *c, int64_t *ret_person)
{
	struct arena *a = arena_new(4096);
	struct outgoing *o = arena_one(a, struct outgoing);
	*o = (struct outgoing){ .arena = a,
		                .id = query_get_i64(q, 0),
		                .mid = query_get_str(q, 1, a),
		                .kind = query_get_str(q, 2, a),
		                .to = query_get_str(q, 4, a),
		                .body = query_get_str(q, 7, a),
		                .tries = query_get_i64(q, 8) + 1,
		                .count = query_get_i64(q, 9),
		                .ch = channel_copy(c, a) };
	*ret_person = query_get_i64(q, 3);
	return o;
}

// Never sent without its secret: they wait, and the administrator is told like of any channel that fails.
static enum err put_back(struct turn *t, struct db *db, const struct channel *c, size_t begin, int64_t now)
{
	enum err err = OK;
	for (size_t i = begin; i < t->npicked; i++) {
		const struct outgoing *o = t->picked[i];
		struct outcome out = { .id = o->id, .tries = o->tries, .ch = *c, .receipt = STR_EMPTY,
			               .error = STR("the secret was sealed under another secret.key; set it anew") };
		if (!err)
			err = mark_sending(db, o->id, now);
		if (!err)
			err = note_failure(t, db, &out, now);
		arena_free(t->picked[i]->arena);
	}
	t->npicked = begin;
	return err;
}

// A share for each channel, so that a slow one does not take every place.
static enum err pick(struct turn *t, struct db *db, const struct channel *c, int64_t now, size_t share)
{
	struct query q;
	int64_t left, persons[LIMIT_MESSAGE_TRANSFERS];
	size_t begin = t->npicked;
	struct channel open = *c;
	enum err err = rate_left(db, c, now, &left);
	int64_t want = MIN(left, (int64_t)MIN(t->room - t->npicked, share));
	if (err || want <= 0)
		return err;
	enum err sealed = secret_read(db, t->n->cfg.auth, c->via, c->id, t->arena, &open.secret);
	if (sealed && sealed != ERR_CORRUPT)
		return sealed;
	query_begin(&q, db, STMT_OUTMSG_DUE);
	query_str(&q, 1, c->via);
	query_i64(&q, 2, c->id);
	query_i64(&q, 3, now);
	query_i64(&q, 4, want);
	while (query_row(&q)) {
		t->picked[t->npicked] = outgoing_read(&q, &open, &persons[t->npicked]);
		t->npicked++;
	}
	err = query_end(&q);
	if (!err && sealed)
		return put_back(t, db, c, begin, now);
	for (size_t i = begin; !err && i < t->npicked; i++) {
		struct person p = { .lang = STR("zh") };
		err = person_read(db, t->reg, persons[i], t->arena, &p);
		if (!err || err == ERR_NOT_FOUND)
			err = mark_sending(db, t->picked[i]->id, now);
		if (!err)
			err = message_text(db, t->picked[i], p.lang, t->n->cfg.site);
	}
	return err;
}

static enum err drop_orphans(struct db *db, struct str via, int64_t channel)
{
	struct query q;
	query_begin(&q, db, STMT_OUTMSG_ORPHANS);
	query_str(&q, 1, via);
	query_i64(&q, 2, channel);
	query_str(&q, 3, STR("the channel is gone"));
	return query_run(&q);
}

static enum err pick_all(struct turn *t, struct db *db, const struct channel *chs, size_t nchs, int64_t now)
{
	struct { struct str via; int64_t id; } due[2 * LIMIT_CHANNELS];
	size_t n = 0;
	struct query q;
	query_begin(&q, db, STMT_OUTMSG_TARGETS);
	query_i64(&q, 1, now);
	while (query_row(&q) && n < ARRAY_LEN(due)) {
		due[n].via = query_get_str(&q, 0, t->arena);
		due[n++].id = query_get_i64(&q, 1);
	}
	enum err err = query_end(&q);
	for (size_t i = 0; !err && i < n && t->npicked < t->room; i++) {
		const struct channel *c = channel_find(chs, nchs, due[i].via, due[i].id);
		if (!c)
			err = drop_orphans(db, due[i].via, due[i].id);
		else if (c->enabled)
			err = pick(t, db, c, now, MAX((size_t)LIMIT_MESSAGE_TRANSFERS / n, (size_t)1));
	}
	return err;
}

// ---- the turn ----------------------------------------------------------------------------------
static enum err turn_run(struct db *db, void *arg, struct problem *p)
{
	struct turn *t = arg;
	struct query q;
	int64_t now = clock_now();
	(void)p;
	enum err err = channels_read(db, t->reg, t->arena, &t->chs, &t->nchs);
	if (!err && t->first) {
		query_begin(&q, db, STMT_OUTMSG_RESUME);
		err = query_run(&q);
	}
	for (size_t i = 0; !err && i < t->noutcomes; i++)
		err = t->outcomes[i].ok ? note_sent(db, &t->outcomes[i], now) : note_failure(t, db, &t->outcomes[i], now);
	if (!err)
		err = expand(db, t->reg, t->chs, t->nchs, now, t->arena, &t->more);
	return err || t->last ? err : pick_all(t, db, t->chs, t->nchs, now);
}

// Something to do? Asked on a reader, so that an idle platform writes nothing.
static bool due(struct notify *n)
{
	struct db *db = store_read_begin(n->cfg.store);
	struct query q;
	bool yes = false;
	query_begin(&q, db, STMT_NOTIFY_NEWEST);
	if (query_row(&q)) {
		int64_t next = query_get_i64(&q, 4);
		yes = query_get_i64(&q, 0) > query_get_i64(&q, 2) || query_get_i64(&q, 1) > query_get_i64(&q, 3) ||
		      (next && next <= clock_now());
	}
	enum err err = query_end(&q);
	store_read_end(n->cfg.store, db);
	return !err && yes;
}

// False: the job failed; what was picked is dropped, it is in the table still.
static bool turn(struct notify *n, struct turn *t)
{
	struct problem p;
	problem_init(&p, t->arena);
	t->n = n;
	t->room = LIMIT_MESSAGE_TRANSFERS - sender_busy(n->sender);
	t->reg = registry_pin();
	enum err err = store_write(n->cfg.store, turn_run, t, &p);
	registry_unpin(t->reg);
	for (size_t i = 0; i < t->npicked; i++) {
		if (err)
			arena_free(t->picked[i]->arena);
		else
			sender_start(n->sender, t->picked[i]);
	}
	if (err)
		log_error("notify", "messages out: %s", err_name(err));
	return !err;
}

struct finished {               // outcomes that are not in the table yet
	struct outcome v[LIMIT_MESSAGE_TRANSFERS];
	struct outgoing *o[LIMIT_MESSAGE_TRANSFERS];
	size_t n;
};

static void take_finished(struct notify *n, struct finished *f)
{
	while (f->n < LIMIT_MESSAGE_TRANSFERS && (f->o[f->n] = sender_done(n->sender, &f->v[f->n])) != NULL)
		f->n++;
}

// One turn with what has finished; false: it is to be tried again.
static bool turn_with(struct notify *n, struct finished *f, struct turn *t)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	t->arena = a;
	t->outcomes = f->v;
	t->noutcomes = f->n;
	if (!turn(n, t))
		return false;
	for (size_t i = 0; i < f->n; i++)
		arena_free(f->o[i]->arena);
	f->n = 0;
	return true;
}

// What is under way may end, so that it need not be repeated after the restart.
static void finish(struct notify *n, struct finished *f)
{
	int64_t until = clock_mono() + STOP_S * US_PER_S;
	struct turn t = { .last = true };
	while (sender_busy(n->sender) && clock_mono() < until) {
		sender_wait(n->sender, 100);
		take_finished(n, f);
	}
	if (f->n && !turn_with(n, f, &t))
		log_warn("notify", "some messages that were sent will be sent again with the same id");
}

static void *notify_thread(void *arg)
{
	struct notify *n = arg;
	struct finished f = { 0 };
	bool first = true, more = false;
	while (!n->stop) {
		take_finished(n, &f);
		n->poked = false;
		if (first || more || f.n || (sender_room(n->sender) && due(n))) {
			struct turn t = { .first = first };
			bool ok = turn_with(n, &f, &t);
			more = ok && t.more;
			first = first && !ok;
			if (!ok)
				sender_wait(n->sender, TURN_MS);
		}
		sender_wait(n->sender, more || n->poked ? 0 : TURN_MS);
	}
	finish(n, &f);
	return NULL;
}

struct notify *notify_start(const struct notify_config *cfg)
{
	struct notify *n = mem_alloc(sizeof *n);
	n->cfg = *cfg;
	n->sender = sender_new();
	if (pthread_create(&n->thread, NULL, notify_thread, n))
		log_die("notify", "cannot start a thread");
	return n;
}

void notify_wake(struct notify *n)
{
	if (!__atomic_exchange_n(&n->poked, true, __ATOMIC_ACQ_REL))
		sender_wake(n->sender);
}

void notify_stop(struct notify *n)
{
	n->stop = true;
	sender_wake(n->sender);
	pthread_join(n->thread, NULL);
	sender_free(n->sender);
	mem_free(n);
}
