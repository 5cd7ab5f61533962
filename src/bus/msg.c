// The names of protocols and of reasons for refusing, as they stand in answers, pages and metrics. Pure, any thread.
#include "bus/command.h"
#include "bus/msg.h"

static bool hello_ok(const struct msg *m, size_t n)
{
	const struct msg_hello *h = (const void *)m;
	return n >= sizeof *h && (size_t)h->name_len + h->key_len + h->peer_len <= n - sizeof *h;
}

static bool reject_ok(const struct msg *m, size_t n)
{
	const struct msg_reject *r = (const void *)m;
	return n >= sizeof *r && (size_t)r->text_len + r->peer_len <= n - sizeof *r;
}

bool msg_from_gate_ok(const struct msg *m, size_t n)
{
	if (n < sizeof *m || m->device >= DEVICES_MAX)
		return false;
	switch (m->kind) {
	case MSG_READINGS: return n >= sizeof(struct msg_readings) && m->count <= (n - sizeof(struct msg_readings)) / sizeof(struct reading);
	case MSG_KEEP: return n >= sizeof(struct msg_keep) && m->count <= n - sizeof(struct msg_keep);
	case MSG_HELLO:
	case MSG_REFRESH: return hello_ok(m, n);
	case MSG_REJECT: return reject_ok(m, n);
	case MSG_GATE: return n >= sizeof(struct msg_gate);
	case MSG_ANSWER: return n >= sizeof(struct msg_answer);
	case MSG_GONE:
	case MSG_SUBSCRIBED:
	case MSG_DELIVERED: return true;
	default: return false;
	}
}

const char *protocol_name(enum protocol p)
{
	static const char *const names[PROTO__MAX] = {
		[PROTO_NONE] = "none", [PROTO_MQTT311] = "mqtt3.1.1", [PROTO_MQTT5] = "mqtt5",
		[PROTO_HTTP] = "http", [PROTO_HJ212] = "hj212",       [PROTO_GB26875] = "gb26875",
		[PROTO_MODBUS] = "modbus",
		[PROTO_JT808] = "jt808",       [PROTO_GB32960] = "gb32960",
		[PROTO_SL651] = "sl651",
		[PROTO_GATEWAY] = "gateway",
	};
	return (unsigned)p < PROTO__MAX ? names[p] : "unknown";
}

static const struct {
	const char *name;
	const char *zh, *en;
} REJECTS[REJECT__MAX] = {
	[REJECT_SYNTAX] = { "syntax", "报文格式错误", "not in the syntax of the protocol or payload" },
	[REJECT_TOO_LARGE] = { "too_large", "超出允许的长度或数量", "larger or more than allowed" },
	[REJECT_CHECKSUM] = { "checksum", "校验不符", "the checksum does not match" },
	[REJECT_UNKNOWN_POINT] = { "unknown_point", "未登记的监测点", "no such point is registered for the device" },
	[REJECT_VALUE] = { "value", "数值无效", "the value is not a finite number" },
	[REJECT_TIME] = { "time", "时间缺失、无法识别或超出允许范围",
			  "the time is missing, unreadable, too far ahead or too old" },
	[REJECT_TOPIC] = { "topic", "不是本设备的主题", "not the device's own topic" },
	[REJECT_AUTH] = { "auth", "设备未登记或密钥错误", "unknown device or wrong key" },
	[REJECT_PROTOCOL] = { "protocol", "报文出现的时机不符合协议", "a legal message at an illegal moment" },
	[REJECT_SLOW] = { "slow", "设备未及时接收数据", "the device does not read what is sent to it" },
	[REJECT_UNSUPPORTED] = { "unsupported", "不支持的内容", "not supported" },
	[REJECT_UNREACHABLE] = { "unreachable", "设备连接不上", "the device cannot be reached" },
};

const char *reject_name(enum reject r)
{
	return (unsigned)r < REJECT__MAX ? REJECTS[r].name : "unknown";
}

const char *reject_text(enum reject r, bool zh)
{
	if ((unsigned)r >= REJECT__MAX) {
		return zh ? "未知原因" : "unknown reason";
	}
	return zh ? REJECTS[r].zh : REJECTS[r].en;
}
