// MQTT 3.1.1 (OASIS, 2014) from the client's side: the few packets a device needs. Pure functions.
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum mqtt_type { MQTT_CONNACK = 2, MQTT_PUBLISH = 3, MQTT_PUBACK = 4, MQTT_SUBACK = 9, MQTT_PINGRESP = 13 };

void mqtt_connect(struct buf *out, struct str client, struct str user, struct str password, uint16_t keep_alive_s);
void mqtt_publish(struct buf *out, struct str topic, uint16_t id, struct str payload, bool again); // QoS 1
void mqtt_subscribe(struct buf *out, uint16_t id, struct str topic);                               // QoS 0
void mqtt_ping(struct buf *out);

struct mqtt_in {
	enum mqtt_type type;
	uint8_t code;      // CONNACK: return code, 0 = accepted
	uint16_t id;       // PUBACK, SUBACK
};
// The first whole packet of in: its length, 0 = not complete, SIZE_MAX = broken.
size_t mqtt_take(struct str in, struct mqtt_in *ret);
