// The fuzzy snapshot: DIR/snapshot, written as snapshot.new and renamed. A row of sections
//   tag(4) length(4) crc32c of both and the payload(4) payload
//   HEAD  struct head; then a PAGE for every 1,024 point ids in use: struct page_head, then for each point with a
//         sample: struct saved, its chunk's bit stream, the ext bytes; END  struct tail
// A page is saved as a whole between two readings, one page a turn, so each has its own seq: replay starts at the
// oldest (HEAD.from) and skips what a page already holds. Behind HEAD, in sections ALL of at most 16 MiB: what belongs to no
// single point, as it was at HEAD.from. Machines of both kinds are little-endian, so structs are
// written as they are (no padding; sizes asserted).
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/time.h"
#include "series/series_in.h"

#define VERSION 1u
#define TAG_HEAD 0x48534e41u // "ANSH"
#define TAG_PAGE 0x50534e41u
#define TAG_END 0x45534e41u
#define TAG_ALL 0x41534e41u
#define ALL_SLICE ((size_t)16 << 20)
#define SECTION_HEAD 12u
#define SECTION_MAX (32u << 20)
#define RETRY_US (5 * US_PER_S)

struct head {
	uint32_t version, ext_size, per_page, lost;
	uint64_t from;
};
struct page_head {
	uint32_t page, points;
	uint64_t seq;
};
struct tail {
	uint32_t pages, zero;
	uint64_t seq;        // nothing in the snapshot came after this
};
struct saved {
	int64_t last_time, newest, prev_time, prev_value;
	uint64_t last_bits;
	uint32_t no, bits, period, time_mean, value_mean;
	int32_t phase;
	uint16_t index, n, limit;
	uint8_t last_quality, unit, mode, quality, jumped, late;
	uint8_t zero[4];
};
static_assert(sizeof(struct head) == 24 && sizeof(struct page_head) == 16 && sizeof(struct tail) == 16 &&
              sizeof(struct saved) == 80, "no padding");

// ---- saving ----

static size_t section_begin(struct buf *b, uint32_t tag)
{
	size_t at = b->n;
	buf_add_le32(b, tag);
	buf_add_le32(b, 0);
	buf_add_le32(b, 0);
	return at;
}

static uint32_t section_crc(const char *p, size_t length)
{
	return crc32c(crc32c(0, p, 8), p + SECTION_HEAD, length);
}

static void section_end(struct buf *b, size_t at)
{
	if (!buf_ok(b))
		return;
	uint32_t length = (uint32_t)(b->n - at - SECTION_HEAD);
	memcpy(b->p + at + 4, &length, 4);
	uint32_t crc = section_crc(b->p + at, length);
	memcpy(b->p + at + 8, &crc, 4);
}

static void save_point(struct series *s, struct buf *b, uint32_t id, const struct point *p)
{
	const struct chunk *c = &p->open;
	struct saved v = { .last_time = atomic_load_explicit(&p->last_time, memory_order_relaxed),
		.last_bits = atomic_load_explicit(&p->last_bits, memory_order_relaxed),
		.last_quality = (uint8_t)atomic_load_explicit(&p->last_quality, memory_order_relaxed),
		.newest = c->m.newest, .prev_time = c->m.prev_time, .prev_value = c->m.prev_value, .no = p->no,
		.bits = c->bits, .period = c->m.period, .time_mean = c->m.time_mean, .value_mean = c->m.value_mean,
		.phase = c->m.phase, .index = (uint16_t)(id & (POINTS_PER_PAGE - 1)), .n = c->n, .limit = p->limit,
		.unit = c->m.unit, .mode = c->m.mode, .quality = c->m.quality, .jumped = c->m.jumped, .late = c->m.late };
	buf_add(b, &v, sizeof(v));
	if (c->n) {
		uint8_t flat[CHUNK_FLAT];
		size_t n = chunk_flatten(c, &s->cells, flat);
		buf_add(b, flat + 3, n - 3);
	}
	size_t ext = s->hooks.ext_size;
	char *room = ext ? buf_room(b, ext) : NULL;
	if (!room)
		return;
	memset(room, 0, ext);
	s->hooks.save(s->hooks.arg, id, room);
	buf_commit(b, ext);
}

