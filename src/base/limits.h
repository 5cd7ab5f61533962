// Every size a stranger controls, in one table; `anlan limits` prints it. A number like these anywhere else is a bug.
#pragma once

#define LIMIT_HTTP_BODY (4u << 20)          // bytes of an API request body
#define LIMIT_FILE_BYTES (50u << 20)        // of one uploaded file
#define LIMIT_UPLOADS 32                    // bodies on their way to disk at the same time
#define LIMIT_FILES_WAITING (1u << 30)      // bytes of the files of one person that belong to no record yet
#define LIMIT_BATCH_DOCUMENTS 200           // documents printed at once
#define LIMIT_HTTP_RUNNING 24               // requests being answered at the same time; the others wait for their turn
#define LIMIT_HTTP_READING 16               // of them those that only read
#define LIMIT_SLOW_RUNNING 4                // of them exports, batches and reports
#define LIMIT_HTTP_HEADERS (16u << 10)
#ifdef ANLAN_TEST
#define LIMIT_HTTP_BODIES (32u << 20)       // so that a test can fill it
#else
#define LIMIT_HTTP_BODIES (256u << 20)      // bytes of all request bodies in memory together
#endif
#define LIMIT_HTTP_BODY_SMALL (16u << 10)   // a body of so much is always taken: who fills memory keeps nobody from logging in
#define LIMIT_HTTP_CONNECTIONS 2000
#define LIMIT_HTTP_ADDRESS 1200             // of them of one address (a proxy is one, too)
#define LIMIT_HTTP_SECONDS 30               // idle time of a connection that is not an event stream
#define LIMIT_EVENT_STREAMS 500             // open /api/v1/events
#define LIMIT_EVENT_STREAMS_PERSON 100      // of them of one person
#define LIMIT_EVENT_BACKLOG (256u << 10)    // bytes a slow event reader may lag before it is dropped
#define LIMIT_RESPONSE (64u << 20)          // bytes of one response or export part
#define LIMIT_LIST_MEMORY (1536u << 20)     // bytes that lists of big types take in memory, all together
#define LIMIT_MAP_ID 4000000                // highest record id that stands on the map
#define LIMIT_MAP_LAYERS 128                // types on the map
#define LIMIT_MAP_CACHE (32u << 20)         // bytes of tiles that are kept as they were answered
#define LIMIT_TILE_BYTES (4u << 20)         // of one tile
#define LIMIT_MAP_TOLD 100                  // objects on the map that the event stream names at once
#define LIMIT_MAP_AREAS 5000                // areas or grids on one tile
#define LIMIT_MAP_FOUND 5000                // objects of one answer of what lies within an area
#define LIMIT_MAP_RING 1000                 // corners of the area asked for
#define LIMIT_BULK 1000                     // records of one bulk change
#define LIMIT_OPENS 2000                    // records that one move opens for those of an area and sector
#define LIMIT_FENCES 50000                  // fences and routes in force
#define LIMIT_FENCE_CORNERS 5000            // of one fence; stops of a route are few: it is a table of its record
#define LIMIT_FENCES_A_MOVER 64             // that a vehicle or person must stay in
#define LIMIT_FENCES_HERE 64                // judged at one position; more are left out, and that is counted
#define LIMIT_FENCE_CELLS 1024              // squares of the index that one fence is looked for in
#define LIMIT_FENCE_TRACK 200000            // positions of one trial or track
#define LIMIT_FENCE_TRIAL_MOVERS 200        // vehicles and people of one trial
#define LIMIT_VIEWS 100                     // saved lists of one person
#define LIMIT_VIEW_QUERY 4000               // bytes of the query of one
#define LIMIT_HIDING_RECORDS 20000          // approved maintenance windows, and rationales that suppress
#define LIMIT_PAGE_SIZE 500                 // rows of one list page
#define LIMIT_FEED_ENTRIES 100              // of one delivery of a subscription
#define LIMIT_PUBLIC_RUNNING 4              // requests for public pages answered at the same time
#define LIMIT_PUBLIC_MINUTE 240             // of one address in a minute
#define LIMIT_PUBLIC_SIZE 50                // rows of one public page
#define LIMIT_PUBLIC_ROWS 10000             // rows that can be reached by turning pages
#define LIMIT_PUBLIC_TEXT 100               // bytes of what is searched for
#define LIMIT_REPORT_HOUR 60                // reports of dangers that one address hands in in an hour
#define LIMIT_REPORT_BURST 10               // of them at once
#define LIMIT_RECEIPT_MINUTE 20             // receipts of reports that one address asks for in a minute
#define LIMIT_REPORT_RUNNING 3              // reports being taken in at the same time
#define LIMIT_REPORT_PHOTOS 3
#define LIMIT_REPORT_PHOTO (1u << 20)       // bytes of one photo
#define LIMIT_REPORT_TEXT 6000              // bytes of what the matter is, or of one word afterwards
#define LIMIT_REPORT_WORDS 20               // that one reporter adds
#define LIMIT_REPORT_AREAS 200              // to choose from
#define LIMIT_CASE_RECORDS 200              // records in the file of one record
#define LIMIT_CASE_BYTES (512u << 20)       // of its attachments together
#define LIMIT_CASE_ACTIONS 2000             // audit entries of one of its records
#define LIMIT_AUDIT_EXPORT 50000            // entries of one part of the exported audit chain
#define LIMIT_EXPORT_ROWS 1000000          // a workbook's sheet holds 1,048,576
#define LIMIT_LOGIN_TRIES 5                 // failures for a name before it must wait
#define LIMIT_LOGIN_ADDRESS 20              // the same for an address: a whole office may sit behind one
#define LIMIT_LOGIN_WAIT_S 60
#define LIMIT_DIRECTORY_BUSY 3              // logins that wait for a directory at once, of the 8 HTTP workers
#define LIMIT_DIRECTORY_SECONDS 5           // of one login at a directory, of one answer of a single sign-on
#define LIMIT_DIRECTORY_ANSWER (256u << 10) // bytes of one answer of a single sign-on
#define LIMIT_OIDC_CACHED 8                 // directories whose keys are kept in memory
#define LIMIT_OIDC_REFRESH_S 30             // keys are asked for again at most this often
#define LIMIT_OIDC_FLOW_S 600               // from the button to the answer of the single sign-on
#define LIMIT_OIDC_TICKET_S 300             // from its answer to the code of the second factor
#define LIMIT_JWT (16u << 10)               // bytes of a token
#define LIMIT_JWKS_KEYS 32                  // keys looked at in a set
#define LIMIT_SESSIONS_PER_USER 20
#define LIMIT_IDEMPOTENCY_KEY 100           // bytes of an Idempotency-Key
#define LIMIT_AWAY_DAYS 7                   // that a device without signal keeps its work: its keys and its times count so long
#define LIMIT_TOKEN_SCOPES 50
#define LIMIT_TOKENS_PER_USER 20            // personal access tokens in force

