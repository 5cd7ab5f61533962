// Files: upload and download. Who may read a file is who may read the record and the field it belongs to.
#include <math.h>
#include <unistd.h>

#include "api/api.h"
#include "api/exif.h"
#include "report/document.h"

// Shown pages must not run anything: no scripts, no connections. PDF is not put into the sandbox, in which browsers'
// viewers do not start; a viewer runs apart from our pages anyway. Our own pages may show it in a frame (a course's material).
static const char csp_image[] = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; sandbox";
static const char csp_pdf[] = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; plugin-types application/pdf; frame-ancestors 'self'";

enum err call_file(struct call *c, int fd, int64_t size, struct str mime, struct str name, bool shown)
{
	bool pdf = str_is(mime, "application/pdf"), picture = str_is(file_group(mime), "image");
	c->rs->fd = fd;
	c->rs->fd_size = (uint64_t)size;
	c->rs->type = arena_cstr(c->arena, mime);
	if (str_starts(mime, STR("text/")) && !str_contains(mime, STR("charset")))
		c->rs->type = arena_printf(c->arena, "%.*s; charset=utf-8", STR_FMT(mime)).p;
	c->rs->filename = name;
	c->rs->shown = shown && (pdf || picture);
	c->rs->csp = pdf ? csp_pdf : csp_image;
	return OK;
}

// ---- upload ------------------------------------------------------------------------------------
static enum err read_degree(struct call *c, const char *name, double limit, double *ret)
{
	struct str s = http_query(c->rq, name);
	*ret = NAN;
	if (s.n && (!str_to_f64(s, ret) || !(fabs(*ret) <= limit)))
		return call_fail(c, ERR_INVALID, name, "应为度，如 110.5", "degrees are expected, for example 110.5");
	return OK;
}

// The last part of a path; no control characters; at most 200 bytes, cut between characters.
static struct str plain_name(struct call *c, struct str name)
{
	struct buf out;
	buf_init(&out, 512);
	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/' || name.p[i - 1] == '\\') {
			name = str_skip(name, i);
			break;
		}
	for (size_t i = 0; i < name.n;) {
		size_t n = utf8_sequence((const uint8_t *)name.p + i, name.n - i);
		if (n > 1 || (n == 1 && (unsigned char)name.p[i] >= ' ' && name.p[i] != 127)) {
			if (out.n + n > 200)
				break;
			buf_add(&out, name.p + i, n);
		}
		i += MAX(n, (size_t)1);
	}
	struct str ret = arena_str(c->arena, str_trim(buf_str(&out)));
	buf_free(&out);
	return ret;
}

static enum err read_claims(struct call *c, struct file_info *i)
{
	i->name = plain_name(c, http_query(c->rq, "name"));
	i->uploader = c->id.person;
	if (!i->name.n)
		return call_fail(c, ERR_INVALID, "name", "请在 name 参数里给出文件名", "give the name of the file in the parameter name");
	enum err err = query_time(c, "taken_at", 0, &i->taken_at);
	if (!err)
		err = read_degree(c, "lon", 180, &i->lon);
	if (!err)
		err = read_degree(c, "lat", 90, &i->lat);
	if (isnan(i->lon) || isnan(i->lat))
		i->lon = i->lat = NAN;
	if (i->taken_at || !isnan(i->lon))
		i->source = STR("client");
	return err;
}

static void fill_from_picture(struct call *c, struct file_info *i)
{
	struct file_in *f = call_upload(c);
	if (i->source.n || !str_is(file_in_mime(f), "image/jpeg"))
		return;
	exif_read(file_in_head(f), &i->taken_at, &i->lon, &i->lat);
	if (i->taken_at || !isnan(i->lon))
		i->source = STR("exif");
}

struct upload {
	struct call *c;
	struct file_info *info;
};

static enum err upload_job(struct db *db, void *arg, struct problem *p)
{
	struct upload *u = arg;
	int64_t waiting;
	enum err err = files_waiting(db, u->c->id.person, &waiting);
	if (!err && waiting >= LIMIT_FILES_WAITING)
		err = problem_set(p, ERR_TOO_LARGE, "file", "您已上传 %u MB 还没有用到记录里的文件；请先保存记录，或一天后再传",
		                  "you have uploaded %u MB that no record has taken yet; save the records first, or come back in a day",
		                  LIMIT_FILES_WAITING >> 20);
	return err ? err : files_add(db, call_upload(u->c), u->info, u->c->id.name, p);
}

static void info_json(struct jw *w, const struct file_info *i)
{
	jw_obj(w);
	jw_ki64(w, "id", i->id);
	jw_kstr(w, "name", i->name);
	jw_ki64(w, "size", i->size);
	jw_kstr(w, "mime", i->mime);
	jw_kstr(w, "sm3", i->sm3);
	if (i->taken_at)
		jw_ktime(w, "taken_at", i->taken_at);
	if (!isnan(i->lon)) {
		jw_kf64(w, "lon", i->lon);
		jw_kf64(w, "lat", i->lat);
	}
	if (i->source.n)
		jw_kstr(w, "source", i->source);
	jw_end(w);
}

enum err files_post(struct call *c)
{
	struct file_info i = { .source = STR_EMPTY };
	if (!call_upload(c))
		return call_fail(c, ERR_UNAVAILABLE, NULL, "正在上传的文件太多，请稍后再试", "too many files are being uploaded; try again in a moment");
	enum err err = read_claims(c, &i);
	if (!err)
		err = file_in_end(call_upload(c), i.name, &c->p);
	if (err)
		return err;
	fill_from_picture(c, &i);
	err = store_write(c->app->store, upload_job, &(struct upload){ c, &i }, &c->p);
	if (err)
		return err;
	info_json(&c->w, &i);
	c->rs->status = 201;
	return OK;
}

// ---- download ----------------------------------------------------------------------------------
static bool may_read_record(struct call *c, const struct file_info *i)
{
	const struct type *t = registry_type(c->reg, i->type);
	struct row row;
	if (!t || !auth_may_read(&c->id, t))
		return false;
	const struct field *f = type_field(t, i->field);
	if (f && !auth_may_read_field(&c->id, f))
		return false;
	struct scope scope = auth_scope(&c->id, t);
	return records_get(call_db(c), &t->table, &scope, i->record, c->arena, &row) == OK;
}

static bool may_read_report(struct call *c, const struct file_info *i)
{
	const struct documents *ds = documents_take(c->reg);
	const struct document *d = document_find(ds, str_skip(i->field, strlen("document:")));
	bool ret = d && document_offered(d, NULL, &c->id);
	documents_give(ds);
	return ret;
}

static bool may_read(struct call *c, const struct file_info *i)
{
	if (!i->type.n)
		return c->id.person && i->uploader == c->id.person;
	if (str_is(i->type, "report"))
		return may_read_report(c, i);
	return may_read_record(c, i);
}

enum err files_get(struct call *c)
{
	struct file_info i;
	int64_t id;
	int fd;
	enum err err = param_id(c, 0, &id);
	if (!err)
		err = files_info(call_db(c), id, c->arena, &i);
	if (!err && !may_read(c, &i))
		err = ERR_NOT_FOUND; // whether it exists is not told either
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "id", "没有这个文件，或无权查看", "no such file, or not yours to see");
	if (!err && files_open(c->app->store, &i, &fd))
		return call_fail(c, ERR_CORRUPT, "id", "文件内容丢失，请从备份恢复", "the content of the file is lost; restore it from the backup");
	return err ? err : call_file(c, fd, i.size, i.mime, i.name, true);
}
