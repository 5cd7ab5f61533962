// Every sentence the checker can say, in both languages, in one table, so that a test can see that each has a bad
// example. A row: X(NAME, Chinese, English); both are printf formats that take the same arguments in the same order.
// Used by model/ only, through DIAG(); alarm/ has its own sentences and calls diag_say.
#pragma once

#include "model/yaml.h"

// clang-format off
#define DIAGS(X) \
/* files */ \
X(FILE_READ,      "文件读不出来：%s。请检查文件和权限", "the file cannot be read: %s; check the file and its permissions") \
X(FILE_LARGE,     "文件超过 %u 字节；请拆成几个文件", "the file is larger than %u bytes; split it") \
X(FILE_NAME,      "这里的文件名要以 .yaml 结尾；请改名或移走", "files here must end in .yaml; rename it or move it away") \
X(FOLDER,         "未知的文件夹“%.*s”，里面的内容不会被读取；请改名", "unknown folder \"%.*s\", nothing in it is read; rename it") \
X(NO_PACK,        "这里没有任何业务包；请给出 packs 文件夹或其中一个包", "no pack found here; give the packs folder or one pack in it") \
/* syntax */ \
X(SYNTAX,         "YAML 语法错误（%s）；请检查缩进、冒号后的空格和引号", "not YAML (%s); check indentation, the blank after each colon and quotes") \
X(TAB,            "缩进用了 Tab；请改成空格", "indented with a tab; use spaces") \
X(FULL_WIDTH,     "这里的“%.*s”是全角的，YAML 读不懂；请改成半角，若是文字请把整段加引号", \
                  "the \"%.*s\" here is full-width, which is not YAML; write it half-width, or put the whole text in quotes if it is part of one") \
X(EMPTY,          "文件是空的；请写上内容或删除它", "the file is empty; write something in it or delete it") \
X(ANCHOR,         "不能用锚点（&名字）；请把内容写全", "anchors (&name) are not part of the dialect; write the text out") \
X(ALIAS,          "不能用别名（*名字）；请把内容写全", "aliases (*name) are not part of the dialect; write the text out") \
X(TAG,            "不能用标签（!名字）；请去掉", "tags (!name) are not part of the dialect; take it out") \
X(DOCUMENTS,      "一个文件只能有一份文档；请去掉“---”及其后的内容，或另建文件", "only one document a file; remove \"---\" and what follows, or make another file") \
X(DEPTH,          "嵌套超过 %u 层；请写得平一些", "nested deeper than %u levels; make it flatter") \
X(NODES,          "文件里超过 %u 个项；请拆成几个文件", "more than %u items in the file; split it") \
X(KEY_SCALAR,     "键必须是一个词；请不要用列表或映射作键", "a key must be one word; do not use a list or mapping as a key") \
X(KEY_TWICE,      "“%.*s”写了两次（第一次在第 %u 行）；请删去一个", "\"%.*s\" is given twice (first in line %u); remove one") \
X(CONTROL,        "文字里有控制字符；请删去", "a control character in the text; remove it") \
/* values */ \
X(WANT_TEXT,      "这里要一个文字值；请不要写列表或映射", "a text is expected here; not a list or mapping") \
X(WANT_NUMBER,    "“%.*s”不是数；请写如 12 或 0.5", "\"%.*s\" is not a number; write for example 12 or 0.5") \
X(WANT_INTEGER,   "“%.*s”不是整数；请写如 12", "\"%.*s\" is not a whole number; write for example 12") \
X(WANT_BOOL,      "“%.*s”不是 true 或 false；请写其中一个", "\"%.*s\" is neither true nor false; write one of them") \
X(WANT_DURATION,  "“%.*s”不是时长；请写如 30s、10min、4h、15d", "\"%.*s\" is not a duration; write for example 30s, 10min, 4h, 15d") \
X(WANT_LABEL,     "这里要两种语言；请写 {zh: …, en: …}", "both languages are expected; write {zh: …, en: …}") \
X(LABEL_LANGUAGE, "缺少语言“%s”；请补上", "the language \"%s\" is missing; add it") \
X(LABEL_EMPTY,    "文字是空的；请写上内容", "the text is empty; write it") \
X(WANT_LIST,      "这里要列表；请写 [a, b]", "a list is expected; write [a, b]") \
X(WANT_MAP,       "这里要映射；请写“键: 值”", "a mapping is expected; write \"key: value\"") \
X(WANT_NAME,      "“%.*s”不能作名字；只能用小写字母、数字和下划线，以字母开头，不超过 48 个字符", \
                  "\"%.*s\" cannot be a name; use lower-case letters, digits and underscores, a letter first, at most 48") \