#define LIMIT_GATE_CONNECTIONS 20000
#define LIMIT_GATE_UNAUTHENTICATED_S 10     // a connection that has not said who it is
#define LIMIT_MQTT_PACKET (1u << 20)        // bytes of one control packet
#define LIMIT_MQTT_TOPIC 256
#define LIMIT_MQTT_ALIASES 8                // topics that a client of 5.0 may name by a number
#define LIMIT_MQTT_INFLIGHT 1024            // unacknowledged PUBLISH of one connection
#define LIMIT_MQTT_SUBSCRIPTIONS 8          // filters of one SUBSCRIBE
#define LIMIT_MQTT_CLIENT_ID 256
#define LIMIT_MQTT_COMMANDS 16              // commands on their way to one device, not yet acknowledged by it
#define LIMIT_COMMAND (16u << 10)           // bytes of one command to a device
#define LIMIT_COMMANDS_PER_DEVICE 16        // that wait for one device
#define LIMIT_COMMANDS 1000                 // that wait for all devices together
#define LIMIT_COMMAND_AGE_S 600             // a command not delivered by then is not wanted any more
#define LIMIT_COMMAND_PERIOD_DAYS 31        // of history that one command asks for
#define LIMIT_MODBUS_ANSWER_S 3             // a device that takes longer is left and called again
#define LIMIT_GATE_LINGER_S 2               // for the last bytes of a refused connection to reach it
#define LIMIT_GATE_HISTORY (256u << 10)     // bytes in the ring to the core above which connections with history are not read
#define LIMIT_GATE_FIRST (2u << 20)         // the same for the first message of a connection
#ifdef ANLAN_TEST
#define LIMIT_GATE_BUFFERED (4u << 20)      // so that a test can fill it
#define LIMIT_GATE_CROWDED_S 2
#else
#define LIMIT_GATE_BUFFERED (256u << 20)    // bytes of unfinished messages of all connections together; who holds more than his share waits
#define LIMIT_GATE_CROWDED_S 30             // so long, and then he is closed
#endif
#define LIMIT_GATE_REFRESH_S 10             // a device is asked for again at most this often because of unknown points
#define LIMIT_GATE_OUT (256u << 10)         // bytes waiting for a slow device before it is closed
#define LIMIT_READINGS_PER_MESSAGE 10000
#define LIMIT_SPARKPLUG_METRICS 20000       // that births of one edge node define
#define LIMIT_SPARKPLUG_NAMES (1u << 20)    // bytes of their names
#define LIMIT_SPARKPLUG_PROPERTIES 100      // of one metric that are printed
#define LIMIT_SPARKPLUG_REBIRTH_S 10        // an edge node is asked for its births at most this often
#define LIMIT_DEVICE_NAME 64
#define LIMIT_DEVICE_KEY 128
#define LIMIT_POINT_NAME 64
#define LIMIT_EARLY_WATCHES 50000           // points with a rule that speaks ahead of its limits; more are left out, and that is said
#define LIMIT_DOUBT_WATCHES 50000           // points whose data are looked at for doubts; likewise
#define LIMIT_DRIFT_WATCHES 20000           // points whose level is watched for drift; likewise
#define LIMIT_UNIT_MODELS 5000              // unit models in force
#define LIMIT_POINTS_PER_DEVICE 20000
#define LIMIT_HJ212_SEGMENT 1024            // HJ 212-2017 6.3.1: data segment 0..1024
#define LIMIT_GB26875_DATA 1024             // GB/T 26875.3-2011: application data unit 0..1024
#define LIMIT_JT808_BODY 1023               // JT/T 808 4.4.3: ten bits of length
#define LIMIT_GB32960_DATA (16u << 10)       // GB/T 32960.3 allows 65,531; 4 KiB is what a bus with 600 cells says
#define LIMIT_LINE_MESSAGE (64u << 10)      // bytes of a message that a line protocol sends in several packets
#define LIMIT_LINE_WAITING (16u << 20)      // of all packets that wait for the rest of their message, together
#define LIMIT_TEMPLATE (16u << 10)          // bytes of one template of a vendor's payload, as it is sent to the gate
#define LIMIT_TEMPLATE_FIELDS 100           // places and values of it, each
#define LIMIT_DETECT_LINE (256u << 10)      // bytes of a line that `anlan detect` reads
#define LIMIT_SERIES_POINTS 1000            // points of one question for last values or steps
#define LIMIT_SERIES_VALUES 2000000         // numbers in the answer: points x steps x kinds of number
#define LIMIT_EXPORT_POINTS 100             // points of one export of readings
#define LIMIT_EXPORT_READINGS 20000000      // readings in it
#define LIMIT_BACKTEST_POINTS 200           // points of one back-test
#define LIMIT_BACKTEST_OTHERS 200           // points beside it that its rules read
#define LIMIT_BACKTEST_DAYS 400             // its length
#define LIMIT_BACKTEST_SAMPLES 20000000     // samples it reads, of all points together
#define LIMIT_BACKTEST_ALARMS 200000        // alarms at one point; more is no setting anybody wants
#define LIMIT_BACKTEST_SHOWN 2000           // alarms of a point that an answer lists
#define LIMIT_BACKTEST_EVENTS 500           // events that alarms are compared with
#define LIMIT_BACKTEST_SEARCH 300000        // samples that a search for quieter settings looks at
#define LIMIT_BACKTEST_SECONDS 20           // of its work

