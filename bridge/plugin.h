/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_PLUGIN_H
#define BRIDGE_PLUGIN_H

/*
 * The process that holds one adapter:
 *	primd-adapter NAME PLUGIN      started by primd, with the link on 3
 *	primd-adapter --check PLUGIN   checks options on standard input
 *
 * Ends with 0 when the core is done with it, 2 when it was called wrongly or
 * --check found something (told on standard error as LINE:COL: what), 3 when
 * the core broke the rules of the link, 4 when the plugin cannot work.
 */

int br_plugin_main(int argc, char **argv);

#endif
