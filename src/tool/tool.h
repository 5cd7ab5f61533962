// The sub-commands of `anlan`. Each takes the arguments behind its name and returns the exit status.
#pragma once

#include "base/base.h"
#include "base/str.h"

#define ANLAN_VERSION "0.1.0"

int tool_serve(int argc, char **argv);   // src/serve.c
int tool_check(int argc, char **argv);
int tool_decode(int argc, char **argv);
int tool_calc(int argc, char **argv);
int tool_qra(int argc, char **argv);
int tool_user(int argc, char **argv);
int tool_audit(int argc, char **argv);
int tool_reach(int argc, char **argv);
int tool_bench(int argc, char **argv);
int tool_backtest(int argc, char **argv);
int tool_archive(int argc, char **argv);
int tool_backup(int argc, char **argv);
int tool_restore(int argc, char **argv);
int tool_detect(int argc, char **argv);
int tool_limits(int argc, char **argv);
int tool_help(int argc, char **argv);

// Folders that come with the program: packs and ui, found beside the executable (build/anlan → packs/, build/ui;
// /usr/bin/anlan → /usr/share/anlan/packs). The result lives as long as the process.
const char *tool_packs_dir(void);
const char *tool_ui_dir(void);

// Options: "--name VALUE" and "--name". Removes what it finds from argv; what is left is positional.
const char *tool_option(int *argc, char **argv, const char *name);    // NULL if absent; exits 2 if the value is missing
bool tool_flag(int *argc, char **argv, const char *name);
// Ends with exit status 2 and a usage line if an unknown --option is left; --help prints it and ends with 0.
void tool_no_more_options(int argc, char **argv, const char *usage);
