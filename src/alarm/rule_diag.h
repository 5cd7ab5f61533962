// Every sentence the rule checker can say, in both languages, in one table, so that a test can see that each has a
// bad example in tests/packs/bad_rules/. A row: X(NAME, Chinese, English); both are printf formats with the same
// arguments in the same order. Used by rule_load.c and its test.
#pragma once

#include "model/yaml.h"

// clang-format off
#define RULE_DIAGS(X) \
X(MISSING,       "缺少“%s”；请补上", "\"%s\" is missing; add it") \
X(NAME_TWICE,    "规则“%.*s”已在 %.*s:%u 定义；请换一个名字", "the rule \"%.*s\" is already defined in %.*s:%u; choose another name") \
X(KIND,          "没有测点种类“%.*s”；请改名，或在 points/ 下建立它", "there is no kind of point \"%.*s\"; correct it or make it in points/") \
X(MENU_VALUE,    "菜单“%s”没有选项“%.*s”；请改正", "the menu \"%s\" has no item \"%.*s\"; correct it") \
X(NO_LEVEL,      "规则什么也不判断；请写 levels、rate、silent、flat、bad、when 或 fence", "the rule judges nothing; add levels, rate, silent, flat, bad, when or fence") \
X(COLOR,         "未知的颜色“%.*s”；可用 red orange yellow blue", "unknown colour \"%.*s\"; use red orange yellow blue") \
X(OPEN_TYPE,     "没有类型“%.*s”；请改名，或在 types/ 下建立它", "there is no type \"%.*s\"; correct it or make it in types/") \
X(NO_LIMIT,      "级别“%s”没有限值；请写 %s: 数值", "the level \"%s\" has no limit; write %s: NUMBER") \
X(WRONG_SIDE,    "级别“%s”要用 %s，不用 %s；请改正", "the level \"%s\" takes %s, not %s; correct it") \
X(LIMIT_VALUE,   "“%.*s”不能作限值；请写一个数，或 point.%s", "\"%.*s\" is no limit here; write a number or point.%s") \
X(LIMIT_RANGE,   "限值 %s 在种类“%.*s”的量程之外，永远不会报警；请改正", "the limit %s is outside the range of the kind \"%.*s\" and would never alarm; correct it") \
X(ORDER,         "限值次序不对：%s（%s）必须%s %s（%s）；请改正", "the limits are in the wrong order: %s (%s) must be %s %s (%s); correct them") \
X(CLEAR_SIDE,    "解除值 %s 在限值 %s 的报警一侧，会反复报警；%s 的 clear 要%s限值", "the clear limit %s lies on the alarm side of the limit %s; clear of %s must be %s the limit") \
X(CLEAR_TWICE,   "clear 和 clear_by 只能写一个；请删去一个", "clear and clear_by exclude each other; take one out") \
X(CLEAR_POINT,   "限值取自测点时解除值要用 clear_by；请改正", "with a limit of the point itself use clear_by, the distance from the limit; correct it") \
X(CLEAR_BY,      "clear_by 不能小于零；请写离限值的距离", "clear_by cannot be negative; write the distance from the limit") \
X(NEGATIVE,      "时长不能是负数；请改正", "a duration cannot be negative; correct it") \
X(LONG,          "时长不能超过 %d 天；请改短", "a duration cannot be longer than %d days; shorten it") \
X(ZERO,          "“%s”必须大于零；请改正", "\"%s\" must be more than zero; correct it") \
X(RATE_WHICH,    "rate 要正好写 rise 和 fall 中的一个；另一方向请另建规则", "rate takes exactly one of rise and fall; make a second rule for the other") \
X(FLAT_BY,       "“by”不能小于零；请写最小变化量", "\"by\" cannot be negative; write the least change") \
X(SILENT_SHORT,  "silent 的时间不长于种类“%.*s”的采样间隔，会一直报警；请改长", "silent is not longer than the sample interval of the kind \"%.*s\" and would always alarm; make it longer") \
X(CAUSE_RULE,    "没有规则“%.*s”；请改名，或建立它", "there is no rule \"%.*s\"; correct it or make it") \
X(CAUSE_CIRCLE,  "规则“%.*s”经过别的规则抑制它自己，会全部无声；请删去一个", "the rule \"%.*s\" would suppress itself through others and all would be silent; take one out") \
X(CAUSE_AT,      "at 可用 point device installation enterprise，不能是“%.*s”", "at is point, device, installation or enterprise, not \"%.*s\"") \
X(CAUSE_LONG,    "抑制不能超过 %d 天；请改短", "a suppression cannot last longer than %d days; shorten it") \
X(CAUSES,        "一条规则最多 %d 个起因；请减少", "a rule has at most %d causes; take some out") \
X(HIDE_LONG,     "人为搁置或抑制不能超过 %d 小时；请改短", "a person cannot hide an alarm for more than %d hours; shorten it") \
X(LATCH_HINT,    "hint 不报警，没有可锁存的；请删去 hint 或 latch", "a hint is no alarm, so nothing can latch; take hint or latch out") \
X(EARLY_LEVELS,  "early 说的是离 levels 的限值还有多久，这条规则没有 levels；请加上 levels，或删去 early", "early says how far the limits of levels are, and this rule has no levels; add levels or take early out") \
X(EARLY_LONG,    "early 的 within 不能超过 %d 小时：更远的趋势没有意义；请改短", "within of early cannot be longer than %d hours: a trend says nothing further away; shorten it") \
X(EARLY_EVERY,   "early 的 every 太长：within 里至少要有 %d 段；请改短", "every of early is too long: within must hold %d of them; shorten it") \
X(WHEN_OP,       "规则的条件里不能用“%s”；请改写", "a rule's condition cannot use \"%s\"; write it differently") \
X(WHEN_DURATION, "duration() 和 age() 只能与写明的时长比较，最多 %d 个；请写如 duration(level > 80) >= 10min", \
                 "duration() and age() are compared with a written duration only, at most %d; write for example duration(level > 80) >= 10min") \
