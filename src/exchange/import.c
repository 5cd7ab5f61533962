// The thread that works on imports, and what starts them. State is in table import only: the thread takes the oldest one
// that has something to do, so a restart goes on where the last commit ended.
#include "exchange/import.h"

#include <math.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "exchange/import_in.h"
#include "store/audit.h"

#define RETRY_S 2

// The upload as it came, checked against its digest; in the arena.
static enum err read_upload(struct imports *im, int64_t file, struct arena *a, struct str *ret)
{
	struct file_info info;
	struct db *db = store_read_begin(im->store);
	enum err err = files_info(db, file, a, &info);
	store_read_end(im->store, db);
	return err ? err : files_read(im->store, &info, a, ret);
}

// ---- jobs --------------------------------------------------------------------------------------

struct act {                // a small change of one import
	int64_t id;
	const struct import_request *rq;
	const struct identity *by;
	bool skip_errors;
	const char *state;
	bool failed_run;
	const struct problem *why;
	struct str columns;
	struct arena *arena;
};

static enum err audit(struct db *db, const struct identity *by, const char *action, int64_t id, struct str detail)
{
	return audit_add(db, &(struct audit_entry){ .at = clock_now(), .actor = by->person, .actor_name = by->title.n ? by->title : by->name,
	                                            .action = str_of(action), .type = STR("import"), .record = id, .detail = detail });
}

static struct str add_detail(const struct act *x, const struct file_info *f)
{
	struct buf b;
	struct jw w;
	buf_init(&b, 64 << 10);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "type", x->rq->type);
	jw_kstr(&w, "name", f->name);
	jw_ki64(&w, "file", f->id);
	jw_kstr(&w, "sm3", f->sm3);
	jw_ki64(&w, "size", f->size);
	jw_end(&w);
	struct str s = jw_done(&w) ? arena_str(x->arena, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return s;
}

// The upload stays, bound to its import: it is what the records were made from.
static enum err keep_upload(struct db *db, struct act *x, struct file_info *info, struct problem *p)
{
	*info = (struct file_info){ .name = x->rq->name, .uploader = x->by->person, .lon = NAN, .lat = NAN, .source = STR_EMPTY,
	                            .type = STR("import"), .record = x->id, .field = STR("file") };
	enum err err = files_add(db, x->rq->file, info, x->by->name, p);
	if (err)
		return err;
	struct query q;
	query_begin(&q, db, STMT_IMPORT_FILE);
	query_i64(&q, 1, x->id);
	query_i64(&q, 2, info->id);
	query_str(&q, 3, info->sm3);
	return query_run(&q);
}

static enum err add_job(struct db *db, void *arg, struct problem *p)
{
	struct act *x = arg;
	struct query q;
	int64_t waiting = 0;
	query_begin(&q, db, STMT_IMPORT_WAITING);
	if (query_row(&q))
		waiting = query_get_i64(&q, 0);
	enum err err = query_end(&q);
	if (!err && waiting >= LIMIT_IMPORTS_WAITING)
		err = problem_set(p, ERR_THROTTLED, "", "排队的导入太多，请稍后再试", "too many imports are waiting; try again later");
	if (err)
		return err;
	query_begin(&q, db, STMT_IMPORT_ADD);
	query_str(&q, 1, x->rq->type);
	query_str(&q, 2, x->rq->format);
	query_str(&q, 3, x->rq->key);
	query_str(&q, 4, x->rq->name);
	query_i64(&q, 5, x->by->person);
	query_str(&q, 6, x->by->title);
	query_i64(&q, 7, clock_now());
	err = query_run(&q);
	x->id = db_last_id(db);
	struct file_info info;
	if (!err)
		err = keep_upload(db, x, &info, p);
	return err ? err : audit(db, x->by, "import.add", x->id, add_detail(x, &info));
}

static enum err own_import(struct db *db, const struct act *x, struct import *ret, struct problem *p)
{
	enum err err = import_get(db, x->id, x->arena, ret);
	if (err == ERR_NOT_FOUND || (!err && ret->person != x->by->person))
		return problem_set(p, ERR_NOT_FOUND, "id", "没有这次导入，或不是你上传的", "there is no such import of yours");
	return err;
}