X(UNKNOWN_KEY,    "未知的键“%.*s”；请改正或删去", "unknown key \"%.*s\"; correct it or take it out") \
X(MISSING_KEY,    "缺少“%s”；请补上", "\"%s\" is missing; add it") \
X(NAME_TWICE,     "“%.*s”已在 %.*s:%u 定义；请换一个名字", "\"%.*s\" is already defined in %.*s:%u; choose another name") \
X(LISTED_TWICE,   "“%.*s”列了两次；请删去一个", "\"%.*s\" is listed twice; remove one") \
X(EMPTY_LIST,     "列表是空的；请至少写一项", "the list is empty; give at least one item") \
X(COLOR,          "未知的颜色“%.*s”；可用 red orange yellow blue green grey", "unknown colour \"%.*s\"; use red orange yellow blue green grey") \
/* menus, roles, points */ \
X(MENU_EMPTY,     "菜单没有选项；请在 items 下至少写一项", "the menu has no items; give at least one under items") \
X(ITEM_NAME,      "“%.*s”不能作选项的值；只能用字母、数字、下划线、连字符和点", \
                  "\"%.*s\" cannot be the value of an item; use letters, digits, underscores, hyphens and dots") \
X(PERMISSION,     "“%.*s”不是权限；请写如 alarm.handle（全部权限见 packs/README.md）", \
                  "\"%.*s\" is not a permission; write for example alarm.handle (all of them are in packs/README.md)") \
X(BOUND,          "“%.*s”不能限定角色；请写 area 或 enterprise", "a role is not bound to \"%.*s\"; write area or enterprise") \
X(ITEM_PARENT,    "parent 要写同一菜单里排在前面的选项，“%.*s”不是；请改正", \
                  "parent must be an item of the same menu that stands before, \"%.*s\" is none; correct it") \
X(ITEM_ENDED,     "“%.*s”不是日期；请写如 2026-07-01", "\"%.*s\" is no date; write for example 2026-07-01") \
X(BOUNDS,         "min 不小于 max；请改正两个数", "min is not below max; correct the two numbers") \
X(STALE,          "stale_after 不长于 interval，测点会一直显示离线；请改长", \
                  "stale_after is not longer than interval, the point would always be offline; make it longer") \
X(RETENTION,      "retention 短于 31d；请改长，或删去表示永久保存", "retention is shorter than 31d; make it longer, or leave it out to keep for ever") \
X(DRIFT,          "drift 和 drift_least（大于 0）须同时写；请补上", "drift and drift_least (above 0) go together; add the other") \
X(RETENTION_HOURS, "retention_hours 不能短于 retention，也不能单独出现；请改正", \
                  "retention_hours cannot be shorter than retention, nor stand without it; correct it") \
X(DURATION_ZERO,  "时长必须大于零；请改正", "the duration must be more than zero; correct it") \
X(DECIMALS,       "decimals 要在 0 到 9 之间；请改正", "decimals must be from 0 to 9; correct it") \
X(UNMASK,         "unmask 没有“%.*s”这一项；可用 reason（说明理由后逐条查看）、always（始终可见）", \
  "unmask cannot be \"%.*s\"; use reason (one record at a time, with a reason) or always") \
X(DIMENSION,      "未知的维度“%.*s”；可用 people equipment process storage logistics environment", \
                  "unknown dimension \"%.*s\"; use people equipment process storage logistics environment") \
