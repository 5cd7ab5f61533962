// The code tables of GB/T 26875.3-2011 clause 8 in English snake case. Data only; any thread.
#include "gate/decode/decode.h"

struct named {
	uint8_t code;
	const char *name;
};

static const char *find_name(const struct named *table, size_t n, uint8_t code)
{
	for (size_t i = 0; i < n; i++) {
		if (table[i].code == code) {
			return table[i].name;
		}
	}
	return NULL;
}

const char *gb26875_command_name(uint8_t command)
{
	static const char *const names[] = { NULL, "control", "send", "confirm", "request", "answer", "deny" };
	return command < ARRAY_LEN(names) ? names[command] : NULL;
}

const char *gb26875_type_name(uint8_t type) // table 3
{
	static const struct named names[] = {
		{ 1, "system_status" },
		{ 2, "component_status" },
		{ 3, "component_analog" },
		{ 4, "system_operation" },
		{ 5, "system_software_version" },
		{ 6, "system_configuration" },
		{ 7, "component_configuration" },
		{ 8, "system_time" },
		{ 21, "device_status" },
		{ 24, "device_operation" },
		{ 25, "device_software_version" },
		{ 26, "device_configuration" },
		{ 28, "device_time" },
		{ 61, "read_system_status" },
		{ 62, "read_component_status" },
		{ 63, "read_component_analog" },
		{ 64, "read_system_operation" },
		{ 65, "read_system_software_version" },
		{ 66, "read_system_configuration" },
		{ 67, "read_component_configuration" },
		{ 68, "read_system_time" },
		{ 81, "read_device_status" },
		{ 84, "read_device_operation" },
		{ 85, "read_device_software_version" },
		{ 86, "read_device_configuration" },
		{ 88, "read_device_time" },
		{ 89, "initialise_device" },
		{ 90, "synchronise_device_clock" },
		{ 91, "inspect_duty" },
	};
	return find_name(names, ARRAY_LEN(names), type);
}

const char *gb26875_system_name(uint8_t system) // table 4
{
	static const struct named names[] = {
		{ 0, "general" },                 { 1, "fire_alarm" },             { 10, "fire_linkage_controller" },
		{ 11, "fire_hydrant" },           { 12, "automatic_sprinkler" },   { 13, "gas_extinguishing" },
		{ 14, "water_spray_pump" },       { 15, "water_spray_pressure_vessel" }, { 16, "foam_extinguishing" },
		{ 17, "dry_powder_extinguishing" }, { 18, "smoke_control" },       { 19, "fire_door_and_shutter" },
		{ 20, "fire_lift" },              { 21, "emergency_broadcast" },   { 22, "emergency_lighting" },
		{ 23, "fire_power_supply" },      { 24, "fire_telephone" },
	};
	return system >= 128 ? "user_defined" : find_name(names, ARRAY_LEN(names), system);
}

