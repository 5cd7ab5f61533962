// HJ 212-2017: MN is the device, PW its key.
#include "gate/line.h"

static uint64_t message_of(const struct hj212 *m) { return str_hash(m->qn) ^ str_hash(m->mn); }

// Packets of one message share its DataTime: the newest message's is kept for its connection.
static void share_time(struct line_state *state, struct hj212 *m)
{
	int64_t time;
	uint64_t message = message_of(m);
	if (m->pnum < 2 || !m->qn.n)
		return;
	if (hj212_data_time(m, &time)) {
		state->v[0] = message;
		state->v[1] = (uint64_t)time;
	} else if (state->v[0] == message) {
		m->shared_time = (int64_t)state->v[1];
	}
}

static bool decode(struct line_state *state, struct str bytes, struct arena *a, struct line_frame *ret, struct refusal *why)
{
	struct hj212 *m = arena_one(a, struct hj212);
	if (!hj212_decode(bytes, m, why))
		return false;
	share_time(state, m);
	*ret = (struct line_frame){ .name = m->mn, .key = m->pw, .sent = m->qn_time, .said = m };
	if (m->pnum > 1 && m->qn.n) {
		ret->parts = (unsigned)m->pnum;
		ret->part = (unsigned)m->pno;
		ret->series = message_of(m);
	}
	if (!m->mn.n || m->mn.n > LIMIT_DEVICE_NAME || m->pw.n > LIMIT_DEVICE_KEY)
		return refuse_at(why, REJECT_SYNTAX, 0, "MN 或 PW 缺失或过长", "MN or PW missing or too long");
	return true;
}

// kept has the message's DataTime in front, so that it can be read alone if the rest never comes, and the packets that follow have it
// on whatever connection they come.
static void carry(struct line_frame *f, struct str kept, struct arena *a, struct str *ret_keep)
{
	struct hj212 *m = f->said;
	int64_t time = m->shared_time;
	struct str open = hj212_open_end(kept);
	hj212_data_time(m, &time);
	if (kept.n)
		m->cp = arena_printf(a, "%.*s%s%.*s", STR_FMT(kept), hj212_goes_on(open, m->cp) ? "" : ";", STR_FMT(m->cp));
	open = f->part < f->parts ? hj212_open_end(m->cp) : STR_EMPTY;
	m->cp.n -= open.n;
	f->piece = m->cp;
	if (f->part == f->parts)
		return;
	struct civil t = time_to_civil(time, ZONE_CHINA_MIN);
	*ret_keep = time == INT64_MIN ? open
	                              : arena_printf(a, "DataTime=%04d%02d%02d%02d%02d%02d;%.*s", t.year, t.month, t.day, t.hour, t.min, t.sec, STR_FMT(open));
}

static bool orphan(struct str kept, struct arena *a, struct line_frame *ret)
{
	struct hj212 *m = arena_one(a, struct hj212);
	*m = (struct hj212){ .cn = 2011, .st = -1, .qn_time = INT64_MIN, .shared_time = INT64_MIN, .qn = STR_EMPTY, .pw = STR_EMPTY,
		             .mn = STR_EMPTY, .cp = kept };
	*ret = (struct line_frame){ .name = STR_EMPTY, .key = STR_EMPTY, .said = m };
	struct str open = hj212_open_end(kept);
	return !open.n || !hj212_is_cut(open);
}

static bool readings(const struct line_frame *f, struct arena *a, const struct decode_sink *sink, struct refusal *why)
{
	(void)a;
	return hj212_readings(f->said, sink, why);
}

static enum hj212_return return_of(enum welcome verdict)
{
	switch (verdict) {
	case WELCOME_OK: return HJ212_UNKNOWN_ERROR;
	case WELCOME_UNKNOWN: return HJ212_WRONG_MN;
	case WELCOME_WRONG_KEY: return HJ212_WRONG_PW;
	case WELCOME_DISABLED: case WELCOME_BUSY: break;
	}
	return HJ212_REFUSED;
}

static void answer(const struct line_frame *f, bool accepted, enum welcome verdict, int64_t now, struct buf *out)
{
	(void)now;
	if (accepted)
		hj212_answer(f->said, out);
	else
		hj212_deny(f->said, return_of(verdict), out);
}

static void peer(const struct line_frame *f, struct downlink_peer *ret) { hj212_peer(f->said, ret); }

// QN: the moment, but never the same twice.
static uint64_t number(struct line_state *state, int64_t now)
{
	state->v[2] = MAX((uint64_t)(now / US_PER_MS), state->v[2] + 1);
	return state->v[2];
}

static bool answers(const struct line_frame *f, const struct downlink_sent *s, struct command_answer *ret)
{
	return hj212_answers(f->said, s, ret);
}

const struct line_protocol line_hj212 = {
	.feed = hj212_feed, .decode = decode, .carry = carry, .orphan = orphan, .spread = 2, .readings = readings, .answer = answer,
	.peer = peer, .number = number, .command = hj212_command, .answers = answers,
};
