// Examinations: a paper drawn for each person from a bank by the rule of the exam, answers kept one by one, scored by the server.
// The record types exam, exam_sitting and question say what there is (packs/training); the papers lie in table exam_paper,
// frozen as they were drawn. What is written runs inside a store job. doc/decisions/0028-exam.md
#pragma once

#include "flow/flow.h"

// ---- pure (exam_paper.c) -------------------------------------------------------------------------
struct exam_rule { struct str subject, kind; size_t many; double points; }; // kind empty: any
struct exam_question { int64_t id; struct str subject, kind; };
struct exam_item { int64_t question; double points; };
// By each rule in turn the lowest tickets SEED:question:ID of those of its subject and kind that no rule before it took.
// ERR_CONFLICT: the bank has too few for rule *ret_short (from 0), *ret_n of them.
enum err exam_draw(struct str seed, const struct exam_rule *rules, size_t nrules, const struct exam_question *bank, size_t nbank,
                   struct arena *a, struct exam_item **ret, size_t *ret_n, size_t *ret_short) must_check;
// The order in which the options of a question (1 … n, n at most 6) are shown: tickets SEED:option-QUESTION:NUMBER.
void exam_shuffle(struct str seed, int64_t question, uint8_t *options, size_t n);
// What an answer earns: all of it if it is the key, part % if it is some of a key of several and nothing else, else nothing.
// Key and answer are values of a menus field, ",a,c,", in any order.
double exam_points(struct str key, struct str answer, double points, double part);

// ---- on records (exam.c) ---------------------------------------------------------------------------
struct exam_types { const struct type *exam, *sitting, *question, *person; };
bool exam_types(const struct registry *reg, struct exam_types *ret); // false: the pack is not in force
// May he sit it (now aside)? He is named, or has one of its roles within its area and enterprise.
bool exam_is_for(const struct exam_types *t, const struct row *exam, const struct identity *by);
// What the exam draws from, whole subjects; any connection. The texts are from a.
struct exam_bank { struct exam_question *v; size_t n; };
enum err exam_bank(struct db *db, const struct exam_types *t, const struct row *exam, struct arena *a, struct exam_bank *ret) must_check;
// All sittings of a person, or of one exam of his, newest first. exam 0 = all.
enum err exam_sittings(struct db *db, const struct exam_types *t, int64_t exam, int64_t person, struct arena *a, struct row **ret,
                       size_t *ret_n) must_check;
// The caller's open sitting of the exam, or a new one with its paper; ERR_CONFLICT says why there is none. Inside a job.
enum err exam_sit(struct db *db, const struct registry *reg, int64_t exam, const struct exam_bank *bank, const struct identity *by,
                  struct arena *a, int64_t *ret, struct problem *p) must_check;
// Keeps the answer to question n (from 1) of the caller's open sitting, in time; answer: a JSON list of keys. away: how often he
// has left the page so far, as the page says. Inside a job.
enum err exam_save(struct db *db, const struct registry *reg, int64_t sitting, int64_t n, const json_t *answer, int64_t away,
                   const struct identity *by, struct arena *a, struct problem *p) must_check;
// Ends the caller's sitting and scores it; done already: nothing. Inside a job.
enum err exam_hand_in(struct db *db, const struct registry *reg, int64_t sitting, const struct identity *by, struct arena *a,
                      struct problem *p) must_check;
// Ends and scores those whose time is over, at most limit. *ret_n: how many there were. Inside a job.
enum err exam_tick(struct db *db, const struct registry *reg, int64_t now, size_t limit, struct arena *a, size_t *ret_n) must_check;

struct exam_line { int64_t n, question, saved_at; double points, got; struct str body, key, answer; }; // got < 0: not scored
enum err exam_paper(struct db *db, int64_t sitting, struct arena *a, struct exam_line **ret, size_t *ret_n) must_check;
struct exam_stat { int64_t question, asked, answered, right; };
// Of the scored papers of an exam, by question.
enum err exam_stats(struct db *db, int64_t exam, struct arena *a, struct exam_stat **ret, size_t *ret_n) must_check;
int64_t exam_until(const struct type *sitting, const struct row *row);
