/* cel_func.c - the functions of the language, by name and types. */
#include "base/cel/cel_internal.h"

#define BOTH true, true
#define METHOD true, false
#define GLOBAL false, true

/* The last one of a name that accepts the operands gives the cost. */
const struct cel_func cel_funcs[] = {
	{ "size", BOTH, 1, { CEL_STRING }, &cel_type_int, 50, cel_run_size },
	{ "size", BOTH, 1, { CEL_BYTES }, &cel_type_int, 2, cel_run_size },
	{ "size", BOTH, 1, { CEL_LIST }, &cel_type_int, 2, cel_run_size },
	{ "size", BOTH, 1, { CEL_MAP }, &cel_type_int, 2, cel_run_size },
	{ "contains", METHOD, 2, { CEL_STRING, CEL_STRING }, &cel_type_bool, 50,
	    cel_run_contains },
	{ "startsWith", METHOD, 2, { CEL_STRING, CEL_STRING }, &cel_type_bool, 5,
	    cel_run_starts },
	{ "endsWith", METHOD, 2, { CEL_STRING, CEL_STRING }, &cel_type_bool, 5, cel_run_ends },
	{ "matches", BOTH, 2, { CEL_STRING, CEL_STRING }, &cel_type_bool, 500,
	    cel_run_matches },

	{ "int", GLOBAL, 1, { CEL_INT }, &cel_type_int, 2, cel_run_to_int },
	{ "int", GLOBAL, 1, { CEL_UINT }, &cel_type_int, 2, cel_run_to_int },
	{ "int", GLOBAL, 1, { CEL_DOUBLE }, &cel_type_int, 2, cel_run_to_int },
	{ "int", GLOBAL, 1, { CEL_STRING }, &cel_type_int, 20, cel_run_to_int },
	{ "int", GLOBAL, 1, { CEL_TIMESTAMP }, &cel_type_int, 2, cel_run_to_int },
	{ "uint", GLOBAL, 1, { CEL_INT }, &cel_type_uint, 2, cel_run_to_uint },
	{ "uint", GLOBAL, 1, { CEL_UINT }, &cel_type_uint, 2, cel_run_to_uint },
	{ "uint", GLOBAL, 1, { CEL_DOUBLE }, &cel_type_uint, 2, cel_run_to_uint },
	{ "uint", GLOBAL, 1, { CEL_STRING }, &cel_type_uint, 20, cel_run_to_uint },
	{ "double", GLOBAL, 1, { CEL_INT }, &cel_type_double, 2, cel_run_to_double },
	{ "double", GLOBAL, 1, { CEL_UINT }, &cel_type_double, 2, cel_run_to_double },
	{ "double", GLOBAL, 1, { CEL_DOUBLE }, &cel_type_double, 2, cel_run_to_double },
	{ "double", GLOBAL, 1, { CEL_STRING }, &cel_type_double, 50, cel_run_to_double },
	{ "string", GLOBAL, 1, { CEL_STRING }, &cel_type_string, 2, cel_run_to_string },
	{ "string", GLOBAL, 1, { CEL_BYTES }, &cel_type_string, 50, cel_run_to_string },
	{ "string", GLOBAL, 1, { CEL_BOOL }, &cel_type_string, 5, cel_run_to_string },
	{ "string", GLOBAL, 1, { CEL_INT }, &cel_type_string, 50, cel_run_to_string },
	{ "string", GLOBAL, 1, { CEL_UINT }, &cel_type_string, 50, cel_run_to_string },
	{ "string", GLOBAL, 1, { CEL_DOUBLE }, &cel_type_string, 200, cel_run_to_string },
	{ "string", GLOBAL, 1, { CEL_TIMESTAMP }, &cel_type_string, 100, cel_run_to_string },
	{ "string", GLOBAL, 1, { CEL_DURATION }, &cel_type_string, 100, cel_run_to_string },
	{ "bytes", GLOBAL, 1, { CEL_BYTES }, &cel_type_bytes, 2, cel_run_to_bytes },
	{ "bytes", GLOBAL, 1, { CEL_STRING }, &cel_type_bytes, 2, cel_run_to_bytes },
	{ "bool", GLOBAL, 1, { CEL_BOOL }, &cel_type_bool, 2, cel_run_to_bool },
	{ "bool", GLOBAL, 1, { CEL_STRING }, &cel_type_bool, 5, cel_run_to_bool },
	{ "timestamp", GLOBAL, 1, { CEL_TIMESTAMP }, &cel_type_timestamp, 2,
	    cel_run_to_timestamp },
	{ "timestamp", GLOBAL, 1, { CEL_INT }, &cel_type_timestamp, 2, cel_run_to_timestamp },
	{ "timestamp", GLOBAL, 1, { CEL_STRING }, &cel_type_timestamp, 100,
	    cel_run_to_timestamp },
	{ "duration", GLOBAL, 1, { CEL_DURATION }, &cel_type_duration, 2, cel_run_to_duration },
	{ "duration", GLOBAL, 1, { CEL_STRING }, &cel_type_duration, 50, cel_run_to_duration },
	{ "dyn", GLOBAL, 1, { CEL_DYN }, &cel_type_dyn, 0, cel_run_to_dyn },

#define ACCESSOR(name, run)                                                                    \
	{ name, METHOD, 1, { CEL_TIMESTAMP }, &cel_type_int, 50, run },                        \
	{                                                                                      \
		name, METHOD, 2, { CEL_TIMESTAMP, CEL_STRING }, &cel_type_int, 60, run         \
	}
	ACCESSOR("getFullYear", cel_run_year),
	ACCESSOR("getMonth", cel_run_month),
	ACCESSOR("getDate", cel_run_date),
	ACCESSOR("getDayOfMonth", cel_run_day_of_month),
	ACCESSOR("getDayOfWeek", cel_run_day_of_week),
	ACCESSOR("getDayOfYear", cel_run_day_of_year),
	ACCESSOR("getHours", cel_run_hours),
	ACCESSOR("getMinutes", cel_run_minutes),
	ACCESSOR("getSeconds", cel_run_seconds),
	ACCESSOR("getMilliseconds", cel_run_milliseconds),
	{ "getHours", METHOD, 1, { CEL_DURATION }, &cel_type_int, 2, cel_run_hours },
	{ "getMinutes", METHOD, 1, { CEL_DURATION }, &cel_type_int, 2, cel_run_minutes },
	{ "getSeconds", METHOD, 1, { CEL_DURATION }, &cel_type_int, 2, cel_run_seconds },
	{ "getMilliseconds", METHOD, 1, { CEL_DURATION }, &cel_type_int, 2,
	    cel_run_milliseconds },
};

const size_t cel_func_count = sizeof(cel_funcs) / sizeof(cel_funcs[0]);