X(CAP_WORD,       "CAP 1.2 的 %s 没有“%.*s”；请按标准改正", "CAP 1.2 has no %s \"%.*s\"; correct it") \
X(PACK_NAME,      "“%.*s”不是这个文件夹的名字；请写 %.*s", "\"%.*s\" is not the name of this folder; write %.*s") \
X(PACK_TODAY,     "“%.*s”不是“类型.列表”；请写成类型名、点、该类型 lists 下的名字", \
  "\"%.*s\" is no TYPE.LIST; write the name of a type, a dot and a name under its lists") \
X(PACK_SECTION,   "菜单 pack_section 没有“%.*s”；请改正或删去", "menu pack_section has no \"%.*s\"; correct it or take it out") \
/* fields */ \
X(RESERVED,       "“%.*s”是系统保留的字段名；请换一个名字", "\"%.*s\" is a field name of the system; choose another") \
X(COMMON_KIND,    "字段“%.*s”是公共栏，只能写成 %s；请改正或换一个名字", \
                  "the field \"%.*s\" is a common column and must be %s; correct it or choose another name") \
X(NO_FIELDS,      "类型没有字段；请在 fields 下至少写一个", "the type has no fields; give at least one under fields") \
X(FIELDS_MANY,    "字段超过 %u 个；请把类型拆开", "more than %u fields; split the type") \
X(FIELD_KIND,     "未知的字段种类“%.*s”；可用 text number money bool date time menu menus ref refs files photos rows position shape " \
                  "phone idcard uscc area sheet", \
                  "unknown kind of field \"%.*s\"; use text number money bool date time menu menus ref refs files photos rows position shape phone " \
                  "idcard uscc area sheet") \
X(NOT_FOR_KIND,   "“%s”对 %s 字段没有意义；请删去", "\"%s\" has no meaning for a %s field; take it out") \
X(NEEDS_KEY,      "%s 字段必须写“%s”；请补上", "a %s field needs \"%s\"; add it") \
X(NO_MENU,        "没有菜单“%.*s”；请改名，或在 menus/ 下建立它", "there is no menu \"%.*s\"; correct it or make it in menus/") \
X(NO_TYPE,        "没有类型“%.*s”；请改名，或在 types/ 下建立它", "there is no type \"%.*s\"; correct it or make it in types/") \
X(NO_GROUP,       "没有分组“%.*s”；请改名，或在 groups 下建立它", "there is no group \"%.*s\"; correct it or make it under groups") \
X(NO_ROLE,        "没有角色“%.*s”；请改名，或在 roles/ 下建立它", "there is no role \"%.*s\"; correct it or make it in roles/") \
X(NO_FIELD,       "没有字段“%.*s”；请改名，或在 fields 下建立它", "there is no field \"%.*s\"; correct it or make it under fields") \
X(NO_STATE,       "没有状态“%.*s”；请改名，或在 states 下建立它", "there is no state \"%.*s\"; correct it or make it under states") \
X(NO_ITEM,        "菜单“%.*s”没有选项“%.*s”；请改正", "the menu \"%.*s\" has no item \"%.*s\"; correct it") \
X(COLUMN_TWICE,   "字段“%.*s”要用的列名“%.*s”已被占用；请换一个名字", \
                  "the field \"%.*s\" needs the column \"%.*s\", which is taken; choose another name") \
X(TEXT_MAX,       "文字字段的 max 要在 1 到 %u 之间；请改正", "max of a text field must be from 1 to %u; correct it") \
X(NEED_READONLY,  "字段“%.*s”必填却只读，又没有默认值，谁也填不了；请去掉 need 或 readonly", \
                  "the field \"%.*s\" is required, read-only and without default: nobody can fill it; drop need or readonly") \
X(DEFAULT,        "“%.*s”不能作 %s 字段的默认值；请改正", "\"%.*s\" cannot be the default of a %s field; correct it") \
X(COUNT_MAX,      "%s 字段的 min、max 是个数，max 要在 1 到 %u 之间；请改正", \
                  "min and max of a %s field are how many, max from 1 to %u; correct it") \
