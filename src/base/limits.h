// Every size a stranger controls, in one table; `anlan limits` prints it. A number like these anywhere else is a bug.
#pragma once

#define LIMIT_HTTP_BODY (4u << 20)          // bytes of an API request body
#define LIMIT_HTTP_HEADERS (16u << 10)
#define LIMIT_HTTP_CONNECTIONS 2000
#define LIMIT_HTTP_SECONDS 30               // idle time of a connection that is not an event stream
#define LIMIT_EVENT_STREAMS 500             // open /api/v1/events
#define LIMIT_EVENT_BACKLOG (256u << 10)    // bytes a slow event reader may lag before it is dropped
#define LIMIT_RESPONSE (64u << 20)          // bytes of one response or export part
#define LIMIT_PAGE_SIZE 500                 // rows of one list page
#define LIMIT_EXPORT_ROWS 200000
#define LIMIT_LOGIN_TRIES 5                 // failures for a name or an address before it must wait
#define LIMIT_LOGIN_WAIT_S 60
#define LIMIT_SESSIONS_PER_USER 20

#define LIMIT_GATE_CONNECTIONS 20000
#define LIMIT_GATE_UNAUTHENTICATED_S 10     // a connection that has not said who it is
#define LIMIT_MQTT_PACKET (1u << 20)        // bytes of one control packet
#define LIMIT_MQTT_TOPIC 256
#define LIMIT_MQTT_INFLIGHT 1024            // unacknowledged PUBLISH of one connection
#define LIMIT_MQTT_SUBSCRIPTIONS 8          // filters of one SUBSCRIBE
#define LIMIT_MQTT_CLIENT_ID 256
#define LIMIT_MQTT_COMMANDS 16              // commands on their way to one device, not yet acknowledged by it
#define LIMIT_COMMAND (16u << 10)           // bytes of one command to a device
#define LIMIT_COMMANDS_PER_DEVICE 16        // that wait for one device
#define LIMIT_COMMANDS 1000                 // that wait for all devices together
#define LIMIT_COMMAND_AGE_S 600             // a command not delivered by then is not wanted any more
#define LIMIT_GATE_LINGER_S 2               // for the last bytes of a refused connection to reach it
#define LIMIT_GATE_REFRESH_S 10             // a device is asked for again at most this often because of unknown points
#define LIMIT_GATE_OUT (256u << 10)         // bytes waiting for a slow device before it is closed
#define LIMIT_READINGS_PER_MESSAGE 10000
#define LIMIT_DEVICE_NAME 64
#define LIMIT_DEVICE_KEY 128
#define LIMIT_POINT_NAME 64
#define LIMIT_POINTS_PER_DEVICE 20000
#define LIMIT_HJ212_SEGMENT 1024            // HJ 212-2017 6.3.1: data segment 0..1024
#define LIMIT_GB26875_DATA 1024             // GB/T 26875.3-2011: application data unit 0..1024
#define LIMIT_READING_FUTURE_S 600          // a time further ahead than this is refused as a wrong clock
#define LIMIT_READING_PAST_DAYS 3650

#define LIMIT_YAML_FILE (1u << 20)
#define LIMIT_YAML_DEPTH 12
#define LIMIT_YAML_NODES 100000
#define LIMIT_DIAGS 1000                    // mistakes reported by one check
#define LIMIT_TYPE_FIELDS 200               // fields of one record type
#define LIMIT_SHAPE_FIELD (512u << 10)      // bytes of a GeoJSON geometry
#define LIMIT_POINTS 4000000                // highest point id
#define LIMIT_TEXT_FIELD 20000              // bytes of a text field without its own max