#define LIMIT_REPLAY_DAYS 7                 // longest span of one replay
#define LIMIT_REPLAY_ALARMS 1000            // alarms that were open in it
#define LIMIT_REPLAY_JOURNAL 50000          // entries of their journals
#define LIMIT_REPLAY_EVENTS 5000            // what happened in it: of alarms, records and messages together
#define LIMIT_REPLAY_CHANGES 100000         // changes of all records in that time that are looked through
#define LIMIT_REPLAY_TRENDS 12              // points whose curves are shown
#define LIMIT_REPLAY_STEPS 400              // of one curve
#define LIMIT_REPLAY_POINTS 300             // points on its map
#define LIMIT_REPLAY_FIRMS 500              // enterprises on its map

#define LIMIT_QRA_SOURCES 500               // installations of one regional risk assessment
#define LIMIT_QRA_SCENARIOS 20000           // of all of them
#define LIMIT_QRA_CLASSES 24                // stability-wind classes
#define LIMIT_QRA_DIRECTIONS 36             // of the wind rose
#define LIMIT_QRA_SPLIT 8                   // computed inside of one of them
#define LIMIT_QRA_SIDE 4000                 // cells of one side of the grid
#define LIMIT_QRA_CELLS 4000000             // of the grid
#define LIMIT_QRA_PEOPLE 1000000            // cells with people
#define LIMIT_QRA_PLACES 5000               // schools, hospitals, …
#define LIMIT_QRA_IGNITION 1000             // ignition sources
#define LIMIT_QRA_LEVELS 12                 // contours
#define LIMIT_QRA_STEPS 2000                // points of the F-N curve
#define LIMIT_QRA_THREADS 16
#define LIMIT_QRA_COLUMNS 4096              // of the polar raster of a source; its rows
#define LIMIT_QRA_INPUT (32u << 20)         // bytes of its description
#define LIMIT_GATEWAY_FRAME (2u << 20)      // one message of the encrypted gateway envelope
#define LIMIT_GATE_NEW_LINE (128u << 10)    // the first frame of somebody who has not said who it is
#define LIMIT_READING_FUTURE_S 600          // a time further ahead than this is refused as a wrong clock
#define LIMIT_READING_PAST_DAYS 3650

