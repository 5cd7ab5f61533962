// The one table of errors, and problems: what went wrong, in words for people. Any thread; a problem has one owner.
#include "base/err.h"
#include "base/arena.h"

#include <stdarg.h>

static const struct {
	const char *name; // stable, for programs
	int http;         // RFC 9110 status
	const char *zh, *en;
} ERRORS[ERR__MAX] = {
	[OK] = { "ok", 200, "成功", "OK" },
	[ERR_INVALID] = { "invalid", 400, "输入不符合要求", "the input breaks a rule" },
	[ERR_PARSE] = { "parse", 400, "格式无法识别", "the input cannot be read" },
	[ERR_TOO_LARGE] = { "too_large", 413, "超出允许的大小", "larger than allowed" },
	[ERR_UNAUTHENTICATED] = { "unauthenticated", 401, "请先登录", "please log in" },
	[ERR_FORBIDDEN] = { "forbidden", 403, "没有权限", "not permitted" },
	[ERR_NOT_FOUND] = { "not_found", 404, "未找到", "not found" },
	[ERR_CONFLICT] = { "conflict", 409, "与当前状态冲突,请刷新后重试",
			   "conflicts with the present state; reload and try again" },
	[ERR_THROTTLED] = { "throttled", 429, "操作过于频繁,请稍后再试", "too many attempts; wait a little" },
	[ERR_UNSUPPORTED] = { "unsupported", 415, "不支持", "not supported" },
	[ERR_FULL] = { "full", 507, "磁盘已满,数据未保存", "the disk is full; nothing was saved" },
	[ERR_IO] = { "io", 500, "读写错误", "input/output error" },
	[ERR_CORRUPT] = { "corrupt", 500, "存储的数据已损坏", "stored data is damaged" },
	[ERR_TIMEOUT] = { "timeout", 504, "超时", "timed out" },
	[ERR_UNAVAILABLE] = { "unavailable", 503, "服务暂不可用,请稍后再试",
			      "not available at the moment; try again" },
	[ERR_BUG] = { "bug", 500, "程序内部错误", "internal error" },
};

const char *err_name(enum err err)
{
	assert(err < ERR__MAX);
	return ERRORS[err].name;
}

int err_http_status(enum err err)
{
	assert(err < ERR__MAX);
	return ERRORS[err].http;
}

const char *err_text(enum err err, bool zh)
{
	assert(err < ERR__MAX);
	return zh ? ERRORS[err].zh : ERRORS[err].en;
}

void problem_init(struct problem *p, struct arena *arena)
{
	*p = (struct problem){ arena, OK, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY };
}

enum err problem_set(struct problem *p, enum err err, const char *field, const char *zh, const char *en, ...)
{
	if (!p || p->err != OK) {
		return err;
	}
	p->err = err;
	p->field = arena_str(p->arena, str_of(field));
	va_list ap;
	va_start(ap, en);
	p->zh = arena_vprintf(p->arena, zh, ap);
	va_end(ap);
	va_start(ap, en);
	p->en = arena_vprintf(p->arena, en, ap);
	va_end(ap);
	return err;
}

void problem_hint(struct problem *p, const char *zh, const char *en)
{
	if (!p || p->err == OK) {
		return;
	}
	p->hint_zh = arena_str(p->arena, str_of(zh));
	p->hint_en = arena_str(p->arena, str_of(en));
}
