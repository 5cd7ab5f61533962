// The argument table.
#include <stdio.h>

#include "tool/tool.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage, *zh, *en;
} commands[] = {
	{ "serve", tool_serve, "serve --data DIR [--http ADDR:PORT] [--mqtt ADDR:PORT] [--demo] …", "运行平台", "run the platform" },
	{ "check", tool_check, "check [PATH…]", "检查业务包", "check packs: file:line:col: what, and what to do" },
	{ "decode", tool_decode, "decode PROTOCOL", "解码报文：标准输入每行一帧，输出每帧一个 JSON", "frames a line on stdin → a JSON object a frame" },
	{ "calc", tool_calc, "calc MODEL [--schema] | --list", "后果与风险模型：标准输入 JSON，输出 JSON", "consequence and risk models: JSON on stdin → JSON" },
	{ "qra", tool_qra, "qra FILE.json [--without NAME[,NAME]] [--threads N]", "区域定量风险评估：个人风险等值线、F-N 曲线、PLL、风险容量", "regional quantitative risk assessment: contours, F-N curve, PLL, capacity left" },
	{ "user", tool_user, "user add|passwd|list NAME --data DIR …", "管理人员账号", "manage people who log in" },
	{ "audit", tool_audit, "audit verify --data DIR", "校验审计链", "verify the audit chain" },
	{ "reach", tool_reach, "reach [--role ROLE] [--csv]", "每个角色能做什么、看什么", "what a role can reach" },
	{ "backtest", tool_backtest, "backtest --data DIR --point CODE [--set …] [--rule FILE]", "在历史数据上试算报警规则和限值，输出一个 JSON",
	  "try alarm rules and limits on history; prints one JSON object" },
	{ "bench", tool_bench, "bench ingest|alarm|series …", "性能测试，输出一个 JSON", "measure; prints one JSON object" },
	{ "backup", tool_backup, "backup FILE --data DIR", "备份数据目录，不停机", "copy the data folder, server running or not" },
	{ "archive", tool_archive, "archive FILE --data DIR [--readings] | --check FILE", "县级归档：不用本程序也能读", "the county as text that can be read without us" },
	{ "restore", tool_restore, "restore FILE --data DIR", "从备份或归档恢复到空目录", "from a backup or an archive into an empty folder" },
	{ "detect", tool_detect, "detect --mode univariate|multivariate [--train FILE]", "找出异常：标准输入 CSV，输出分数和标志", "what is unusual in rows of values: CSV in, scores out" },
	{ "limits", tool_limits, "limits", "列出所有输入上限", "every limit on input" },
	{ "help", tool_help, "help [COMMAND]", "帮助", "this" },
};

int tool_help(int argc, char **argv)
{
	char help[] = "--help", *ask[] = { help, NULL };
	for (size_t i = 0; argc == 1 && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[0], commands[i].name) == 0 && commands[i].run != tool_help)
			return commands[i].run(1, ask);
	printf("安澜 Anlan %s\n\n", ANLAN_VERSION);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  anlan %-58s %s / %s\n", commands[i].usage, commands[i].zh, commands[i].en);
	printf("\n  anlan COMMAND --help\n");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return tool_help(0, NULL);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	fprintf(stderr, "anlan: 没有这个命令 / no such command: %s\n", argv[1]);
	tool_help(0, NULL);
	return 2;
}