#define LIMIT_INDEX_ENTERPRISES 4000000     // highest record id of an enterprise that has a risk index
#define LIMIT_INDEX_COVERS 500              // weather warnings and key dates in force at once that a risk index takes in
#define LIMIT_INDEX_NEWS 4096               // enterprises that wait to be counted again; more: all are
#define LIMIT_INDEX_SHOWN 500               // objects of one answer

#define LIMIT_DOMINO 200                    // steps of a domino chain that an answer lists
#define LIMIT_ZONE_TARGETS 500              // vessels around an accident that a chain looks at, the nearest
#define LIMIT_ZONE_PLACES 2000              // places, enterprises and roads, each, that an answer about zones lists
#define LIMIT_YAML_FILE (1u << 20)
#define LIMIT_YAML_DEPTH 12
#define LIMIT_YAML_NODES 100000
#define LIMIT_CONFIG_CHANGES 1000         // differences kept with a version of the packs
#define LIMIT_DIFF_VALUE 200            // bytes of a value shown in a difference between two versions of a pack
#define LIMIT_DIAGS 1000                    // mistakes reported by one check
#define LIMIT_TYPE_FIELDS 200               // fields of one record type
#define LIMIT_SHAPE_FIELD (512u << 10)      // bytes of a GeoJSON geometry
#define LIMIT_POINTS 4000000                // highest point id
#define LIMIT_EXPR_TEXT 2000                // bytes of one expression
#define LIMIT_EXPR_DEPTH 20                 // of its tree
#define LIMIT_EXPR_NODES 300                // operands and operators
#define LIMIT_EXPR_SLOTS 64                 // different values it reads
#define LIMIT_RULE_MEMBERS 200              // points that a rule's expression takes together; with more it cannot judge
#define LIMIT_RULE_STACK 64                 // operands that wait while it is judged
#define LIMIT_RULE_ROLES 16                 // kinds of points beside the one that a rule watches
#define LIMIT_ROWS 1000                     // rows of a table field
#define LIMIT_ROW_COLUMNS 30
#define LIMIT_ROWS_FIELD (512u << 10)       // bytes of a table field as JSON
#define LIMIT_SHEET_FIELD (256u << 10)      // bytes of a score sheet as JSON
#define LIMIT_SHEET_ITEMS 1000
#define LIMIT_LIST_FIELD 200                // references or files of one field
#define LIMIT_TEXT_FIELD 20000              // bytes of a text field without its own max
#define LIMIT_EXAM_QUESTIONS 200            // of one paper
#define LIMIT_MENTIONS 50           // persons mentioned in one comment

