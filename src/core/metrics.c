// /metrics: what a keeper of the platform watches, in Prometheus' text format 0.0.4. Counters start at zero with the core
// (those of the gate with the gate).
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "core/core_int.h"

static void metric(struct buf *out, const char *name, const char *type, const char *help, double v)
{
	char text[F64_TEXT_MAX];
	size_t n = f64_text(v, text);
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.*s\n", name, help, name, type, name, (int)n, text);
}

static void family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void series_part(struct core *co, struct buf *out)
{
	struct series_stats s;
	series_stats(co->app.series, &s);
	metric(out, "anlan_readings_total", "counter", "Readings accepted", (double)s.readings);
	metric(out, "anlan_readings_duplicate_total", "counter", "Readings received again", (double)s.duplicates);
	metric(out, "anlan_readings_late_total", "counter", "Readings older than the newest of their point", (double)s.late);
	metric(out, "anlan_readings_sealed_total", "counter", "Readings in the sealed blocks", (double)s.sealed);
	metric(out, "anlan_series_log_bytes", "gauge", "Bytes of the arrival log on disk", (double)s.log_bytes);
	metric(out, "anlan_series_backlog_bytes", "gauge", "Bytes of the arrival log not yet on disk", (double)s.backlog);
	metric(out, "anlan_series_block_bytes_total", "counter", "Bytes of sealed blocks written", (double)s.block_bytes);
	metric(out, "anlan_series_blocks_pending", "gauge", "Sealed chunks not yet in a block file", (double)s.pending);
	metric(out, "anlan_series_corrupt_total", "counter", "Damaged blocks, snapshot sections and log readings left out", (double)s.corrupt);
	metric(out, "anlan_series_syncs_total", "counter", "Group commits", (double)s.syncs);
	metric(out, "anlan_series_sync_worst_seconds", "gauge", "Longest group commit", (double)s.worst_sync_us / US_PER_S);
	histogram_write(s.sync_us, "anlan_series_sync_seconds", "Write and sync of a group of the arrival log", US_PER_S, out);
	histogram_write(s.sync_bytes, "anlan_series_sync_bytes", "Size of what was written and synced together", 1, out);
	metric(out, "anlan_series_points", "gauge", "Points with history in memory", (double)s.points);
	metric(out, "anlan_series_healthy", "gauge", "1 while readings can be made durable", series_health(co->app.series) == OK);
}

static void alarm_part(struct core *co, struct buf *out)
{
	metric(out, "anlan_alarm_jobs_total", "counter", "Changes of alarm conditions recorded", (double)atomic_load(&co->alarms_committed));
	metric(out, "anlan_alarm_jobs_waiting", "gauge", "Changes of alarm conditions on their way into the table",
	       (double)(atomic_load(&co->alarms_posted) - atomic_load(&co->alarms_committed)));
	metric(out, "anlan_fences", "gauge", "Fences and routes in force", (double)atomic_load(&co->fences_now));
	metric(out, "anlan_fence_watches", "gauge", "Fences at which something is under way for a vehicle or person", (double)atomic_load(&co->fence_watches));
	metric(out, "anlan_fence_positions_total", "counter", "Positions judged against fences", (double)atomic_load(&co->fence_positions));
	metric(out, "anlan_fence_left_out_total", "counter", "Positions at which more fences lay than are judged", (double)atomic_load(&co->fence_left_out));
	histogram_write(&co->alarm_latency, "anlan_alarm_seconds", "From the arrival of a reading until the change of its alarm is on disk", US_PER_S, out);
}

static void ring(struct buf *out, const char *name, const char *help, const struct ring *r)
{
	char title[64];
	snprintf(title, sizeof title, "anlan_ring_%s_fill_ratio", name);
	metric(out, title, "gauge", help, (double)ring_used(r) / (double)ring_size(r));
}

