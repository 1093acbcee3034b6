/* SPDX-License-Identifier: ISC */
/* PUBLISH. */

#include "tests/bench/publication.h"

#include <stdio.h>

#define BODY_MAX 1024

static struct prim_slice write_body(const struct bench_client *c,
    const struct bench_publication *p, char *room)
{
	int len;

	if (!p->note)
		return PRIM_SLICE_NONE;
	len = snprintf(room, BODY_MAX,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
	    "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"%s\">\r\n"
	    "  <tuple id=\"%.*s\">\r\n"
	    "    <status><basic>open</basic></status>\r\n"
	    "    <note>%s</note>\r\n"
	    "  </tuple>\r\n"
	    "</presence>\r\n",
	    c->address, PRIM_SLICE_ARG(p->tuple_id), p->note);
	return prim_slice_make(room, (size_t)len);
}

void bench_publication_put(struct bench_client *c,
    const struct bench_publication *p)
{
	char room[BODY_MAX];
	struct prim_slice body = write_body(c, p, room);

	prim_command_put_request(&c->out, PRIM_METHOD_PUBLISH,
	    bench_client_family(c), p->id, body.len);
	prim_command_put_header(&c->out, PRIM_HEADER_FROM,
	    prim_slice_of(c->address));
	prim_command_put_header(&c->out, PRIM_HEADER_PI_TYPE, p->kind);
	prim_command_put_header(&c->out, PRIM_HEADER_TUPLE_ID, p->tuple_id);
	prim_command_put_header(&c->out, PRIM_HEADER_DURATION,
	    PRIM_SLICE("3600"));
	if (p->note)
		prim_command_put_header(&c->out, PRIM_HEADER_CONTENT_TYPE,
		    PRIM_SLICE("application/pidf+xml"));
	prim_command_end(&c->out);
	prim_buf_put(&c->out, body);
}
