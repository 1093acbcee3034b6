/* SPDX-License-Identifier: ISC */
/* The link commands' results, and route test's, as a person wants to read
 * them. */

#include <string.h>

#include "bridge/control_show.h"

static const char *text_of(const json_t *object, const char *name)
{
	return br_control_show_text_of(object, name);
}

/* ---- links ---- */

void br_control_show_linked(FILE *out, const json_t *result)
{
	br_control_show_visible(out, text_of(result, "foreign"));
	fprintf(out, " is linked to ");
	br_control_show_visible(out, text_of(result, "address"));
	fprintf(out, ".\n");
	if (!json_is_false(json_object_get(result, "in_order")))
		return;
	fprintf(out, "The order of ");
	br_control_show_visible(out, text_of(result, "address"));
	fprintf(out,
	    " does not name it, so nothing goes there until 'primctl link "
	    "order'\nputs it in.\n");
}

void br_control_show_unlinked(FILE *out, const json_t *result)
{
	br_control_show_visible(out, text_of(result, "foreign"));
	fprintf(out, " is not linked to ");
	br_control_show_visible(out, text_of(result, "address"));
	fprintf(out, " any more.\n");
}

/* "prim, romeo@xmpp.example" */
static void show_places(FILE *out, const json_t *places)
{
	const json_t *place;
	size_t i;

	json_array_foreach(places, i, place)
	{
		fprintf(out, "%s", i > 0 ? ", then " : "");
		br_control_show_visible(out, json_string_value(place));
	}
}

void br_control_show_order(FILE *out, const json_t *result)
{
	const json_t *places = json_object_get(result, "order");

	br_control_show_visible(out, text_of(result, "address"));
	fprintf(out, " is looked for at ");
	show_places(out, places);
	fprintf(out, ".\n");
}

static void show_link(FILE *out, const json_t *link)
{
	br_control_show_cell(out, 30, text_of(link, "address"));
	fprintf(out, " ");
	br_control_show_cell(out, 30, text_of(link, "foreign"));
	fprintf(out, " ");
	br_control_show_cell(out, 10, text_of(link, "network"));
	fprintf(out, " %-9s %.10s", text_of(link, "state"),
	    text_of(link, "since"));
	if (json_object_get(link, "how")) {
		fprintf(out, " by ");
		br_control_show_visible(out, text_of(link, "how"));
	}
	fprintf(out, "\n");
}

/* `address` is empty: of nobody. */
static void show_no_links(FILE *out, const char *address)
{
	if (*address) {
		br_control_show_visible(out, address);
		fprintf(out, " has no links; ");
	} else {
		fprintf(out, "There are no links; ");
	}
	fprintf(out, "'primctl link add ADDRESS FOREIGN' makes one.\n");
}

void br_control_show_links(FILE *out, const json_t *result)
{
	const json_t *links = json_object_get(result, "links");
	const json_t *link;
	size_t i;

	if (json_array_size(links) == 0) {
		show_no_links(out, text_of(result, "address"));
		return;
	}
	fprintf(out, "%-30s %-30s %-10s %-9s %s\n", "ADDRESS", "FOREIGN",
	    "NETWORK", "STATE", "SINCE");
	json_array_foreach(links, i, link) show_link(out, link);
	if (json_is_true(json_object_get(result, "truncated")))
		fprintf(out, "... and more\n");
	if (json_object_get(result, "order")) {
		fprintf(out, "Looked for at ");
		show_places(out, json_object_get(result, "order"));
		fprintf(out, ".\n");
	}
}

/* ---- route test ---- */

void br_control_show_route(FILE *out, const json_t *result)
{
	const json_t *steps = json_object_get(result, "steps");
	const json_t *step;
	size_t i;

	json_array_foreach(steps, i, step)
	{
		fprintf(out, "%-10s ", text_of(step, "step"));
		br_control_show_visible(out, text_of(step, "result"));
		fprintf(out, "\n");
	}
}