X(ACCEPT,         "accept 里的“%.*s”未知；可用 pdf office image video text", "\"%.*s\" is unknown under accept; use pdf office image video text") \
X(SHAPE_KIND,     "shape 里的“%.*s”未知；可用 point line area", "\"%.*s\" is unknown under shape; use point line area") \
X(COLUMN_KIND,    "表格的列不能是 %s；可用 text number money bool date time menu ref area phone idcard uscc", \
                  "a column of a table cannot be %s; use text number money bool date time menu ref area phone idcard uscc") \
X(COLUMN_KEY,     "表格的列不能用“%s”；请删去", "a column of a table cannot have \"%s\"; take it out") \
X(COLUMNS_MANY,   "表格的列超过 %u 个；请拆开", "more than %u columns in a table; split it") \
X(SEARCH_PERSONAL, "个人信息字段“%.*s”不能用 search；请去掉一个", "the personal field \"%.*s\" cannot be searched; drop one of the two") \
X(SEARCH_READ,    "字段“%.*s”只给部分角色看，不能用 search；请去掉一个", "the field \"%.*s\" is for some roles only and cannot be searched; drop one of the two") \
X(TITLE_HIDDEN,   "title 人人可见，不能是个人信息或只给部分角色看的字段“%.*s”；请改用别的字段", \
                  "everybody sees the title: \"%.*s\" is personal or for some roles only; name another field") \
X(COMPUTE_GIVEN,  "计算字段“%.*s”由系统算出，不能写“%s”；请删去", "the computed field \"%.*s\" is filled in by the system and cannot have \"%s\"; take it out") \
X(COMPUTE_ORDER,  "计算字段“%.*s”用到了排在后面的计算字段“%.*s”；请把它移到前面", \
                  "the computed field \"%.*s\" uses the computed field \"%.*s\" that stands behind it; move that one before it") \
X(COMMON_KEY,     "公共栏“%.*s”不能用“%s”；请删去", "the common column \"%.*s\" cannot have \"%s\"; take it out") \
X(NO_ASSESSMENT,  "没有评定表“%.*s”；请改名，或在 assessments/ 下建立它", "there is no assessment \"%.*s\"; correct it or make it in assessments/") \
X(NO_FRAGMENT,    "没有字段片段“%.*s”；请改名，或在 fragments/ 下建立它", "there is no fragment \"%.*s\"; correct it or make it in fragments/") \
X(FIELD_TWICE,    "字段“%.*s”已在 %.*s:%u 定义；请去掉一个", "the field \"%.*s\" is already defined in %.*s:%u; remove one") \
X(DRAW_PATH,      "draw 要写成 引用.字段，“%.*s”不是；请改正", "draw is written REFERENCE.FIELD, \"%.*s\" is not; correct it") \
X(DRAW_REF,       "draw 前面的“%.*s”要是引用字段，或 enterprise、created_by、changed_by；请改正", \
                  "\"%.*s\" before the dot must be a ref field, or enterprise, created_by, changed_by; correct it") \
X(DRAW_FIELD,     "类型“%.*s”没有可引用的字段“%.*s”；请改正", "the type \"%.*s\" has no field \"%.*s\" to draw; correct it") \
/* the type as a whole */ \
X(UNIQUE_COLUMN,  "“%.*s”不能用于 unique：要写单值的字段名或公共栏名；请改正", \
                  "\"%.*s\" cannot be part of unique: name fields with one value or common columns; correct it") \
X(UNIQUE_ONE,     "unique 的每一组至少写两个字段；一个字段请在字段里写 unique: true", \
                  "each group under unique needs two fields or more; for one field write unique: true there") \
X(KEEP,           "“%.*s”不是保存期；请写如 10y 或 forever", "\"%.*s\" is not a time to keep; write for example 10y, or forever") \
X(SECTOR_FROM,    "sector_from 要指向菜单 sector 的 menu 字段或 ref 字段，“%.*s”不是；请改正", \
                  "sector_from must name a menu field of the menu sector or a ref field, \"%.*s\" is neither; correct it") \
