// HJ 212-2017 "Data transmission standard for online monitoring systems of pollutants": framing, CRC, fields, readings,
// answers. Clauses are those of the 2017 text; a 2005 device differs by its Flag (version bits 0, or no Flag at all).
// Pure functions, any thread.
#include "gate/decode/decode.h"

#define HEAD 6u       // ## and four digits
#define CRC_DIGITS 4u
#define AROUND (HEAD + CRC_DIGITS)

static const struct complaint NO_START = { REJECT_SYNTAX, "不是以 ## 开头的数据包",
	"not a packet: it does not begin with ##" };
static const struct complaint NO_LENGTH = { REJECT_SYNTAX, "## 之后应为 4 位十进制长度",
	"four decimal digits of length must follow ##" };
static const struct complaint TOO_LONG = { REJECT_TOO_LARGE, "数据段超过 1024 字节",
	"the data segment is longer than 1024 bytes" };
static const struct complaint WRONG_CRC = { REJECT_CHECKSUM, "CRC 校验不符",
	"the CRC does not match" };
static const struct complaint WRONG_LENGTH = { REJECT_SYNTAX, "声明的长度与数据段不符",
	"the declared length does not fit the data segment" };
static const struct complaint WRONG_CP = { REJECT_SYNTAX, "CP 的内容应在 && 与 && 之间",
	"CP must stand between && and &&" };
static const struct complaint WRONG_ITEM = { REJECT_SYNTAX, "CP 中的数据项应为 名称=值",
	"an item of CP is not name=value" };
static const struct complaint NO_FIELD = { REJECT_SYNTAX, "字段应为 名称=值",
	"a field is not name=value" };
static const struct complaint WRONG_FIELD = { REJECT_SYNTAX, "字段的值不符合标准",
	"the value of a field is not as the standard says" };
static const struct complaint NO_CRC = { REJECT_SYNTAX, "CRC 应为 4 位十六进制数",
	"the CRC must be four hexadecimal digits" };

// Annex A: the register's high byte XOR the next byte, shifted out bit by bit with 0xA001. Nothing of the low byte is
// kept, so the result depends on those eight bits alone: here taken from a table for each half of them.
uint16_t hj212_crc(struct str segment)
{
	static const uint16_t low[16] = { 0x0000, 0xc0c1, 0xc181, 0x0140, 0xc301, 0x03c0, 0x0280, 0xc241,
		                          0xc601, 0x06c0, 0x0780, 0xc741, 0x0500, 0xc5c1, 0xc481, 0x0440 };
	static const uint16_t high[16] = { 0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401,
		                           0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01, 0x8801, 0x4400 };
	uint16_t crc = 0xffff;
	for (size_t i = 0; i < segment.n; i++) {
		uint8_t x = (uint8_t)(crc >> 8 ^ (uint8_t)segment.p[i]);
		crc = low[x & 15] ^ high[x >> 4];
	}
	return crc;
}

// --- framing ---------------------------------------------------------------------------------------------------------

static bool is_blank(char c)
{
	return c == '\r' || c == '\n' || c == ' ' || c == '\t' || c == '\0';
}

// Bytes before the next possible beginning of a frame, from offset at on.
static size_t next_start(struct str s, size_t at)
{
	struct str rest = str_skip(s, at);
	const char *p = memmem(rest.p, rest.n, "##", 2);
	if (p) {
		return (size_t)(p - s.p);
	}
	return s.n - (s.n > at && s.p[s.n - 1] == '#');
}

static struct fed fed_bad(size_t drop, struct refusal why)
{
	return (struct fed){ FEED_BAD, drop, STR_EMPTY, why };
}

static bool read_length(struct str frame, size_t *ret)
{
	uint64_t v;
	if (!str_to_u64(str_from(frame.p + 2, 4), &v)) {
		return false;
	}
	*ret = (size_t)v;
	return true;
}

