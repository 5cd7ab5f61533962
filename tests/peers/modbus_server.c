// A Modbus TCP device made of libmodbus' own server, for tests: modbus_server PORT. Lines on stdin set what it holds:
//   h NUMBER VALUE   i NUMBER VALUE   c NUMBER 0|1   d NUMBER 0|1      (holding, input, coil, discrete)
// Numbers 0…199 exist. Ends with its stdin.
#include <errno.h>
#include <modbus/modbus.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static modbus_mapping_t *map;

static void set(const char *line)
{
	char what;
	unsigned at, value;
	if (sscanf(line, "%c %u %u", &what, &at, &value) != 3 || at >= 200)
		return;
	switch (what) {
	case 'h': map->tab_registers[at] = (uint16_t)value; break;
	case 'i': map->tab_input_registers[at] = (uint16_t)value; break;
	case 'c': map->tab_bits[at] = (uint8_t)value; break;
	case 'd': map->tab_input_bits[at] = (uint8_t)value; break;
	}
}

int main(int argc, char **argv)
{
	modbus_t *m = argc == 2 ? modbus_new_tcp("127.0.0.1", (int)strtol(argv[1], NULL, 10)) : NULL;
	map = modbus_mapping_new(200, 200, 200, 200);
	int listener = m && map ? modbus_tcp_listen(m, 4) : -1, client = -1;
	if (listener < 0)
		return 1;
	setvbuf(stdin, NULL, _IONBF, 0); // poll must see every line
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		struct pollfd p[] = { { 0, POLLIN, 0 }, { listener, POLLIN, 0 }, { client, POLLIN, 0 } };
		uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
		char line[128];
		if (poll(p, 3, -1) < 0)
			return 1;
		if (p[0].revents) {
			if (!fgets(line, sizeof line, stdin))
				return 0;
			set(line);
		}
		if (p[1].revents) {
			if (client >= 0)
				close(client);
			client = modbus_tcp_accept(m, &listener);
		} else if (client >= 0 && p[2].revents) {
			int n = modbus_receive(m, query);
			if (n < 0) {
				close(client);
				client = -1;
			} else {
				modbus_reply(m, query, n, map);
			}
		}
	}
}
