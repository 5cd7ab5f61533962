// The parent process of `anlan serve`: binds the sockets, makes the rings, starts gate and core, restarts what dies.
// It reads nothing from the network and holds no data, so there is little that can end it.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "bus/pass.h"
#include "bus/ring.h"
#include "core/core.h"
#include "gate/gate.h"
#include "tool/tool.h"

static const char usage[] =
	"用法 / usage: anlan serve --data DIR [--http ADDR:PORT] [--mqtt ADDR:PORT] [--demo]\n"
	"                   [--mqtts ADDR:PORT --cert FILE --key FILE] [--hj212 ADDR:PORT] [--gb26875 ADDR:PORT]\n"
	"                   [--jt808 ADDR:PORT] [--gb32960 ADDR:PORT] [--sl651 ADDR:PORT] [--gateway ADDR:PORT]\n"
	"                   [--packs DIR] [--ui DIR] [--county NAME] [--anchor-dir DIR]\n"
	"                   [--url https://HOST] [--font FAMILY,…] [--answer-timeout SECONDS]\n"
	"  --data DIR      数据目录，没有时自动建立 / the data folder, made if it is not there\n"
	"  --demo          虚构的演示县 / an invented county to try\n"
	"  --cert, --key   PEM 证书和私钥：--http 即为 HTTPS，--mqtts 需要它们 / PEM files: --http speaks HTTPS, --mqtts needs them\n"
	"  --county NAME   首次启动时的县名，以后在“区划”里改 / the county's name at the first start; later it is changed in its area\n"
	"  --anchor-dir    审计锚点另存于此 / anchors of the audit chain are kept there too\n"
	"  --url, --font   文书上的网址和字体 / what documents bear, and what they are set in\n"
	"  --answer-timeout 设备多少秒不答就重发指令，共三次 / a device silent for so long is sent a command again, three times in all (10)\n"
	"  地址写 off 关闭该入口，默认值： / an address of \"off\" closes that door; defaults:\n"
	"  --http 127.0.0.1:8080 --mqtt 127.0.0.1:1883 --hj212 127.0.0.1:9212 --gb26875 127.0.0.1:9268; others off";

#define RING_BYTES (16u << 20)

struct door {
	const char *addr;
	int fd;
	char text[128]; // where it really listens
	bool loopback;
};

enum { HTTP, MQTT, MQTTS, LINES }; // and then one door for each line protocol

static const struct {
	const char *option, *addr;
	enum protocol line;
} DOORS[] = {
	[HTTP] = { "--http", "127.0.0.1:8080", PROTO_NONE },
	[MQTT] = { "--mqtt", "127.0.0.1:1883", PROTO_NONE },
	[MQTTS] = { "--mqtts", "off", PROTO_NONE },
	[LINES] = { "--hj212", "127.0.0.1:9212", PROTO_HJ212 },
	{ "--gb26875", "127.0.0.1:9268", PROTO_GB26875 },
	{ "--jt808", "off", PROTO_JT808 },
	{ "--gb32960", "off", PROTO_GB32960 },
	{ "--sl651", "off", PROTO_SL651 },
	{ "--gateway", "off", PROTO_GATEWAY },
};

struct child {
	pid_t pid;
	int fails;
	int64_t started, restart_at;
};

struct serve {
	struct door door[ARRAY_LEN(DOORS)];
	struct core_config core;
	struct gate_config gate;
	struct child core_child, gate_child;
	bool stopping;
	int lock_fd;
};

static volatile sig_atomic_t stop_asked;
static void on_stop(int sig) { stop_asked = sig; }
static void on_child(int sig) { (void)sig; }

static _Noreturn void refuse(const char *zh, const char *en, const char *what)
{
	fprintf(stderr, "anlan: %s / %s: %s\n", zh, en, what);
	exit(2);
}

static bool is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return (ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >> 24) == 127;
	return sa->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

