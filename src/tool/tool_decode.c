// `anlan decode PROTOCOL`: a frame a line on standard input, a JSON object a line on standard output. Ends with 1 if
// any frame was refused. One thread.
#include "base/log.h"
#include "gate/template/payloads.h"
#include "gate/decode/decoders.h"
#include "model/pack_texts.h"
#include "tool/tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_BYTES_MAX (2 * LIMIT_MQTT_PACKET + 1024) // the largest body, written as hex
#define OUTPUT_BYTES_MAX (16 * LIMIT_MQTT_PACKET)     // of one object

static bool wants_chinese(void)
{
	const char *lang = getenv("LC_ALL");
	if (!lang || !*lang) {
		lang = getenv("LANG");
	}
	return lang && strncmp(lang, "zh", 2) == 0;
}

static int usage(bool zh, bool asked)
{
	FILE *to = asked ? stdout : stderr;
	size_t n;
	const struct decoder *list = decoder_list(&n);
	fputs(zh ? "用法: anlan decode 协议 [--key 密钥]    (标准输入每行一帧)\n      anlan decode template:模板名 [--packs 本县业务包]\n"
		 : "usage: anlan decode PROTOCOL [--key KEY]    (a frame a line on standard input)\n       anlan decode template:NAME [--packs OWN]\n",
	      to);
	for (size_t i = 0; i < n; i++) {
		fprintf(to, "  %-11s %s\n", list[i].name, zh ? list[i].zh : list[i].en);
	}
	return asked ? 0 : 2;
}

static bool write_all(struct str s)
{
	return fwrite(s.p, 1, s.n, stdout) == s.n;
}

// False if the line was refused or could not be written.
static bool decode_line(const struct decoder *d, struct str key, struct str line, bool zh, struct arena *arena, struct buf *out)
{
	if (!str_trim(line).n) {
		return true;
	}
	arena_reset(arena);
	buf_clear(out);
	if (key.n) {
		line = arena_printf(arena, "%.*s %.*s", STR_FMT(key), STR_FMT(line));
	}
	bool ok = decoder_print(d, line, arena, clock_now(), zh, out);
	buf_add_u8(out, '\n');
	return buf_ok(out) && write_all(buf_str(out)) && ok;
}

// Reads to the end; lines are decoded as they become whole.
static int decode_input(const struct decoder *d, struct str key, bool zh, struct buf *in, struct arena *arena, struct buf *out)
{
	int status = 0;
	for (;;) {
		char *room = buf_room(in, 1 << 16);
		ssize_t got = room ? read(STDIN_FILENO, room, 1 << 16) : -1;
		if (got < 0 && room && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			fputs(room ? (zh ? "无法读取标准输入\n" : "standard input cannot be read\n")
				   : (zh ? "一行过长\n" : "a line is too long\n"),
			      stderr);
			return 1;
		}
		buf_commit(in, (size_t)got);
		struct str rest = buf_str(in);
		while (memchr(rest.p, '\n', rest.n) || (got == 0 && rest.n)) {
			if (!decode_line(d, key, str_cut(&rest, '\n'), zh, arena, out)) {
				status = 1;
			}
		}
		buf_drop_front(in, in->n - rest.n);
		if (got == 0) {
			return status;
		}
		fflush(stdout);
	}
}

// A template of the packs, the program's and (with DIR/packs) the county's own. NULL: there is none.
static const struct payload_template *find_template(struct str name, const char *own, bool zh, struct arena *a)
{
	struct diags d = { .arena = a, .zh = zh };
	struct pack_texts texts = { .arena = a };
	struct registry *reg = NULL;
	struct named_template *v;
	size_t n;
	pack_texts_read(&texts, str_of(tool_packs_dir()), false, &d);
	if (own) {
		pack_texts_read(&texts, str_of(own), true, &d);
	}
	if (d.n || registry_load_texts(&reg, &texts, &d) || !payloads_load(reg, a, &d, &v, &n)) {
		for (size_t i = 0; i < d.n; i++) {
			fprintf(stderr, "%.*s:%u:%u: %.*s\n", STR_FMT(d.v[i].file), d.v[i].line, d.v[i].col, STR_FMT(d.v[i].text));
		}
		registry_free(reg);
		return NULL;
	}
	const struct named_template *found = payload_find(v, n, name);
	for (size_t i = 0; !found && i < n; i++) {
		fprintf(stderr, "  template:%.*s\n", STR_FMT(v[i].name));
	}
	registry_free(reg);
	return found ? found->t : NULL;
}

int tool_decode(int argc, char **argv)
{
	bool zh = wants_chinese();
	const char *own = tool_option(&argc, argv, "--packs");
	bool keyed = argc == 3 && strcmp(argv[1], "--key") == 0;
	const struct decoder *d = argc == 1 || keyed ? decoder_find(str_of(argv[0])) : NULL;
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct decoder by_template = { .form = FRAME_AS_IT_IS };
	if (argc == 1 && str_starts(str_of(argv[0]), STR("template:"))) {
		by_template.tpl = find_template(str_skip(str_of(argv[0]), 9), own, zh, a);
		d = by_template.tpl ? &by_template : NULL;
	}
	if (!d) {
		return usage(zh, argc == 1 && strcmp(argv[0], "--help") == 0);
	}
	struct buf in, out;
	struct arena *arena = arena_new(0);
	buf_init(&in, LINE_BYTES_MAX + (1 << 16));
	buf_init(&out, OUTPUT_BYTES_MAX);
	int status = decode_input(d, keyed ? str_of(argv[2]) : STR_EMPTY, zh, &in, arena, &out);
	if (fflush(stdout) != 0) {
		status = 1;
	}
	buf_free(&in);
	buf_free(&out);
	arena_free(arena);
	return status;
}