X(PUBLISH_FIELD,  "个人信息“%.*s”不能公开；请删去", "the personal datum \"%.*s\" cannot be published; take it out") \
X(PUBLISH_READ,   "字段“%.*s”只给部分角色看，不能公开；请从 show 删去，或去掉字段的 read", \
                  "the field \"%.*s\" is for some roles only and cannot be published; take it out of show, or drop read of the field") \
X(PUBLISH_PERSON, "字段“%.*s”指向人员，姓名是个人信息，不能公开；请从 show 删去", \
                  "the field \"%.*s\" names persons, and a name is a personal datum; take it out of show") \
X(PUBLISH_KIND,   "字段“%.*s”是 %s，不登录打不开，不能公开；请从 show 删去", \
                  "the field \"%.*s\" is of kind %s, which cannot be opened without logging in; take it out of show") \
X(PUBLISH_DUE,    "due 的 from 和 on 要指向 date 或 time 字段，“%.*s”不是；请改正", \
                  "from and on of due must name date or time fields, \"%.*s\" is none; correct it") \
X(RELEASE_FIELD,  "%s 要写 %s 字段，“%.*s”不是；请改正", "%s must name a %s field, \"%.*s\" is none; correct it") \
X(RELEASE_MATRIX, "发布矩阵“%.*s”缺少 %s 字段“%s”；请补上", "the matrix \"%.*s\" lacks the %s field \"%s\"; add it") \
X(RELEASE_TASKS,  "任务类型“%.*s”缺少 %s 字段“%s”；请补上", "the type of tasks \"%.*s\" lacks the %s field \"%s\"; add it") \
X(RELEASE_SENDER, "sender 要写成邮箱的样子，不含空格和逗号（CAP 1.2）；请改正", "sender must look like a mail address, without blanks and commas (CAP 1.2); correct it") \
X(RELEASE_WORD,   "release 没有“%.*s”；可用 alert update upgrade downgrade cancel", "release cannot be \"%.*s\"; use alert update upgrade downgrade cancel") \
X(RELEASE_ALONE,  "类型没有 release，这一步不能发布；请补上或删去", "the type has no release, so no step can release it; add it or take this out") \
X(GATHER_FIELD,   "gather 只能按 ref 或 menu 字段，“%.*s”不是；请改正", "gather goes by ref or menu fields, \"%.*s\" is none; correct it") \
X(MODEL_NONE,     "没有模型“%.*s”；用 anlan calc --list 查看有哪些", "there is no model \"%.*s\"; anlan calc --list says which there are") \
X(MODEL_WORD,     "模型 %s 没有“%.*s”；用 anlan calc %s --schema 查看", "the model %s has no \"%.*s\"; see anlan calc %s --schema") \
X(MODEL_NEEDS,    "模型 %s 必须有输入项“%s”；请写在 %s 下", "the model %s needs its input \"%s\"; give it under %s") \
X(MODEL_KIND,     "%s 字段“%.*s”与模型的“%s”种类不合；请换一个字段", "the %s field \"%.*s\" does not go with \"%s\" of the model; name another field") \
X(MODEL_TAKEN,    "字段“%.*s”已另有来处（compute 或另一个没有 when 的模型）；请去掉一个", \
                  "the field \"%.*s\" is filled in elsewhere (compute, or another model without when); drop one of the two") \
X(DOSSIER_OWNER,  "dossier 只能用于属于企业的类型（有 enterprise 字段或 enterprise_from）；请改正", \
                  "dossier is for types that belong to an enterprise (field enterprise or enterprise_from); correct it") \
X(TITLE_KIND,     "title 要指向一个 text 字段，“%.*s”不是；请改正", "title must name a text field, \"%.*s\" is none; correct it") \
X(TITLE_NONE,     "类型没有 title；请指出引用和列表里显示哪个 text 字段", \
                  "the type has no title; name the text field shown in references and lists") \