struct fed hj212_feed(struct str in)
{
	size_t skip = 0;
	while (skip < in.n && is_blank(in.p[skip])) {
		skip++;
	}
	struct str s = str_skip(in, skip);
	struct fed more = { FEED_MORE, skip, STR_EMPTY, { 0 } };
	struct refusal why;
	size_t start = next_start(s, 0), len;
	if (start) {
		refuse_as(&why, &NO_START, 0);
		return fed_bad(skip + start, why);
	}
	if (s.n < HEAD) {
		return more;
	}
	if (!read_length(s, &len)) {
		refuse_as(&why, &NO_LENGTH, 2);
		return fed_bad(skip + next_start(s, 1), why);
	}
	if (len > LIMIT_HJ212_SEGMENT) {
		refuse_as(&why, &TOO_LONG, 2);
		return fed_bad(skip + next_start(s, 1), why);
	}
	if (s.n < len + AROUND) {
		return more;
	}
	uint8_t crc[2];
	bool hex = str_from_hex(str_from(s.p + HEAD + len, CRC_DIGITS), crc, 2);
	bool equal = hex && hj212_crc(str_from(s.p + HEAD, len)) == (crc[0] << 8 | crc[1]);
	if (!equal && s.n < len + AROUND + 2) {
		return more; // CR LF, if it comes, tells a wrong checksum from a wrong length
	}
	bool ended = s.n >= len + AROUND + 2 && memcmp(s.p + len + AROUND, "\r\n", 2) == 0;
	struct str frame = str_from(s.p, len + AROUND);
	if (equal) {
		return (struct fed){ FEED_FRAME, skip + frame.n + (ended ? 2 : 0), frame, { 0 } };
	}
	if (ended && hex) {
		refuse_as(&why, &WRONG_CRC, HEAD + len);
		why.want = hj212_crc(str_from(s.p + HEAD, len));
		why.got = (uint32_t)(crc[0] << 8 | crc[1]);
		why.how = 'x';
		return (struct fed){ FEED_BAD, skip + frame.n + 2, frame, why };
	}
	refuse_as(&why, &WRONG_LENGTH, 2);
	return fed_bad(skip + next_start(s, 1), why);
}

void hj212_frame(struct str segment, struct buf *out)
{
	buf_printf(out, "##%04zu%.*s%04X\r\n", segment.n, STR_FMT(segment), hj212_crc(segment));
}

// --- the data segment ------------------------------------------------------------------------------------------------

// A whole number of at most four digits.
static bool small_number(struct str s, int *ret)
{
	uint64_t v;
	if (s.n > 4 || !str_to_u64(s, &v)) {
		return false;
	}
	*ret = (int)v;
	return true;
}

// Printable ASCII without blanks, so that it can stand in an answer and name a device.
static bool plain_text(struct str s, size_t max)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~') {
			return false;
		}
	}
	return s.n <= max;
}

// Keeps only what can stand in an answer.
static bool set_text(struct str *field, struct str value, size_t max)
{
	if (!plain_text(value, max)) {
		return false;
	}
	*field = value;
	return true;
}

static bool set_field(struct hj212 *m, struct str name, struct str value)
{
	if (str_eq_nocase(name, STR("QN"))) {
		if (value.n != 17 || !time_parse_local(value, ZONE_CHINA_MIN, &m->qn_time)) {
			m->qn_time = INT64_MIN;
		}
		return set_text(&m->qn, value, 32);
	}
	if (str_eq_nocase(name, STR("ST"))) {
		return small_number(value, &m->st);
	}
	if (str_eq_nocase(name, STR("CN"))) {
		return small_number(value, &m->cn);
	}
	if (str_eq_nocase(name, STR("PW"))) {
		return set_text(&m->pw, value, LIMIT_DEVICE_KEY);
	}
	if (str_eq_nocase(name, STR("MN"))) {
		return value.n && set_text(&m->mn, value, LIMIT_DEVICE_NAME);
	}
	if (str_eq_nocase(name, STR("Flag"))) {
		return small_number(value, &m->flag) && m->flag <= 255;
	}
	if (str_eq_nocase(name, STR("PNUM"))) {
		return small_number(value, &m->pnum);
	}
	if (str_eq_nocase(name, STR("PNO"))) {
		return small_number(value, &m->pno);
	}
	return true; // a field of a later edition
}

// Text between // and // (the log of 3020) may hold what separates otherwise. Bytes of it behind its first //, or 0.
static size_t quoted(struct str behind)
{
	const char *end = str_starts(behind, STR("//")) ? memmem(behind.p + 2, behind.n - 2, "//", 2) : NULL;
	return end ? (size_t)(end + 2 - behind.p) : 0;
}

bool hj212_next(struct str *cp, struct hj212_pair *pair)
{
	while (cp->n) {
		size_t n = 0;
		while (n < cp->n && cp->p[n] != ';' && cp->p[n] != ',') {
			n++;
			n += cp->p[n - 1] == '=' ? quoted(str_skip(*cp, n)) : 0;
		}
		struct str token = str_trim(str_first(*cp, n));
		pair->item = pair->next_item;
		pair->next_item += n < cp->n && cp->p[n] == ';';
		*cp = str_skip(*cp, n + 1);
		if (!token.n) {
			continue;
		}
		pair->bare = !memchr(token.p, '=', token.n);
		pair->name = str_trim(str_cut(&token, '='));
		pair->value = str_trim(token);
		return true;
	}
	return false;
}

