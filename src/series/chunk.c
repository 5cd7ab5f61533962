#include "series/chunk.h"

#include <math.h>

#define VERSION 1u
#define RICE_ESCAPE 20u   // ones that say: not a Rice code
#define QUALITY_MARK 127u // length that says: a quality follows

static const int64_t UNIT[3] = { 1000000, 1000, 1 };
static const double SCALE[7] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };

static uint64_t zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t u)
{
	return (int64_t)(u >> 1 ^ (0 - (u & 1)));
}

static uint64_t bits_of(double v)
{
	uint64_t u;
	memcpy(&u, &v, sizeof(u));
	return u;
}

// ---- the model both sides share ----

static inline unsigned rice_k(uint32_t mean) // at most 26
{
	uint32_t m = (uint32_t)((uint64_t)mean * 11 >> 8); // mean * ln 2
	return 31 - (unsigned)__builtin_clz(m << 1 | 1);
}

static inline uint32_t mean_next(uint32_t mean, uint64_t u) // mean stays below 2^30
{
	uint32_t cap = (mean >> 1) + 64, x = u < cap ? (uint32_t)u : cap; // one outlier must not spoil the parameter
	return MIN(mean + x - (mean >> 4), (UINT32_MAX >> 2));
}

static inline int64_t time_predicted(const struct chunk_model *m)
{
	if (m->prev_time != m->newest)
		return m->prev_time + (m->period >> 4);
	return (m->newest * 16 + m->phase + (int64_t)m->period + 8) >> 4;
}

// Learns from a sample at time t, |t| <= CHUNK_TIME_LIMIT (so 16 t and differences fit 64 bits).
static inline void time_learn(struct chunk_model *m, int64_t t)
{
	m->prev_time = t;
	m->late |= t <= m->newest;
	if (t <= m->newest)
		return;
	int64_t delta = t * 16 - m->newest * 16, err = delta - m->phase - (int64_t)m->period;
	uint32_t period = (uint32_t)MIN(delta, (int64_t)UINT32_MAX);
	m->newest = t;
	if (!m->period) {
		m->period = period;
		m->phase = 0;
	} else if (err > m->period / 4 || err < -(int64_t)(m->period / 4)) {
		if (m->jumped)
			m->period = period;
		m->phase = 0;
		m->jumped = !m->jumped;
	} else {
		m->phase = (int32_t)((err >> 2) - err);
		m->period = (uint32_t)MIN((int64_t)m->period + (err >> 5), (int64_t)UINT32_MAX);
		m->jumped = false;
	}
}

static void model_init(struct chunk_model *m, unsigned unit, unsigned mode, int64_t t, int64_t v, unsigned quality)
{
	*m = (struct chunk_model){ .newest = t, .prev_time = t, .prev_value = v, .unit = (uint8_t)unit,
		.mode = (uint8_t)mode, .quality = (uint8_t)quality, .time_mean = 16 * 4, .value_mean = 16 };
}

// ---- writing ----

struct bitw {
	struct chunk *c;
	struct cells *pool;
	struct cell *cell;
	uint64_t acc;
	unsigned n; // bits in acc, < 8 between calls
};

static void put(struct bitw *w, uint64_t v, unsigned n) // n <= 56, v < 2^n
{
	w->acc |= v << w->n;
	w->n += n;
	w->c->bits += n;
	while (w->n >= 8) {
		if (w->c->fill == CELL_BYTES) {
			uint32_t i = cells_take(w->pool);
			w->cell->next = i;
			w->c->tail = i;
			w->c->fill = 0;
			w->cell = cells_at(w->pool, i);
		}
		w->cell->b[w->c->fill++] = (uint8_t)w->acc;
		w->acc >>= 8;
		w->n -= 8;
	}
}

static struct bitw put_begin(struct chunk *c, struct cells *pool)
{
	return (struct bitw){ .c = c, .pool = pool, .cell = cells_at(pool, c->tail), .acc = c->part, .n = c->bits & 7 };
}

static void put_end(struct bitw *w)
{
	w->c->part = (uint8_t)w->acc;
}