X(GEOMETRY_KIND,  "geometry 要指向 position 或 shape 字段，“%.*s”不是；请改正", \
                  "geometry must name a position or shape field, \"%.*s\" is none; correct it") \
X(FROM_KIND,      "%s 要指向%s字段，“%.*s”不是；请改正", "%s must name a %s field, \"%.*s\" is none; correct it") \
X(FROM_CYCLE,     "%s 绕成了圈（%.*s），谁也不会有值；请在其中一个类型里改用 area 字段", \
                  "%s goes round in a circle (%.*s), nothing would ever be set; use an area field in one of the types") \
X(NUMBER_SEQ,     "编号规则里要正好有一个 {seq:N}，N 为 1 到 9；请改正", \
                  "a numbering rule needs exactly one {seq:N} with N from 1 to 9; correct it") \
X(NUMBER_PART,    "编号规则里的“{%.*s}”未知；可用 {year} {month} {day} {area} {enterprise} {seq:N}", \
                  "\"{%.*s}\" is unknown in a numbering rule; use {year} {month} {day} {area} {enterprise} {seq:N}") \
X(NUMBER_BRACE,   "编号规则里的花括号不成对；请改正", "a brace without its partner in the numbering rule; correct it") \
X(NOBODY_READS,   "谁也不能读这个类型；请在 rights 下写 read", "nobody may read this type; give read under rights") \
X(LIST_COLUMN,    "没有列“%.*s”；请改成字段名或公共栏名", "there is no column \"%.*s\"; use the name of a field or common column") \
X(LIST_SHOW,      "“%.*s”不能显示在列表里（%s）；请删去", "\"%.*s\" cannot be shown in a list (%s); take it out") \
X(LIST_ORDER,     "“%.*s”不是排序；请写“字段”或“字段 desc”", "\"%.*s\" is not an order; write \"field\" or \"field desc\"") \
X(LIST_WHERE,     "“%.*s”不能作 %s 列的条件值；请改正", "\"%.*s\" cannot be a condition on a %s column; correct it") \
X(LIST_WHERE_KIND, "不能按 %s 列筛选；请删去", "a %s column cannot be a condition; take it out") \
X(LIST_OPEN,      "类型没有状态，open 没有意义；请删去", "the type has no states, open has no meaning; take it out") \
/* states and moves */ \
X(MOVES_STATES,   "有 moves 却没有 states；请补上 states", "there are moves but no states; add states") \
X(UNREACHABLE,    "没有任何动作到达状态“%.*s”；请加一个动作，或删去这个状态", \
                  "no move reaches the state \"%.*s\"; add a move or remove the state") \
X(NO_WAY_OUT,     "状态“%.*s”没有出口，又不是 end；请加一个动作，或写 end: true", \
                  "the state \"%.*s\" has no way out and is not an end; add a move or write end: true") \
X(NO_END,         "没有一个状态是 end；请在最后的状态写 end: true", "no state is an end; write end: true at the last one") \
X(END_DEADLINE,   "end 状态不能有时限；请去掉 within 或 end", "an end state cannot have a deadline; drop within or end") \
X(NO_ESCALATE,    "有时限却没有 escalate，超时没有人知道；请写上通知哪些角色", \
                  "a deadline without escalate: nobody would hear of it; name the roles to tell") \
X(NO_WITHIN,      "有“%s”却没有 within；请补上时限或删去它", "\"%s\" without within; add the time allowed or take it out") \
X(WITHIN_BY,      "within 按值分档，需要 by 指出按哪个 menu 字段；请补上", \
                  "within has several times and needs by, the menu field that chooses; add it") \