static void save_page(struct series *s, struct buf *b, uint32_t page)
{
	struct point *v = atomic_load_explicit(&s->page[page], memory_order_relaxed);
	struct page_head head = { .page = page, .seq = slog_last(s->log) };
	size_t at = section_begin(b, TAG_PAGE), head_at = b->n;
	buf_add(b, &head, sizeof(head));
	for (uint32_t k = 0; k < POINTS_PER_PAGE; k++) {
		if (!point_used(&v[k]))
			continue;
		save_point(s, b, page * POINTS_PER_PAGE + k, &v[k]);
		head.points++;
	}
	if (buf_ok(b))
		memcpy(b->p + head_at, &head, sizeof(head));
	section_end(b, at);
}

static void give(struct series *s, int what, uint64_t seq)
{
	if (!buf_ok(&s->snap_bytes)) { // a page beyond 64 MiB cannot be; never write half of one
		what = SNAP_DROP;
		s->snap = SNAP_NONE;
	}
	s->snap_bytes_given += s->snap_bytes.n;
	seal_snap(s, what, &s->snap_bytes, seq, s->snap_from);
}

bool snapshot_running(const struct series *s)
{
	return s->snap != SNAP_NONE;
}

void snapshot_start(struct series *s)
{
	enum err last;
	if (!seal_snap_idle(s, &last))
		return; // the one before is still being dropped
	struct slog_stats st;
	slog_stats(s->log, &st);
	s->snap = SNAP_SLICES;
	s->snap_page = s->snap_pages = 0;
	s->snap_bytes_given = 0;
	s->snap_all_at = 0;
	buf_clear(&s->snap_all);
	if (s->hooks.save_all)
		s->hooks.save_all(s->hooks.arg, &s->snap_all);
	s->snap_from = slog_last(s->log);
	s->snap_said = 0;
	s->snap_base = st.bytes;
	struct head head = { .version = VERSION, .ext_size = (uint32_t)s->hooks.ext_size, .per_page = POINTS_PER_PAGE,
		.lost = s->lost, .from = s->snap_from };
	buf_clear(&s->snap_bytes);
	size_t at = section_begin(&s->snap_bytes, TAG_HEAD);
	buf_add(&s->snap_bytes, &head, sizeof(head));
	section_end(&s->snap_bytes, at);
	give(s, SNAP_BEGIN, 0);
}

// What followed from the readings in the snapshot must survive without them.
static bool consequences_kept(struct series *s)
{
	if (!s->hooks.said)
		return true;
	if (!s->snap_said)
		s->snap_said = s->hooks.said(s->hooks.arg) + 1;
	return s->hooks.done(s->hooks.arg) + 1 >= s->snap_said;
}

static void give_all(struct series *s)
{
	size_t n = MIN(s->snap_all.n - s->snap_all_at, ALL_SLICE), at = section_begin(&s->snap_bytes, TAG_ALL);
	buf_add(&s->snap_bytes, s->snap_all.p + s->snap_all_at, n);
	section_end(&s->snap_bytes, at);
	s->snap_all_at += n;
	if (s->snap_all_at == s->snap_all.n) {
		buf_free(&s->snap_all);
		buf_init(&s->snap_all, (size_t)4 << 30);
		s->snap_all_at = 0;
	}
	give(s, SNAP_WRITE, 0);
}

static void next_slice(struct series *s)
{
	if (s->snap_all_at < s->snap_all.n && buf_ok(&s->snap_all)) {
		give_all(s);
		return;
	}
	while (s->snap_page < s->pages_end && !atomic_load_explicit(&s->page[s->snap_page], memory_order_relaxed))
		s->snap_page++;
	if (s->snap_page < s->pages_end) {
		save_page(s, &s->snap_bytes, s->snap_page++);
		s->snap_pages++;
		give(s, SNAP_WRITE, 0);
		return;
	}
	if (!consequences_kept(s))
		return;
	struct tail tail = { .pages = s->snap_pages, .seq = slog_last(s->log) };
	size_t at = section_begin(&s->snap_bytes, TAG_END);
	buf_add(&s->snap_bytes, &tail, sizeof(tail));
	section_end(&s->snap_bytes, at);
	slog_flush(s->log, false); // what the snapshot holds must be in the log before it counts
	s->snap = SNAP_ENDING;
	give(s, SNAP_END, tail.seq);
}

