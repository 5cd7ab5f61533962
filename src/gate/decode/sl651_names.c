// The code tables of SL 651-2014: functions (annex B), classes of stations (annex A), elements (annex C, table C.1), status bits
// (table 58). Data only; any thread.
#include "gate/decode/sl651.h"

const char *sl651_function_name(uint8_t function)
{
	static const char *const names[] = {
		"link_keep", "test_report", "uniform_report", "timed_report", "extra_report", "hourly_report", "manual_report",
		"picture_report", "query_now", "query_history", "query_manual", "query_elements", NULL, NULL, NULL, NULL, NULL,
		"set_basic_configuration", "read_basic_configuration", "set_running_configuration", "read_running_configuration",
		"query_pump", "query_version", "query_status", "clear_history", "restore_factory", "change_password", "set_clock",
		"set_ic_card", "control_pump", "control_valve", "control_sluice", "fixed_quantity", "query_events", "query_clock",
	};
	unsigned i = function - 0x2fu;
	return function >= 0x2f && i < ARRAY_LEN(names) ? names[i] : NULL;
}

const char *sl651_class_name(uint8_t station_class)
{
	switch (station_class) {
	case 'P': return "precipitation";
	case 'H': return "river";
	case 'K': return "reservoir";
	case 'Z': return "sluice";
	case 'D': return "pump";
	case 'T': return "tide";
	case 'M': return "soil_moisture";
	case 'G': return "groundwater";
	case 'Q': return "water_quality";
	case 'I': return "intake";
	case 'O': return "outlet";
	default: return NULL;
	}
}

const char *sl651_status_name(unsigned bit)
{
	static const char *const names[] = {
		"ac_power_lost", "battery_low", "water_level_over_limit", "flow_over_limit", "water_quality_over_limit",
		"flow_meter_fault", "level_meter_fault", "door_closed", "memory_fault", "ic_card_in_use", "pump_stopped", "water_left_over_limit",
	};
	return bit < ARRAY_LEN(names) ? names[bit] : NULL;
}

