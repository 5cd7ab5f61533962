// Issuing, voiding and verifying documents. Issuing is one store job: number, paper, file, row and audit entry are one
// transaction, so that a number is never lost and never given twice.
//
// What ties a paper to the audit chain: the paper bears number and hash of the chain's last entry at that moment (the
// anchor); the entry that follows it holds the SM3 of the paper.
#include "base/hash.h"
#include "base/log.h"
#include "base/time.h"
#include "report/document.h"
#include "store/audit.h"
#include "store/files.h"
#include <math.h>

#define ANCHOR_DIGITS 16

// ---- rows --------------------------------------------------------------------------------------
static void row_get(struct query *q, struct arena *a, struct issued *ret)
{
	*ret = (struct issued){
		.id = query_get_i64(q, 0),
		.document = query_get_str(q, 1, a),
		.number = query_get_str(q, 2, a),
		.type = query_get_str(q, 3, a),
		.record = query_get_i64(q, 4),
		.period = query_get_str(q, 5, a),
		.at = query_get_i64(q, 6),
		.by = query_get_i64(q, 7),
		.by_name = query_get_str(q, 8, a),
		.file = query_get_i64(q, 9),
		.sm3 = query_get_str(q, 10, a),
		.audit_seq = query_get_i64(q, 11),
		.audit_hash = query_get_str(q, 12, a),
		.entry_seq = query_get_i64(q, 13),
		.void_at = query_get_i64(q, 14),
		.void_reason = query_get_str(q, 15, a),
	};
}

static enum err get_one(struct query *q, struct arena *a, struct issued *ret)
{
	bool found = query_row(q);
	if (found)
		row_get(q, a, ret);
	enum err err = query_end(q);
	return err ? err : found ? OK : ERR_NOT_FOUND;
}

