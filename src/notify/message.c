// The words of a message: digest of notices, template of a gateway, mail, signature. Pure but for message_text, which
// reads the notices; any thread.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "base/log.h"
#include "notify/notify_int.h"

#define DIGEST_LINES 50         // notices written out in one message; the rest is counted
#define ENCODED_WORD 45         // bytes of one encoded word, so that it stays within 75 characters (RFC 2047)

// ---- JSON and templates ------------------------------------------------------------------------
struct str json_text(struct str s, struct arena *a)
{
	struct buf b;
	struct jw w;
	buf_init(&b, 1 << 20);
	jw_init(&w, &b);
	jw_str(&w, s);
	struct str ret = jw_done(&w) && b.n >= 2 ? arena_str(a, str_from(b.p + 1, b.n - 2)) : STR_EMPTY;
	buf_free(&b);
	return ret;
}

static bool word_of(const struct notify_words *w, struct str name, struct arena *a, struct str *ret)
{
	const struct { const char *name; struct str s; } all[] = {
		{ "to", w->to }, { "text", w->text }, { "title", w->title }, { "id", w->id },
		{ "time", w->time }, { "kind", w->kind }, { "site", w->site }, { "count", arena_printf(a, "%lld", (long long)w->count) },
	};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_is(name, all[i].name)) {
			*ret = json_text(all[i].s, a);
			return true;
		}
	return false;
}

struct str notify_fill(struct str template, const struct notify_words *w, struct arena *a)
{
	struct buf b;
	buf_init(&b, LIMIT_MESSAGE);
	for (size_t i = 0; i < template.n;) {
		struct str rest = str_skip(template, i + 1), value;
		size_t end = 0;
		while (end < rest.n && end < 8 && rest.p[end] >= 'a' && rest.p[end] <= 'z')
			end++;
		bool name = template.p[i] == '{' && end && end < rest.n && rest.p[end] == '}';
		if (name && word_of(w, str_first(rest, end), a, &value)) {
			buf_add_str(&b, value);
			i += end + 2;
		} else {
			buf_add_u8(&b, (uint8_t)template.p[i++]);
		}
	}
	struct str ret = buf_ok(&b) ? arena_str(a, buf_str(&b)) : STR_EMPTY;
	buf_free(&b);
	return ret;
}

struct str notify_sign(struct str secret, struct str time, struct str body, struct arena *a)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char hex[2 * EVP_MAX_MD_SIZE];
	struct str all = arena_printf(a, "%.*s.%.*s", STR_FMT(time), STR_FMT(body));
	if (!HMAC(EVP_sha256(), secret.p, (int)secret.n, (const uint8_t *)all.p, all.n, mac, &n))
		log_die("notify", "HMAC-SHA256 is not available");
	str_to_hex(mac, n, hex);
	return arena_printf(a, "sha256=%.*s", (int)(2 * n), hex);
}

// ---- mail --------------------------------------------------------------------------------------
static struct str base64(struct str s, struct arena *a)
{
	uint8_t *out = arena_alloc(a, 4 * ((s.n + 2) / 3) + 1);
	int n = EVP_EncodeBlock(out, (const uint8_t *)s.p, (int)s.n);
	return str_from((const char *)out, (size_t)n);
}

// Encoded words of whole characters.
static void add_encoded(struct buf *b, struct str s, struct arena *a)
{
	for (bool first = true; s.n; first = false) {
		size_t n = 0;
		while (n < s.n) {
			size_t step = utf8_sequence((const uint8_t *)s.p + n, s.n - n);
			step = step ? step : 1;
			if (n + step > ENCODED_WORD)
				break;
			n += step;
		}
		struct str word = base64(str_first(s, n), a);
		buf_printf(b, "%s=?UTF-8?B?%.*s?=", first ? "" : "\r\n ", STR_FMT(word));
		s = str_skip(s, n);
	}
}

static void add_date(struct buf *b, int64_t at)
{
	static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int zone = time_zone();
	struct civil c = time_to_civil(at, zone);
	int64_t day = (at + zone * US_PER_MIN) / US_PER_DAY;
	buf_printf(b, "Date: %s, %d %s %d %02d:%02d:%02d %c%02d%02d\r\n", days[day % 7], c.day, months[c.month - 1], c.year, c.hour,
	           c.min, c.sec, zone < 0 ? '-' : '+', abs(zone) / 60, abs(zone) % 60);
}

static struct str one_line(struct str s) // a header must not be left
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\r' || s.p[i] == '\n')
			return str_first(s, i);
	return s;
}

