// What happens when time has passed: reminders before a deadline, the next tier after it, notices of an expiry. All of it
// is in the rows (deadline, escalated, reminded), so a restart loses nothing. Called by core in a store job, when
// flow_tick itself said or a record's change did (struct record_event.wake). The cost is that of what is due.
#include "base/log.h"
#include "base/time.h"
#include "flow/draft.h"

#define STEPS_A_TICK 500           // so that a long stop does not hold the writer for a second
#define SLEEP_MAX US_PER_HOUR      // the wall clock may have been set

struct tick {
	struct db *db;
	const struct registry *reg;
	const struct type *t;
	const struct state *s;  // NULL: the expiry of a register
	int64_t now;
	struct arena *a;
	struct problem *p;
	int64_t next;
	size_t steps;           // done in this tick
};

// What of the type's rows this tick looks at: those in a state, or all of a register.
static struct str state_name(const struct tick *k) { return k->s ? k->s->name : STR_EMPTY; }

static struct str named(const struct tick *k, const struct common *c)
{
	return arena_printf(k->a, "%.*s", STR_FMT(c->number.n ? c->number : c->title));
}

static enum err say(const struct tick *k, struct row *row, const struct str *who, size_t nwho, const char *kind, struct label text)
{
	struct audience au = { .reg = k->reg, .t = k->t, .row = row, .kind = kind, .text = text };
	return flow_tell(k->db, &au, who, nwho, k->a);
}

static void changed(const struct tick *k, const struct common *c, const char *what)
{
	flow_changed(k->db, &(struct record_event){ .what = what, .type = k->t->name, .id = c->id, .state = c->state, .area = c->area,
	                                            .enterprise = c->enterprise, .sector = c->sector });
}

// ---- after the deadline ------------------------------------------------------------------------

static struct label late_text(const struct tick *k, const struct common *c)
{
	long long late = (k->now - c->deadline) / US_PER_MIN;
	struct str name = named(k, c);
	const struct label *t = &k->t->label;
	if (!k->s)
		return (struct label){ arena_printf(k->a, "已到期：%.*s %.*s", STR_FMT(t->zh), STR_FMT(name)),
			               arena_printf(k->a, "Expired: %.*s %.*s", STR_FMT(t->en), STR_FMT(name)) };
	return (struct label){ arena_printf(k->a, "超时上报：%.*s %.*s 在“%.*s”已超时 %lld 分钟", STR_FMT(t->zh), STR_FMT(name),
		                            STR_FMT(k->s->label.zh), late),
		               arena_printf(k->a, "Overdue: %.*s %.*s has been over its time in \"%.*s\" for %lld minutes",
		                            STR_FMT(t->en), STR_FMT(name), STR_FMT(k->s->label.en), late) };
}

// The move that the system makes when the time is over. One that is refused is taken back: the record stays and escalates.
static enum err overdue_move(const struct tick *k, const struct row *row)
{
	struct identity system = identity_system();
	struct problem p;
	struct db_part part;
	problem_init(&p, k->a);
	json_t *none = json_object();
	enum err err = db_part_begin(k->db, &part), moved = OK;
	if (!err) {
		moved = flow_move(k->db, k->reg, k->t, row->c.id, k->s->overdue->name, none, &system, true, k->a, &p);
		err = db_part_end(k->db, &part, moved == OK);
	}
	json_decref(none);
	if (moved)
		log_warn("flow", "%.*s %lld: the move at its deadline is refused: %.*s", STR_FMT(k->t->name), (long long)row->c.id, STR_FMT(p.en));
	return err;
}

static enum err overdue_step(struct tick *k, struct row *row)
{
	struct identity system = identity_system();
	const struct str *who = k->s ? &k->s->escalate_to[row->c.escalated] : k->t->expires.tell;
	struct str detail = arena_printf(k->a, "{\"state\":\"%.*s\",\"step\":%lld,\"told\":\"%.*s\"}", STR_FMT(row->c.state),
	                                 (long long)row->c.escalated + 1, STR_FMT(who[0]));
	enum err err = say(k, row, who, k->s ? 1 : k->t->expires.ntell, "overdue", late_text(k, &row->c));
	row->c.escalated++;
	if (!err)
		err = records_set_counter(k->db, &k->t->table, row->c.id, STR("escalated"), row->c.escalated, k->p);
	if (!err)
		err = history_add(k->db, k->t, row->c.id, "overdue", STR_EMPTY, detail, &system);
	changed(k, &row->c, "overdue");
	return !err && k->s && k->s->overdue && row->c.escalated == 1 ? overdue_move(k, row) : err;
}

// ---- before it ---------------------------------------------------------------------------------

static enum err remind_step(struct tick *k, struct row *row)
{
	char text[TIME_TEXT_MAX];
	size_t n = MIN(time_text(row->c.deadline, text), (size_t)16);
	struct identity system = identity_system();
	struct str name = named(k, &row->c), state_zh = k->s ? k->s->label.zh : STR("到期"), state_en = k->s ? k->s->label.en : STR("expires");
	text[10] = ' ';
	struct label l = { arena_printf(k->a, "催办：%.*s %.*s “%.*s”时限 %.*s", STR_FMT(k->t->label.zh), STR_FMT(name), STR_FMT(state_zh),
		                        (int)n, text),
		           arena_printf(k->a, "Reminder: %.*s %.*s, \"%.*s\" due %.*s", STR_FMT(k->t->label.en), STR_FMT(name),
		                        STR_FMT(state_en), (int)n, text) };
	const struct str *who = k->s ? k->s->who : k->t->expires.tell;
	enum err err = say(k, row, who, k->s ? k->s->nwho : k->t->expires.ntell, "remind", l);
	row->c.reminded++;
	if (!err)
		err = records_set_counter(k->db, &k->t->table, row->c.id, STR("reminded"), row->c.reminded, k->p);
	struct str detail = arena_printf(k->a, "{\"state\":\"%.*s\",\"reminder\":%lld}", STR_FMT(row->c.state), (long long)row->c.reminded);
	return err ? err : history_add(k->db, k->t, row->c.id, "remind", STR_EMPTY, detail, &system);
}

