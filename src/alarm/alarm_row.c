// Reading and changing one row of table alarm. Writing functions run inside a store job (writer thread); reading ones
// in any thread with a connection of its own.
#include "alarm/alarm_row.h"

#include <math.h>

static enum alarm_state state_of(struct str name)
{
	for (int s = ALARM_NORMAL; s <= ALARM_OUT_OF_SERVICE; s++)
		if (str_is(name, alarm_state_name((enum alarm_state)s)))
			return (enum alarm_state)s;
	return ALARM_NORMAL;
}

static const char *const hider_names[] = { "", "person", "service", "window", "cause" };
const char *hider_name(enum hider h) { return hider_names[h]; }

static enum hider hider_of(struct str name)
{
	for (int h = HIDE_NONE; h <= HIDE_CAUSE; h++)
		if (str_is(name, hider_names[h]))
			return (enum hider)h;
	return HIDE_NONE;
}

static double real_or_nan(struct query *q, int col) { return query_is_null(q, col) ? NAN : query_get_f64(q, col); }

void alarm_row_read(struct query *q, struct arena *a, struct alarm_row *ret)
{
	int c = 0;
	*ret = (struct alarm_row){ .id = query_get_i64(q, c++) };
	ret->point = query_get_i64(q, c++);
	ret->rule = query_get_str(q, c++, a);
	ret->family = query_get_str(q, c++, a);
	ret->level = query_get_str(q, c++, a);
	ret->color = query_get_str(q, c++, a);
	ret->mode.state = state_of(query_get_str(q, c++, a));
	ret->mode.active = query_get_i64(q, c++);
	ret->mode.acked = query_get_i64(q, c++);
	ret->raised_at = query_get_i64(q, c++);
	ret->last_raised_at = query_get_i64(q, c++);
	ret->returned_at = query_get_i64(q, c++);
	ret->closed_at = query_get_i64(q, c++);
	ret->value = real_or_nan(q, c++);
	ret->limit = real_or_nan(q, c++);
	ret->peak = real_or_nan(q, c++);
	ret->count = query_get_i64(q, c++);
	ret->late = query_get_i64(q, c++);
	ret->area = query_get_str(q, c++, a);
	ret->enterprise = query_get_i64(q, c++);
	ret->installation = query_get_i64(q, c++);
	ret->point_code = query_get_str(q, c++, a);
	ret->acked_by = query_get_i64(q, c++);
	ret->acked_at = query_get_i64(q, c++);
	ret->shelved_until = query_get_i64(q, c++);
	ret->reason = query_get_str(q, c++, a);
	ret->thread = query_get_i64(q, c++);
	ret->opened_type = query_get_str(q, c++, a);
	ret->opened_id = query_get_i64(q, c++);
	ret->point_name = query_get_str(q, c++, a);
	ret->point_kind = query_get_str(q, c++, a);
	ret->point_unit = query_get_str(q, c++, a);
	ret->enterprise_title = query_get_str(q, c++, a);
	ret->installation_title = query_get_str(q, c++, a);
	ret->lon = real_or_nan(q, c++);
	ret->lat = real_or_nan(q, c++);
	struct label *const labels[] = { &ret->rule_label, &ret->say, &ret->guide };
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		labels[i]->zh = query_get_str(q, c++, a);
		labels[i]->en = query_get_str(q, c++, a);
	}
	ret->acked_name = query_get_str(q, c++, a);
	ret->by_service = query_get_i64(q, c++);
	ret->level_at = query_get_i64(q, c++);
	ret->cause_time = query_get_i64(q, c++);
	ret->quality = (uint16_t)query_get_i64(q, c++);
	ret->arrival = query_get_i64(q, c++);
	ret->device = query_get_i64(q, c++);
	ret->opens = query_get_str(q, c++, a);
	ret->sector = query_get_str(q, c++, a);
	ret->hidden.by = hider_of(query_get_str(q, c++, a));
	ret->hidden.ref = query_get_i64(q, c++);
	ret->hidden_at = query_get_i64(q, c++);
	ret->hidden.until = query_get_i64(q, c++);
	ret->hidden.who = query_get_str(q, c++, a);
	ret->hidden.why.zh = query_get_str(q, c++, a);
	ret->hidden.why.en = query_get_str(q, c++, a);
	ret->always = query_get_i64(q, c++);
	ret->hide_longest = query_get_i64(q, c++);
	ret->mode.latch = query_get_i64(q, c++);
	if (ret->by_service && ret->hidden.by == HIDE_NONE) // of a row that was hidden before rows said by what
		ret->hidden.by = HIDE_SERVICE;
}

enum err alarm_row_get(struct db *db, int64_t id, struct arena *a, struct alarm_row *ret)
{
	struct query q;
	bool found = false;
	query_begin(&q, db, STMT_ALARM_BY_ID);
	query_i64(&q, 1, id);
	if (query_row(&q)) {
		alarm_row_read(&q, a, ret);
		found = true;
	}
	enum err err = query_end(&q);
	return err ? err : found ? OK : ERR_NOT_FOUND;
}