static enum err get_all(struct query *q, struct arena *a, struct issued **ret, size_t *ret_n)
{
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	while (query_row(q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		row_get(q, a, &(*ret)[*ret_n - 1]);
	}
	return query_end(q);
}

enum err issued_get(struct db *db, int64_t id, struct arena *a, struct issued *ret)
{
	struct query q;
	query_begin(&q, db, STMT_ISSUED_GET);
	query_i64(&q, 1, id);
	return get_one(&q, a, ret);
}

enum err issued_by_number(struct db *db, struct str number, struct arena *a, struct issued *ret)
{
	struct query q;
	query_begin(&q, db, STMT_ISSUED_BY_NUMBER);
	query_str(&q, 1, number);
	return get_one(&q, a, ret);
}

enum err issued_of(struct db *db, struct str type, int64_t record, struct arena *a, struct issued **ret, size_t *ret_n)
{
	struct query q;
	query_begin(&q, db, STMT_ISSUED_OF);
	query_str(&q, 1, type);
	query_i64(&q, 2, record);
	return get_all(&q, a, ret, ret_n);
}

enum err issued_reports(struct db *db, struct str name, size_t limit, struct arena *a, struct issued **ret, size_t *ret_n)
{
	struct query q;
	query_begin(&q, db, STMT_ISSUED_REPORT);
	query_str(&q, 1, name);
	query_i64(&q, 2, (int64_t)limit);
	return get_all(&q, a, ret, ret_n);
}

static enum err issued_period(struct db *db, struct str name, struct str period, struct arena *a, struct issued *ret)
{
	struct query q;
	query_begin(&q, db, STMT_ISSUED_PERIOD);
	query_str(&q, 1, name);
	query_str(&q, 2, period);
	return get_one(&q, a, ret);
}

static enum err row_add(struct db *db, struct issued *i)
{
	struct query q;
	query_begin(&q, db, STMT_ISSUED_ADD);
	query_str(&q, 1, i->document);
	query_str(&q, 2, i->number);
	query_str(&q, 3, i->type);
	query_i64(&q, 4, i->record);
	query_str(&q, 5, i->period);
	query_i64(&q, 6, i->at);
	query_i64(&q, 7, i->by);
	query_str(&q, 8, i->by_name);
	query_i64(&q, 9, i->file);
	query_str(&q, 10, i->sm3);
	query_i64(&q, 11, i->audit_seq);
	query_str(&q, 12, i->audit_hash);
	query_i64(&q, 13, i->entry_seq);
	enum err err = query_run(&q);
	i->id = db_last_id(db);
	return err;
}

// ---- issuing -----------------------------------------------------------------------------------
static enum err find_row(struct db *db, struct issue *i, struct row *ret, struct problem *p)
{
	const struct document *d = i->d;
	struct scope scope = d->t ? auth_scope(i->by, d->t) : (struct scope){ 0 };
	if (!d->t)
		return document_offered(d, NULL, i->by) ? OK : problem_set(p, ERR_FORBIDDEN, NULL, "您的角色不能生成这份报告", "your role does not make this report");
	enum err err = auth_may_read(i->by, d->t) ? records_get(db, &d->t->table, &scope, i->record, i->arena, ret) : ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		return problem_set(p, err, "id", "没有这条记录，或不在您的管辖范围", "no such record, or outside your scope");
	if (err || (document_offered(d, ret, i->by) && document_fits(db, i->reg, d, ret, i->by, i->arena)))
		return err;
	bool role = false;
	for (size_t k = 0; k < d->nwho; k++)
		role |= auth_has_role(i->by, d->who[k]);
	if (!role)
		return problem_set(p, ERR_FORBIDDEN, NULL, "您的角色不能出具这份文书", "your role does not issue this document");
	return problem_set(p, ERR_CONFLICT, "state", "记录现在的情况不能出具这份文书", "this document cannot be issued as the record stands");
}

static enum err give_number(struct db *db, struct issue *i, const struct row *row, int64_t now)
{
	const struct document *d = i->d;
	struct common c = { .created_at = now };
	if (d->t)
		c = row->c;
	if (d->number.n)
		return flow_number(db, arena_printf(i->arena, "document:%.*s", STR_FMT(d->name)), d->number, c.area, c.enterprise, now, i->arena, &i->ret.number);
	struct issued before;
	enum err err = OK;
	i->ret.number = arena_printf(i->arena, "%.*s-%.*s", STR_FMT(d->name), STR_FMT(i->period.name));
	for (int n = 2; (err = issued_by_number(db, i->ret.number, i->arena, &before)) == OK; n++) // an earlier one is void
		i->ret.number = arena_printf(i->arena, "%.*s-%.*s-%d", STR_FMT(d->name), STR_FMT(i->period.name), n);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err read_anchor(struct db *db, struct issue *i)
{
	char hash[65];
	enum err err = audit_anchor(db, &i->ret.audit_seq, hash);
	i->ret.audit_hash = arena_str(i->arena, str_of(hash));
	return err;
}

// Where anybody may check it; the number is percent-encoded.
static struct str verify_url(struct issue *i)
{
	struct buf out;
	buf_init(&out, 4096);
	buf_printf(&out, "%.*s/verify/", STR_FMT(i->site_url));
	for (size_t k = 0; k < i->ret.number.n; k++) {
		unsigned char ch = (unsigned char)i->ret.number.p[k];
		bool plain = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '-' || ch == '.' || ch == '_';
		if (plain)
			buf_add_u8(&out, ch);
		else
			buf_printf(&out, "%%%02X", ch);
	}
	buf_printf(&out, "?h=%lld-%.*s", (long long)i->ret.audit_seq, ANCHOR_DIGITS, i->ret.audit_hash.p);
	struct str ret = arena_str(i->arena, buf_str(&out));
	buf_free(&out);
	return ret;
}

static enum err make_paper(struct db *db, struct issue *i, const struct row *row, struct str *ret)
{
	struct making m = {
		.store = i->store, .db = db, .reg = i->reg, .d = i->d, .row = i->d->t ? row : NULL, .period = i->period, .by = i->by,
		.office = i->office, .number = i->ret.number, .at = i->ret.at, .arena = i->arena, .url = verify_url(i),
		.anchor = arena_printf(i->arena, "%lld-%.*s", (long long)i->ret.audit_seq, ANCHOR_DIGITS, i->ret.audit_hash.p),
	};
	return document_make(&m, ret);
}

static enum err keep_paper(struct db *db, struct issue *i, struct str pdf, struct problem *p)
{
	struct file_in *f;
	struct file_info info = {
		.name = arena_printf(i->arena, "%.*s %.*s.pdf", STR_FMT(i->d->label.zh), STR_FMT(i->ret.number)), .uploader = i->by->person,
		.lon = NAN, .lat = NAN, .source = STR_EMPTY, .type = i->ret.type, .record = i->record,
		.field = arena_printf(i->arena, "document:%.*s", STR_FMT(i->d->name)),
	};
	enum err err = file_in_begin(&f, i->store, p);
	if (err)
		return err;
	(void)file_in_add(f, pdf.p, pdf.n);
	err = file_in_end(f, info.name, p);
	if (!err)
		err = files_add(db, f, &info, i->ret.by_name, p);
	i->ret.sm3 = arena_str(i->arena, file_in_sm3(f));
	i->ret.file = info.id;
	file_in_free(f);
	return err;
}

static enum err audit_document(struct db *db, const struct issued *d, const char *action, const struct identity *by,
                               struct str reason, struct arena *a)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 8192);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kstr(&w, "number", d->number);
	jw_kstr(&w, "sm3", d->sm3);
	jw_ki64(&w, "anchor", d->audit_seq);
	jw_kstr(&w, "hash", d->audit_hash);
	if (reason.n)
		jw_kstr(&w, "reason", reason);
	jw_end(&w);
	struct audit_entry e = { .actor = by->person, .actor_name = by->title.n ? by->title : by->name, .type = d->type, .record = d->record,
				 .action = arena_printf(a, "%s:%.*s", action, STR_FMT(d->document)) };
	e.detail = jw_done(&w) ? arena_str(a, buf_str(&out)) : STR("{}");
	buf_free(&out);
	return audit_add(db, &e);
}