const char *sl651_symbol(uint16_t id, const char **ret_name, const char **ret_unit)
{
	static const struct {
		uint16_t id;
		const char *symbol, *name, *unit;
	} rows[] = {
		{ 0x01, "AC", "section_area", "m²" }, { 0x02, "AI", "air_temperature", "℃" }, { 0x03, "C", "water_temperature", "℃" },
		{ 0x05, "DT", "duration", "h.min" }, { 0x06, "ED", "evaporation_day", "mm" }, { 0x07, "EJ", "evaporation_now", "mm" },
		{ 0x08, "FL", "air_pressure", "hPa" }, { 0x09, "GH", "gate_opening", "m" }, { 0x0a, "GN", "gate_number", "" },
		{ 0x0b, "GS", "outlet_kind", "" }, { 0x0c, "GT", "gates_open", "" }, { 0x0d, "GTP", "ground_temperature", "℃" },
		{ 0x0e, "H", "groundwater_depth", "m" }, { 0x0f, "HW", "wave_height", "m" }, { 0x10, "M10", "soil_moisture_10cm", "%" },
		{ 0x11, "M20", "soil_moisture_20cm", "%" }, { 0x12, "M30", "soil_moisture_30cm", "%" },
		{ 0x13, "M40", "soil_moisture_40cm", "%" }, { 0x14, "M50", "soil_moisture_50cm", "%" },
		{ 0x15, "M60", "soil_moisture_60cm", "%" }, { 0x16, "M80", "soil_moisture_80cm", "%" },
		{ 0x17, "M100", "soil_moisture_100cm", "%" }, { 0x18, "MST", "humidity", "%" }, { 0x19, "NS", "pumps_running", "" },
		{ 0x1a, "P1", "rain_1h", "mm" }, { 0x1b, "P2", "rain_2h", "mm" }, { 0x1c, "P3", "rain_3h", "mm" },
		{ 0x1d, "P6", "rain_6h", "mm" }, { 0x1e, "P12", "rain_12h", "mm" }, { 0x1f, "PD", "rain_day", "mm" },
		{ 0x20, "PJ", "rain_current", "mm" }, { 0x21, "PN01", "rain_1min", "mm" }, { 0x22, "PN05", "rain_5min", "mm" },
		{ 0x23, "PN10", "rain_10min", "mm" }, { 0x24, "PN30", "rain_30min", "mm" }, { 0x25, "PR", "rainstorm", "mm" },
		{ 0x26, "PT", "rain_total", "mm" }, { 0x27, "Q", "flow", "m³/s" }, { 0x28, "Q1", "flow_1", "m³/s" },
		{ 0x29, "Q2", "flow_2", "m³/s" }, { 0x2a, "Q3", "flow_3", "m³/s" }, { 0x2b, "Q4", "flow_4", "m³/s" },
		{ 0x2c, "Q5", "flow_5", "m³/s" }, { 0x2d, "Q6", "flow_6", "m³/s" }, { 0x2e, "Q7", "flow_7", "m³/s" },
		{ 0x2f, "Q8", "flow_8", "m³/s" }, { 0x30, "QA", "flow_out", "m³/s" }, { 0x31, "QZ", "flow_gate", "m³/s" },
		{ 0x32, "SW", "sediment_load", "10⁴t" }, { 0x33, "UC", "wind_direction", "" }, { 0x34, "UE", "wind_force", "" },
		{ 0x35, "US", "wind_speed", "m/s" }, { 0x36, "VA", "velocity_mean", "m/s" }, { 0x37, "VJ", "velocity", "m/s" },
		{ 0x38, "VT", "voltage", "V" }, { 0x39, "Z", "river_level", "m" }, { 0x3a, "ZB", "level_below", "m" },
		{ 0x3b, "ZU", "level_above", "m" }, { 0x3c, "Z1", "level_1", "m" }, { 0x3d, "Z2", "level_2", "m" },
		{ 0x3e, "Z3", "level_3", "m" }, { 0x3f, "Z4", "level_4", "m" }, { 0x40, "Z5", "level_5", "m" }, { 0x41, "Z6", "level_6", "m" },
		{ 0x42, "Z7", "level_7", "m" }, { 0x43, "Z8", "level_8", "m" }, { 0x44, "SQ", "sediment", "kg/m³" },
		{ 0x45, "ZT", "status", "" }, { 0x46, "pH", "ph", "" }, { 0x47, "DO", "dissolved_oxygen", "mg/L" },
		{ 0x48, "COND", "conductivity", "μS/cm" }, { 0x49, "TURB", "turbidity", "度" }, { 0x4a, "CODMN", "permanganate_index", "mg/L" },
		{ 0x4b, "REDOX", "redox_potential", "mV" }, { 0x4c, "NH4N", "ammonia_nitrogen", "mg/L" },
		{ 0x4d, "TP", "total_phosphorus", "mg/L" }, { 0x4e, "TN", "total_nitrogen", "mg/L" },
		{ 0x4f, "TOC", "total_organic_carbon", "mg/L" }, { 0x50, "CU", "copper", "mg/L" }, { 0x51, "ZN", "zinc", "mg/L" },
		{ 0x52, "SE", "selenium", "mg/L" }, { 0x53, "AS", "arsenic", "mg/L" }, { 0x54, "THG", "mercury", "mg/L" },
		{ 0x55, "CD", "cadmium", "mg/L" }, { 0x56, "PB", "lead", "mg/L" }, { 0x57, "CHLA", "chlorophyll_a", "mg/L" },
		{ 0x58, "WP1", "water_pressure_1", "kPa" }, { 0x59, "WP2", "water_pressure_2", "kPa" },
		{ 0x5a, "WP3", "water_pressure_3", "kPa" }, { 0x5b, "WP4", "water_pressure_4", "kPa" },
		{ 0x5c, "WP5", "water_pressure_5", "kPa" }, { 0x5d, "WP6", "water_pressure_6", "kPa" },
		{ 0x5e, "WP7", "water_pressure_7", "kPa" }, { 0x5f, "WP8", "water_pressure_8", "kPa" }, { 0x60, "SYL1", "water_left_1", "m³" },
		{ 0x61, "SYL2", "water_left_2", "m³" }, { 0x62, "SYL3", "water_left_3", "m³" }, { 0x63, "SYL4", "water_left_4", "m³" },
		{ 0x64, "SYL5", "water_left_5", "m³" }, { 0x65, "SYL6", "water_left_6", "m³" }, { 0x66, "SYL7", "water_left_7", "m³" },
		{ 0x67, "SYL8", "water_left_8", "m³" }, { 0x68, "SBL1", "water_hour_1", "m³/h" }, { 0x69, "SBL2", "water_hour_2", "m³/h" },
		{ 0x6a, "SBL3", "water_hour_3", "m³/h" }, { 0x6b, "SBL4", "water_hour_4", "m³/h" }, { 0x6c, "SBL5", "water_hour_5", "m³/h" },
		{ 0x6d, "SBL6", "water_hour_6", "m³/h" }, { 0x6e, "SBL7", "water_hour_7", "m³/h" }, { 0x6f, "SBL8", "water_hour_8", "m³/h" },
		{ 0x70, "VTA", "ac_voltage_a", "V" }, { 0x71, "VTB", "ac_voltage_b", "V" }, { 0x72, "VTC", "ac_voltage_c", "V" },
		{ 0x73, "VIA", "ac_current_a", "A" }, { 0x74, "VIB", "ac_current_b", "A" }, { 0x75, "VIC", "ac_current_c", "A" },
		{ 0xf4, "DRP", "rain_5min_list", "mm" }, { 0xf5, "DRZ1", "level_5min_list_1", "m" }, { 0xf6, "DRZ2", "level_5min_list_2", "m" },
		{ 0xf7, "DRZ3", "level_5min_list_3", "m" }, { 0xf8, "DRZ4", "level_5min_list_4", "m" },
		{ 0xf9, "DRZ5", "level_5min_list_5", "m" }, { 0xfa, "DRZ6", "level_5min_list_6", "m" },
		{ 0xfb, "DRZ7", "level_5min_list_7", "m" }, { 0xfc, "DRZ8", "level_5min_list_8", "m" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].id == id) {
			*ret_name = rows[i].name;
			*ret_unit = rows[i].unit;
			return rows[i].symbol;
		}
	}
	return NULL;
}