void snapshot_turn(struct series *s, int64_t mono)
{
	enum err result;
	if (!seal_snap_idle(s, &result))
		return;
	if (result) {
		s->snap = SNAP_NONE;
		s->snap_retry = mono + RETRY_US;
		seal_snap(s, SNAP_DROP, &s->snap_bytes, 0, 0);
		return;
	}
	if (s->snap == SNAP_SLICES) {
		next_slice(s);
		return;
	}
	s->snap = SNAP_NONE;
	s->snap_size = s->snap_bytes_given;
	atomic_store_explicit(&s->log_base, s->snap_base, memory_order_relaxed);
	atomic_store_explicit(&s->n_replayed_bytes, 0, memory_order_relaxed);
	bump(&s->n_snapshots, 1);
}

// ---- loading ----

struct load {
	struct series *s;
	int fd;
	struct buf payload;
	struct buf all;
	struct head head;
	uint64_t *skip;
	uint64_t max;
	uint32_t pages;
	bool ended, corrupt;
};

static bool read_all(int fd, char *p, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t k = read(fd, p + at, n - at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		at += (size_t)k;
	}
	return true;
}

// Next section into payload (its head included); its tag, or 0 at the end or if it cannot be read. *ret_good: checksum.
static uint32_t next_section(struct load *l, bool *ret_good)
{
	uint32_t tag, length, crc;
	buf_clear(&l->payload);
	char *p = buf_room(&l->payload, SECTION_HEAD);
	if (!p || !read_all(l->fd, p, SECTION_HEAD))
		return 0;
	buf_commit(&l->payload, SECTION_HEAD);
	memcpy(&tag, p, 4);
	memcpy(&length, p + 4, 4);
	memcpy(&crc, p + 8, 4);
	if (length > SECTION_MAX || !(p = buf_room(&l->payload, length)) || !read_all(l->fd, p, length))
		return 0;
	buf_commit(&l->payload, length);
	*ret_good = section_crc(l->payload.p, length) == crc;
	return tag;
}

static bool saved_sane(const struct saved *v)
{
	return v->index < POINTS_PER_PAGE && v->n < CHUNK_SAMPLES && v->unit <= 2 && v->mode <= CHUNK_XOR &&
	       v->bits <= (CHUNK_FLAT - 3) * 8 && (v->n != 0) == (v->bits != 0) && v->limit && v->last_time >= 0 &&
	       v->last_time < CHUNK_TIME_LIMIT;
}

static bool load_point(struct load *l, struct cursor *c, uint32_t page)
{
	struct saved v;
	struct str raw = take_str(c, sizeof(v));
	if (!cursor_ok(c))
		return false;
	memcpy(&v, raw.p, sizeof(v));
	struct str stream = take_str(c, (v.bits + 7) / 8), ext = take_str(c, l->head.ext_size);
	if (!cursor_ok(c) || !saved_sane(&v))
		return false;
	uint32_t id = page * POINTS_PER_PAGE + v.index;
	struct point *p = point_make(l->s, id);
	double value;
	memcpy(&value, &v.last_bits, sizeof(value));
	bump(&l->s->n_points, 1);
	point_publish(p, v.last_time, value, v.last_quality);
	p->no = v.no;
	p->known = true;
	p->limit = v.limit;
	if (v.n) {
		p->open = (struct chunk){ .n = v.n, .bits = v.bits, .m = { .newest = v.newest,
			.prev_time = v.prev_time, .prev_value = v.prev_value, .phase = v.phase, .period = v.period,
			.time_mean = v.time_mean, .value_mean = v.value_mean, .unit = v.unit, .mode = v.mode,
			.quality = v.quality, .jumped = v.jumped != 0, .late = v.late != 0 } };
		chunk_restore(&p->open, &l->s->cells, (const uint8_t *)stream.p);
	}
	if (ext.n && l->s->hooks.load && ext.n == l->s->hooks.ext_size)
		l->s->hooks.load(l->s->hooks.arg, id, ext.p);
	return true;
}

