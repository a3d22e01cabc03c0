/*
 * signal_fd.h - signals as a descriptor, for programs that wait for it beside others.
 */
#pragma once

/*
 * Block `signals` (a list that ends with 0) in this thread and those that it starts, ignore
 * SIGPIPE, and return a signalfd for them, which the caller closes.  `flags` is 0, or
 * SFD_NONBLOCK.  ERR_IO, with errno set.
 */
int signal_fd_open(const int *signals, int flags);