X(WHEN_NOTHING,  "条件里没有测点，永远不会判断；请写上要看的测点", "no point is in the condition, so it is never judged; name the point to look at") \
X(WHEN_LONG,     "条件太长，判断起来步数太多；请拆成几条规则", "the condition takes too many steps; split it into several rules") \
X(WHEN_UNITS,    "种类“%.*s”（%.*s）和“%.*s”（%.*s）单位不同，不能写在一个名字下；请分开", \
                 "the kinds \"%.*s\" (%.*s) and \"%.*s\" (%.*s) have different units and cannot share a name; separate them") \
X(WHEN_SCOPE,    "范围“%.*s”不能用；请写 device、installation、enterprise 或 area", "there is no scope \"%.*s\"; write device, installation, enterprise or area") \
X(WHEN_NAME,     "名字“%.*s”已用过；请换一个", "the name \"%.*s\" is in use; choose another") \
X(WHEN_ROLES,    "with 最多写 %d 项；请减少", "with takes at most %d names; use fewer") \
X(FENCE_WHAT,    "没有围栏情形“%.*s”；可用 left entered fast stayed off_route stopped off_post", \
                 "a fence knows no \"%.*s\"; use left, entered, fast, stayed, off_route, stopped or off_post") \
X(BLIND_ALONE,   "blind 说的是 when 的条件何时算无法判断；请写 when", "blind says when the condition of when cannot be judged; add when") \
X(BLIND_SHORT,   "blind 的时间短于 when 最长时间窗口的一半，刚启用时会误报；请改长", \
                 "blind is shorter than half of the longest window of when and would alarm at every beginning; make it longer") \
X(TOO_MUCH,      "监测种类“%.*s”的规则合起来太多，一个测点最多 %u 个字（这里要 %u 个）；请合并或减少规则", \
                 "the rules of the kind \"%.*s\" together need more than the %u words a point has (here %u); merge or drop rules")
// clang-format on

#define X(name, zh, en) static const char RULE_ZH_##name[] = zh;
RULE_DIAGS(X)
#undef X
#define X(name, zh, en) static const char RULE_EN_##name[] = en;
RULE_DIAGS(X)
#undef X

#define RULE_DIAG(d, at, name, ...) diag_say((d), (at), RULE_ZH_##name, RULE_EN_##name, ##__VA_ARGS__)