static enum err run_job(struct db *db, void *arg, struct problem *p)
{
	struct act *x = arg;
	struct import im;
	enum err err = own_import(db, x, &im, p);
	if (err)
		return err;
	if (!str_is(im.state, "checked"))
		return problem_set(p, ERR_CONFLICT, "", "这次导入不在“已检查”状态，不能执行", "only an import that has been checked can be run");
	if (im.failed && !x->skip_errors) {
		problem_set(p, ERR_CONFLICT, "skip_errors", "有 %lld 行有错，没有执行", "%lld rows are wrong: nothing was done", (long long)im.failed);
		problem_hint(p, "改好后重新上传，或选择跳过有错的行", "correct them and upload again, or choose to skip the wrong rows");
		return ERR_CONFLICT;
	}
	err = import_reset(db, im.id, false);
	if (!err)
		err = import_set_state(db, &im, "running", x->skip_errors, false, NULL);
	return err ? err : audit(db, x->by, "import.run", im.id, x->skip_errors ? STR("{\"skip_errors\":true}") : STR("{}"));
}

static enum err start_undo_job(struct db *db, void *arg, struct problem *p)
{
	struct act *x = arg;
	struct import im;
	enum err err = own_import(db, x, &im, p);
	if (err)
		return err;
	if (!str_is(im.state, "done"))
		return problem_set(p, ERR_CONFLICT, "", "只有完成了的导入才能撤销", "only an import that is done can be undone");
	struct query q;
	query_begin(&q, db, STMT_IMPORT_ERROR_CLEAR); // from here on the list says what could not be undone
	query_i64(&q, 1, im.id);
	err = query_run(&q);
	if (!err)
		err = import_set_state(db, &im, "undoing", im.skip_errors, false, NULL);
	return err ? err : audit(db, x->by, "import.undo", im.id, STR("{}"));
}

static enum err state_job(struct db *db, void *arg, struct problem *p)
{
	struct act *x = arg;
	struct import im;
	(void)p;
	enum err err = import_get(db, x->id, x->arena, &im);
	return err ? err : import_set_state(db, &im, x->state, im.skip_errors, x->failed_run, x->why);
}

static enum err columns_job(struct db *db, void *arg, struct problem *p)
{
	struct act *x = arg;
	struct query q;
	(void)p;
	enum err err = import_reset(db, x->id, true);
	query_begin(&q, db, STMT_IMPORT_COLUMNS);
	query_i64(&q, 1, x->id);
	query_str(&q, 2, x->columns);
	query_i64(&q, 3, clock_now());
	enum err run = query_run(&q);
	return err ? err : run;
}

static enum err write_job(struct imports *im, store_job *job, void *arg)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct problem p;
	problem_init(&p, a);
	return store_write(im->store, job, arg, &p);
}

// ---- the phases --------------------------------------------------------------------------------

struct phase {
	struct imports *im;
	struct import import;
	const struct registry *reg;
	struct identity by;
	struct arena *arena;
	struct source source;
	bool check;
};

static bool stopping(struct imports *im)
{
	pthread_mutex_lock(&im->mutex);
	bool yes = im->stopping;
	pthread_mutex_unlock(&im->mutex);
	return yes;
}

static enum err set_state(struct phase *ph, const char *state, bool failed_run, const struct problem *why)
{
	struct act x = { .id = ph->import.id, .state = state, .failed_run = failed_run, .why = why, .arena = ph->arena };
	return write_job(ph->im, state_job, &x);
}

static enum err find_person(struct phase *ph, struct problem *p)
{
	if (ph->import.failed_run) { // taken back by the system, whatever he may
		ph->by = identity_system();
		return OK;
	}
	struct db *db = store_read_begin(ph->im->store);
	enum err err = auth_person(db, ph->reg, ph->import.person, ph->arena, &ph->by);
	store_read_end(ph->im->store, db);
	return err ? problem_set(p, err, "", "上传人的账号已停用", "the account of who uploaded it is not in use any more") : OK;
}

// One reading of rows, as many jobs as they need. *ret_stop: a row ended the run.
static enum err work_slice(struct phase *ph, struct import_line *lines, size_t n, bool *ret_stop)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct slice s = { .reg = ph->reg, .t = ph->source.t, .by = &ph->by, .im = &ph->import, .columns = &ph->source.columns,
	                   .check = ph->check, .v = lines, .n = n, .failed_at = SIZE_MAX, .arena = a };
	enum err err = OK;
	size_t before = 0;
	*ret_stop = false;
	while (!err && s.done < s.n && !*ret_stop && !stopping(ph->im)) {
		err = write_job(ph->im, slice_job, &s);
		for (; !err && before < s.done; before++)
			source_made(&ph->source, &lines[before]);
		*ret_stop = s.failed_at != SIZE_MAX;
	}
	if (!err && s.done < s.n && !*ret_stop)
		err = ERR_UNAVAILABLE; // stopping
	return err;
}