static bool parse_cp(struct str text, size_t offset, struct hj212 *m, struct refusal *why)
{
	struct str cp = str_trim(text);
	if (cp.n < 4 || !str_starts(cp, STR("&&")) || !str_ends(cp, STR("&&"))) {
		return refuse_as(why, &WRONG_CP, offset);
	}
	m->cp = str_from(cp.p + 2, cp.n - 4);
	struct str rest = m->cp;
	struct hj212_pair pair = { 0 };
	for (bool first = true; hj212_next(&rest, &pair); first = false) {
		bool may_be_cut = (first && m->pno > 1) || (!rest.n && m->pno < m->pnum);
		if ((pair.bare || !pair.name.n) && !may_be_cut) {
			size_t at = offset + (size_t)(pair.name.p - text.p);
			return refuse_as(why, &WRONG_ITEM, pair.name.n ? at : offset);
		}
	}
	return true;
}

static bool parse_segment(struct str segment, struct hj212 *m, struct refusal *why)
{
	struct str rest = segment;
	bool has_cp = false;
	*m = (struct hj212){ .qn = STR_EMPTY,
			     .qn_time = INT64_MIN,
			     .shared_time = INT64_MIN,
			     .st = -1,
			     .cn = -1,
			     .pw = STR_EMPTY,
			     .mn = STR_EMPTY,
			     .flag = -1,
			     .cp = STR_EMPTY };
	while (rest.n) {
		size_t at = HEAD + (size_t)(rest.p - segment.p);
		struct str left = str_trim(rest);
		has_cp = left.n >= 3 && str_eq_nocase(str_first(left, 3), STR("CP="));
		if (has_cp) {
			if (!parse_cp(str_skip(left, 3), at + 3, m, why)) {
				return false;
			}
			break;
		}
		struct str field = str_trim(str_cut(&rest, ';'));
		if (!field.n) {
			continue;
		}
		if (!memchr(field.p, '=', field.n)) {
			return refuse_as(why, &NO_FIELD, at);
		}
		struct str name = str_trim(str_cut(&field, '='));
		if (!set_field(m, name, str_trim(field))) {
			return refuse_as(why, &WRONG_FIELD, at);
		}
	}
	if (m->st < 0 || m->cn < 0 || !m->mn.n || !has_cp) {
		const char *zh = m->st < 0 ? "缺少 ST" : m->cn < 0 ? "缺少 CN" : !m->mn.n ? "缺少 MN" : "缺少 CP";
		const char *en = m->st < 0   ? "ST is missing"
				 : m->cn < 0 ? "CN is missing"
				 : !m->mn.n  ? "MN is missing"
					     : "CP is missing";
		return refuse_at(why, REJECT_SYNTAX, HEAD, zh, en);
	}
	if ((m->pnum || m->pno) && (m->pno < 1 || m->pno > m->pnum)) {
		return refuse_at(why, REJECT_SYNTAX, HEAD, "PNO 应为 1 至 PNUM", "PNO is not within 1 and PNUM");
	}
	return true;
}

bool hj212_decode(struct str frame, struct hj212 *ret, struct refusal *why)
{
	size_t len;
	uint8_t crc[2];
	*ret = (struct hj212){ .flag = -1, .cn = -1, .st = -1 };
	if (str_ends(frame, STR("\r\n"))) {
		frame.n -= 2;
	}
	if (!str_starts(frame, STR("##"))) {
		return refuse_as(why, &NO_START, 0);
	}
	if (frame.n < HEAD || !read_length(frame, &len)) {
		return refuse_as(why, &NO_LENGTH, 2);
	}
	if (len > LIMIT_HJ212_SEGMENT) {
		return refuse_as(why, &TOO_LONG, 2);
	}
	if (frame.n != len + AROUND) {
		refuse_as(why, &WRONG_LENGTH, 2);
		why->want = (uint32_t)len;
		why->got = (uint32_t)(frame.n < AROUND ? 0 : frame.n - AROUND);
		why->how = 'd';
		return false;
	}
	struct str segment = str_from(frame.p + HEAD, len);
	if (!str_from_hex(str_from(frame.p + HEAD + len, CRC_DIGITS), crc, 2)) {
		return refuse_as(why, &NO_CRC, HEAD + len);
	}
	uint16_t want = hj212_crc(segment), got = (uint16_t)(crc[0] << 8 | crc[1]);
	bool parsed = parse_segment(segment, ret, why);
	if (want != got) {
		refuse_as(why, &WRONG_CRC, HEAD + len);
		why->want = want;
		why->got = got;
		why->how = 'x';
		return false;
	}
	return parsed;
}

