// The log: one JSON object a line on standard error, written by a single write so that lines of several threads and
// processes do not mix. Allocates nothing, so that it can also say that memory has run out. Any thread.
#include "base/log.h"
#include "base/jw.h"
#include "base/time.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MESSAGE_MAX 1500                 // bytes of text; longer is cut
#define LINE_MAX_BYTES (MESSAGE_MAX * 6 + 512) // every byte may need \u00xx

static _Atomic int min_level = LOG_INFO;
static char process_name[16] = "anlan";

void log_set(enum log_level min, const char *process)
{
	atomic_store(&min_level, (int)min);
	snprintf(process_name, sizeof(process_name), "%s", process ? process : "anlan");
}

static void log_write(enum log_level level, const char *part, const char *fmt, va_list ap)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	char message[MESSAGE_MAX], line[LINE_MAX_BYTES], at[TIME_TEXT_MAX];
	int n = vsnprintf(message, sizeof(message), fmt, ap);
	size_t len = n < 0 ? 0 : MIN((size_t)n, sizeof(message) - 1);
	struct buf b = { .p = line, .cap = sizeof(line), .max = sizeof(line) };
	struct jw w;
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "at", str_from(at, time_text(clock_now(), at)));
	jw_kcstr(&w, "level", names[level]);
	jw_kcstr(&w, "process", process_name);
	jw_kcstr(&w, "part", part);
	jw_kstr(&w, "message", str_from(message, len));
	jw_end(&w);
	if (jw_done(&w)) {
		buf_add_u8(&b, '\n');
		ssize_t written = write(STDERR_FILENO, b.p, b.n);
		(void)written; // nowhere to complain about a broken standard error
	}
}

void log_line(enum log_level level, const char *part, const char *fmt, ...)
{
	if ((int)level < atomic_load_explicit(&min_level, memory_order_relaxed)) {
		return;
	}
	va_list ap;
	va_start(ap, fmt);
	log_write(level, part, fmt, ap);
	va_end(ap);
}

_Noreturn void log_die(const char *part, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	log_write(LOG_ERROR, part, fmt, ap);
	va_end(ap);
	abort();
}