static enum err next_lines(struct phase *ph, struct arena *a, struct import_line *lines, size_t *ret_n, struct problem *p)
{
	struct db *db = store_read_begin(ph->im->store);
	ph->source.cells.db = db;
	enum err err = source_next(&ph->source, (uint32_t)ph->import.done, a, lines, ret_n, p);
	ph->source.cells.db = NULL;
	store_read_end(ph->im->store, db);
	return err;
}

static enum err work_rows(struct phase *ph, bool *ret_stop, struct problem *p)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct import_line *lines = mem_alloc(SLICE_ROWS * sizeof *lines);
	enum err err = OK;
	*ret_stop = false;
	for (size_t n = 1; !err && n && !*ret_stop;) {
		arena_reset(a);
		err = stopping(ph->im) ? ERR_UNAVAILABLE : next_lines(ph, a, lines, &n, p);
		if (!err)
			err = work_slice(ph, lines, n, ret_stop);
		lines_free(lines, n);
	}
	mem_free(lines);
	return err;
}

// What is wrong with the file itself ends the import; everything else is tried again.
static bool is_final(enum err err)
{
	return err == ERR_INVALID || err == ERR_PARSE || err == ERR_TOO_LARGE || err == ERR_UNSUPPORTED || err == ERR_NOT_FOUND ||
	       err == ERR_UNAUTHENTICATED || err == ERR_FORBIDDEN || err == ERR_CONFLICT;
}

static enum err run_rows(struct phase *ph, struct str bytes, struct problem *p)
{
	bool stop = false;
	enum err err = source_open(&ph->source, &ph->import, bytes, ph->reg, &ph->by, ph->check, p);
	if (!err && ph->check) {
		struct act x = { .id = ph->import.id, .columns = columns_json(&ph->source.columns, ph->source.t, ph->arena) };
		err = write_job(ph->im, columns_job, &x);
		ph->import.done = 0; // a check that was interrupted begins again
	}
	if (!err)
		err = work_rows(ph, &stop, p);
	if (!err && stop) {
		struct problem why;
		problem_init(&why, ph->arena);
		problem_set(&why, ERR_CONFLICT, "", "执行时有一行出错（见错误表），已做的全部撤回", "a row failed while it ran (see the list): all of it was taken back");
		err = set_state(ph, "undoing", true, &why);
	} else if (!err) {
		err = set_state(ph, ph->check ? "checked" : "done", false, NULL);
	}
	source_close(&ph->source);
	return err;
}

static enum err undo(struct phase *ph)
{
	const struct type *t = registry_type(ph->reg, ph->import.type);
	struct undo_slice u = { .reg = ph->reg, .t = t, .by = &ph->by, .im = &ph->import, .done = 1 };
	enum err err = t ? OK : ERR_NOT_FOUND;
	while (!err && u.done)
		err = stopping(ph->im) ? ERR_UNAVAILABLE : write_job(ph->im, undo_job, &u);
	return err ? err : set_state(ph, ph->import.failed_run ? "failed" : "undone", ph->import.failed_run, NULL);
}

static enum err work(struct phase *ph)
{
	struct problem p;
	problem_init(&p, ph->arena);
	ph->check = str_is(ph->import.state, "checking");
	enum err err = find_person(ph, &p);
	if (!err && str_is(ph->import.state, "undoing")) {
		err = undo(ph);
	} else if (!err) {
		struct str bytes = STR_EMPTY;
		err = read_upload(ph->im, ph->import.file, ph->arena, &bytes);
		if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
			err = problem_set(&p, ERR_NOT_FOUND, "", "上传的文件不在或已损坏，请重新上传", "the uploaded file is gone or damaged; upload it again");
		if (!err)
			err = run_rows(ph, bytes, &p);
	}
	if (!is_final(err))
		return err;
	if (p.err == OK)
		problem_set(&p, err, "", "%s%.0s", "%.0s%s", err_text(err, true), err_text(err, false));
	bool made = str_is(ph->import.state, "running"); // what was done before is taken back
	return set_state(ph, made ? "undoing" : "failed", made, &p);
}

// True if there was something to do; *ret_retry: it could not be done now.
static bool work_next(struct imports *im, bool *ret_retry)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct phase ph = { .im = im, .arena = a };
	struct query q;
	struct db *db = store_read_begin(im->store);
	query_begin(&q, db, STMT_IMPORT_NEXT);
	bool any = import_read(&q, a, &ph.import);
	enum err err = query_end(&q);
	store_read_end(im->store, db);
	*ret_retry = err != OK;
	if (err || !any)
		return false;
	ph.reg = registry_pin();
	err = work(&ph);
	registry_unpin(ph.reg);
	*ret_retry = err != OK;
	if (err && err != ERR_UNAVAILABLE)
		log_error("exchange", "import %lld waits: %s", (long long)ph.import.id, err_name(err));
	return !err;
}

