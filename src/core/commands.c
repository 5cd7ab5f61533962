// Commands to devices: a small queue in memory for each device. A command is handed to the gate at once and again when
// the device subscribes; it leaves the queue when the device has it (MQTT: PUBACK at QoS 1, written at QoS 0) or when
// it is too old to be wanted. Delivered at least once while the core lives; a core that dies forgets what waited.
//
// HTTP workers add and wait, T_SERIES brings the gate's answers, T_EVENTS ticks; one mutex.
#include "base/buf.h"
#include "base/limits.h"
#include "core/core_int.h"

struct command {
	struct command *next;       // younger
	uint64_t seq;
	uint32_t device;
	uint64_t conn;              // it was sent to, 0 = none
	bool sent;                  // the gate has it, as far as is known
	int64_t at, tried_at;       // us
	bool *delivered;            // of the worker that waits, or NULL
	struct str bytes;           // behind it
};

#define COMMAND_WAIT_US (2 * US_PER_S)   // a worker waits so long for the device
#define COMMAND_WAITERS 2                // and so many of them at a time; the others answer "queued" at once
#define COMMAND_RETRY_US (10 * US_PER_S) // and so often it is tried again while the gate refuses it

static void command_send(struct core *co, struct command *k, uint64_t conn, int64_t now) // mutex held
{
	struct buf out;
	struct msg m = { .size = (uint32_t)(sizeof m + k->bytes.n), .kind = MSG_COMMAND, .seq = k->seq, .device = k->device };
	buf_init(&out, sizeof m + LIMIT_COMMAND);
	buf_add(&out, &m, sizeof m);
	buf_add_str(&out, k->bytes);
	k->sent = buf_ok(&out) && to_gate_send(co, out.p, out.n);
	k->conn = conn;
	k->tried_at = now;
	buf_free(&out);
}

static void command_remove(struct core *co, struct command **at)
{
	struct command *k = *at;
	*at = k->next;
	co->ncommands--;
	mem_free(k);
}

static struct command *command_add(struct core *co, uint32_t device, struct str bytes, int64_t now)
{
	size_t of_device = 0;
	struct command **last = &co->commands;
	for (; *last; last = &(*last)->next)
		of_device += (*last)->device == device;
	if (of_device >= LIMIT_COMMANDS_PER_DEVICE || co->ncommands >= LIMIT_COMMANDS)
		return NULL;
	struct command *k = mem_alloc(sizeof *k + bytes.n);
	memcpy(k + 1, bytes.p, bytes.n);
	*k = (struct command){ .seq = ++co->command_seq, .device = device, .at = now, .bytes = str_from((char *)(k + 1), bytes.n) };
	*last = k;
	co->ncommands++;
	return k;
}

// Until the device has it, the gate says that it does not listen, or it takes too long. Mutex held.
static void command_wait(struct core *co, uint64_t seq)
{
	int64_t end = clock_mono() + COMMAND_WAIT_US;
	struct timespec ts = { .tv_sec = end / US_PER_S, .tv_nsec = end % US_PER_S * 1000 };
	struct command *k;
	do { // it may be gone (then *delivered says why) or refused by the gate meanwhile
		for (k = co->commands; k && k->seq != seq; k = k->next)
			;
	} while (k && k->sent && pthread_cond_timedwait(&co->commands_cond, &co->commands_mutex, &ts) == 0);
	for (k = co->commands; k; k = k->next)
		if (k->seq == seq)
			k->delivered = NULL;
}

enum err core_command(struct app *app, uint32_t device, struct str bytes, bool *ret_delivered)
{
	struct core *co = (struct core *)app;
	*ret_delivered = false;
	if (bytes.n > LIMIT_COMMAND)
		return ERR_TOO_LARGE;
	uint64_t conn = device_conn(co, device);
	pthread_mutex_lock(&co->commands_mutex);
	int64_t now = clock_mono();
	struct command *k = command_add(co, device, bytes, now);
	if (k) {
		command_send(co, k, conn, now);
		if (conn && co->command_waiters < COMMAND_WAITERS) {
			k->delivered = ret_delivered;
			co->command_waiters++;
			command_wait(co, k->seq);
			co->command_waiters--;
		}
	}
	pthread_mutex_unlock(&co->commands_mutex);
	return k ? OK : ERR_UNAVAILABLE;
}

void commands_subscribed(struct core *co, uint32_t device, uint64_t conn)
{
	pthread_mutex_lock(&co->commands_mutex);
	int64_t now = clock_mono();
	for (struct command *k = co->commands; k; k = k->next) // also what a former connection did not acknowledge
		if (k->device == device && (!k->sent || k->conn != conn))
			command_send(co, k, conn, now);
	pthread_mutex_unlock(&co->commands_mutex);
}

void commands_answered(struct core *co, uint64_t seq, bool delivered)
{
	pthread_mutex_lock(&co->commands_mutex);
	struct command **at = &co->commands;
	while (*at && (*at)->seq != seq)
		at = &(*at)->next;
	if (*at && delivered) {
		if ((*at)->delivered)
			*(*at)->delivered = true;
		command_remove(co, at);
	} else if (*at) {
		(*at)->sent = false;
	}
	pthread_cond_broadcast(&co->commands_cond);
	pthread_mutex_unlock(&co->commands_mutex);
}

void commands_tick(struct core *co)
{
	pthread_mutex_lock(&co->commands_mutex);
	int64_t now = clock_mono();
	for (struct command **at = &co->commands; *at;) {
		if (now - (*at)->at > LIMIT_COMMAND_AGE_S * US_PER_S && !(*at)->delivered) {
			log_info("core", "device %u: a command was not delivered within %d s and is dropped", (*at)->device,
				 LIMIT_COMMAND_AGE_S);
			command_remove(co, at);
			continue;
		}
		if (!(*at)->sent && now - (*at)->tried_at > COMMAND_RETRY_US)
			command_send(co, *at, (*at)->conn, now);
		at = &(*at)->next;
	}
	pthread_mutex_unlock(&co->commands_mutex);
}

void commands_init(struct core *co)
{
	pthread_condattr_t attr;
	pthread_mutex_init(&co->commands_mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&co->commands_cond, &attr);
	pthread_condattr_destroy(&attr);
}