// ---- registers that were there before their type said expires: --------------------------------

// A slice of the rows that have a date and no clock yet; *ret_more: there may be others.
static enum err expiry_slice(struct tick *k, bool *ret_more)
{
	struct row *rows;
	size_t n, set = 0;
	struct value zero = { .kind = VAL_INT };
	struct filter f[] = { { STR("deadline"), FILTER_EQ, &zero, 1 }, { k->t->expires.at->name, FILTER_NOT_NULL, NULL, 0 } };
	struct list_query lq = { .text = STR_EMPTY, .filters = f, .nfilters = ARRAY_LEN(f), .limit = STEPS_A_TICK };
	enum err err = records_list(k->db, &k->t->table, NULL, &lq, k->a, &rows, &n, NULL, k->p);
	for (size_t i = 0; !err && i < n; i++) {
		struct common *c = &rows[i].c;
		expiry_start(k->reg, k->t, c, rows[i].vals, k->now);
		set += c->deadline != 0;
		err = records_set_counter(k->db, &k->t->table, c->id, STR("deadline"), c->deadline, k->p);
		if (!err)
			err = records_set_counter(k->db, &k->t->table, c->id, STR("reminded"), c->reminded, k->p);
	}
	*ret_more |= n == STEPS_A_TICK && set;
	return err;
}

// Once a generation of the packs.
static enum err expiry_fill(struct tick *k)
{
	static uint64_t filled; // writer thread only
	bool more = false;
	enum err err = OK;
	if (filled == k->reg->generation)
		return OK;
	for (size_t i = 0; !err && i < k->reg->ntypes; i++) {
		k->t = &k->reg->types[i];
		if (k->t->expires.at && k->t->expires.at->ncols)
			err = expiry_slice(k, &more);
	}
	if (!err && !more)
		filled = k->reg->generation;
	if (more)
		k->next = k->now;
	return err;
}

// ---- one tick ----------------------------------------------------------------------------------

// Rows of the state whose counter is count and whose deadline is not after until: a step each. *ret_next: the earliest
// deadline behind until, 0 = none.
static enum err steps(struct tick *k, struct due_query *dq, enum err (*step)(struct tick *k, struct row *row), int64_t *ret_next)
{
	struct row *rows;
	size_t n;
	dq->state = state_name(k);
	dq->limit = STEPS_A_TICK - k->steps;
	*ret_next = 0;
	if (dq->limit == 0) {
		k->next = k->now;
		return OK;
	}
	enum err err = records_due(k->db, &k->t->table, dq, k->a, &rows, &n, k->p);
	for (size_t i = 0; !err && i < n; i++)
		if (!rows[i].c.retired)
			err = step(k, &rows[i]);
	k->steps += n;
	if (n) // the next step of these rows may be due too, and there may be more of them
		k->next = MIN(k->next, k->now + (n == dq->limit ? 0 : US_PER_S));
	return err ? err : records_due_next(k->db, &k->t->table, dq, k->a, ret_next, k->p);
}

// From the last tier down: a row that was overdue through a long stop climbs one tier a tick, in order.
static enum err overdue(struct tick *k, size_t tiers, int64_t every)
{
	enum err err = OK;
	for (size_t i = tiers; !err && i-- > 0;) {
		struct due_query dq = { .counter = STR("escalated"), .count = (int64_t)i, .until = k->now - (int64_t)i * every };
		int64_t next;
		err = steps(k, &dq, overdue_step, &next);
		if (!err && next)
			k->next = MIN(k->next, MAX(next + (int64_t)i * every, k->now));
	}
	return err;
}

static enum err reminders(struct tick *k, const struct allowance *remind, size_t n)
{
	enum err err = OK;
	for (size_t i = n; !err && i-- > 0;) {
		struct due_query dq = { .counter = STR("reminded"), .count = (int64_t)i,
			                .until = reminder_until(k->reg->workdays, remind[i], k->now) };
		int64_t next;
		err = steps(k, &dq, remind_step, &next);
		if (!err && next)
			k->next = MIN(k->next, MAX(reminder_at(k->reg->workdays, remind[i], next), k->now));
	}
	return err;
}

static enum err type_tick(struct tick *k)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < k->t->nstates; i++) {
		k->s = &k->t->states[i];
		err = overdue(k, k->s->nescalate, k->s->escalate_every);
		if (!err)
			err = reminders(k, k->s->remind, k->s->nremind);
	}
	k->s = NULL;
	if (!err && k->t->expires.at)
		err = overdue(k, 1, 0);
	if (!err && k->t->expires.at)
		err = reminders(k, k->t->expires.remind, k->t->expires.nremind);
	return err;
}

enum err flow_tick(struct db *db, const struct registry *reg, int64_t now, struct arena *a, int64_t *ret_next)
{
	struct problem p;
	problem_init(&p, a);
	struct tick k = { .db = db, .reg = reg, .now = now, .a = a, .p = &p, .next = now + SLEEP_MAX };
	enum err err = expiry_fill(&k);
	for (size_t i = 0; !err && i < reg->ntypes; i++) {
		k.t = &reg->types[i];
		err = type_tick(&k);
	}
	if (!err)
		err = receipts_tick(db, reg, now, a, &k.next);
	*ret_next = k.next;
	return err;
}