static void load_page(struct load *l, struct cursor c)
{
	struct page_head head;
	struct str raw = take_str(&c, sizeof(head));
	bool good = cursor_ok(&c);
	if (good) {
		memcpy(&head, raw.p, sizeof(head));
		good = head.page < POINT_PAGES && head.points <= POINTS_PER_PAGE;
	}
	for (uint32_t i = 0; good && i < head.points; i++)
		good = load_point(l, &c, head.page);
	if (!good) {
		l->corrupt = true;
		return;
	}
	l->skip[head.page] = head.seq;
	l->max = MAX(l->max, head.seq);
	l->pages++;
}

static bool load_head(struct load *l)
{
	bool good = false;
	if (next_section(l, &good) != TAG_HEAD || !good || l->payload.n != SECTION_HEAD + sizeof(l->head))
		return false;
	memcpy(&l->head, l->payload.p + SECTION_HEAD, sizeof(l->head));
	if (l->head.version != VERSION || l->head.per_page != POINTS_PER_PAGE || l->head.ext_size > 256)
		return false;
	l->skip = mem_alloc(POINT_PAGES * sizeof(*l->skip));
	for (uint32_t i = 0; i < POINT_PAGES; i++)
		l->skip[i] = l->head.from;
	l->max = l->head.from;
	return true;
}

static void load_sections(struct load *l)
{
	uint32_t tag;
	bool good = false;
	while (!l->ended && (tag = next_section(l, &good)) != 0) {
		struct cursor c = cursor_of(buf_str(&l->payload));
		take_str(&c, SECTION_HEAD);
		struct tail tail;
		if (!good) {
			l->corrupt = true; // these points lose what was in memory; their blocks are safe
		} else if (tag == TAG_PAGE) {
			load_page(l, c);
		} else if (tag == TAG_ALL) {
			buf_add(&l->all, c.p, cursor_left(&c));
		} else if (tag == TAG_END && cursor_left(&c) == sizeof(tail)) {
			memcpy(&tail, c.p, sizeof(tail));
			l->ended = true;
			l->max = MAX(l->max, tail.seq);
			l->corrupt |= tail.pages != l->pages;
		}
	}
	l->corrupt |= !l->ended;
}

enum err snapshot_load(struct series *s, uint64_t *ret_from, uint64_t **ret_skip, uint64_t *ret_max)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/snapshot", s->dir);
	struct load l = { .s = s, .fd = open(path, O_RDONLY | O_CLOEXEC) };
	*ret_from = *ret_max = 0;
	*ret_skip = NULL;
	if (l.fd < 0)
		return errno == ENOENT ? OK : ERR_IO;
	s->snap_size = (uint64_t)MAX(lseek(l.fd, 0, SEEK_END), (off_t)0);
	if (lseek(l.fd, 0, SEEK_SET) != 0) {
		close(l.fd);
		return ERR_IO;
	}
	buf_init(&l.payload, SECTION_MAX + SECTION_HEAD);
	buf_init(&l.all, (size_t)4 << 30);
	if (load_head(&l)) {
		load_sections(&l);
		if (s->hooks.load_all)
			s->hooks.load_all(s->hooks.arg, buf_ok(&l.all) ? buf_str(&l.all) : STR_EMPTY);
		*ret_from = l.head.from;
		*ret_max = l.max;
		*ret_skip = l.skip;
		s->lost = l.head.lost || l.corrupt;
	} else {
		l.corrupt = true;
	}
	if (l.corrupt)
		atomic_fetch_add(&s->n_corrupt, 1);
	buf_free(&l.payload);
	buf_free(&l.all);
	close(l.fd);
	return OK;
}