static void put_long(struct bitw *w, uint64_t v, unsigned n)
{
	if (n > 32) {
		put(w, v & 0xffffffff, 32);
		v >>= 32;
		n -= 32;
	}
	put(w, v, n);
}

static unsigned width(uint64_t v)
{
	return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

static void put_number(struct bitw *w, int64_t x)
{
	uint64_t u = zigzag(x);
	unsigned n = width(u);
	put(w, n, 7);
	put_long(w, u, n);
}

// The Rice code of u as *ret_n bits (at most 50); false if it must be escaped.
static inline bool rice_code(uint64_t u, unsigned k, uint64_t *ret, unsigned *ret_n)
{
	uint64_t q = u >> k;
	if (q >= RICE_ESCAPE)
		return false;
	*ret = ((UINT64_C(1) << q) - 1) | (u & ((UINT64_C(1) << k) - 1)) << (q + 1);
	*ret_n = (unsigned)q + 1 + k;
	return true;
}

static void put_rice(struct bitw *w, uint64_t u, unsigned k)
{
	uint64_t code;
	unsigned n;
	if (rice_code(u, k, &code, &n)) {
		put(w, code, n);
		return;
	}
	put(w, (1u << RICE_ESCAPE) - 1, RICE_ESCAPE);
	n = width(u);
	put(w, n, 7);
	put_long(w, u, n);
}

static void put_xor(struct bitw *w, uint64_t x)
{
	if (!x) {
		put(w, 0, 1);
		return;
	}
	unsigned lead = MIN((unsigned)__builtin_clzll(x), 31u), trail = (unsigned)__builtin_ctzll(x);
	unsigned n = 64 - lead - trail;
	put(w, 1 | lead << 1 | (n - 1) << 6, 12);
	put_long(w, x >> trail, n);
}

// True if v is an exact decimal with d places, and then its integer.
static bool scaled(double v, unsigned d, int64_t *ret)
{
	double x = v * SCALE[d];
	if (!(fabs(x) < 9007199254740992.0)) // 2^53: beyond, integers are not exact
		return false;
	int64_t i = (int64_t)(x + copysign(0.5, x)); // whatever it rounds to, the division decides
	*ret = i;
	return (double)i / SCALE[d] == v;
}

bool chunk_decimal(double v, unsigned d, int64_t *ret)
{
	return scaled(v, d, ret);
}

double chunk_undecimal(int64_t i, unsigned d)
{
	return (double)i / SCALE[d];
}

static bool fits_value(unsigned mode, double v, int64_t *ret)
{
	if (mode != CHUNK_XOR)
		return scaled(v, mode, ret);
	*ret = (int64_t)bits_of(v);
	return true;
}

static bool fits_time(unsigned unit, int64_t t, int64_t *ret)
{
	switch (unit) { // constants, so that no division is made
	case 0: *ret = t / 1000000; return *ret * 1000000 == t;
	case 1: *ret = t / 1000; return *ret * 1000 == t;
	default: *ret = t; return true;
	}
}

static void add_first(struct chunk *c, struct cells *pool, unsigned unit, unsigned mode, int64_t t, int64_t v,
                      unsigned quality)
{
	c->head = c->tail = cells_take(pool);
	c->fill = 0;
	c->bits = 0;
	c->n = 1;
	c->part = 0;
	model_init(&c->m, unit, mode, t, v, quality);
	struct bitw w = put_begin(c, pool);
	put_number(&w, t);
	if (mode == CHUNK_XOR)
		put_long(&w, (uint64_t)v, 64);
	else
		put_number(&w, v);
	put(&w, quality, 8);
	put_end(&w);
}

// Nearly every sample: both codes together are one store. n <= 56.
static inline void put_at_once(struct chunk *c, struct cells *pool, uint64_t v, unsigned n)
{
	unsigned part = c->bits & 7, bytes = (part + n) >> 3;
	if (c->fill > sizeof(struct cell) - 8 || c->fill + bytes > CELL_BYTES) {
		struct bitw w = put_begin(c, pool);
		put(&w, v, n);
		put_end(&w);
		return;
	}
	uint8_t *p = (uint8_t *)cells_at(pool, c->tail) + c->fill; // may run over b into next, which is not in use yet
	v = v << part | c->part;
	memcpy(p, &v, 8);
	c->part = (uint8_t)(v >> 8 * bytes);
	c->bits += n;
	c->fill += (uint8_t)bytes;
}

static inline bool add_simple(struct chunk *c, struct cells *pool, uint64_t tu, uint64_t vu)
{
	uint64_t time, value;
	unsigned nt, nv;
	if (!rice_code(tu, rice_k(c->m.time_mean), &time, &nt) || !rice_code(vu, rice_k(c->m.value_mean), &value, &nv) ||
	    nt + nv > 56)
		return false;
	put_at_once(c, pool, time | value << nt, nt + nv);
	return true;
}

static void add_parts(struct chunk *c, struct cells *pool, uint64_t tu, uint64_t vu, unsigned quality)
{
	struct chunk_model *m = &c->m;
	struct bitw w = put_begin(c, pool);
	if (quality != m->quality) {
		put(&w, ((1u << RICE_ESCAPE) - 1) | QUALITY_MARK << RICE_ESCAPE, RICE_ESCAPE + 7);
		put(&w, quality, 8);
	}
	put_rice(&w, tu, rice_k(m->time_mean));
	if (m->mode == CHUNK_XOR)
		put_xor(&w, vu);
	else
		put_rice(&w, vu, rice_k(m->value_mean));
	put_end(&w);
}

static void add_next(struct chunk *c, struct cells *pool, int64_t t, int64_t v, unsigned quality)
{
	struct chunk_model *m = &c->m;
	bool raw = m->mode == CHUNK_XOR;
	uint64_t tu = zigzag(t - time_predicted(m));
	uint64_t vu = raw ? (uint64_t)v ^ (uint64_t)m->prev_value : zigzag(v - m->prev_value);
	if (raw || quality != m->quality || !add_simple(c, pool, tu, vu))
		add_parts(c, pool, tu, vu, quality);
	m->quality = (uint8_t)quality;
	m->time_mean = mean_next(m->time_mean, tu);
	if (!raw)
		m->value_mean = mean_next(m->value_mean, vu);
	time_learn(m, t);
	m->prev_value = v;
	c->n++;
}

static unsigned unit_for(unsigned unit, int64_t t, int64_t *ret)
{
	while (!fits_time(unit, t, ret))
		unit++;
	return unit;
}

static unsigned mode_for(unsigned mode, double v, int64_t *ret)
{
	while (!fits_value(mode, v, ret))
		mode++;
	return mode;
}

// Codes the chunk again in a finer unit or mode, which fits everything already in it.
static void code_again(struct chunk *c, struct cells *pool, unsigned unit, unsigned mode)
{
	static _Thread_local uint8_t flat[CHUNK_FLAT];
	static _Thread_local struct sample old[CHUNK_SAMPLES];
	size_t n = 0;
	size_t size = chunk_flatten(c, pool, flat);
	enum err err = chunk_decode(str_from((const char *)flat, size), old, &n);
	assert(err == OK);
	if (err)
		return;
	chunk_clear(c, pool);
	int64_t t = 0, v = 0;
	for (size_t i = 0; i < n; i++) {
		// every value fitted its own mode before, so it fits a finer one, or there is none finer than XOR
		fits_time(unit, old[i].time, &t);
		if (!fits_value(mode, old[i].value, &v)) {
			chunk_clear(c, pool);
			mode = CHUNK_XOR;
			i = (size_t)-1;
			continue;
		}
		if (c->n)
			add_next(c, pool, t, v, old[i].quality);
		else
			add_first(c, pool, unit, mode, t, v, old[i].quality);
	}
}

void chunk_add(struct chunk *c, struct cells *pool, const struct sample *s)
{
	int64_t t, v;
	if (!c->n) {
		unsigned unit = unit_for(0, s->time, &t), mode = mode_for(0, s->value, &v);
		add_first(c, pool, unit, mode, t, v, s->quality & 0xff);
		return;
	}
	while (!fits_time(c->m.unit, s->time, &t) || !fits_value(c->m.mode, s->value, &v))
		code_again(c, pool, unit_for(c->m.unit, s->time, &t), mode_for(c->m.mode, s->value, &v));
	add_next(c, pool, t, v, s->quality & 0xff);
}

size_t chunk_flatten(const struct chunk *c, const struct cells *pool, uint8_t *ret)
{
	size_t left = c->bits / 8;
	ret[0] = (uint8_t)(VERSION << 6 | (unsigned)c->m.mode << 2 | c->m.unit);
	ret[1] = (uint8_t)c->n;
	ret[2] = (uint8_t)(c->n >> 8);
	uint8_t *p = ret + 3;
	for (uint32_t i = c->head; left;) {
		const struct cell *cell = cells_at(pool, i);
		size_t n = MIN(left, (size_t)CELL_BYTES);
		memcpy(p, cell->b, n);
		p += n;
		left -= n;
		i = cell->next;
	}
	if (c->bits & 7)
		*p++ = c->part;
	return (size_t)(p - ret);
}

void chunk_clear(struct chunk *c, struct cells *pool)
{
	uint32_t bytes = c->bits / 8; // cells are taken when their first whole byte is written, the first at once
	cells_give(pool, c->head, c->tail, bytes ? (bytes + CELL_BYTES - 1) / CELL_BYTES : 1);
	*c = (struct chunk){ 0 };
}

void chunk_restore(struct chunk *c, struct cells *pool, const uint8_t *stream)
{
	size_t left = c->bits / 8;
	c->part = c->bits & 7 ? stream[left] : 0;
	c->head = c->tail = cells_take(pool);
	for (;;) {
		struct cell *cell = cells_at(pool, c->tail);
		size_t n = MIN(left, (size_t)CELL_BYTES);
		memcpy(cell->b, stream, n);
		stream += n;
		left -= n;
		c->fill = (uint8_t)n;
		if (!left)
			return;
		cell->next = cells_take(pool);
		c->tail = cell->next;
	}
}

// ---- reading ----

struct bitr {
	const uint8_t *p, *end;
	uint64_t acc;
	unsigned n; // valid bits in acc
	bool failed;
};

static inline void refill(struct bitr *r)
{
	if (r->end - r->p >= 8) {
		uint64_t x;
		memcpy(&x, r->p, 8);
		r->acc |= x << r->n;
		r->p += (63 - r->n) >> 3;
		r->n |= 56;
		return;
	}
	while (r->n <= 56 && r->p < r->end) {
		r->acc |= (uint64_t)*r->p++ << r->n;
		r->n += 8;
	}
}

static inline void drop(struct bitr *r, unsigned n)
{
	if (n > r->n) {
		r->failed = true;
		r->acc = 0;
		r->n = 0;
		return;
	}
	r->acc >>= n;
	r->n -= n;
}

static inline uint64_t take(struct bitr *r, unsigned n) // n <= 32
{
	refill(r);
	uint64_t v = r->acc & ((UINT64_C(1) << n) - 1);
	drop(r, n);
	return r->failed ? 0 : v;
}

static uint64_t take_long(struct bitr *r, unsigned n) // n <= 64
{
	if (n <= 32)
		return take(r, n);
	uint64_t low = take(r, 32);
	return low | take(r, n - 32) << 32;
}

static int64_t take_number(struct bitr *r)
{
	unsigned n = (unsigned)take(r, 7);
	r->failed |= n > 64;
	return r->failed ? 0 : unzigzag(take_long(r, n));
}

// What take_rice does not find in one piece: an escaped code, a quality mark, or the end of the bytes.
static __attribute__((noinline)) uint64_t take_rice_slow(struct bitr *r, unsigned q, unsigned k, bool *mark)
{
	if (q < RICE_ESCAPE) {
		drop(r, q + 1);
		return (uint64_t)q << k | take(r, k);
	}
	drop(r, RICE_ESCAPE);
	unsigned n = (unsigned)take(r, 7);
	*mark = n == QUALITY_MARK;
	if (*mark)
		return 0;
	r->failed |= n > 64;
	return r->failed ? 0 : take_long(r, n);
}

// A Rice code; *mark is set instead if a quality mark stood there.
static inline uint64_t take_rice(struct bitr *r, unsigned k, bool *mark)
{
	refill(r);
	unsigned q = ~r->acc ? (unsigned)__builtin_ctzll(~r->acc) : 64, n = q + 1 + k;
	if (q >= RICE_ESCAPE || n > r->n)
		return take_rice_slow(r, q, k, mark);
	uint64_t low = r->acc >> (q + 1) & ((UINT64_C(1) << k) - 1);
	r->acc >>= n; // at most 46
	r->n -= n;
	return (uint64_t)q << k | low;
}

static uint64_t take_xor(struct bitr *r)
{
	if (!take(r, 1))
		return 0;
	unsigned lead = (unsigned)take(r, 5), n = (unsigned)take(r, 6) + 1;
	if (lead + n > 64) {
		r->failed = true;
		return 0;
	}
	return take_long(r, n) << (64 - lead - n);
}

static void sample_out(const struct chunk_model *m, struct sample *ret)
{
	ret->time = m->prev_time * UNIT[m->unit];
	ret->quality = m->quality;
	if (m->mode == CHUNK_XOR)
		memcpy(&ret->value, &m->prev_value, sizeof(ret->value));
	else
		ret->value = (double)m->prev_value / SCALE[m->mode];
}

static bool time_sane(const struct chunk_model *m, int64_t t)
{
	int64_t limit = CHUNK_TIME_LIMIT / UNIT[m->unit];
	return t >= -limit && t <= limit;
}

static bool decode_next(struct bitr *r, struct chunk_model *m)
{
	bool mark = false, bad = false;
	uint64_t u = take_rice(r, rice_k(m->time_mean), &mark);
	if (mark) {
		m->quality = (uint8_t)take(r, 8);
		u = take_rice(r, rice_k(m->time_mean), &bad);
	}
	int64_t t;
	if (r->failed || bad || __builtin_add_overflow(time_predicted(m), unzigzag(u), &t) || !time_sane(m, t))
		return false;
	m->time_mean = mean_next(m->time_mean, u);
	time_learn(m, t);
	if (m->mode == CHUNK_XOR) {
		m->prev_value = (int64_t)((uint64_t)m->prev_value ^ take_xor(r));
		return !r->failed;
	}
	u = take_rice(r, rice_k(m->value_mean), &bad);
	m->value_mean = mean_next(m->value_mean, u);
	m->prev_value = (int64_t)((uint64_t)m->prev_value + (uint64_t)unzigzag(u));
	return !r->failed && !bad;
}

size_t chunk_count(struct str bytes)
{
	const uint8_t *p = (const uint8_t *)bytes.p;
	if (bytes.n < 4 || p[0] >> 6 != VERSION || (p[0] & 3) > 2 || (p[0] & 0x20))
		return 0;
	size_t n = p[1] | (size_t)p[2] << 8;
	return n <= CHUNK_SAMPLES ? n : 0;
}

enum err chunk_decode(struct str bytes, struct sample *ret, size_t *ret_n)
{
	*ret_n = 0;
	size_t n = chunk_count(bytes);
	if (!n)
		return ERR_CORRUPT;
	const uint8_t *p = (const uint8_t *)bytes.p;
	struct bitr r = { .p = p + 3, .end = p + bytes.n };
	unsigned unit = p[0] & 3, mode = p[0] >> 2 & 7;
	int64_t t = take_number(&r);
	int64_t v = mode == CHUNK_XOR ? (int64_t)take_long(&r, 64) : take_number(&r);
	struct chunk_model m;
	model_init(&m, unit, mode, t, v, (unsigned)take(&r, 8));
	if (r.failed || !time_sane(&m, t))
		return ERR_CORRUPT;
	sample_out(&m, &ret[0]);
	for (size_t i = 1; i < n; i++) {
		if (!decode_next(&r, &m))
			return ERR_CORRUPT;
		sample_out(&m, &ret[i]);
	}
	*ret_n = n;
	return OK;
}

int64_t chunk_first(struct str bytes)
{
	if (!chunk_count(bytes))
		return 0;
	const uint8_t *p = (const uint8_t *)bytes.p;
	struct bitr r = { .p = p + 3, .end = p + bytes.n };
	return (int64_t)((uint64_t)take_number(&r) * (uint64_t)UNIT[p[0] & 3]);
}