static enum err issue_now(struct db *db, struct issue *i, const struct row *row, struct problem *p)
{
	char hash[65];
	struct str pdf;
	i->ret.at = clock_now();
	enum err err = give_number(db, i, row, i->ret.at);
	if (!err)
		err = read_anchor(db, i);
	if (!err)
		err = make_paper(db, i, row, &pdf);
	if (!err)
		err = keep_paper(db, i, pdf, p);
	if (!err)
		err = audit_document(db, &i->ret, "document", i->by, STR_EMPTY, i->arena);
	if (!err)
		err = audit_anchor(db, &i->ret.entry_seq, hash);
	if (!err)
		err = row_add(db, &i->ret);
	return err;
}

enum err document_issue(struct db *db, struct issue *i, struct problem *p)
{
	struct row row = { 0 };
	enum err err = find_row(db, i, &row, p);
	if (err)
		return err;
	if (!i->d->t && issued_period(db, i->d->name, i->period.name, i->arena, &i->ret) == OK)
		return OK;
	i->ret = (struct issued){ .document = i->d->name, .type = i->d->t ? i->d->t->name : STR("report"), .record = i->record,
				  .period = i->period.name, .by = i->by->person, .by_name = i->by->title.n ? i->by->title : i->by->name,
				  .void_reason = STR_EMPTY };
	err = issue_now(db, i, &row, p);
	if (!err && i->d->t)
		flow_changed(db, &(struct record_event){ .what = "updated", .type = i->d->t->name, .id = row.c.id, .state = row.c.state,
		                                         .area = row.c.area, .enterprise = row.c.enterprise });
	return err;
}

