// Commands to devices. What is asked is a record (type device_command), and the record is the truth: it is there before anything
// is sent, each step is a move of it, and after a crash what is still open is loaded again and sent again, or has expired. Here is
// only what of them is under way: handed to the gate at once and again when the device can be spoken to. A device that answers is
// asked one thing at a time, and again if it is silent; the gate knows the answers. Delivered at least once; a restart at most once, and a
// device that connects again after it without an answer has done it: sent again it would never come to rest.
//
// T_EVENTS loads and ticks, T_SERIES brings the gate's words, HTTP workers wait; one mutex. Moves are jobs of the writer, in order.
#include <stdatomic.h>

#include "base/buf.h"
#include "base/limits.h"
#include "core/core_int.h"

struct waiting {
	struct waiting *next;       // younger
	uint64_t seq;               // id of the record
	uint32_t device;
	uint64_t conn;              // it was sent to, 0 = none
	bool sent;                  // the gate has it, as far as is known
	bool confirmed;             // the device will do it: its result is awaited
	bool over;                  // and stays until its record says so (settled, by the writer): then nothing loads it again
	_Atomic bool settled;
	unsigned tries;
	int64_t at, tried_at;       // us, monotonic
	const struct downlink *downlink;
	struct command c;
	struct str payload;         // behind it
};

#define COMMAND_WAIT_US (2 * US_PER_S)   // a worker waits so long for the device
#define COMMAND_WAITERS 2                // and so many of them at a time; the others answer "queued" at once
#define COMMAND_RETRY_US (10 * US_PER_S) // and so often it is tried again while the gate refuses it
#define COMMAND_TRIES 3                  // HJ 212-2017 table 1; between them core_config.answer_s
#define COMMAND_LOAD_S 60                // an event may be lost in a storm

// ---- the record ---------------------------------------------------------------------------------

struct move_job {
	int64_t id;
	const char *move;
	bool coded;
	struct command_answer answer;
	struct waiting *closes;     // or NULL
	struct arena *arena;
};

static enum err move_run(struct db *db, void *arg, struct problem *p)
{
	struct move_job *j = arg;
	struct identity system = identity_system();
	const struct registry *reg = registry_pin();
	const struct type *t = registry_type(reg, STR("device_command"));
	json_t *body = json_object();
	if (j->answer.text[0])
		json_object_set_new(body, "answer", json_string(j->answer.text));
	if (j->coded)
		json_object_set_new(body, "code", json_integer(j->answer.code));
	enum err err = t ? flow_move(db, reg, t, j->id, str_of(j->move), body, &system, false, j->arena, p) : ERR_NOT_FOUND;
	json_decref(body);
	registry_unpin(reg);
	return err;
}

static void move_done(void *arg, enum err err)
{
	struct move_job *j = arg;
	if (err && err != ERR_CONFLICT) // it is past that: an answer that came twice
		log_error("core", "command %lld: cannot %s: %s", (long long)j->id, j->move, err_name(err));
	if (j->closes)
		atomic_store(&j->closes->settled, true);
	arena_free(j->arena);
	mem_free(j);
}

// closes: it is over with that.
static void move(struct core *co, uint64_t seq, const char *name, const struct command_answer *a, struct waiting *closes)
{
	struct move_job *j = mem_alloc(sizeof *j);
	*j = (struct move_job){ .id = (int64_t)seq, .move = name, .coded = a != NULL, .closes = closes, .arena = arena_new(4096) };
	if (closes)
		closes->over = true;
	if (a)
		j->answer = *a;
	j->answer.text[COMMAND_ANSWER_TEXT - 1] = 0;
	if (!str_utf8_valid(str_of(j->answer.text)))
		j->answer.text[0] = 0;
	store_post(co->app.store, move_run, j, move_done);
}

static void move_because(struct core *co, uint64_t seq, const char *name, const char *why, struct waiting *closes)
{
	struct command_answer a = { .code = 0 };
	memcpy(a.text, why, MIN(strlen(why), sizeof a.text - 1));
	for (size_t n = strlen(a.text); n && !str_utf8_valid(str_from(a.text, n)); n--)
		a.text[n - 1] = 0;
	move(co, seq, name, &a, closes);
}

// ---- what is under way; the mutex is held -------------------------------------------------------

static void command_send(struct core *co, struct waiting *k, int64_t now)
{
	struct buf out;
	struct msg_command m = { .m = { .size = (uint32_t)(sizeof m + k->payload.n), .kind = MSG_COMMAND, .seq = k->seq, .device = k->device },
		                 .c = k->c };
	buf_init(&out, sizeof m + LIMIT_COMMAND);
	buf_add(&out, &m, sizeof m);
	buf_add_str(&out, k->payload);
	k->sent = buf_ok(&out) && to_gate_send(co, out.p, out.n);
	k->conn = device_conn(co, k->device);
	k->tried_at = now;
	buf_free(&out);
}

