/*
 * usage.h - what a piece of work cost this process, for programs that print it as JSON.
 */
#pragma once

#include <stdint.h>

struct usage {
	double wall_s;
	double cpu_s; /* user and system, all threads */
};

struct usage usage_now(void);                   /* since some fixed moment */
struct usage usage_since(struct usage earlier); /* the difference to now */
