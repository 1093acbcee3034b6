/* SPDX-License-Identifier: ISC */
#ifndef TESTS_PRIM_COMPOSE_H
#define TESTS_PRIM_COMPOSE_H

/* Documents that Alice might publish. */

#define ALICE "pres:alice@prim.example"
#define BOB   "pres:bob@prim.example"

#define PIDF_TYPE   "application/pidf+xml"
#define CPIM_PIDF   "application/cpim-pidf+xml"
#define NATIVE_TYPE "application/presence"

#define PIDF_OF(entity, id, more)                                           \
	"<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:"  \
	"pidf\" entity=\"" entity "\"><tuple id=\"" id "\"><status><basic>" \
	"open</basic></status></tuple>" more "</presence>"
#define PIDF(id) PIDF_OF(ALICE, id, "")
#define TIMED                                                          \
	"<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='" ALICE \
	"'><tuple id='t'><status><basic>closed</basic></status>"       \
	"<timestamp>2001-02-03T04:05:06Z</timestamp></tuple></presence>"
#define OLD_PIDF(id)                                                           \
	"<presence xmlns=\"urn:ietf:params:xml:ns:cpim-pidf\" entity=\"" ALICE \
	"\"><tuple id=\"" id "\"><status><basic>open</basic></status></tuple>" \
	"</presence>"
#define NATIVE_OF(attributes)                         \
	"<presence" attributes "><contact address=\"" \
	"im:alice@prim.example\"><status value=\"open\"/></contact></presence>"
#define NATIVE NATIVE_OF(" identifier=\"" ALICE "\"")
#define CPIM(type)                                                       \
	"From: <im:alice@prim.example>\r\nTo: <im:bob@prim.example>\r\n" \
	"DateTime: 2000-12-13T13:40:00-08:00\r\n\r\nContent-type: " type \
	"\r\n\r\n"
#define PERSON(activity)                                                        \
	"<p:person xmlns:p='urn:ietf:params:xml:ns:pidf:data-model' id='p'>"    \
	"<r:activities xmlns:r='urn:ietf:params:xml:ns:pidf:rpid'><r:" activity \
	"/></r:activities></p:person>"

#endif