enum err document_void(struct db *db, const struct registry *reg, int64_t id, struct str reason, const struct identity *by,
                       struct problem *p)
{
	struct arena *a = db_arena(db);
	struct issued d;
	struct query q;
	enum err err = issued_get(db, id, a, &d);
	const struct documents *ds = documents_take(reg);
	const struct document *doc = err ? NULL : document_find(ds, d.document);
	bool may = doc && document_offered(doc, NULL, by);
	documents_give(ds);
	if (err == ERR_NOT_FOUND)
		return problem_set(p, err, "id", "没有这份文书", "no such document");
	if (!err && !may)
		return problem_set(p, ERR_FORBIDDEN, NULL, "只有能出具它的角色可以作废", "only a role that issues it can void it");
	if (!err && !str_trim(reason).n)
		return problem_set(p, ERR_INVALID, "reason", "请写明作废原因", "give the reason");
	if (!err && d.void_at)
		return problem_set(p, ERR_CONFLICT, "id", "已经作废", "it is void already");
	if (err)
		return err;
	query_begin(&q, db, STMT_ISSUED_VOID);
	query_i64(&q, 1, id);
	query_i64(&q, 2, clock_now());
	query_i64(&q, 3, by->person);
	query_str(&q, 4, reason);
	err = query_run(&q);
	return err ? err : audit_document(db, &d, "document.void", by, reason, a);
}

// ---- reports that are due ----------------------------------------------------------------------
static enum err report_there(struct db *db, const struct document *d, struct str period, struct arena *a, bool *ret)
{
	struct issued *v;
	size_t n;
	enum err err = issued_reports(db, d->name, 50, a, &v, &n); // a void one counts: it was made once
	for (size_t i = 0; i < n && !err; i++)
		*ret |= str_eq(v[i].period, period);
	return err;
}

static bool report_due(const struct document *d, int64_t now, int64_t since, struct arena *a, struct report_period *ret)
{
	*ret = report_period_at(d->every, now, 1, a);
	if (ret->to + d->at > now)
		*ret = report_period_at(d->every, now, 2, a);
	return ret->to > since; // what lies before this platform's first day has nothing to tell
}

enum err reports_tick(struct db *db, struct store *s, const struct registry *reg, struct str office, struct str site_url, int64_t now,
                      struct arena *a, bool *ret_more)
{
	const struct documents *ds = documents_take(reg);
	struct identity system = identity_system();
	struct audit_entry first;
	struct problem p;
	enum err err = audit_one(db, 1, a, &first);
	bool made = false;
	*ret_more = false;
	problem_init(&p, a);
	for (size_t i = 0; i < ds->n && !err && !made; i++) {
		bool there = false;
		struct issue is = { .store = s, .reg = reg, .d = &ds->v[i], .by = &system, .office = office, .site_url = site_url, .arena = a };
		if (is.d->t || !report_due(is.d, now, first.at, a, &is.period))
			continue;
		err = report_there(db, is.d, is.period.name, a, &there);
		if (err || there)
			continue;
		err = document_issue(db, &is, &p);
		made = !err;
		if (made)
			log_info("report", "%.*s of %.*s was made", STR_FMT(is.d->name), STR_FMT(is.period.name));
	}
	*ret_more = made;
	documents_give(ds);
	return err == ERR_NOT_FOUND ? OK : err;
}

// ---- verifying ---------------------------------------------------------------------------------
// The entry of the issue, whole and naming this paper; the anchor, still what the chain holds.
static bool chain_holds(struct db *db, const struct issued *i, struct arena *a)
{
	struct audit_entry e;
	char hash[65];
	if (audit_one(db, i->entry_seq, a, &e) || audit_hash_at(db, i->audit_seq, hash) || !str_is(i->audit_hash, hash))
		return false;
	struct str number = arena_printf(a, "\"sm3\":\"%.*s\"", STR_FMT(i->sm3));
	return str_contains(e.detail, number) && str_starts(e.action, STR("document:")) && str_contains(e.detail, i->audit_hash);
}

enum err issued_verify(struct store *s, struct db *db, const struct issued *i, struct str anchor, struct verdict *ret)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct file_info info;
	struct str bytes, want = arena_printf(a, "%lld-%.*s", (long long)i->audit_seq, ANCHOR_DIGITS, i->audit_hash.p);
	*ret = (struct verdict){ .given = anchor.n > 0, .anchor = str_eq(anchor, want), .chain = chain_holds(db, i, a) };
	enum err err = files_info(db, i->file, a, &info);
	if (!err)
		ret->content = str_eq(info.sm3, i->sm3) && files_read(s, &info, a, &bytes) == OK;
	return err == ERR_NOT_FOUND ? OK : err;
}