static void describe(struct door *d)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof sa;
	char host[64], port[16];
	if (getsockname(d->fd, (struct sockaddr *)&sa, &n) ||
	    getnameinfo((struct sockaddr *)&sa, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	snprintf(d->text, sizeof d->text, sa.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	d->loopback = is_loopback((struct sockaddr *)&sa);
}

static void open_door(struct door *d)
{
	char host[128];
	const char *colon = strrchr(d->addr, ':');
	if (!colon || (size_t)(colon - d->addr) >= sizeof host)
		refuse("地址须为 ADDR:PORT", "the address must be ADDR:PORT", d->addr);
	snprintf(host, sizeof host, "%.*s", (int)(colon - d->addr), d->addr);
	char *h = host;
	if (*h == '[') {
		h++;
		h[strlen(h) - 1] = 0;
	}
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *ai;
	if (getaddrinfo(*h ? h : NULL, colon + 1, &hints, &ai))
		refuse("无法识别的地址", "cannot understand the address", d->addr);
	d->fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;
	setsockopt(d->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	bool ok = false;
	for (int i = 0; i < 100 && !ok; i++) { // a former instance may still be ending
		ok = bind(d->fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(d->fd, 4096) == 0;
		if (!ok && errno != EADDRINUSE)
			break;
		if (!ok)
			usleep(50000);
	}
	freeaddrinfo(ai);
	if (!ok)
		refuse(strerror(errno), "cannot listen there (is another program using the port?)", d->addr);
	describe(d);
}

static struct str read_pem(const char *path)
{
	if (!path)
		return STR_EMPTY;
	static struct arena *arena;
	if (!arena)
		arena = arena_new(16 << 10);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = arena_alloc(arena, 64 << 10);
	ssize_t n = fd >= 0 ? read(fd, text, (64 << 10) - 1) : -1;
	if (n <= 0)
		refuse("无法读取证书或私钥", "cannot read the certificate or key", path);
	close(fd);
	return str_from(text, (size_t)n);
}

// The system's reason, with what to do about the few that happen in practice.
static _Noreturn void refuse_folder(const char *dir)
{
	int e = errno;
	if (e == ENOENT)
		refuse("上级目录不存在，请先建立", "cannot make the data folder: make the one it lies in first", dir);
	if (e == EACCES || e == EPERM || e == EROFS)
		refuse("没有权限写数据目录，请改目录的属主或换一个目录", "may not write the data folder: change its owner, or name another", dir);
	if (e == ENOSPC || e == EDQUOT)
		refuse("磁盘已满，请清理或换一个磁盘", "the disk is full: make room, or name a folder on another disk", dir);
	if (e == ENOTDIR)
		refuse("这里有同名的文件，请换一个目录", "a file is in the way: name another folder", dir);
	fprintf(stderr, "anlan: 无法使用数据目录（%s）/ cannot use the data folder (%s): %s\n", strerror(e), strerror(e), dir);
	exit(2);
}

// Held by parent and core: two servers on one data folder would destroy it.
static int lock_data(const char *dir)
{
	char path[4096];
	if (mkdir(dir, 0700) && errno != EEXIST)
		refuse_folder(dir);
	snprintf(path, sizeof path, "%s/lock", dir);
	int fd = open(path, O_RDWR | O_CREAT, 0600); // inherited on purpose: it is free when the last process is gone
	if (fd < 0)
		refuse_folder(dir);
	for (int i = 0; i < 200; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		usleep(50000);
	}
	refuse("另一个安澜正在使用这个数据目录", "another Anlan is using this data folder", dir);
}

// HJ 212-2017 table 1: 10 s; links over satellites need more.
static int answer_seconds(const char *text)
{
	int64_t n = 10;
	if (text && (!str_to_i64(str_of(text), &n) || n < 1 || n > 600))
		refuse("--answer-timeout 应为 1 至 600 秒", "--answer-timeout must be 1 to 600 seconds", text);
	return (int)n;
}

static bool access_index(const char *ui)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/index.html", ui);
	return access(path, R_OK) != 0;
}

static void read_options(struct serve *s, int argc, char **argv)
{
	if (tool_flag(&argc, argv, "--help")) {
		puts(usage);
		exit(0);
	}
	for (size_t i = 0; i < ARRAY_LEN(DOORS); i++) {
		const char *v = tool_option(&argc, argv, DOORS[i].option);
		s->door[i] = (struct door){ .addr = v ? v : DOORS[i].addr, .fd = -1, .loopback = true };
	}
	struct core_config *c = &s->core;
	c->data_dir = tool_option(&argc, argv, "--data");
	const char *packs = tool_option(&argc, argv, "--packs"), *ui = tool_option(&argc, argv, "--ui"),
		   *county = tool_option(&argc, argv, "--county");
	c->anchor_dir = tool_option(&argc, argv, "--anchor-dir");
	const char *cert = tool_option(&argc, argv, "--cert"), *key = tool_option(&argc, argv, "--key");
	c->site_url = tool_option(&argc, argv, "--url");
	c->fonts = tool_option(&argc, argv, "--font");
	c->answer_s = answer_seconds(tool_option(&argc, argv, "--answer-timeout"));
	c->demo = tool_flag(&argc, argv, "--demo");
	c->packs_dir = packs ? packs : tool_packs_dir();
	c->ui_dir = ui ? ui : tool_ui_dir();
	c->county = county ? county : c->demo ? "安澜县（演示）" : "安澜";
	if (argc)
		refuse("不认识这个参数；全部选项见 anlan serve --help", "unknown argument; all options: anlan serve --help", argv[0]);
	if (!c->data_dir)
		refuse("请用 --data 指定数据目录；全部选项见", "name the data folder with --data; all options", "anlan serve --help");
	if (ui && access_index(ui))
		refuse("这里没有浏览器应用（缺 index.html），请先 make ui，或去掉 --ui", "no browser application here (index.html is missing): make ui first, or leave --ui away", ui);
	if (!cert != !key || (strcmp(s->door[MQTTS].addr, "off") != 0 && !cert))
		refuse("--mqtts 和 HTTPS 需要 --cert 与 --key 两个文件；全部选项见", "--mqtts and HTTPS need both files, --cert and --key; all options", "anlan serve --help");
	c->cert = s->gate.cert = read_pem(cert);
	c->key = s->gate.key = read_pem(key);
}

static void open_doors(struct serve *s)
{
	bool loopback = true;
	for (size_t i = 0; i < ARRAY_LEN(DOORS); i++) {
		if (strcmp(s->door[i].addr, "off") == 0)
			continue;
		open_door(&s->door[i]);
		loopback &= s->door[i].loopback;
	}
	if (s->door[HTTP].fd < 0)
		refuse("--http 不能关闭", "--http cannot be off", "--http");
	static char address[160];
	snprintf(address, sizeof address, "%s://%s/", s->core.cert.n ? "https" : "http", s->door[HTTP].text);
	s->core.address = address;
	static char site_url[256]; // without the slash at the end
	snprintf(site_url, sizeof site_url, "%s", s->core.site_url ? s->core.site_url : address);
	if (site_url[0] && site_url[strlen(site_url) - 1] == '/')
		site_url[strlen(site_url) - 1] = 0;
	s->core.site_url = site_url;
	s->core.http_fd = s->door[HTTP].fd;
	s->core.loopback = loopback;
	s->gate.mqtt_fd = s->door[MQTT].fd;
	s->gate.mqtts_fd = s->door[MQTTS].fd;
	for (size_t i = LINES; i < ARRAY_LEN(DOORS); i++)
		if (s->door[i].fd >= 0)
			s->gate.line_fd[DOORS[i].line] = s->door[i].fd;
}

static void make_rings(struct serve *s)
{
	struct ring *to_core, *to_gate;
	if (ring_create(&to_core, RING_BYTES) || ring_create(&to_gate, RING_BYTES))
		refuse("内存不足", "cannot make the shared memory", "");
	s->core.from_gate = s->gate.to_core = to_core;
	s->core.to_gate = s->gate.from_core = to_gate;
}

static void make_pass(struct serve *s)
{
	int ends[2];
	if (pass_create(ends))
		refuse(strerror(errno), "cannot make the line from core to gate", "");
	s->core.dial_fd = ends[0];
	s->gate.dialled_fd = ends[1];
}

static void end_child(struct child *c)
{
	if (!c->pid)
		return;
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	c->pid = 0;
	c->restart_at = 0;
}

// After a damaged ring: both children end, both rings are made anew. What was in them was not acknowledged.
static void remake_rings(struct serve *s)
{
	end_child(&s->gate_child);
	end_child(&s->core_child);
	ring_destroy(s->core.from_gate);
	ring_destroy(s->core.to_gate);
	make_rings(s);
}

static void start(struct serve *s, struct child *c, bool is_core)
{
	pid_t parent = getpid(), pid = fork();
	if (pid < 0) {
		c->restart_at = clock_mono() + US_PER_S;
		return;
	}
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); // everything is crash-safe; nothing may outlive the parent's locks and doors
		if (getppid() != parent)
			_exit(0);
		signal(SIGCHLD, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, is_core ? SIG_DFL : SIG_IGN);
		if (is_core) {
			for (size_t i = MQTT; i < ARRAY_LEN(DOORS); i++)
				if (s->door[i].fd >= 0)
					close(s->door[i].fd);
			close(s->gate.dialled_fd);
			core_run(&s->core);
		}
		close(s->door[HTTP].fd);
		close(s->core.dial_fd);
		close(s->lock_fd);
		gate_run(&s->gate);
	}
	c->pid = pid;
	c->started = clock_mono();
	c->restart_at = 0;
	if (!is_core)
		s->gate.generation++;
	else
		s->core.announce = false;
}

static void on_exit_of(struct serve *s, struct child *c, bool is_core, int status)
{
	c->pid = 0;
	if (s->stopping)
		return;
	if (is_core && WIFEXITED(status) && WEXITSTATUS(status) == CORE_EXIT_CONFIG) {
		s->stopping = true;
		return;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == RING_EXIT)
		remake_rings(s);
	if (WIFSIGNALED(status))
		log_warn("serve", "%s ended by signal %d; starting it again", is_core ? "core" : "gate", WTERMSIG(status));
	else
		log_warn("serve", "%s ended with status %d; starting it again", is_core ? "core" : "gate", WEXITSTATUS(status));
	c->fails = clock_mono() - c->started > 10 * US_PER_S ? 0 : c->fails + 1;
	int64_t wait = c->fails < 3 ? 0 : MIN((int64_t)c->fails * 250 * US_PER_MS, 5 * US_PER_S);
	c->restart_at = clock_mono() + wait;
}

static void reap(struct serve *s)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		if (pid == s->core_child.pid)
			on_exit_of(s, &s->core_child, true, status);
		else if (pid == s->gate_child.pid)
			on_exit_of(s, &s->gate_child, false, status);
	}
}

