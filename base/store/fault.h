/*
 * fault.h - named places at which a test can kill the process.
 *
 * With MAINTNER_CRASH_AT=name:count in the environment the process ends with
 * _exit(137) when it passes the place `name` for the count-th time (from 1).
 * Without MAINTNER_FAULTS at build time this compiles to nothing.
 */
#pragma once

#ifdef MAINTNER_FAULTS
void fault_point(const char *name);
/* Arm a crash from within, as the environment variable would; NULL disarms. */
void fault_arm(const char *name_and_count);
#else
static inline void
fault_point(const char *name)
{
	(void)name;
}
#endif