static struct waiting *command_find(const struct core *co, uint64_t seq)
{
	struct waiting *k = co->commands;
	while (k && k->seq != seq)
		k = k->next;
	return k;
}

static bool sent_once(const struct command *c) { return c->kind == COMMAND_RESTART; }

// What can be sent to the device now: of one that answers the oldest, and nothing beside it.
static void command_pump(struct core *co, uint32_t device, int64_t now)
{
	for (struct waiting *k = co->commands; k; k = k->next) {
		if (k->device != device || k->over)
			continue;
		if (!k->sent)
			command_send(co, k, now);
		if (k->downlink->answers)
			return;
	}
}

static void command_add(struct core *co, const struct device_command *d, int64_t age, int64_t now)
{
	struct waiting **last = &co->commands;
	while (*last)
		last = &(*last)->next;
	struct waiting *k = mem_alloc(sizeof *k + d->payload.n);
	memcpy(k + 1, d->payload.p, d->payload.n);
	*k = (struct waiting){ .seq = (uint64_t)d->id, .device = (uint32_t)d->device, .at = now - age, .downlink = d->downlink, .c = d->c,
		               .payload = str_from((char *)(k + 1), d->payload.n) };
	*last = k;
	co->ncommands++;
	command_pump(co, k->device, now);
}

// ---- loading ------------------------------------------------------------------------------------

static void load_one(struct core *co, struct db *db, const struct registry *reg, const struct row *row, struct arena *a)
{
	struct problem p;
	struct device_command d;
	problem_init(&p, a);
	enum err err = device_command_read(db, reg, row, a, &d, &p);
	if (!d.device) // a row that no part of the platform made
		return;
	int64_t age = MAX(clock_now() - d.created, 0);
	pthread_mutex_lock(&co->commands_mutex);
	if (command_find(co, (uint64_t)d.id)) {
		// under way already
	} else if (err) { // made as a record like any other
		move_because(co, (uint64_t)d.id, "refuse", arena_printf(a, "%.*s", STR_FMT(p.zh)).p, NULL);
	} else if (sent_once(&d.c) && str_is(row->c.state, "sent")) {
		move_because(co, (uint64_t)d.id, "expire", "平台重新启动，不再重发 the platform started again, it is not sent twice", NULL);
	} else if (age > LIMIT_COMMAND_AGE_S * US_PER_S) {
		move_because(co, (uint64_t)d.id, "expire", "平台停机期间过期 expired while the platform was down", NULL);
	} else if (co->ncommands < LIMIT_COMMANDS) {
		command_add(co, &d, age, clock_mono());
	}
	pthread_mutex_unlock(&co->commands_mutex);
}

void commands_load(struct core *co)
{
	struct arena *a = arena_new(16 << 10);
	struct problem p;
	struct row *rows;
	size_t n;
	int64_t total;
	problem_init(&p, a);
	const struct registry *reg = registry_pin();
	struct db *db = store_read_begin(co->app.store);
	if (device_commands_open(db, reg, 0, LIMIT_COMMANDS, a, &rows, &n, &total, &p))
		log_error("core", "cannot read the commands that wait: %.*s", STR_FMT(p.en));
	for (size_t i = 0; i < n; i++)
		load_one(co, db, reg, &rows[i], a);
	store_read_end(co->app.store, db);
	registry_unpin(reg);
	arena_free(a);
}

// ---- what the gate says -------------------------------------------------------------------------

void commands_subscribed(struct core *co, uint32_t device, uint64_t conn)
{
	pthread_mutex_lock(&co->commands_mutex);
	for (struct waiting *k = co->commands; k; k = k->next) {
		if (k->device != device || k->conn == conn || k->over)
			continue;
		if (sent_once(&k->c) && k->tries) {
			move_because(co, k->seq, "execute", "设备已重新连接 connected again", k);
			continue;
		}
		k->sent = k->confirmed && k->sent; // also what a former connection did not acknowledge
		k->tries = 0;
	}
	command_pump(co, device, clock_mono());
	pthread_mutex_unlock(&co->commands_mutex);
}

void commands_delivered(struct core *co, uint64_t seq, bool delivered)
{
	pthread_mutex_lock(&co->commands_mutex);
	struct waiting *k = command_find(co, seq);
	co->commands_said[co->ncommands_said % ARRAY_LEN(co->commands_said)].seq = seq;
	co->commands_said[co->ncommands_said++ % ARRAY_LEN(co->commands_said)].delivered = delivered;
	if (!k || k->over) {
		// its record says it all
	} else if (!delivered) {
		k->sent = false;
	} else if (k->downlink->answers) {
		k->tried_at = clock_mono();
		if (!k->tries++)
			move(co, seq, "send", NULL, NULL);
	} else {
		move(co, seq, "confirm", NULL, k);
	}
	pthread_cond_broadcast(&co->commands_cond);
	pthread_mutex_unlock(&co->commands_mutex);
}