static void restart_due(struct serve *s, struct child *c, bool is_core)
{
	if (!c->pid && !s->stopping && clock_mono() >= c->restart_at)
		start(s, c, is_core);
}

static void stop_children(struct serve *s)
{
	if (s->gate_child.pid)
		kill(s->gate_child.pid, SIGTERM); // first: nothing new comes in while the core closes
	if (s->core_child.pid)
		kill(s->core_child.pid, SIGTERM);
	for (int i = 0; i < 200 && (s->gate_child.pid || s->core_child.pid); i++) {
		usleep(50000);
		reap(s);
	}
	if (s->gate_child.pid)
		kill(s->gate_child.pid, SIGKILL);
	if (s->core_child.pid)
		kill(s->core_child.pid, SIGKILL);
}

int tool_serve(int argc, char **argv)
{
	static struct serve s;
	log_set(LOG_INFO, "parent");
	read_options(&s, argc, argv);
	s.lock_fd = lock_data(s.core.data_dir);
	open_doors(&s);
	make_rings(&s);
	make_pass(&s);
	struct rlimit files = { 65536, 65536 };
	if (setrlimit(RLIMIT_NOFILE, &files)) {
		getrlimit(RLIMIT_NOFILE, &files);
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	struct sigaction stop = { .sa_handler = on_stop }, child = { .sa_handler = on_child };
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGCHLD, &child, NULL);
	s.core.announce = true;
	s.gate.generation = (uint64_t)(clock_now() / US_PER_S) & 0x3fffff; // rises over restarts of the parent too
	start(&s, &s.core_child, true);
	start(&s, &s.gate_child, false);
	while (!stop_asked && !s.stopping) {
		usleep(s.core_child.pid && s.gate_child.pid ? 500000 : 10000); // SIGCHLD interrupts it
		reap(&s);
		restart_due(&s, &s.core_child, true);
		restart_due(&s, &s.gate_child, false);
	}
	bool failed = s.stopping;
	s.stopping = true;
	stop_children(&s);
	return failed ? 1 : 0;
}
