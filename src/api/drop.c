// The last files of the drop folder: what became of each.
#include "api/api.h"
#include "base/time.h"

enum err drop_get(struct call *c)
{
	static const char *const states[] = { "reading", "done", "failed" };
	struct drop_file *v = arena_many(c->arena, DROP_SHOWN, struct drop_file);
	struct drop_totals totals;
	size_t n = c->app->drop_files(c->app, v, &totals);
	struct jw *w = &c->w;
	jw_obj(w);
	jw_karr(w, "items");
	for (size_t i = n; i-- > 0;) {
		const char *why = call_is_en(c) ? v[i].en : v[i].zh;
		jw_obj(w);
		jw_kcstr(w, "name", v[i].name);
		jw_kcstr(w, "state", states[v[i].state]);
		jw_ktime(w, "at", v[i].at);
		jw_ki64(w, "rows", (int64_t)v[i].rows);
		jw_ki64(w, "accepted", (int64_t)v[i].accepted);
		jw_ki64(w, "duplicates", (int64_t)v[i].duplicates);
		jw_ki64(w, "wrong", (int64_t)v[i].wrong);
		if (*why)
			jw_kcstr(w, "message", why);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
	return OK;
}
