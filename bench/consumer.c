// Behind mosquitto in bench/peers, which stores nothing itself: subscribes with QoS 1, reads the JSON, compares each value
// with four limits and stores a row a reading in SQLite, one durable commit every 100 ms. Prints the number of committed
// rows after each.
//   consumer PORT FILE.db
#include <mosquitto.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static sqlite3 *db;
static sqlite3_stmt *insert;
static unsigned long long stored, alarms;
static volatile sig_atomic_t ended;

static void die(const char *what)
{
	fprintf(stderr, "consumer: %s\n", what);
	exit(1);
}

static void run(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sqlite3_errmsg(db));
}

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static long long time_of(const char *s) // 2026-11-22T08:00:00.123Z
{
	struct tm tm = { .tm_year = atoi(s) - 1900, .tm_mon = atoi(s + 5) - 1, .tm_mday = atoi(s + 8), .tm_hour = atoi(s + 11),
		         .tm_min = atoi(s + 14), .tm_sec = atoi(s + 17) };
	return (long long)timegm(&tm) * 1000 + atoi(s + 20);
}

static void on_message(struct mosquitto *m, void *arg, const struct mosquitto_message *msg)
{
	(void)m, (void)arg;
	char *at = strndup(msg->payload, (size_t)msg->payloadlen), *all = at; // the sender is ours: no checks
	while ((at = strstr(at, "\"point\":\""))) {
		const char *point = at + 9, *time = strstr(at, "\"time\":\""), *value = time ? strstr(time, "\"value\":") : NULL;
		if (!value)
			die("not the JSON of the load");
		double v = atof(value + 8);
		alarms += v > 120 || v > 110 || v < -10 || v < -20;
		sqlite3_bind_int(insert, 1, atoi(point + 1));
		sqlite3_bind_int64(insert, 2, time_of(time + 8));
		sqlite3_bind_double(insert, 3, v);
		if (sqlite3_step(insert) != SQLITE_DONE)
			die(sqlite3_errmsg(db));
		sqlite3_reset(insert);
		stored++;
		at++;
	}
	free(all);
}

static void on_signal(int sig)
{
	(void)sig;
	ended = 1;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: consumer PORT FILE.db");
	signal(SIGTERM, on_signal);
	if (sqlite3_open(argv[2], &db) != SQLITE_OK)
		die("cannot open the database");
	run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	    "CREATE TABLE r(p INTEGER, t INTEGER, v REAL, PRIMARY KEY(p, t)) WITHOUT ROWID;");
	sqlite3_prepare_v2(db, "INSERT OR IGNORE INTO r VALUES(?,?,?)", -1, &insert, NULL);
	mosquitto_lib_init();
	struct mosquitto *m = mosquitto_new("consumer", false, NULL);
	mosquitto_message_callback_set(m, on_message);
	if (mosquitto_connect(m, "127.0.0.1", atoi(argv[1]), 60) || mosquitto_subscribe(m, NULL, "readings/#", 1))
		die("cannot subscribe");
	run("BEGIN");
	for (double commit = now() + 0.1; !ended;) {
		if (mosquitto_loop(m, 20, 1))
			die("the connection was closed");
		if (now() < commit)
			continue;
		run("COMMIT; BEGIN");
		printf("%llu\n", stored);
		fflush(stdout);
		commit = now() + 0.1;
	}
	run("COMMIT");
	fprintf(stderr, "%llu rows, %llu alarms\n", stored, alarms);
	return 0;
}