X(BY_KIND,        "by 要指向 menu 字段，“%.*s”不是；请改正", "by must name a menu field, \"%.*s\" is none; correct it") \
X(BY_ALONE,       "by 只在 within 分档时有意义；请删去", "by has a meaning only when within has several times; take it out") \
X(WITHIN_ELSE,    "没有 else，而菜单值“%.*s”没有时限；请补上", "no else, and the menu value \"%.*s\" has no time; add it") \
X(ELSE_LAST,      "else 必须写在最后；请移到末尾", "else must come last; move it to the end") \
X(NOBODY_MOVES,   "谁也不能做动作“%.*s”；请在 who 下写角色", "nobody may do the move \"%.*s\"; name roles under who") \
X(OWNER_KIND,     "owner_of 要指向引用 person 的字段，“%.*s”不是；请改正", \
                  "owner_of must name a ref to person, \"%.*s\" is none; correct it") \
X(NOT_SAME_KIND,  "not_same 要写 creator 或引用 person 的字段，“%.*s”不是；请改正", \
                  "not_same must be creator or a ref to person, \"%.*s\" is neither; correct it") \
X(NOT_SAME_EMPTY, "not_same 排除了唯一能做动作“%.*s”的人；请在 who 下加上别人", \
                  "not_same shuts out the only one who may do the move \"%.*s\"; add somebody under who") \
X(OVERDUE_MOVE,   "overdue 要写从本状态到别的状态、who 含 system、不问人的步骤，“%.*s”不是；请改正", \
                  "overdue must name a move from this state to another that the system may make and that needs nothing, \"%.*s\" is none; correct it") \
X(MOVE_LOOP,      "动作“%.*s”从一个状态回到它自己却什么也不问；请改正 from 或 to，或加上 asks", \
                  "the move \"%.*s\" leads from a state to itself and asks nothing; correct from or to, or add asks") \
X(NEEDS_READONLY, "动作需要字段“%.*s”，但它只读，没有动作问它或设置它；请写进 asks 或 sets，或去掉 readonly", \
                  "the move needs \"%.*s\", which is read-only and which no move asks for or sets; put it in asks or sets, or drop readonly") \
X(SETS_VALUE,     "“%.*s”不能赋给 %s 字段；请改正", "\"%.*s\" cannot be set in a %s field; correct it") \
/* time, records that are opened, schedules, calendars */ \
X(WANT_SPAN,      "“%.*s”不是时长；请写如 30min、4h、15d，工作日写 5wd", \
                  "\"%.*s\" is not a duration; write for example 30min, 4h, 15d, or 5wd for working days") \
X(SPAN_LONG,      "超过 1000 个工作日；请改短", "more than 1000 working days; make it shorter") \
X(DUE_KIND,       "%s 要指向 date 或 time 字段，“%.*s”不是；请改正", "%s must name a date or time field, \"%.*s\" is none; correct it") \
X(DUE_WITHIN,     "due 和 within 只能写一个；请删去一个", "due and within exclude each other; remove one") \
X(CLOCK_WORD,     "clock 要写 keep 或 pause，“%.*s”不是；请改正", "clock is keep or pause, not \"%.*s\"; correct it") \
X(CLOCK_OWN_TIME, "有 clock 的状态没有自己的时限；请删去 within、due 或 clock", \
                  "a state with clock has no time of its own; drop within, due or clock") \
X(END_EDIT,       "办结的记录不能修改，edit 和 asks 没有意义；请删去", "a finished record is not edited, edit and asks have no meaning; take them out") \
X(STAFF_KIND,     "staff_of 要指向引用 organisation 或 enterprise 的字段，“%.*s”不是；请改正", \
                  "staff_of must name a ref to organisation or enterprise, \"%.*s\" is none; correct it") \
X(MEMBERS_KIND,   "members_of 要指向引用 person 的 refs 字段，“%.*s”不是；请改正", \
                  "members_of must name a refs to person, \"%.*s\" is none; correct it") \
X(IF_SAY,         "有 if 却没有 say，被拒绝的人不知道为什么；请写上 say: {zh, en}", \
                  "if without say: who is refused would not know why; write say: {zh, en}") \
X(SAY_ALONE,      "say 只在有 if 时有意义；请删去或补上 if", "say has a meaning only with if; take it out or add if") \
X(LINK_KIND,      "link 要指向引用本记录的字段，“%.*s”（类型 %.*s）没有引用 %.*s；请改正", \
                  "link must refer to the record that opens it, \"%.*s\" of %.*s does not refer to %.*s; correct it") \