static void queue_part(struct core *co, struct buf *out)
{
	const struct histogram *waits;
	size_t jobs = store_queue(co->app.store, &waits);
	ring(out, "to_core", "Part of the ring from the gate that is in use; 1: devices are not read", co->cfg.from_gate);
	ring(out, "to_gate", "Part of the ring to the gate that is in use", co->cfg.to_gate);
	histogram_write(&co->ring_wait, "anlan_ring_wait_seconds", "From reading a message in the gate until it is judged", US_PER_S, out);
	family(out, "anlan_queue_length", "gauge", "Items that wait in a queue of the core");
	buf_printf(out, "anlan_queue_length{queue=\"control\"} %zu\nanlan_queue_length{queue=\"hello\"} %zu\n", queue_len(co->control), queue_len(co->hellos));
	buf_printf(out, "anlan_queue_length{queue=\"events\"} %zu\nanlan_queue_length{queue=\"store\"} %zu\n", queue_len(co->events), jobs);
	histogram_write(&co->index_lag, "anlan_index_lag_seconds", "From an event until the risk index of its enterprise and what lies above is new", US_PER_S, out);
	histogram_write(waits, "anlan_store_wait_seconds", "Time a change waits for the one writer of records", US_PER_S, out);
}

static void gate_part(struct core *co, struct buf *out)
{
	pthread_mutex_lock(&co->stats_mutex);
	struct msg_gate g = co->gate;
	pthread_mutex_unlock(&co->stats_mutex);
	metric(out, "anlan_gate_connections", "gauge", "Connections of devices", g.connections);
	metric(out, "anlan_gate_strangers", "gauge", "Connections that have not been welcomed yet", g.strangers);
	metric(out, "anlan_gate_history_waiting", "gauge", "Connections with history that let live readings go first", g.waiting);
	metric(out, "anlan_gate_buffered_bytes", "gauge", "Bytes of unfinished messages of devices", (double)g.buffered);
	metric(out, "anlan_gate_crowded", "gauge", "Connections not read because too many unfinished messages are kept", g.crowded);
	metric(out, "anlan_gate_accepted_total", "counter", "Connections taken", (double)g.accepted);
	metric(out, "anlan_gate_turned_away_total", "counter", "Connections closed for want of room or descriptors", (double)g.turned_away);
	metric(out, "anlan_gate_back_pressure_seconds_total", "counter", "Time in which devices were not read because the ring was full",
	       (double)g.blocked_us / US_PER_S);
}

struct device_sums {
	uint64_t rejects[REJECT__MAX], online, clock[CLOCK_BAD + 1], drift[5];
};

static const double DRIFT[] = { 1, 10, 60, 600 }; // s

static void sum_device(struct device_sums *sum, const struct site_device *d, const struct device_stats *s, int64_t now)
{
	size_t i = 0;
	double off = (double)(s->clock.off < 0 ? -s->clock.off : s->clock.off) / US_PER_S;
	sum->online += device_is_online(s, now);
	sum->clock[clock_judge(&s->clock, d->clock_warn, d->clock_bad)]++;
	if (!s->clock.known)
		return;
	while (i < ARRAY_LEN(DRIFT) && off > DRIFT[i])
		i++;
	sum->drift[i]++;
}

static void sum_devices(struct core *co, struct device_sums *sum)
{
	struct site *site = core_site_take(&co->app);
	int64_t now = clock_now();
	pthread_mutex_lock(&co->stats_mutex);
	for (size_t i = 0; i < site->roster->ndevices; i++) {
		const struct site_device *d = &site->roster->devices[i];
		sum_device(sum, d, d->id < co->stats_cap ? &co->stats[d->id] : &(struct device_stats){ 0 }, now);
	}
	for (size_t i = 0; i < co->stats_cap + co->nunknown; i++)
		for (int r = 0; r < REJECT__MAX; r++)
			sum->rejects[r] += i < co->stats_cap ? co->stats[i].rejects[r] : co->unknown[i - co->stats_cap].rejects[r];
	pthread_mutex_unlock(&co->stats_mutex);
	core_site_give(&co->app, site);
}