#define LIMIT_CHANNELS 200                  // channels and webhooks, each
#define LIMIT_MESSAGE (256u << 10)          // bytes of one message out
#define LIMIT_MESSAGE_ANSWER (16u << 10)    // bytes kept of what a gateway answers
#define LIMIT_MESSAGE_TRANSFERS 16          // messages on their way at once
#define LIMIT_MESSAGE_SECONDS 20            // of one try
#define LIMIT_SECRET 1000                   // bytes of a channel's password or key

#define LIMIT_CAMERAS 5000                  // whose stills are fetched
#define LIMIT_CAMERA_NETWORKS 200           // that they may lie in
#define LIMIT_STILL_BYTES (2u << 20)        // of one still
#define LIMIT_STILLS_BYTES (128u << 20)     // of all that are kept; the oldest go first
#define LIMIT_STILL_KEPT_S 900              // so long a still is kept in memory
#define LIMIT_STILL_SECONDS 5               // for a camera to answer
#define LIMIT_STILL_TRANSFERS 8             // stills on their way at once
#define LIMIT_CAMERAS_NEAR 50               // cameras of one answer of what is near
#define LIMIT_CONTROLS 500               // ceilings of road accidents that are counted again at once
#define LIMIT_HELPERS 5000               // vessels that are looked at for one in distress
#define LIMIT_HELPERS_SHOWN 20           // the nearest that are named

#define LIMIT_DROP_FILES 1000               // files of the drop folder looked at together
#define LIMIT_DROP_ERRORS 10000             // rows of one of them whose mistake is written beside it; all are counted
#define LIMIT_IMPORT_ROWS 200000
#define LIMIT_IMPORT_ERRORS 1000            // kept and shown of one import; all are counted
#define LIMIT_IMPORTS_WAITING 100           // imports that are not finished, of all people together
#define LIMIT_SHEET_COLUMNS 256
#define LIMIT_CELL (1u << 20)               // bytes of one cell
#define LIMIT_XLSX_PARTS 1000               // files in a workbook
#define LIMIT_XLSX_BYTES (512u << 20)       // of all parts that are read, unpacked
#define LIMIT_XLSX_PACKED 200               // a part of 1 MiB and more unpacks to at most so many times its size
#define LIMIT_XLSX_STRINGS (96u << 20)      // memory of a workbook's shared strings
#define LIMIT_XLSX_FORMATS 70000            // cell styles and number formats of a workbook
#define LIMIT_XLSX_ROW 1048576
#define LIMIT_XLSX_MERGES 100000            // merged cells over several rows; further ones are not filled
#define LIMIT_ARCHIVE_MEMBERS 2000000       // files in an archive or backup that is restored
#define LIMIT_ARCHIVE_LINE (16u << 20)      // bytes of one record in it