static void *imports_main(void *arg)
{
	struct imports *im = arg;
	pthread_setname_np(pthread_self(), "imports");
	while (!stopping(im)) {
		bool retry;
		if (work_next(im, &retry))
			continue;
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += RETRY_S;
		pthread_mutex_lock(&im->mutex);
		if (retry && !im->stopping)
			pthread_cond_timedwait(&im->cond, &im->mutex, &until);
		while (!retry && !im->stopping && !im->woken)
			pthread_cond_wait(&im->cond, &im->mutex);
		im->woken = false;
		pthread_mutex_unlock(&im->mutex);
	}
	return NULL;
}

static void wake(struct imports *im)
{
	pthread_mutex_lock(&im->mutex);
	im->woken = true;
	pthread_cond_signal(&im->cond);
	pthread_mutex_unlock(&im->mutex);
}

// ---- opening and closing -----------------------------------------------------------------------

enum err imports_open(struct imports **ret, struct store *s, struct problem *p)
{
	struct imports *im = mem_alloc(sizeof *im);
	im->store = s;
	pthread_mutex_init(&im->mutex, NULL);
	pthread_cond_init(&im->cond, NULL);
	if (pthread_create(&im->thread, NULL, imports_main, im)) {
		mem_free(im);
		return problem_set(p, ERR_UNAVAILABLE, "", "无法创建线程", "cannot create a thread");
	}
	*ret = im;
	return OK;
}

void imports_close(struct imports *im)
{
	if (!im)
		return;
	pthread_mutex_lock(&im->mutex);
	im->stopping = true;
	pthread_cond_signal(&im->cond);
	pthread_mutex_unlock(&im->mutex);
	pthread_join(im->thread, NULL);
	pthread_mutex_destroy(&im->mutex);
	pthread_cond_destroy(&im->cond);
	mem_free(im);
}

// ---- what people ask for -----------------------------------------------------------------------

static enum err check_request(const struct registry *reg, const struct identity *by, struct import_request *rq, struct problem *p)
{
	const struct type *t = registry_type(reg, rq->type);
	if (!t || !auth_may_read(by, t))
		return problem_set(p, ERR_NOT_FOUND, "type", "没有这个类型，或无权查看", "no such type, or not yours to see");
	if (!auth_may_create(by, t) && !auth_may_edit(by, t))
		return problem_set(p, ERR_FORBIDDEN, "type", "你的角色不能新建或修改这类记录", "your role may neither create nor edit records of this kind");
	if (rq->key.n && !import_key_ok(t, rq->key))
		return problem_set(p, ERR_INVALID, "key", "用来对应记录的字段须是 number、id 或不重复的文字字段", "the key must be number, id or a unique text field");
	if (rq->format.n == 0)
		rq->format = str_starts(file_in_head(rq->file), STR("PK\x03\x04")) ? STR("xlsx") : STR("csv");
	if (!str_is(rq->format, "csv") && !str_is(rq->format, "xlsx"))
		return problem_set(p, ERR_INVALID, "format", "格式须为 csv 或 xlsx", "the format must be csv or xlsx");
	return OK;
}

enum err imports_add(struct imports *im, const struct registry *reg, const struct identity *by, const struct import_request *asked,
                     struct arena *a, int64_t *ret_id, struct problem *p)
{
	struct import_request rq = *asked;
	struct act x = { .rq = &rq, .by = by, .arena = a };
	enum err err = check_request(reg, by, &rq, p);
	if (!err)
		err = file_in_end(rq.file, rq.name, p);
	if (!err)
		err = store_write(im->store, add_job, &x, p);
	if (err)
		return err;
	*ret_id = x.id;
	wake(im);
	return OK;
}

static enum err ask(struct imports *im, store_job *job, int64_t id, bool skip_errors, const struct identity *by, struct problem *p)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct act x = { .id = id, .by = by, .skip_errors = skip_errors, .arena = a };
	enum err err = store_write(im->store, job, &x, p);
	wake(im);
	return err;
}

enum err imports_run(struct imports *im, int64_t id, bool skip_errors, const struct identity *by, struct problem *p)
{
	return ask(im, run_job, id, skip_errors, by, p);
}

enum err imports_undo(struct imports *im, int64_t id, const struct identity *by, struct problem *p)
{
	return ask(im, start_undo_job, id, false, by, p);
}