const char *gb26875_component_name(uint8_t component) // table 5
{
	static const struct named names[] = {
		{ 0, "general" },                        { 1, "fire_alarm_controller" },
		{ 10, "combustible_gas_detector" },      { 11, "point_combustible_gas_detector" },
		{ 12, "independent_combustible_gas_detector" }, { 13, "line_combustible_gas_detector" },
		{ 16, "electrical_fire_alarm" },         { 17, "residual_current_electrical_fire_detector" },
		{ 18, "temperature_electrical_fire_detector" }, { 21, "detection_circuit" },
		{ 22, "fire_display_panel" },            { 23, "manual_alarm_button" },
		{ 24, "hydrant_button" },                { 25, "fire_detector" },
		{ 30, "heat_detector" },                 { 31, "point_heat_detector" },
		{ 32, "point_heat_detector_s" },         { 33, "point_heat_detector_r" },
		{ 34, "line_heat_detector" },            { 35, "line_heat_detector_s" },
		{ 36, "line_heat_detector_r" },          { 37, "fibre_heat_detector" },
		{ 40, "smoke_detector" },                { 41, "point_ionisation_smoke_detector" },
		{ 42, "point_photoelectric_smoke_detector" }, { 43, "line_beam_smoke_detector" },
		{ 44, "aspirating_smoke_detector" },     { 50, "combined_detector" },
		{ 51, "combined_smoke_heat_detector" },  { 52, "combined_light_heat_detector" },
		{ 53, "combined_light_smoke_detector" }, { 61, "ultraviolet_flame_detector" },
		{ 62, "infrared_flame_detector" },       { 69, "light_detector" },
		{ 74, "gas_detector" },                  { 78, "image_detector" },
		{ 79, "sound_detector" },                { 81, "gas_extinguishing_controller" },
		{ 82, "electrical_control_device" },     { 83, "control_room_display" },
		{ 84, "module" },                        { 85, "input_module" },
		{ 86, "output_module" },                 { 87, "input_output_module" },
		{ 88, "relay_module" },                  { 91, "fire_pump" },
		{ 92, "fire_water_tank" },               { 95, "spray_pump" },
		{ 96, "water_flow_indicator" },          { 97, "signal_valve" },
		{ 98, "alarm_valve" },                   { 99, "pressure_switch" },
		{ 101, "valve_driver" },                 { 102, "fire_door" },
		{ 103, "fire_damper" },                  { 104, "ventilation" },
		{ 105, "foam_pump" },                    { 106, "pipe_solenoid_valve" },
		{ 111, "smoke_control_fan" },            { 113, "smoke_exhaust_damper" },
		{ 114, "closed_air_inlet" },             { 115, "smoke_outlet" },
		{ 116, "smoke_curtain" },                { 117, "fire_shutter_controller" },
		{ 118, "fire_door_monitor" },            { 121, "alarm_device" },
	};
	return component >= 128 ? "user_defined" : find_name(names, ARRAY_LEN(names), component);
}

const char *gb26875_analog_name(uint8_t analog, const char **ret_unit, unsigned *ret_divisor) // table 6
{
	static const struct {
		const char *name, *unit;
		unsigned divisor; // value = raw / divisor
	} rows[] = {
		{ NULL, NULL, 1 },            { "event_count", "件", 1 },   { "height", "m", 100 },
		{ "temperature", "℃", 10 },   { "pressure", "MPa", 10 },    { "pressure", "kPa", 10 },
		{ "gas_concentration", "%LEL", 10 }, { "time", "s", 1 },    { "voltage", "V", 10 },
		{ "current", "A", 10 },       { "flow", "L/s", 10 },        { "air_volume", "m³/min", 10 },
		{ "wind_speed", "m/s", 1 },
	};
	unsigned i = analog < ARRAY_LEN(rows) ? analog : 0;
	*ret_unit = rows[i].unit;
	*ret_divisor = rows[i].divisor;
	return rows[i].name;
}

const char *gb26875_status_name(uint8_t type, unsigned bit)
{
	static const char *const system[] = {
		// 8.3.1.1
		"normal",
		"fire",
		"fault",
		"shielded",
		"supervision",
		"started",
		"feedback",
		"delay",
		"main_power_fault",
		"standby_power_fault",
		"bus_fault",
		"manual",
		"configuration_changed",
		"reset",
	};
	static const char *const component[] = { // 8.3.1.2
		"normal", "fire", "fault", "shielded", "supervision", "started", "feedback", "delay", "power_fault",
	};
	static const char *const device[] = {
		// 8.3.2.1
		"normal",
		"fire",
		"fault",
		"main_power_fault",
		"standby_power_fault",
		"link_fault",
		"monitored_line_fault",
	};
	if (type == 1) {
		return bit < ARRAY_LEN(system) ? system[bit] : NULL;
	}
	if (type == 2) {
		return bit < ARRAY_LEN(component) ? component[bit] : NULL;
	}
	return type == 21 && bit < ARRAY_LEN(device) ? device[bit] : NULL;
}

const char *gb26875_operation_name(uint8_t type, unsigned bit)
{
	static const char *const names[] = { "reset",     "silence", "manual_alarm", "alarm_cleared",
					     "self_test", "confirm", "test" };
	if (type == 24 && bit == 5) {
		return "duty_answer";
	}
	return bit < ARRAY_LEN(names) ? names[bit] : NULL;
}