static void device_part(struct core *co, struct buf *out)
{
	struct device_sums sum = { 0 };
	sum_devices(co, &sum);
	metric(out, "anlan_devices_online", "gauge", "Devices connected, or heard over HTTP in the last five minutes", (double)sum.online);
	family(out, "anlan_devices_clock", "gauge", "Devices by the judgement of their clock");
	for (enum clock_state s = CLOCK_UNKNOWN; s <= CLOCK_BAD; s++)
		buf_printf(out, "anlan_devices_clock{state=\"%s\"} %llu\n", clock_state_name(s), (unsigned long long)sum.clock[s]);
	family(out, "anlan_devices_drift", "gauge", "Devices by how far their clock is off, up to so many seconds and beyond the class before");
	for (size_t i = 0; i < ARRAY_LEN(DRIFT); i++)
		buf_printf(out, "anlan_devices_drift{upto=\"%g\"} %llu\n", DRIFT[i], (unsigned long long)sum.drift[i]);
	buf_printf(out, "anlan_devices_drift{upto=\"+Inf\"} %llu\n", (unsigned long long)sum.drift[ARRAY_LEN(DRIFT)]);
	histogram_write(&co->lag, "anlan_reading_lag_seconds", "Arrival of a message less the time of its newest reading", US_PER_S, out);
	family(out, "anlan_rejects_total", "counter", "What devices sent and we refused");
	for (int r = 0; r < REJECT__MAX; r++)
		buf_printf(out, "anlan_rejects_total{reason=\"%s\"} %llu\n", reject_name((enum reject)r), (unsigned long long)sum.rejects[r]);
}

static void drop_part(struct core *co, struct buf *out)
{
	struct drop_file files[DROP_SHOWN];
	struct drop_totals t;
	core_drop_files(&co->app, files, &t);
	family(out, "anlan_drop_files_total", "counter", "Files of the drop folder that were read");
	buf_printf(out, "anlan_drop_files_total{result=\"done\"} %llu\nanlan_drop_files_total{result=\"failed\"} %llu\n", (unsigned long long)t.done,
	           (unsigned long long)t.failed);
	metric(out, "anlan_drop_rows_total", "counter", "Rows of these files", (double)t.rows);
	metric(out, "anlan_drop_wrong_total", "counter", "Rows and cells of them that were left out", (double)t.wrong);
}

static void process_part(struct core *co, struct buf *out)
{
	struct rusage ru;
	getrusage(RUSAGE_SELF, &ru);
	metric(out, "anlan_event_streams", "gauge", "Open event streams", (double)http_streams(co->app.http));
	metric(out, "anlan_clock_sets_total", "counter", "Times the server's wall clock was set by a second or more", (double)atomic_load(&co->clock_sets));
	metric(out, "process_cpu_seconds_total", "counter", "CPU of the core",
	       (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) + (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / US_PER_S);
	metric(out, "process_resident_memory_bytes", "gauge", "Largest resident size of the core", (double)ru.ru_maxrss * 1024);
	struct statvfs disk;
	if (statvfs(co->cfg.data_dir, &disk) == 0) {
		metric(out, "anlan_disk_free_bytes", "gauge", "Free on the disk of the data folder", (double)disk.f_bavail * (double)disk.f_frsize);
		metric(out, "anlan_disk_size_bytes", "gauge", "Size of the disk of the data folder", (double)disk.f_blocks * (double)disk.f_frsize);
	}
	metric(out, "anlan_start_time_seconds", "gauge", "Start of the core", (double)co->app.started / US_PER_S);
}

void core_metrics(struct app *app, struct buf *out)
{
	struct core *co = (struct core *)app;
	series_part(co, out);
	alarm_part(co, out);
	queue_part(co, out);
	gate_part(co, out);
	device_part(co, out);
	drop_part(co, out);
	process_part(co, out);
}
