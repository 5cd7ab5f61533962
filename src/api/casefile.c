#include "api/casefile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/chain.h"
#include "base/hash.h"
#include "base/time.h"

// A free name beside other files on their way.
enum err casefile_begin(struct casefile *f, struct call *c)
{
	char folder[PATH_MAX], path[PATH_MAX];
	int fd;
	*f = (struct casefile){ .c = c, .at = clock_now() };
	enum err err = files_temp(c->app->store, folder, path, &fd);
	if (err)
		return err;
	close(fd);
	unlink(path);
	if (snprintf(f->path, sizeof f->path, "%s.zip", path) >= (int)sizeof f->path)
		return ERR_TOO_LARGE;
	return bundle_begin(&f->b, f->path, &c->p);
}

enum err casefile_member(struct casefile *f, const char *name, struct str bytes)
{
	enum err err = bundle_member(f->b, name, &f->c->p);
	if (!err)
		err = bundle_add(f->b, bytes);
	return err ? err : bundle_member_end(f->b, &f->c->p);
}

void casefile_how(struct buf *b, const char *example)
{
	buf_printf(b, "\r\n核验：\r\n1 对每个文件计算 SM3（如 openssl dgst -sm3 %s），与 SM3SUMS.txt 一致。\r\n"
	           "2 SM3SUMS.txt 自身的 SM3 等于 manifest.json 中 audit.entry.detail.sm3sums。\r\n"
	           "3 按 audit.how 由 audit.before 与 audit.entry 算出 audit.after；平台审计链中该序号的摘要与之相同，之后任何一次留存在外的锚点都证明它未被改动。\r\n", example);
	buf_printf(b, "\r\nTo verify: 1 the SM3 of each file is in SM3SUMS.txt; 2 the SM3 of SM3SUMS.txt is in audit.entry.detail of manifest.json; "
	           "3 audit.after follows from audit.before and audit.entry as audit.how says, and is the digest of that entry in the platform's chain: any later anchor kept elsewhere proves it.\r\n");
}

static enum err put_sums(struct casefile *f)
{
	struct buf b;
	size_t i;
	json_t *m;
	uint8_t hash[SM3_LEN];
	buf_init(&b, 1 << 20);
	json_array_foreach(bundle_members(f->b), i, m)
		buf_printf(&b, "%s  %s\n", json_string_value(json_object_get(m, "sm3")), json_string_value(json_object_get(m, "name")));
	sm3_once(buf_str(&b), hash);
	str_to_hex(hash, SM3_LEN, f->digest);
	f->digest[2 * SM3_LEN] = 0;
	enum err err = buf_ok(&b) ? casefile_member(f, "SM3SUMS.txt", buf_str(&b)) : ERR_TOO_LARGE;
	buf_free(&b);
	return err;
}

static enum err audit_job(struct db *db, void *arg, struct problem *p)
{
	struct casefile *f = arg;
	(void)p;
	enum err err = audit_anchor(db, &f->entry.seq, f->before);
	if (!err)
		err = audit_add(db, &f->entry);
	return err ? err : audit_anchor(db, &f->entry.seq, f->after);
}

static json_t *text_json(struct str s) { return json_stringn(s.p ? s.p : "", s.n); }

static void fill_manifest(struct casefile *f)
{
	const struct audit_entry *e = &f->entry;
	uint8_t hash[SM3_LEN];
	json_t *m = bundle_manifest(f->b), *audit = json_object();
	json_object_set_new(m, "kind", json_string("case"));
	json_object_set_new(m, "version", json_integer(1));
	json_object_set_new(audit, "entry", json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:o}", "seq", (json_int_t)e->seq, "at", (json_int_t)e->at, "actor",
	                                              (json_int_t)e->actor, "actor_name", text_json(e->actor_name), "action", text_json(e->action), "type",
	                                              text_json(e->type), "record", (json_int_t)e->record, "detail", text_json(e->detail)));
	json_object_set_new(audit, "before", json_string(f->before));
	json_object_set_new(audit, "after", json_string(f->after));
	if (str_from_hex(str_of(f->after), hash, SM3_LEN))
		json_object_set_new(audit, "anchor", text_json(chain_anchor_line(e->seq, hash, f->at, f->c->arena)));
	json_object_set_new(audit, "how", json_string("after = SM3(before as 32 bytes, then seq, at, actor, record as 8 bytes little-endian, then actor_name, action, type, detail, each "
	                                              "with its length in bytes in front as 4 bytes little-endian; texts in UTF-8). at: microseconds since 1970-01-01 UTC"));
	json_object_set_new(m, "audit", audit);
}

enum err casefile_end(struct casefile *f, struct buf *detail, struct jw *w)
{
	struct call *c = f->c;
	enum err err = put_sums(f);
	if (err)
		return err;
	jw_kcstr(w, "sm3sums", f->digest);
	jw_kstr(w, "peer", c->id.peer);
	jw_end(w);
	f->entry.at = f->at;
	f->entry.actor = c->id.actor ? c->id.actor : c->id.person;
	f->entry.actor_name = c->id.title.n ? c->id.title : c->id.name;
	f->entry.detail = jw_done(w) ? arena_str(c->arena, buf_str(detail)) : STR("{}");
	call_db_refresh(c); // no snapshot is held while the writer works
	err = store_write(c->app->store, audit_job, f, &c->p);
	if (err)
		return err;
	fill_manifest(f);
	return bundle_end(f->b, &c->p);
}

enum err casefile_answer(struct casefile *f, struct str name)
{
	struct stat st;
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		if (fd >= 0)
			close(fd);
		return ERR_IO;
	}
	return call_file(f->c, fd, st.st_size, STR("application/zip"), name, false);
}

void casefile_free(struct casefile *f)
{
	bundle_free(f->b);
	if (f->path[0])
		unlink(f->path); // open still, gone when it was sent
}
