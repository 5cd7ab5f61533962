// Files of a record: of the kinds its fields take, and from now on its own. Called by flow.c in the store job of the change.
#include <math.h>

#include "flow/draft.h"
#include "store/files.h"

static bool accepted(const struct field *f, struct str mime)
{
	struct str group = file_group(mime);
	if (f->kind == FIELD_PHOTOS)
		return str_is(group, "image");
	for (size_t i = 0; i < f->naccept; i++)
		if (str_eq(f->accept[i], group))
			return true;
	return f->naccept == 0;
}

static enum err check_file(const struct field *f, const struct file_info *info, struct problem *p)
{
	if (!accepted(f, info->mime))
		return field_wrong(p, f, ERR_INVALID, "不收这种文件（%.*s）", "does not take this kind of file (%.*s)", STR_FMT(info->name));
	if (f->where && (info->taken_at == 0 || isnan(info->lon) || isnan(info->lat)))
		return field_wrong(p, f, ERR_INVALID, "照片“%.*s”没有拍摄时间或位置；请打开定位后重拍",
		                   "the photo \"%.*s\" has no time or place; switch the location on and take it again", STR_FMT(info->name));
	return OK;
}

static enum err bind_one(struct db *db, const struct draft *d, const struct field *f, int64_t file, int64_t id, const struct identity *by,
                         struct arena *a, struct problem *p)
{
	struct file_info info;
	enum err err = files_info(db, file, a, &info);
	if (err == ERR_NOT_FOUND)
		return field_wrong(p, f, ERR_INVALID, "没有编号为 %lld 的文件，请重新上传", "there is no file %lld; upload it again", (long long)file);
	if (!err)
		err = check_file(f, &info, p);
	if (!err)
		err = files_bind(db, file, d->t->name, id, f->name, by->person, p);
	return err;
}

enum err draft_bind_files(struct db *db, const struct draft *d, int64_t id, const struct identity *by, struct arena *a,
                          struct problem *p)
{
	for (size_t i = 0; i < d->t->nfields; i++) {
		const struct field *f = &d->t->fields[i];
		int64_t *ids;
		if (!d->given[i] || (f->kind != FIELD_FILES && f->kind != FIELD_PHOTOS))
			continue;
		size_t n = value_ids(&d->vals[f->col], a, &ids);
		for (size_t k = 0; k < n; k++) {
			enum err err = bind_one(db, d, f, ids[k], id, by, a, p);
			if (err)
				return err;
		}
	}
	return OK;
}