X(ORIGIN_GIVEN,   "“%.*s”是 origin 字段，只由 opens 的 link 填写；请从这里去掉", \
                  "\"%.*s\" is an origin: only the link of opens fills it in; take it out here") \
X(OPENS_FOR,      "for 要写类型“%.*s”的引用字段，不与 each 同写，where 只能与 for 同写；请改正", \
                  "for must name a ref field of the type \"%.*s\", not together with each; where stands beside for only; correct it") \
X(OPENS_SAME,     "same 只能与 for 同写，“%.*s”要在两边是同一种字段；请改正", \
                  "same stands beside for, and \"%.*s\" must be a field of the same kind on both sides; correct it") \
X(WRITES_TO,      "writes 的 to 要写本类型的引用字段，“%.*s”不是；请改正", "the to of writes names a reference field, \"%.*s\" is none; correct it") \
X(EACH_KIND,      "each 要指向 rows 字段，“%.*s”不是；请改正", "each must name a rows field, \"%.*s\" is none; correct it") \
X(TRIGGER_CIRCLE, "触发循环：%.*s；请去掉其中一个 triggers", \
                  "triggers open one another without end: %.*s; take one of them out") \
X(OPENS_WITHDRAW, "状态“%.*s”可以撤回，到它的动作不能用 opens 建立记录；请去掉 withdraw 或 opens", \
                  "the state \"%.*s\" can be taken back: a move to it cannot open records; drop withdraw or opens") \
X(EXPIRES_STATES, "expires 用于没有状态的台账；请在状态里写 due 和 remind", \
                  "expires is for registers without states; write due and remind in the state instead") \
X(EXTEND_STATE,   "状态“%.*s”没有时限，不能延期；请删去或补上 within", "the state \"%.*s\" has no deadline to extend; take it out or add within") \
X(EXTEND_MAX,     "max 至少为 1；请改正", "max is at least 1; correct it") \
X(CALENDAR_DAY,   "“%.*s”不是日期；请写如 2026-10-01", "\"%.*s\" is not a date; write for example 2026-10-01") \
X(CALENDAR_YEAR,  "“%.*s”不在 %d 年；请改正日期或 year", "\"%.*s\" is not in %d; correct the date or year") \
X(CALENDAR_WORKDAY, "“%.*s”不是调休上班日（要是周六或周日，且不是节假日）；请改正或删去", \
                  "\"%.*s\" is no day worked instead (a Saturday or Sunday that is no holiday); correct it or take it out") \
X(EVERY,          "未知的周期“%.*s”；可用 day week month quarter half year", "unknown period \"%.*s\"; use day week month quarter half year") \
X(SCHEDULE_ON,    "on 要在 1 到 %d 之间（every: %s）；请改正", "on is between 1 and %d for every: %s; correct it") \
X(SCHEDULE_WITHIN, "类型“%.*s”没有状态，within 没有意义；请删去", "the type \"%.*s\" has no states, within has no meaning; take it out") \
X(NEAR_WIDTH,     "——里面有全角标点，请改成半角", " - it holds a full-width mark, write it half-width") \
X(NEAR,           "——是不是“%.*s”？", " - did you mean \"%.*s\"?")
// clang-format on

#define X(name, zh, en) static const char DIAG_ZH_##name[] = zh;
DIAGS(X)
#undef X
#define X(name, zh, en) static const char DIAG_EN_##name[] = en;
DIAGS(X)
#undef X

// DIAG(d, node, NAME, arguments…): reports the sentence NAME at the node.
#define DIAG(d, at, name, ...) diag_say((d), (at), DIAG_ZH_##name, DIAG_EN_##name, ##__VA_ARGS__)
// The same, and then "did you mean" with what is nearest to word among names, if anything is near.
#define DIAG_NEARBY(d, at, word, names, nnames, name, ...) \
	(DIAG((d), (at), name, ##__VA_ARGS__), diag_near((d), (word), (names), (nnames)))
