// The code tables of GB/T 32960.3-2016 in English snake case. Data only; any thread.
#include "gate/decode/gb32960.h"

const char *gb32960_command_name(uint8_t command) // table 3
{
	static const char *const names[] = { NULL, "login", "realtime", "reissue", "logout", "platform_login", "platform_logout", "heartbeat", "time" };
	switch (command) {
	case 0x80: return "query_parameters";
	case 0x81: return "set_parameters";
	case 0x82: return "control";
	default: return command < ARRAY_LEN(names) ? names[command] : NULL;
	}
}

const char *gb32960_unit_name(uint8_t type) // table 8
{
	static const char *const names[] = { NULL, "vehicle", "drive_motors", "fuel_cell", "engine", "position", "extremes", "alarms",
		                             "battery_voltage", "battery_temperature" };
	return type < ARRAY_LEN(names) ? names[type] : type >= 0x80 && type <= 0xfe ? "user_defined" : NULL;
}

const char *gb32960_alarm_name(unsigned bit) // table 18
{
	static const char *const names[] = {
		"temperature_difference", "battery_high_temperature", "battery_over_voltage", "battery_under_voltage", "soc_low",
		"cell_over_voltage", "cell_under_voltage", "soc_high", "soc_jump", "battery_mismatch", "cell_inconsistency", "insulation",
		"dcdc_temperature", "brake_system", "dcdc_status", "motor_controller_temperature", "high_voltage_interlock",
		"motor_temperature", "battery_over_charge",
	};
	return bit < ARRAY_LEN(names) ? names[bit] : NULL;
}