struct str notify_mail(struct str from, struct str to, struct str subject, struct str text, struct str mid, int64_t at,
                       struct arena *a)
{
	struct buf b;
	struct str host = one_line(from);
	(void)str_cut(&host, '@');
	buf_init(&b, LIMIT_MESSAGE);
	add_date(&b, at);
	struct str f = one_line(from), t = one_line(to);
	buf_printf(&b, "From: <%.*s>\r\nTo: <%.*s>\r\nSubject: ", STR_FMT(f), STR_FMT(t));
	add_encoded(&b, one_line(subject), a);
	buf_printf(&b, "\r\nMessage-ID: <%.*s@%.*s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n", STR_FMT(mid),
	           STR_FMT(host));
	buf_add_cstr(&b, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	struct str body = base64(text, a);
	for (size_t i = 0; i < body.n; i += 76)
		buf_printf(&b, "%.*s\r\n", (int)MIN(body.n - i, (size_t)76), body.p + i);
	struct str ret = buf_ok(&b) ? arena_str(a, buf_str(&b)) : STR_EMPTY;
	buf_free(&b);
	return ret;
}

// ---- the text of a message ---------------------------------------------------------------------
static enum err parts_text(struct db *db, struct outgoing *o, bool en, struct buf *text, struct str *ret_first)
{
	struct query q;
	int64_t shown = 0;
	query_begin(&q, db, STMT_OUTMSG_PARTS);
	query_i64(&q, 1, o->id);
	query_i64(&q, 2, DIGEST_LINES);
	while (query_row(&q)) {
		struct str line = query_get_str(&q, en, o->arena);
		if (!shown++)
			*ret_first = line;
		if (o->count > 1) {
			char at[TIME_TEXT_MAX];
			size_t n = time_text(query_get_i64(&q, 2), at);
			buf_printf(text, "%lld. %.*s  %.*s\n", (long long)shown, STR_FMT(line), (int)MIN(n, (size_t)19), at);
		} else {
			buf_add_str(text, line);
		}
	}
	if (o->count > shown)
		buf_printf(text, en ? "and %lld more\n" : "另有 %lld 条\n", (long long)(o->count - shown));
	return query_end(&q);
}

static struct str default_template(struct str kind)
{
	if (str_is(kind, "wecom"))
		return STR("{\"touser\":\"{to}\",\"msgtype\":\"text\",\"text\":{\"content\":\"{text}\"}}");
	return STR("{\"id\":\"{id}\",\"to\":\"{to}\",\"text\":\"{text}\"}");
}

// Frames what has been said for the channel: mail, filled template, or the event as it is.
static void frame(struct outgoing *o, struct str text, struct str title, struct str site)
{
	const struct channel *ch = &o->ch;
	char at[TIME_TEXT_MAX];
	struct str time = str_from(at, time_text(clock_now(), at));
	struct notify_words w = { .to = o->to, .text = text, .title = title, .id = o->mid, .kind = o->kind, .site = site,
		                  .time = arena_str(o->arena, time), .count = o->count };
	if (str_is(ch->via, VIA_WEBHOOK))
		o->body = arena_printf(o->arena, "{\"id\":\"%.*s\",%.*s", STR_FMT(o->mid), (int)(o->body.n - 1), o->body.p + 1);
	else if (str_is(ch->kind, "mail"))
		o->body = notify_mail(ch->from, o->to, title, text, o->mid, clock_now(), o->arena);
	else
		o->body = notify_fill(ch->template.n ? ch->template : default_template(ch->kind), &w, o->arena);
}

enum err message_text(struct db *db, struct outgoing *o, struct str lang, struct str site)
{
	bool en = str_is(lang, "en");
	struct str text = o->body, first = o->body;
	struct buf b;
	enum err err = OK;
	buf_init(&b, LIMIT_MESSAGE);
	if (str_is(o->kind, "notice")) {
		err = parts_text(db, o, en, &b, &first);
		text = arena_str(o->arena, buf_str(&b));
	}
	struct str title = arena_printf(o->arena, "[%.*s] %.*s", STR_FMT(site), STR_FMT(first));
	if (o->count > 1)
		title = arena_printf(o->arena, en ? "[%.*s] %lld messages: %.*s" : "【%.*s】%lld 条消息：%.*s", STR_FMT(site),
		                     (long long)o->count, STR_FMT(first));
	frame(o, text, title, site);
	buf_free(&b);
	return err;
}
