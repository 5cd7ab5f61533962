#include "map/mvt.h"

#include "base/limits.h"
#include "map/geo.h"

// Field numbers: vector_tile.proto of the specification.
enum { TILE_LAYERS = 3, LAYER_NAME = 1, LAYER_FEATURES = 2, LAYER_KEYS = 3, LAYER_VALUES = 4, LAYER_EXTENT = 5, LAYER_VERSION = 15,
       FEATURE_ID = 1, FEATURE_TAGS = 2, FEATURE_TYPE = 3, FEATURE_GEOMETRY = 4, VALUE_STRING = 1, VALUE_UINT = 5 };
enum { MOVE_TO = 1, LINE_TO = 2, CLOSE_PATH = 7 }; // 4.3.1

static void varint(struct buf *b, uint64_t v)
{
	uint8_t bytes[10];
	size_t n = 0;
	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (uint8_t)(v | 0x80);
	bytes[n++] = (uint8_t)v;
	buf_add(b, bytes, n);
}

static void field_number(struct buf *b, uint32_t field, uint64_t v)
{
	varint(b, field << 3);
	varint(b, v);
}

static void field_bytes(struct buf *b, uint32_t field, struct str s)
{
	varint(b, field << 3 | 2);
	varint(b, s.n);
	buf_add_str(b, s);
}

void mvt_open(struct mvt *m, struct str name)
{
	*m = (struct mvt){ .name = name, .known = strmap_new(256) };
	struct buf *all[] = { &m->features, &m->tags, &m->geometry, &m->values };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		buf_init(all[i], LIMIT_TILE_BYTES);
}

static void end_feature(struct mvt *m)
{
	struct buf b;
	if (m->kind && m->geometry.n) {
		buf_init(&b, LIMIT_TILE_BYTES);
		if (m->id)
			field_number(&b, FEATURE_ID, m->id);
		field_bytes(&b, FEATURE_TAGS, buf_str(&m->tags));
		field_number(&b, FEATURE_TYPE, m->kind);
		field_bytes(&b, FEATURE_GEOMETRY, buf_str(&m->geometry));
		field_bytes(&m->features, LAYER_FEATURES, buf_str(&b));
		m->failed |= !buf_ok(&b) || !buf_ok(&m->tags) || !buf_ok(&m->geometry);
		m->n++;
		buf_free(&b);
	}
	buf_clear(&m->tags);
	buf_clear(&m->geometry);
	m->kind = 0;
	m->at = (struct mvt_xy){ 0, 0 };
}

void mvt_feature(struct mvt *m, enum mvt_kind kind, uint64_t id)
{
	end_feature(m);
	m->kind = kind;
	m->id = id;
}

static uint32_t key_number(struct mvt *m, const char *key)
{
	for (uint32_t i = 0; i < m->nkeys; i++)
		if (strcmp(m->keys[i], key) == 0)
			return i;
	if (m->nkeys == MVT_KEYS) {
		m->failed = true;
		return 0;
	}
	m->keys[m->nkeys] = key;
	return m->nkeys++;
}

static void add_tag(struct mvt *m, const char *key, struct buf *value)
{
	uint32_t number;
	if (!strmap_get(m->known, buf_str(value), &number)) {
		number = m->nvalues++;
		strmap_put(m->known, buf_str(value), number);
		field_bytes(&m->values, LAYER_VALUES, buf_str(value));
	}
	m->failed |= !buf_ok(value);
	varint(&m->tags, key_number(m, key));
	varint(&m->tags, number);
}

void mvt_text(struct mvt *m, const char *key, struct str v)
{
	struct buf b;
	buf_init(&b, LIMIT_TILE_BYTES);
	field_bytes(&b, VALUE_STRING, v);
	add_tag(m, key, &b);
	buf_free(&b);
}

void mvt_number(struct mvt *m, const char *key, uint64_t v)
{
	struct buf b;
	buf_init(&b, 32);
	field_number(&b, VALUE_UINT, v);
	add_tag(m, key, &b);
	buf_free(&b);
}

// ---- geometry (4.3) ----------------------------------------------------------------------------
static void command(struct mvt *m, uint32_t what, size_t times)
{
	varint(&m->geometry, (uint64_t)times << 3 | what);
}

static void step(struct mvt *m, int32_t to, int32_t *at)
{
	int64_t d = (int64_t)to - *at;
	varint(&m->geometry, (uint64_t)d << 1 ^ (uint64_t)(d >> 63));
	*at = to;
}

static void go(struct mvt *m, struct mvt_xy to)
{
	step(m, to.x, &m->at.x);
	step(m, to.y, &m->at.y);
}

void mvt_point(struct mvt *m, int32_t x, int32_t y)
{
	command(m, MOVE_TO, 1);
	go(m, (struct mvt_xy){ x, y });
}

void mvt_line(struct mvt *m, const struct mvt_xy *v, size_t n)
{
	if (n < 2)
		return;
	command(m, MOVE_TO, 1);
	go(m, v[0]);
	command(m, LINE_TO, n - 1);
	for (size_t i = 1; i < n; i++)
		go(m, v[i]);
}

static int64_t twice_area(const struct mvt_xy *v, size_t n) // > 0: an outer ring, y being southwards
{
	int64_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		const struct mvt_xy *a = &v[i], *b = &v[(i + 1) % n];
		sum += (int64_t)a->x * b->y - (int64_t)b->x * a->y;
	}
	return sum;
}

void mvt_ring(struct mvt *m, const struct mvt_xy *v, size_t n, bool outer)
{
	int64_t area = n < 3 ? 0 : twice_area(v, n);
	if (area == 0)
		return;
	bool turn = (area > 0) != outer;
	command(m, MOVE_TO, 1);
	go(m, v[0]);
	command(m, LINE_TO, n - 1);
	for (size_t i = 1; i < n; i++)
		go(m, v[turn ? n - i : i]);
	command(m, CLOSE_PATH, 1);
}

bool mvt_close(struct mvt *m, struct buf *out)
{
	struct buf b;
	end_feature(m);
	buf_init(&b, LIMIT_TILE_BYTES);
	if (m->n) {
		field_number(&b, LAYER_VERSION, 2);
		field_bytes(&b, LAYER_NAME, m->name);
		buf_add_str(&b, buf_str(&m->features));
		for (uint32_t i = 0; i < m->nkeys; i++)
			field_bytes(&b, LAYER_KEYS, str_of(m->keys[i]));
		buf_add_str(&b, buf_str(&m->values));
		field_number(&b, LAYER_EXTENT, TILE_EXTENT);
		field_bytes(out, TILE_LAYERS, buf_str(&b));
	}
	bool ok = !m->failed && buf_ok(&b) && buf_ok(out) && buf_ok(&m->features) && buf_ok(&m->values);
	struct buf *all[] = { &b, &m->features, &m->tags, &m->geometry, &m->values };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		buf_free(all[i]);
	strmap_free(m->known);
	m->known = NULL;
	return ok;
}
