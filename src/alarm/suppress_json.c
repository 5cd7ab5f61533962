// Everything that is hidden now, by whom, why and until when: nothing is silent. Any thread, own connection.
#include "alarm/alarm_json.h"
#include "alarm/suppress.h"
#include "base/time.h"

static enum err alarms_json(struct db *db, const struct scope *scope, struct jw *w, struct arena *a)
{
	struct query q;
	struct alarm_row *v = NULL;
	size_t n = 0, cap = 0;
	query_begin(&q, db, STMT_ALARM_LIST_HIDDEN);
	query_scope(&q, scope);
	while (query_row(&q)) {
		v = arena_push(a, v, &n, &cap, sizeof *v);
		alarm_row_read(&q, a, &v[n - 1]);
	}
	enum err err = query_end(&q);
	jw_karr(w, "items");
	for (size_t i = 0; i < n; i++)
		alarm_write(w, db, &v[i], a);
	jw_end(w);
	return err;
}

static enum err windows_json(struct db *db, const struct scope *scope, int64_t now, struct jw *w, struct arena *a)
{
	struct query q;
	query_begin(&q, db, STMT_WINDOW_LIST);
	query_scope(&q, scope);
	query_i64(&q, 4, now);
	jw_karr(w, "windows");
	while (query_row(&q)) {
		int64_t until = query_get_i64(&q, 3);
		jw_obj(w);
		jw_ki64(w, "id", query_get_i64(&q, 0));
		jw_kstr(w, "number", query_get_str(&q, 1, a));
		jw_ktime(w, "from", query_get_i64(&q, 2));
		jw_ktime(w, "until", until);
		jw_kstr(w, "reason", query_get_str(&q, 4, a));
		jw_kstr(w, "approver", query_get_str(&q, 5, a));
		jw_ki64(w, "enterprise", query_get_i64(&q, 6));
		jw_ki64(w, "hidden", query_get_i64(&q, 7));
		jw_kbool(w, "overrun", until <= now); // over, and nobody has closed it: its alarms are announced again
		jw_end(w);
	}
	jw_end(w);
	return query_end(&q);
}

static enum err causes_json(struct db *db, const struct scope *scope, struct jw *w, struct arena *a)
{
	struct query q;
	query_begin(&q, db, STMT_CAUSE_LIST);
	query_scope(&q, scope);
	jw_karr(w, "causes");
	while (query_row(&q)) {
		jw_obj(w);
		jw_ki64(w, "id", query_get_i64(&q, 0));
		jw_kstr(w, "rule", query_get_str(&q, 1, a));
		jw_ktime(w, "since", query_get_i64(&q, 2));
		jw_ki64(w, "alarm", query_get_i64(&q, 3)); // 0: a hint, which is no alarm
		jw_ki64(w, "point", query_get_i64(&q, 4));
		jw_kstr(w, "name", query_get_str(&q, 5, a));
		jw_kobj(w, "say");
		jw_kstr(w, "zh", query_get_str(&q, 6, a));
		jw_kstr(w, "en", query_get_str(&q, 7, a));
		jw_end(w);
		jw_ki64(w, "enterprise", query_get_i64(&q, 8));
		jw_ki64(w, "hidden", query_get_i64(&q, 9));
		jw_end(w);
	}
	jw_end(w);
	return query_end(&q);
}

enum err alarm_suppressed_json(struct db *db, const struct scope *scope, int64_t now, struct jw *w, struct arena *a)
{
	jw_obj(w);
	enum err err = alarms_json(db, scope, w, a);
	if (!err)
		err = windows_json(db, scope, now, w, a);
	if (!err)
		err = causes_json(db, scope, w, a);
	jw_end(w);
	return err;
}