// --- readings --------------------------------------------------------------------------------------------------------

// Table 9: the commands that carry measured data.
static bool carries_readings(int cn)
{
	return cn == 2011 || cn == 2021 || cn == 2031 || cn == 2041 || cn == 2051 || cn == 2061;
}

// Table 8, and the digits of HJ/T 212-2005 for air stations.
static enum quality flag_quality(struct str flag)
{
	if (flag.n == 0 || str_is(flag, "N") || str_is(flag, "3") || str_is(flag, "1")) {
		return Q_GOOD;
	}
	if (str_is(flag, "M") || str_is(flag, "C") || str_is(flag, "S") || str_is(flag, "F") || str_is(flag, "0")) {
		return Q_MAINTENANCE;
	}
	return str_is(flag, "T") ? Q_RANGE : Q_BAD;
}

// name = base-suffix, cut at the last hyphen.
static bool split_name(struct str name, struct str *base, struct str *suffix)
{
	const char *at = memrchr(name.p, '-', name.n);
	if (!at || at == name.p) {
		return false;
	}
	*base = str_from(name.p, (size_t)(at - name.p));
	*suffix = str_skip(name, base->n + 1);
	return true;
}

// What else the item says about the factor: its data flag and sampling time.
struct about {
	struct str base;
	struct str flag, sample_time;
};

static void read_about(struct str item, struct str base, struct about *ret)
{
	*ret = (struct about){ base, STR_EMPTY, STR_EMPTY };
	struct hj212_pair pair = { 0 };
	struct str of, suffix;
	while (hj212_next(&item, &pair)) {
		if (!split_name(pair.name, &of, &suffix) || !str_eq(of, base)) {
			continue;
		}
		if (str_is(suffix, "Flag")) {
			ret->flag = pair.value;
		} else if (str_is(suffix, "SampleTime")) {
			ret->sample_time = pair.value;
		}
	}
}

static bool is_measurement(struct str suffix)
{
	static const char *const others[] = { "Flag", "EFlag", "SampleTime", "Info", "SN" };
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (str_is(suffix, others[i])) {
			return false;
		}
	}
	return true;
}

static void emit_value(const struct hj212_pair *pair, const struct about *about, bool sampled, int64_t time,
		       const struct decode_sink *sink)
{
	struct decoded d = { .name = pair->name,
			     .alias = STR_EMPTY,
			     .time = time,
			     .quality = flag_quality(about->flag),
			     .optional = !sampled };
	if (sampled) {
		d.name = about->base;
		d.alias = pair->name;
	}
	if (about->sample_time.n && !time_parse_local(about->sample_time, ZONE_CHINA_MIN, &d.time)) {
		d.time = INT64_MIN;
	}
	bool absent = !pair->value.n && d.quality == Q_BAD;
	if (d.time == INT64_MIN) {
		sink->refuse(sink->owner, REJECT_TIME, pair->name);
	} else if (!absent && !decode_number(pair->value, &d.value)) {
		sink->refuse(sink->owner, REJECT_VALUE, pair->name);
	} else {
		sink->reading(sink->owner, &d);
	}
}

static void item_readings(struct str item, int64_t time, const struct decode_sink *sink)
{
	struct str rest = item, base, suffix;
	struct hj212_pair pair = { 0 };
	struct about about = { STR_EMPTY, STR_EMPTY, STR_EMPTY };
	while (hj212_next(&rest, &pair)) {
		if (!split_name(pair.name, &base, &suffix) || !is_measurement(suffix)) {
			continue;
		}
		if (!str_eq(base, about.base)) {
			read_about(item, base, &about);
		}
		emit_value(&pair, &about, str_is(suffix, "Rtd"), time, sink);
	}
}

// --- items over two packets ------------------------------------------------------------------------------------------

static struct str last_pair(struct str item)
{
	const char *comma = item.n ? memrchr(item.p, ',', item.n) : NULL;
	return comma ? str_from(comma + 1, item.n - (size_t)(comma + 1 - item.p)) : item;
}

struct str hj212_open_end(struct str cp)
{
	const char *behind = cp.n ? memrchr(cp.p, ';', cp.n) : NULL;
	struct str item = behind ? str_from(behind + 1, cp.n - (size_t)(behind + 1 - cp.p)) : cp;
	struct str value = last_pair(item), name = str_trim(str_cut(&value, '='));
	bool flagged = str_ends(name, STR("-Flag")) && str_trim(value).n == 1; // table 8: one letter
	return flagged || !str_trim(item).n || str_is(name, "DataTime") ? STR_EMPTY : item;
}

