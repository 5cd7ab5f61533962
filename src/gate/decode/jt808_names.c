// The code tables of JT/T 808 in English snake case: messages, alarm bits (2013 table 18, 2019 table 24), status bits
// (2013 table 17, 2019 table 25), extras of a position (2013 table 20, 2019 table 27). Data only; any thread.
#include "gate/decode/jt808.h"

const char *jt808_name(uint16_t id)
{
	static const struct {
		uint16_t id;
		const char *name;
	} names[] = {
		{ 0x0001, "terminal_ack" }, { 0x0002, "heartbeat" }, { 0x0003, "logout" }, { 0x0004, "query_server_time" },
		{ 0x0005, "request_packets_again" }, { 0x0100, "register" }, { 0x0102, "authenticate" }, { 0x0104, "parameters" },
		{ 0x0107, "attributes" }, { 0x0108, "upgrade_result" }, { 0x0200, "position" }, { 0x0201, "position_answer" },
		{ 0x0301, "event" }, { 0x0302, "question_answer" }, { 0x0303, "information_service" }, { 0x0500, "vehicle_control_answer" },
		{ 0x0608, "area_or_route_answer" }, { 0x0700, "recorder_data" }, { 0x0701, "waybill" }, { 0x0702, "driver_identity" },
		{ 0x0704, "batch_position" }, { 0x0705, "can_data" }, { 0x0800, "multimedia_event" }, { 0x0801, "multimedia_data" },
		{ 0x0802, "multimedia_search_answer" }, { 0x0805, "camera_answer" }, { 0x0900, "pass_through_up" },
		{ 0x0901, "compressed_data" }, { 0x0a00, "terminal_rsa_key" },
		{ 0x8001, "platform_ack" }, { 0x8003, "request_packets_again" }, { 0x8004, "server_time" }, { 0x8100, "register_answer" },
		{ 0x8103, "set_parameters" }, { 0x8104, "query_parameters" }, { 0x8105, "control_terminal" }, { 0x8106, "query_some_parameters" },
		{ 0x8107, "query_attributes" }, { 0x8108, "upgrade" }, { 0x8201, "query_position" }, { 0x8202, "track_temporarily" },
		{ 0x8203, "confirm_alarm" }, { 0x8204, "link_check" }, { 0x8300, "text" }, { 0x8301, "set_events" }, { 0x8302, "question" },
		{ 0x8303, "set_information_menu" }, { 0x8304, "information" }, { 0x8400, "call_back" }, { 0x8401, "set_phone_book" },
		{ 0x8500, "control_vehicle" }, { 0x8600, "set_circle" }, { 0x8601, "delete_circle" }, { 0x8602, "set_rectangle" },
		{ 0x8603, "delete_rectangle" }, { 0x8604, "set_polygon" }, { 0x8605, "delete_polygon" }, { 0x8606, "set_route" },
		{ 0x8607, "delete_route" }, { 0x8608, "query_areas_or_routes" }, { 0x8700, "recorder_command" }, { 0x8701, "recorder_parameters" },
		{ 0x8702, "query_driver_identity" }, { 0x8800, "multimedia_ack" }, { 0x8801, "camera" }, { 0x8802, "multimedia_search" },
		{ 0x8803, "multimedia_upload" }, { 0x8804, "record_sound" }, { 0x8805, "multimedia_upload_one" }, { 0x8900, "pass_through_down" },
		{ 0x8a00, "platform_rsa_key" },
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i].id == id) {
			return names[i].name;
		}
	}
	return NULL;
}

const char *jt808_alarm_name(unsigned bit, bool edition_2019)
{
	static const char *const names[32] = {
		"sos", "overspeed", "fatigue", "danger_warning", "gnss_module_fault", "gnss_antenna_open", "gnss_antenna_short",
		"main_power_low", "main_power_lost", "display_fault", "tts_fault", "camera_fault", "ic_card_fault", "overspeed_warning",
		"fatigue_warning", "illegal_driving", "tyre_pressure", "blind_spot", "daily_driving_timeout", "parking_timeout",
		"area_in_out", "route_in_out", "segment_time", "route_deviation", "vss_fault", "fuel_abnormal", "stolen",
		"illegal_ignition", "illegal_move", "collision", "rollover", "illegal_door",
	};
	bool only_2019 = bit >= 15 && bit <= 17, only_2013 = bit == 31;
	return bit >= 32 || (edition_2019 ? only_2013 : only_2019) ? NULL : names[bit];
}

const char *jt808_status_name(unsigned bit, bool edition_2019)
{
	static const char *const names[23] = { // bits 8 and 9 are the load, a number
		"acc", "fixed", "south", "west", "out_of_service", "encrypted", "forward_collision", "lane_departure", NULL, NULL,
		"oil_cut", "circuit_cut", "door_locked", "door1", "door2", "door3", "door4", "door5", "gps", "beidou", "glonass",
		"galileo", "moving",
	};
	bool only_2019 = bit == 6 || bit == 7 || bit == 22;
	return bit >= ARRAY_LEN(names) || (only_2019 && !edition_2019) ? NULL : names[bit];
}

const char *jt808_extra_name(uint8_t id, size_t bytes, double *ret_divisor)
{
	static const struct {
		uint8_t id, bytes;
		double divisor;
		const char *name;
	} rows[] = {
		{ 0x01, 4, 10, "mileage" }, { 0x02, 2, 10, "fuel" }, { 0x03, 2, 10, "recorder_speed" }, { 0x04, 2, 1, "alarm_event_id" },
		{ 0x06, 2, 1, "carriage_temp" }, { 0x25, 4, 1, "vehicle_signals" }, { 0x2a, 2, 1, "io_status" }, { 0x2b, 4, 1, "analog" },
		{ 0x30, 1, 1, "rssi" }, { 0x31, 1, 1, "satellites" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].id == id && rows[i].bytes == bytes) {
			*ret_divisor = rows[i].divisor;
			return rows[i].name;
		}
	}
	return NULL;
}
