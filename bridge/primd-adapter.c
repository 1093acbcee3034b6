/* SPDX-License-Identifier: ISC */
/* The program that holds one adapter. */

#include "bridge/plugin.h"

int main(int argc, char **argv)
{
	return br_plugin_main(argc, argv);
}
