// Messages out: log, test, secrets, receipts.
#include "api/api.h"
#include "base/time.h"
#include "notify/notify.h"
#include "store/audit.h"

enum err notify_log(struct call *c)
{
	struct notify_log_query q = { .state = http_query(c->rq, "state") };
	int64_t size = 0;
	enum err err = query_int(c, "channel", 0, 0, INT64_MAX, &q.channel);
	if (!err)
		err = query_int(c, "person", 0, 0, INT64_MAX, &q.person);
	if (!err)
		err = query_int(c, "before", 0, 0, INT64_MAX, &q.before);
	if (!err)
		err = query_int(c, "size", 100, 1, LIMIT_PAGE_SIZE, &size);
	q.limit = (size_t)size;
	return err ? err : notify_log_json(call_db(c), c->reg, &q, &c->w, c->arena);
}

struct notify_job {
	struct call *c;
	struct str via, secret, text;
	int64_t channel, message;
	bool delivered;
};

static enum err audit_note(struct db *db, const struct notify_job *j, const char *action)
{
	const struct identity *id = &j->c->id;
	struct audit_entry e = { .at = clock_now(), .actor = id->person, .actor_name = id->title.n ? id->title : id->name,
		                 .action = str_of(action), .type = j->via, .record = j->channel, .detail = STR("{}") };
	return audit_add(db, &e);
}

static enum err test_job(struct db *db, void *arg, struct problem *p)
{
	struct notify_job *j = arg;
	enum err err = notify_test(db, j->c->reg, j->via, j->channel, j->text, j->c->id.person, j->c->arena, &j->message, p);
	return err ? err : audit_note(db, j, "notify.test");
}

// {to} for a channel; {"webhook":true} for a webhook of this id. Answers the message as the log shows it.
enum err notify_test_post(struct call *c)
{
	struct notify_job j = { .c = c, .text = str_trim(body_str(c, "to")) };
	j.via = json_is_true(json_object_get(c->body, "webhook")) ? STR("webhook") : STR("channel");
	enum err err = param_id(c, 0, &j.channel);
	if (!err)
		err = store_write(c->app->store, test_job, &j, &c->p);
	if (err)
		return err;
	c->app->messages_changed(c->app);
	return notify_message_json(call_db(c), c->reg, j.message, &c->w, c->arena);
}

static enum err secret_job(struct db *db, void *arg, struct problem *p)
{
	struct notify_job *j = arg;
	struct row row;
	const struct type *t = registry_type(j->c->reg, j->via);
	enum err err = t ? records_get(db, &t->table, NULL, j->channel, j->c->arena, &row) : ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		return problem_set(p, err, "id", "没有这个通道", "there is no such channel");
	if (!err)
		err = notify_set_secret(db, j->c->app->auth, j->via, j->channel, j->secret);
	return err ? err : audit_note(db, j, "notify.secret");
}

enum err notify_secret_post(struct call *c)
{
	struct notify_job j = { .c = c, .via = c->param[0], .secret = body_str(c, "secret") };
	enum err err = param_id(c, 1, &j.channel);
	if (err)
		return err;
	if (!str_is(j.via, "channel") && !str_is(j.via, "webhook"))
		return call_fail(c, ERR_NOT_FOUND, "type", "只有消息通道和事件推送有口令", "only channels and webhooks have a secret");
	if (j.secret.n > LIMIT_SECRET)
		return call_fail(c, ERR_INVALID, "secret", "口令太长", "the secret is too long");
	err = store_write(c->app->store, secret_job, &j, &c->p);
	return err ? err : call_done(c);
}

static enum err receipt_job(struct db *db, void *arg, struct problem *p)
{
	struct notify_job *j = arg;
	(void)p;
	return notify_receipt(db, j->c->app->auth, j->channel, j->secret, j->c->param[3], j->delivered, j->text);
}

// A gateway says what became of a message: {channel, secret, id, state: delivered|failed, text}.
enum err notify_receipt_post(struct call *c)
{
	struct notify_job j = { .c = c, .secret = body_str(c, "secret"), .text = body_str(c, "text") };
	struct str state = body_str(c, "state");
	j.channel = json_integer_value(json_object_get(c->body, "channel"));
	c->param[3] = body_str(c, "id");
	j.delivered = str_is(state, "delivered");
	if (!j.delivered && !str_is(state, "failed"))
		return call_fail(c, ERR_INVALID, "state", "state 应为 delivered 或 failed", "state is delivered or failed");
	if (!c->param[3].n || j.channel <= 0 || !j.secret.n)
		return call_fail(c, ERR_INVALID, "id", "应有 channel、secret 和 id", "channel, secret and id are needed");
	enum err err = store_write(c->app->store, receipt_job, &j, &c->p);
	if (err == ERR_FORBIDDEN)
		return call_fail(c, err, "secret", "口令不符", "the secret does not fit");
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "id", "没有这条已发送的消息", "no such message was sent");
	return err ? err : call_done(c);
}
