/*
 * What a program that only asks and prints can give up, so that whoever finds a hole in it finds
 * little more.
 */
#pragma once

/**
 * confine_to_asking() - from now on this process makes, changes and removes no file, runs no
 * program, and gains no privilege
 *
 * What is open stays open, reading goes on, and so do sockets (Landlock).  Best effort: a kernel
 * without Landlock (before 5.13, or one that was started without it) leaves the files as they are.
 */
void confine_to_asking(void);

/** confine_drop_capabilities() - root without root's privileges over others' files and processes;
 * for good */
void confine_drop_capabilities(void);
