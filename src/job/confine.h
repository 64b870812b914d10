#pragma once

/** confine() - gives up what a command does not need that only asks the broker and prints; best
 * effort */
void confine(void);
