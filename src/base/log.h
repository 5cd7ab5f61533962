// One JSON object a line on standard error. No secret, key, password or personal datum is ever an argument.
// Libraries (everything but main, tool and the top of each thread) log nothing above debug: they return an err.
#pragma once

#include "base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set(enum log_level min, const char *process); // "parent", "gate", "core"
void log_line(enum log_level level, const char *part, const char *fmt, ...) printf_like(3, 4);

#define log_debug(part, ...) log_line(LOG_DEBUG, part, __VA_ARGS__)
#define log_info(part, ...) log_line(LOG_INFO, part, __VA_ARGS__)
#define log_warn(part, ...) log_line(LOG_WARN, part, __VA_ARGS__)
#define log_error(part, ...) log_line(LOG_ERROR, part, __VA_ARGS__)
// The process cannot go on (out of memory, broken invariant): one line, then abort; the parent restarts it.
_Noreturn void log_die(const char *part, const char *fmt, ...) printf_like(2, 3);
