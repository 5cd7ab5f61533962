// Anchors of the audit chain: once a day (and at the start, if the last one is older) the head of the chain is noted in the
// database, in DIR/anchors/YYYY-MM.txt and, with --anchor-dir, in a folder outside the server (a share, a stick that somebody
// takes away). Called by T_EVENTS; the job runs in the writer thread, the files are written after its commit.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/core_int.h"
#include "store/audit.h"

#define ANCHOR_EVERY US_PER_DAY
#define ANCHOR_LOOK (10 * US_PER_MIN)

struct anchor_job {
	struct core *co;
	struct arena *arena;
	int64_t now;
	struct str line;
};

static enum err anchor_run(struct db *db, void *arg, struct problem *p)
{
	struct anchor_job *j = arg;
	int64_t last;
	(void)p;
	enum err err = audit_anchor_last(db, &last);
	if (err || j->now - last < ANCHOR_EVERY)
		return err;
	return audit_anchor_note(db, j->now, j->arena, &j->line);
}

// Appended and on disk, or said in the log: the place may be a share that is away for a while.
static void append(struct arena *a, const char *dir, int64_t now, struct str line)
{
	struct civil c = time_to_civil(now, time_zone());
	struct str path = arena_printf(a, "%s/%04d-%02d.txt", dir, c.year, c.month);
	int fd = open(path.p, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	struct str text = arena_printf(a, "%.*s\n", STR_FMT(line));
	bool ok = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0;
	if (!ok)
		log_error("core", "cannot write the anchor to %s: %s; note it by hand: %.*s", path.p, strerror(errno), STR_FMT(line));
	if (fd >= 0)
		close(fd);
}

static void anchor_done(void *arg, enum err err)
{
	struct anchor_job *j = arg;
	if (err)
		log_error("core", "anchor of the audit chain: %s", err_name(err));
	if (!err && j->line.n) {
		struct str own = arena_printf(j->arena, "%s/anchors", j->co->cfg.data_dir);
		mkdir(own.p, 0750);
		append(j->arena, own.p, j->now, j->line);
		if (j->co->cfg.anchor_dir)
			append(j->arena, j->co->cfg.anchor_dir, j->now, j->line);
	}
	arena_free(j->arena);
	mem_free(j);
}

void anchor_tick(struct core *co)
{
	int64_t now = clock_now();
	if (now < co->anchor_due)
		return;
	co->anchor_due = now + ANCHOR_LOOK;
	struct anchor_job *j = mem_alloc(sizeof *j);
	*j = (struct anchor_job){ .co = co, .arena = arena_new(4096), .now = now, .line = STR_EMPTY };
	store_post(co->app.store, anchor_run, j, anchor_done);
}