void commands_answered(struct core *co, const struct msg_answer *m)
{
	static const char *const moves[] = { [OUTCOME_ACCEPTED] = "confirm", [OUTCOME_DONE] = "execute", [OUTCOME_REFUSED] = "refuse" };
	if (m->a.outcome >= ARRAY_LEN(moves))
		return;
	pthread_mutex_lock(&co->commands_mutex);
	struct waiting *k = command_find(co, m->m.seq);
	bool more = m->a.outcome == OUTCOME_ACCEPTED;
	move(co, m->m.seq, moves[m->a.outcome], &m->a, more || (k && k->over) ? NULL : k);
	if (k && more) {
		k->confirmed = true;
		k->tried_at = clock_mono();
	} else {
		command_pump(co, m->m.device, clock_mono());
	}
	pthread_mutex_unlock(&co->commands_mutex);
}

// ---- time ---------------------------------------------------------------------------------------

// Of one that the device has confirmed: history may take as long as a command may live.
static int64_t result_wait(const struct core *co, const struct waiting *k)
{
	return k->c.kind == COMMAND_QUERY_HISTORY ? LIMIT_COMMAND_AGE_S * US_PER_S : COMMAND_TRIES * co->cfg.answer_s * US_PER_S;
}

static void command_age(struct core *co, struct waiting *k, int64_t now)
{
	bool silent = k->downlink->answers && k->tries && now - k->tried_at > co->cfg.answer_s * US_PER_S;
	if (k->confirmed) { // that there was no result changes nothing in what it said
		k->over = now - k->tried_at > result_wait(co, k);
		k->settled = k->over;
	} else if (now - k->at > LIMIT_COMMAND_AGE_S * US_PER_S) {
		move_because(co, k->seq, "expire", k->tries ? "设备无应答 no answer" : "设备一直不在线 the device was not there", k);
	} else if (silent && sent_once(&k->c)) {
		move_because(co, k->seq, "expire", "设备无应答 no answer", k);
	} else if (silent && k->tries >= COMMAND_TRIES) {
		move_because(co, k->seq, "expire", "设备无应答，已发送 3 次 no answer, sent three times", k);
	} else if (silent || (!k->sent && now - k->tried_at > COMMAND_RETRY_US)) {
		k->sent = false;
		k->tried_at = now;
		command_pump(co, k->device, now);
	}
	if (k->over)
		command_pump(co, k->device, now);
}

void commands_tick(struct core *co)
{
	pthread_mutex_lock(&co->commands_mutex);
	int64_t now = clock_mono();
	for (struct waiting **at = &co->commands; *at;) {
		struct waiting *k = *at;
		if (!k->over)
			command_age(co, k, now);
		if (!k->settled) {
			at = &k->next;
			continue;
		}
		*at = k->next;
		co->ncommands--;
		mem_free(k);
	}
	pthread_mutex_unlock(&co->commands_mutex);
	if (co->seconds % COMMAND_LOAD_S == 0)
		commands_load(co);
}

// ---- HTTP workers -------------------------------------------------------------------------------

// What the gate said of it, if it is not long ago; the mutex is held.
static bool command_said(const struct core *co, uint64_t seq, bool *ret_delivered)
{
	for (size_t i = 0; i < ARRAY_LEN(co->commands_said); i++)
		if (co->commands_said[i].seq == seq) {
			*ret_delivered = co->commands_said[i].delivered;
			return true;
		}
	return false;
}

bool core_command_wait(struct app *app, int64_t command)
{
	struct core *co = (struct core *)app;
	int64_t end = clock_mono() + COMMAND_WAIT_US;
	struct timespec ts = { .tv_sec = end / US_PER_S, .tv_nsec = end % US_PER_S * 1000 };
	bool delivered = false;
	pthread_mutex_lock(&co->commands_mutex);
	if (co->command_waiters < COMMAND_WAITERS) {
		co->command_waiters++;
		while (!command_said(co, (uint64_t)command, &delivered) &&
		       pthread_cond_timedwait(&co->commands_cond, &co->commands_mutex, &ts) == 0)
			;
		co->command_waiters--;
	}
	pthread_mutex_unlock(&co->commands_mutex);
	return delivered;
}

void commands_init(struct core *co)
{
	pthread_condattr_t attr;
	pthread_mutex_init(&co->commands_mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&co->commands_cond, &attr);
	pthread_condattr_destroy(&attr);
}