bool hj212_is_cut(struct str open)
{
	struct str value = last_pair(open), whole = value;
	str_cut(&value, '=');
	return !str_trim(value).n || !memchr(whole.p, '=', whole.n);
}

bool hj212_goes_on(struct str open, struct str cp)
{
	size_t n = 0;
	while (n < cp.n && cp.p[n] != ',' && cp.p[n] != ';') {
		n++;
	}
	bool bare = n && !memchr(cp.p, '=', n);
	return open.n && (hj212_is_cut(open) ? !cp.n || cp.p[0] != ';' : bare || str_starts(cp, STR(",")));
}

bool hj212_data_time(const struct hj212 *m, int64_t *ret)
{
	bool said = false;
	struct str rest = m->cp;
	struct hj212_pair pair = { 0 };
	while (hj212_next(&rest, &pair)) {
		if (str_is(pair.name, "DataTime")) {
			said = true;
			if (!time_parse_local(pair.value, ZONE_CHINA_MIN, ret)) {
				*ret = INT64_MIN;
			}
		}
	}
	return said;
}

bool hj212_readings(const struct hj212 *m, const struct decode_sink *sink, struct refusal *why)
{
	(void)why; // the form of CP was checked by hj212_decode
	if (!carries_readings(m->cn) || m->st == 91) {
		return true;
	}
	int64_t time;
	if (!hj212_data_time(m, &time)) {
		time = m->pnum > 1 ? m->shared_time : m->qn_time;
	}
	for (struct str rest = m->cp; rest.n;) {
		item_readings(str_cut(&rest, ';'), time, sink);
	}
	return true;
}

// --- answers ---------------------------------------------------------------------------------------------------------

// What a device may mean by a command (table 9 and the exchanges of annex C, seen from the server).
enum meaning { MEANS_DATA, MEANS_NOTICE, MEANS_REQUEST, MEANS_ANSWER, MEANS_NOTHING };

static enum meaning meaning_of(int cn)
{
	switch (cn) {
	case 1011: case 1061: case 1063: case 2011: case 2021: case 2031: case 2041: case 2051: case 2061: case 2081:
	case 3015: case 3016: case 3017: case 3018: case 3019: case 3020:
		return MEANS_DATA;
	case 1013: case 2012: case 2022: case 2072: // 2072: an alarm of HJ/T 212-2005
		return MEANS_NOTICE;
	case 1000: case 1012: case 1062: case 1064: case 1072: case 3011: case 3012: case 3013: case 3014: case 3021:
		return MEANS_REQUEST;
	case 9011: case 9012: case 9013: case 9014:
		return MEANS_ANSWER;
	default:
		return MEANS_NOTHING;
	}
}

static void put_answer(const struct hj212 *m, int cn, int qn_rtn, struct buf *out)
{
	struct buf segment;
	buf_init(&segment, LIMIT_HJ212_SEGMENT);
	buf_printf(&segment, "QN=%.*s;ST=91;CN=%d;PW=%.*s;MN=%.*s;Flag=%d;CP=&&", STR_FMT(m->qn), cn, STR_FMT(m->pw),
		   STR_FMT(m->mn),
		   m->flag & 0xfc); // the device's version of the standard, no packets, no answer
	if (qn_rtn) {
		buf_printf(&segment, "QnRtn=%d", qn_rtn);
	}
	buf_add_cstr(&segment, "&&");
	if (buf_ok(&segment)) {
		hj212_frame(buf_str(&segment), out);
	}
	buf_free(&segment);
}

static bool wants_answer(const struct hj212 *m)
{
	return m->flag >= 0 && ((unsigned)m->flag & HJ212_FLAG_ANSWER) && m->mn.n && meaning_of(m->cn) != MEANS_ANSWER;
}

void hj212_answer(const struct hj212 *m, struct buf *out)
{
	if (!wants_answer(m)) {
		return;
	}
	switch (meaning_of(m->cn)) {
	case MEANS_DATA: put_answer(m, 9014, 0, out); break;
	case MEANS_NOTICE: put_answer(m, 9013, 0, out); break;
	case MEANS_REQUEST: put_answer(m, 9011, HJ212_REFUSED, out); break;
	case MEANS_NOTHING: put_answer(m, 9011, HJ212_WRONG_CN, out); break;
	case MEANS_ANSWER: break;
	}
}

void hj212_deny(const struct hj212 *m, enum hj212_return code, struct buf *out)
{
	if (wants_answer(m)) {
		put_answer(m, 9011, (int)code, out);
	}
}
