// A retired record comes back: an import that is undone and then repeated must not stumble over what it retired itself.
// Runs in a store job; the change and its audit entry are one transaction.
#include "base/limits.h"
#include "base/time.h"
#include "flow/change.h"

enum err flow_revive(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str reason,
                     const struct identity *by, struct arena *a, struct problem *p)
{
	struct row old;
	struct scope scope = auth_scope(by, t);
	if (!auth_may_create(by, t))
		return right_told(p, by, t, "你的角色不能新建这类记录", "your role may not create records of this kind");
	enum err err = records_get(db, &t->table, &scope, id, a, &old);
	if (err == ERR_NOT_FOUND)
		return problem_set(p, err, "", "没有这条记录，或不在你的范围内", "there is no such record in your area");
	if (err || !old.c.retired)
		return err;
	struct common c = old.c;
	c.retired = false;
	c.version++;
	c.type_version = t->version;
	c.changed_at = clock_now();
	c.changed_by = by->person;
	c.batch = by->batch;
	deadline_start(reg, t, &c, old.vals, c.changed_at);
	err = records_update(db, &t->table, &c, old.vals, p);
	if (!err)
		err = history_add(db, t, id, "revive", STR_EMPTY, history_detail(t, &old, &c, old.vals, LABEL_SAID(reason), a), by);
	flow_changed(db, &(struct record_event){ .what = "created", .type = t->name, .id = id, .state = c.state, .area = c.area,
	                                         .enterprise = c.enterprise, .sector = c.sector });
	return err;
}