enum err alarm_note(struct db *db, int64_t alarm, const struct alarm_entry *e, enum alarm_state from,
                    enum alarm_state to)
{
	struct query q;
	query_begin(&q, db, STMT_ALARM_JOURNAL_ADD);
	query_i64(&q, 1, alarm);
	query_i64(&q, 2, e->at);
	query_str(&q, 3, str_of(e->what));
	query_str(&q, 4, e->level);
	query_str(&q, 5, str_of(alarm_state_name(from)));
	query_str(&q, 6, str_of(alarm_state_name(to)));
	query_i64(&q, 7, e->actor);
	if (isnan(e->value))
		query_null(&q, 8);
	else
		query_f64(&q, 8, e->value);
	query_i64(&q, 9, e->quality);
	if (isnan(e->limit))
		query_null(&q, 10);
	else
		query_f64(&q, 10, e->limit);
	query_str(&q, 11, e->reason);
	query_i64(&q, 12, e->arrival);
	return query_run(&q);
}

static enum err write_state(struct db *db, const struct alarm_row *row)
{
	struct query q;
	query_begin(&q, db, STMT_ALARM_SET_STATE);
	query_i64(&q, 1, row->id);
	query_str(&q, 2, str_of(alarm_state_name(row->mode.state)));
	query_i64(&q, 3, row->mode.active);
	query_i64(&q, 4, row->mode.acked);
	if (row->returned_at)
		query_i64(&q, 5, row->returned_at);
	else
		query_null(&q, 5);
	if (row->closed_at)
		query_i64(&q, 6, row->closed_at);
	else
		query_null(&q, 6);
	query_i64(&q, 7, row->mode.latch);
	return query_run(&q);
}

enum err alarm_move(struct db *db, struct alarm_row *row, enum alarm_input in, const struct alarm_entry *e,
                    struct problem *p)
{
	struct alarm_mode was = row->mode;
	enum err err = alarm_next(was, in, &row->mode, p);
	if (err)
		return err;
	if (in == IN_RAISE)
		row->returned_at = 0;
	else if (in == IN_RETURN)
		row->returned_at = e->at;
	row->closed_at = row->mode.state == ALARM_NORMAL ? e->at : 0;
	if ((err = write_state(db, row)))
		return err;
	return alarm_note(db, row->id, e, was.state, row->mode.state);
}

enum err alarm_set_hidden(struct db *db, struct alarm_row *row, const struct hold *h, int64_t at)
{
	struct query q;
	row->hidden = *h;
	row->hidden_at = h->by ? at : 0;
	query_begin(&q, db, STMT_ALARM_SET_HIDDEN);
	query_i64(&q, 1, row->id);
	query_str(&q, 2, str_of(hider_names[h->by]));
	query_i64(&q, 3, h->ref);
	query_i64(&q, 4, row->hidden_at);
	query_i64(&q, 5, h->until);
	query_str(&q, 6, h->who);
	query_str(&q, 7, h->why.zh);
	query_str(&q, 8, h->why.en);
	return query_run(&q);
}

enum err alarm_clear_shelf(struct db *db, const struct alarm_row *row)
{
	struct query q;
	query_begin(&q, db, STMT_ALARM_SET_SHELF);
	query_i64(&q, 1, row->id);
	query_null(&q, 2);
	query_null(&q, 3);
	query_str(&q, 4, STR_EMPTY);
	return query_run(&q);
}

enum err alarm_reveal(struct db *db, struct alarm_row *row, struct alarm_entry e, struct problem *p)
{
	bool shelved = row->mode.state == ALARM_SHELVED, suppressed = row->mode.state == ALARM_SUPPRESSED;
	e.what = shelved ? "unshelve" : suppressed ? "unsuppress" : "in_service";
	enum err err = alarm_move(db, row, shelved ? IN_UNSHELVE : suppressed ? IN_UNSUPPRESS : IN_IN_SERVICE, &e, p);
	if (!err)
		err = alarm_clear_shelf(db, row);
	return err ? err : alarm_set_hidden(db, row, &(struct hold){ 0 }, 0);
}

enum err alarm_want_open(struct db *db, struct alarm_row *row)
{
	enum alarm_state s = row->mode.state;
	bool announced = s > ALARM_NORMAL && s < ALARM_SHELVED;
	if (!announced || row->opened_type.n || row->opens.n == 0)
		return OK;
	struct query q;
	query_begin(&q, db, STMT_ALARM_SET_OPENS);
	query_i64(&q, 1, row->id);
	query_str(&q, 2, row->opens);
	enum err err = query_run(&q);
	if (err)
		return err;
	row->opened_type = row->opens;
	query_begin(&q, db, STMT_OUTBOX_ADD);
	query_str(&q, 1, STR("alarm.open"));
	query_i64(&q, 2, row->id);
	query_str(&q, 3, row->opens);
	return query_run(&q);
}
