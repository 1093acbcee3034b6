/* SPDX-License-Identifier: ISC */
/* The documents that RFC 3863, RFC 4480 and the drafts show, one by one. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/pidf.h"
#include "tests/prim/pidf.h"

static struct prim_pidf pidf;

struct row {
	const char *name;
	const char *xml;
	const char *expected; /* what the model says, or what is wrong */
};

/* clang-format off */
static const struct row SHOWN[] = {
	{ "RFC 3863 4.2.2 with a prefix",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<impp:presence xmlns:impp=\"urn:ietf:params:xml:ns:pidf\"\n"
		"    entity=\"pres:someone@example.com\">\n"
		"  <impp:tuple id=\"sg89ae\">\n"
		"    <impp:status>\n"
		"      <impp:basic>open</impp:basic>\n"
		"    </impp:status>\n"
		"    <impp:contact priority=\"0.8\">tel:+09012345678</impp:"
		"contact>\n"
		"  </impp:tuple>\n"
		"</impp:presence>\n",
		"entity pres:someone@example.com\n"
		"tuple sg89ae status open at tel:+09012345678 priority 800\n" },
	{ "RFC 3863 4.2.2 without",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"\n"
		"    entity=\"pres:someone@example.com\">\n"
		"  <tuple id=\"sg89ae\">\n"
		"    <status>\n"
		"      <basic>open</basic>\n"
		"    </status>\n"
		"    <contact priority=\"0.8\">tel:+09012345678</contact>\n"
		"  </tuple>\n"
		"</presence>\n",
		"entity pres:someone@example.com\n"
		"tuple sg89ae status open at tel:+09012345678 priority 800\n" },
	{ "RFC 3863 4.2.4 a status of others",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"\n"
		"    xmlns:local=\"urn:example-com:pidf-status-type\"\n"
		"    entity=\"pres:someone@example.com\">\n"
		"  <tuple id=\"ub93s3\">\n"
		"    <status>\n"
		"      <basic>open</basic>\n"
		"      <local:location>home</local:location>\n"
		"    </status>\n"
		"    <contact>im:someone@example.com</contact>\n"
		"  </tuple>\n"
		"</presence>\n",
		"entity pres:someone@example.com\n"
		"tuple ub93s3 status open at im:someone@example.com\n" },
	{ "RFC 3863 4.3.1 status extensions",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"\n"
		"     xmlns:im=\"urn:ietf:params:xml:ns:pidf:im\"\n"
		"     xmlns:myex=\"http://id.example.com/presence/\"\n"
		"     entity=\"pres:someone@example.com\">\n"
		"  <tuple id=\"bs35r9\">\n"
		"    <status>\n"
		"      <basic>open</basic>\n"
		"      <im:im>busy</im:im>\n"
		"      <myex:location>home</myex:location>\n"
		"    </status>\n"
		"    <contact priority=\"0.8\">im:someone@mobilecarrier.net"
		"</contact>\n"
		"    <note xml:lang=\"en\">Don't Disturb Please!</note>\n"
		"    <note xml:lang=\"fr\">Ne derangez pas, s'il vous "
		"plait</note>\n"
		"    <timestamp>2001-10-27T16:49:29Z</timestamp>\n"
		"  </tuple>\n"
		"  <tuple id=\"eg92n8\">\n"
		"    <status>\n"
		"      <basic>open</basic>\n"
		"    </status>\n"
		"    <contact priority=\"1.0\">mailto:someone@example.com</"
		"contact>\n"
		"  </tuple>\n"
		"  <note>I'll be in Tokyo next week</note>\n"
		"</presence>\n",
		"entity pres:someone@example.com\n"
		"note |I'll be in Tokyo next week\n"
		"tuple bs35r9 status open show dnd at "
		"im:someone@mobilecarrier.net priority 800 time "
		"1004201369000\n"
		"note en|Don't Disturb Please!\n"
		"note fr|Ne derangez pas, s'il vous plait\n"
		"tuple eg92n8 status open at mailto:someone@example.com "
		"priority 1000\n" },
	{ "RFC 3863 4.3.2 elements of others",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<impp:presence xmlns:impp=\"urn:ietf:params:xml:ns:pidf\"\n"
		"     xmlns:myex=\"http://id.example.com/presence/\"\n"
		"     entity=\"pres:someone@example.com\">\n"
		"  <impp:tuple id=\"ck38g9\">\n"
		"    <impp:status>\n"
		"      <impp:basic>open</impp:basic>\n"
		"    </impp:status>\n"
		"    <myex:mytupletag>Extended value in "
		"tuple</myex:mytupletag>\n"
		"    <impp:contact priority=\"0.65\">tel:+09012345678</impp"
		":contact>\n"
		"  </impp:tuple>\n"
		"  <impp:tuple id=\"md66je\">\n"
		"    <impp:status>\n"
		"      <impp:basic>open</impp:basic>\n"
		"    </impp:status>\n"
		"    <impp:contact priority=\"1.0\">\n"
		"       im:someone@mobilecarrier.net</impp:contact>\n"
		"  </impp:tuple>\n"
		"  <myex:mytag>My extended presentity "
		"information</myex:mytag>\n"
		"</impp:presence>\n",
		"entity pres:someone@example.com\n"
		"tuple ck38g9 status open at tel:+09012345678 priority 650\n"
		"tuple md66je status open at im:someone@mobilecarrier.net "
		"priority 1000\n" },
	{ "RFC 3863 4.3.3 mandatory to understand",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<impp:presence xmlns:impp=\"urn:ietf:params:xml:ns:pidf\"\n"
		"     xmlns:myex=\"http://id.mycompany.com/presence/\"\n"
		"     entity=\"pres:someone@example.com\">\n"
		"  <impp:tuple id=\"tj25ds\">\n"
		"    <impp:status>\n"
		"      <impp:basic>open</impp:basic>\n"
		"    </impp:status>\n"
		"    <myex:complexExtension>\n"
		"      <myex:ex1 impp:mustUnderstand=\"1\">val1</myex:ex1>\n"
		"      <myex:ex2>val2</myex:ex2>\n"
		"    </myex:complexExtension>\n"
		"    <impp:contact priority=\"0.725\">tel:+09012345678</imp"
		"p:contact>\n"
		"  </impp:tuple>\n"
		"  <myex:mytag>My extended presentity "
		"information</myex:mytag>\n"
		"</impp:presence>\n",
		"entity pres:someone@example.com\n"
		"tuple tj25ds status open at tel:+09012345678 priority 725\n" },
	{ "RFC 4480 4",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"\n"
		"    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance"
		"\"\n"
		"    xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\"\n"
		"    xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\"\n"
		"    xsi:schemaLocation=\"urn:ietf:params:xml:ns:pidf "
		"pidf.xsd\n"
		"    urn:ietf:params:xml:ns:pidf:data-model data-model.xsd\n"
		"    urn:ietf:params:xml:ns:pidf:rpid rpid.xsd\"\n"
		"    entity=\"pres:someone@example.com\">\n"
		"  <tuple id=\"bs35r9\">\n"
		"    <status>\n"
		"      <basic>open</basic>\n"
		"    </status>\n"
		"    <dm:deviceID>urn:device:0003ba4811e3</dm:deviceID>\n"
		"    <rpid:relationship><rpid:self/></rpid:relationship>\n"
		"    <rpid:service-class><rpid:electronic/></rpid:service-c"
		"lass>\n"
		"    <contact priority=\"0.8\">im:someone@mobile.example.ne"
		"t</contact>\n"
		"    <note xml:lang=\"en\">Don't Disturb Please!</note>\n"
		"    <note xml:lang=\"fr\">Ne derangez pas, s'il vous "
		"plait</note>\n"
		"    <timestamp>2005-10-27T16:49:29Z</timestamp>\n"
		"  </tuple>\n"
		"  <tuple id=\"ty4658\">\n"
		"    <status>\n"
		"      <basic>open</basic>\n"
		"    </status>\n"
		"    <rpid:relationship><rpid:assistant/></rpid:relationshi"
		"p>\n"
		"    <contact priority=\"1.0\">mailto:secretary@example.com"
		"</contact>\n"
		"  </tuple>\n"
		"  <tuple id=\"eg92n8\">\n"
		"    <status>\n"
		"      <basic>open</basic>\n"
		"    </status>\n"
		"    <dm:deviceID>urn:x-mac:0003ba4811e3</dm:deviceID>\n"
		"    <rpid:class>email</rpid:class>\n"
		"    <rpid:service-class><rpid:electronic/></rpid:service-c"
		"lass>\n"
		"    <rpid:status-icon>http://example.com/mail.png</rpid:st"
		"atus-icon>\n"
		"    <contact priority=\"1.0\">mailto:someone@example.com</"
		"contact>\n"
		"  </tuple>\n"
		"  <note>I'll be in Tokyo next week</note>\n"
		"  <dm:device id=\"pc147\">\n"
		"    <rpid:user-input idle-threshold=\"600\"\n"
		"      last-input=\"2004-10-21T13:20:00-05:00\">idle</rpid:"
		"user-input>\n"
		"    <dm:deviceID>urn:device:0003ba4811e3</dm:deviceID>\n"
		"    <dm:note>PC</dm:note>\n"
		"  </dm:device>\n"
		"  <dm:person id=\"p1\">\n"
		"    <rpid:activities from=\"2005-05-30T12:00:00+05:00\"\n"
		"       until=\"2005-05-30T17:00:00+05:00\">\n"
		"       <rpid:note>Far away</rpid:note>\n"
		"       <rpid:away/>\n"
		"    </rpid:activities>\n"
		"    <rpid:class>calendar</rpid:class>\n"
		"    <rpid:mood>\n"
		"      <rpid:angry/>\n"
		"      <rpid:other>brooding</rpid:other>\n"
		"    </rpid:mood>\n"
		"    <rpid:place-is>\n"
		"       <rpid:audio>\n"
		"          <rpid:noisy/>\n"
		"       </rpid:audio>\n"
		"    </rpid:place-is>\n"
		"    <rpid:place-type><rpid:residence/></rpid:place-type>\n"
		"    <rpid:privacy><rpid:unknown/></rpid:privacy>\n"
		"    <rpid:sphere>bowling league</rpid:sphere>\n"
		"    <rpid:status-icon>http://example.com/play.gif</rpid:st"
		"atus-icon>\n"
		"    <rpid:time-offset>-240</rpid:time-offset>\n"
		"    <dm:note>Scoring 120</dm:note>\n"
		"    <dm:timestamp>2005-05-30T16:09:44+05:00</dm:timestamp>\n"
		"  </dm:person>\n"
		"</presence>\n",
		"entity pres:someone@example.com away\n"
		"note |Far away\n"
		"note |I'll be in Tokyo next week\n"
		"note |Scoring 120\n"
		"tuple bs35r9 status open at im:someone@mobile.example.net "
		"priority 800 time 1130431769000\n"
		"note en|Don't Disturb Please!\n"
		"note fr|Ne derangez pas, s'il vous plait\n"
		"tuple ty4658 status open at mailto:secretary@example.com "
		"priority 1000\n"
		"tuple eg92n8 status open at mailto:someone@example.com "
		"priority 1000\n" },
	{ "RFC 4480 4 with erratum 2961",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"\n"
		"    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance"
		"\"\n"
		"    xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\"\n"
		"    xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\"\n"
		"    xsi:schemaLocation=\"urn:ietf:params:xml:ns:pidf "
		"pidf.xsd\n"
		"    urn:ietf:params:xml:ns:pidf:data-model data-model.xsd\n"
		"    urn:ietf:params:xml:ns:pidf:rpid rpid.xsd\"\n"
		"    entity=\"pres:someone@example.com\">\n"
		"  <tuple id=\"bs35r9\">\n"
		"    <status>\n"
		"      <basic>open</basic>\n"
		"    </status>\n"
		"    <dm:deviceID>urn:device:0003ba4811e3</dm:deviceID>\n"
		"    <rpid:relationship><rpid:self/></rpid:relationship>\n"
		"    <rpid:service-class><rpid:electronic/></rpid:service-c"
		"lass>\n"
		"    <contact priority=\"0.8\">im:someone@mobile.example.ne"
		"t</contact>\n"
		"    <note xml:lang=\"en\">Don't Disturb Please!</note>\n"
		"    <note xml:lang=\"fr\">Ne derangez pas, s'il vous "
		"plait</note>\n"
		"    <timestamp>2005-10-27T16:49:29Z</timestamp>\n"
		"  </tuple>\n"
		"  <tuple id=\"ty4658\">\n"
		"    <status>\n"
		"      <basic>open</basic>\n"
		"    </status>\n"
		"    <rpid:relationship><rpid:assistant/></rpid:relationshi"
		"p>\n"
		"    <contact priority=\"1.0\">mailto:secretary@example.com"
		"</contact>\n"
		"  </tuple>\n"
		"  <tuple id=\"eg92n8\">\n"
		"    <status>\n"
		"      <basic>open</basic>\n"
		"    </status>\n"
		"    <dm:deviceID>urn:x-mac:0003ba4811e3</dm:deviceID>\n"
		"    <rpid:class>email</rpid:class>\n"
		"    <rpid:service-class><rpid:electronic/></rpid:service-c"
		"lass>\n"
		"    <rpid:status-icon>http://example.com/mail.png</rpid:st"
		"atus-icon>\n"
		"    <contact priority=\"1.0\">mailto:someone@example.com</"
		"contact>\n"
		"  </tuple>\n"
		"  <note>I'll be in Tokyo next week</note>\n"
		"  <dm:device id=\"pc147\">\n"
		"    <rpid:user-input idle-threshold=\"600\"\n"
		"      last-input=\"2004-10-21T13:20:00-05:00\">idle</rpid:"
		"user-input>\n"
		"    <dm:deviceID>urn:device:0003ba4811e3</dm:deviceID>\n"
		"    <dm:note>PC</dm:note>\n"
		"  </dm:device>\n"
		"  <dm:person id=\"p1\">\n"
		"    <rpid:activities from=\"2005-05-30T12:00:00+05:00\"\n"
		"       until=\"2005-05-30T17:00:00+05:00\">\n"
		"       <rpid:note>Far away</rpid:note>\n"
		"       <rpid:away/>\n"
		"    </rpid:activities>\n"
		"    <rpid:class>calendar</rpid:class>\n"
		"    <rpid:mood>\n"
		"      <rpid:angry/>\n"
		"      <rpid:other>brooding</rpid:other>\n"
		"    </rpid:mood>\n"
		"    <rpid:place-is>\n"
		"       <rpid:audio>\n"
		"          <rpid:noisy/>\n"
		"       </rpid:audio>\n"
		"    </rpid:place-is>\n"
		"    <rpid:place-type><rpid:residence/></rpid:place-type>\n"
		"    <rpid:privacy><rpid:unknown/></rpid:privacy>\n"
		"    <rpid:sphere><rpid:home/></rpid:sphere>\n"
		"    <rpid:status-icon>http://example.com/play.gif</rpid:st"
		"atus-icon>\n"
		"    <rpid:time-offset>-240</rpid:time-offset>\n"
		"    <dm:note>Scoring 120</dm:note>\n"
		"    <dm:timestamp>2005-05-30T16:09:44+05:00</dm:timestamp>\n"
		"  </dm:person>\n"
		"</presence>\n",
		"entity pres:someone@example.com away\n"
		"note |Far away\n"
		"note |I'll be in Tokyo next week\n"
		"note |Scoring 120\n"
		"tuple bs35r9 status open at im:someone@mobile.example.net "
		"priority 800 time 1130431769000\n"
		"note en|Don't Disturb Please!\n"
		"note fr|Ne derangez pas, s'il vous plait\n"
		"tuple ty4658 status open at mailto:secretary@example.com "
		"priority 1000\n"
		"tuple eg92n8 status open at mailto:someone@example.com "
		"priority 1000\n" },
	{ "RFC 4480 3.2 activities, 3.14 user-input",
		"<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
		"entity=\"pres:a@b\"\n"
		"    xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\">\n"
		"  <dm:person xmlns=\"urn:ietf:params:xml:ns:pidf:rpid\" "
		"id=\"p\">\n"
		"    <activities>\n"
		"      <note>Enjoying the morning paper</note>\n"
		"      <vacation/>\n"
		"      <breakfast/>\n"
		"      <other>reading</other>\n"
		"    </activities>\n"
		"    <user-input idle-threshold=\"600\"\n"
		"      last-input=\"2004-10-21T13:20:00.000-05:00\">idle</u"
		"ser-input>\n"
		"  </dm:person>\n"
		"</presence>\n",
		"entity pres:a@b away xa idle since 1098382800000\n"
		"note |Enjoying the morning paper\n" },
	{ "pidf-01 4.3.1",
		"<presence xmlns=\"urn:ietf:params:cpim-presence:\">\n"
		"  <presentity id=\"pres:shingo@jp.fujitsu.com\"/>\n"
		"  <tuple id=\"mobile-im\">\n"
		"    <status>\n"
		"      <value>OPEN</value>\n"
		"      <value\n"
		"        type=\"urn:ietf:params:cpim-presence:status-type:i"
		"m\">BUSY</value>\n"
		"      <value\n"
		"        type=\"urn:example-com:cpim-status-type:location\"\n"
		"        schema=\"http://www.example.com/impp/location.dtd"
		"\">HOME</value>\n"
		"    </status>\n"
		"    <contact priority=\"2\">im:shingo@mobilecarrier.ne.jp<"
		"/contact>\n"
		"    <note>Don't Disturb Please!</note>\n"
		"    <timestamp>2001-10-27T16:49:29Z</timestamp>\n"
		"  </tuple>\n"
		"  <tuple id=\"email\">\n"
		"    <status>\n"
		"      <value>OPEN</value>\n"
		"    </status>\n"
		"    <contact priority=\"1\">mailto:shingo@jp.fujitsu.com</"
		"contact>\n"
		"  </tuple>\n"
		"  <note>I'll be in Tokyo tomorrow</note>\n"
		"</presence>\n",
		"entity pres:shingo@jp.fujitsu.com\n"
		"note |I'll be in Tokyo tomorrow\n"
		"tuple mobile-im status open show dnd at "
		"im:shingo@mobilecarrier.ne.jp priority 992 time "
		"1004201369000\n"
		"note |Don't Disturb Please!\n"
		"tuple email status open at mailto:shingo@jp.fujitsu.com "
		"priority 996\n" },
	{ "pidf-05 4.3.1",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<presence xmlns=\"urn:ietf:params:xml:ns:cpim-pidf\"\n"
		"     xmlns:im=\"urn:ietf:params:xml:ns:cpim-pidf:im\"\n"
		"     xmlns:myex=\"http://id.example.com/cpim-presence/\"\n"
		"     entity=\"pres:someone@example.com\">\n"
		"  <tuple id=\"mobile-im\">\n"
		"    <status>\n"
		"      <basic>open</basic>\n"
		"      <im:im>busy</im:im>\n"
		"      <myex:location>home</myex:location>\n"
		"    </status>\n"
		"    <contact priority=\"0.8\">im:someone@mobilecarrier.net"
		"</contact>\n"
		"    <note xml:lang=\"en\">Don't Disturb Please!</note>\n"
		"    <note xml:lang=\"fr\">Ne derangez pas, s'il vous "
		"plait</note>\n"
		"    <timestamp>2001-10-27T16:49:29Z</timestamp>\n"
		"  </tuple>\n"
		"  <tuple id=\"email\">\n"
		"    <status>\n"
		"      <basic>open</basic>\n"
		"    </status>\n"
		"    <contact priority=\"1.0\">mailto:someone@example.com</"
		"contact>\n"
		"  </tuple>\n"
		"  <note>I'll be in Tokyo next week</note>\n"
		"</presence>\n",
		"entity pres:someone@example.com\n"
		"note |I'll be in Tokyo next week\n"
		"tuple mobile-im status open show dnd at "
		"im:someone@mobilecarrier.net priority 800 time "
		"1004201369000\n"
		"note en|Don't Disturb Please!\n"
		"note fr|Ne derangez pas, s'il vous plait\n"
		"tuple email status open at mailto:someone@example.com "
		"priority 1000\n" },
};

/* Not well-formed in the draft itself, or void as a whole (spec A.5). */
static const struct row REFUSED[] = {
	{ "pidf-01 4.2.2 with a prefix: presentity left open",
		"<impp:presence xmlns:impp=\"urn:ietf:params:cpim-presence:"
		"\">\n"
		"  <impp:presentity id=\"pres:shingo@jp.fujitsu.com\">\n"
		"  <impp:tuple id=\"mobile-phone\">\n"
		"    <impp:status>\n"
		"      <impp:value>open</impp:value>\n"
		"    </impp:status>\n"
		"    <impp:contact priority=\"9\">tel:09012345678</impp:con"
		"tact>\n"
		"  </impp:tuple>\n"
		"</impp:presence>\n",
		"mismatched tag" },
	{ "pidf-01 4.2.2 without: presentity left open",
		"<presence xmlns=\"urn:ietf:params:cpim-presence:\">\n"
		"  <presentity id=\"pres:shingo@jp.fujitsu.com\">\n"
		"  <tuple id=\"mobile-phone\">\n"
		"    <status>\n"
		"      <value>open</value>\n"
		"    </status>\n"
		"    <contact priority=\"9\">tel:09012345678</contact>\n"
		"  </tuple>\n"
		"</presence>\n",
		"mismatched tag" },
	{ "pidf-01 4.3.2: presentity left open",
		"<impp:presence xmlns:impp=\"urn:ietf:params:cpim-presence:"
		"\"\n"
		"               xmlns:myex=\"http://id.mycompany.com/cpim-p"
		"resence/\">\n"
		"  <impp:presentity id=\"pres:shingo@jp.fujitsu.com\">\n"
		"  <myex:mytag>My extended presentity "
		"information</myex:mytag>\n"
		"\n"
		"  <impp:tuple id=\"mobile-phone\">\n"
		"    <impp:status>\n"
		"      <impp:value>open</impp:value>\n"
		"    </impp:status>\n"
		"    <myex:mytupleelement>Extended value in "
		"tuple</myex:mytupleelement>\n"
		"    <impp:contact priority=\"9\">tel:09012345678</impp:con"
		"tact>\n"
		"  </impp:tuple>\n"
		"  <impp:tuple id=\"mobile-im\">\n"
		"    <impp:status>\n"
		"      <impp:value>open</impp:value>\n"
		"    </impp:status>\n"
		"    <impp:contact priority=\"1\">im:shingo@mobilecarrier.n"
		"e.jp</impp:contact>\n"
		"  </impp:tuple>\n"
		"\n"
		"</impp:presence>\n",
		"mismatched tag" },
	{ "pidf-01 4.3.3: another namespace, and tags crossed",
		"<impp:presence xmlns:impp=\"urn:iana:impp:presence:\"\n"
		"               xmlns:myex=\"http://id.mycompany.com/cpim-p"
		"resence/\">\n"
		"  <impp:presentity id=\"pres:shingo@jp.fujitsu.com\">\n"
		"  <myex:mytag>My extended presentity "
		"information</myex:mytag>\n"
		"\n"
		"  <impp:tuple id=\"mobile-phone\">\n"
		"    <impp:status>\n"
		"      <impp:value>open</impp:value>\n"
		"    </impp:status>\n"
		"    <myex:complexExtension impp:mustUnderstand='YES'>\n"
		"      <myex:ex1 impp:mustUnderstand='YES'>val1</myex:ex1>\n"
		"      <myex:ex2>val2</myex:ex2>\n"
		"    </myex:mandatoryExtension>\n"
		"    <impp:contact priority=\"9\">tel:09012345678</impp:con"
		"tact>\n"
		"  </impp:tuple>\n"
		"\n"
		"</impp:presence>\n",
		"not a presence document" },
	{ "pidf-05 4.3.3: something unknown that must be understood",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<impp:presence xmlns:impp=\"urn:ietf:params:xml:ns:cpim-pi"
		"df\"\n"
		"     xmlns:myex=\"http://id.mycompany.com/cpim-presence/\"\n"
		"     entity=\"pres:someone@example.com\">\n"
		"  <impp:tuple id=\"mobile-phone\">\n"
		"    <impp:status>\n"
		"      <impp:basic>open</impp:basic>\n"
		"    </impp:status>\n"
		"    <myex:complexExtension impp:mustUnderstand=\"1\">\n"
		"      <myex:ex1 impp:mustUnderstand=\"1\">val1</myex:ex1>\n"
		"      <myex:ex2>val2</myex:ex2>\n"
		"    </myex:complexExtension>\n"
		"    <impp:contact priority=\"0.725\">tel:09012345678</impp"
		":contact>\n"
		"  </impp:tuple>\n"
		"  <myex:mytag>My extended presentity "
		"information</myex:mytag>\n"
		"</impp:presence>\n",
		"something unknown that must be understood" },
};

/* clang-format on */

static void every_example_of_the_standards_is_read(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(SHOWN); i++) {
		const char *why = "";

		if (!prim_pidf_parse(&pidf, prim_slice_of(SHOWN[i].xml), &why))
			fail_msg("%s: %s", SHOWN[i].name, why);
		prim_buf_reset(&b);
		t_pidf_put(&b, &pidf);
		t_buf_is(SHOWN[i].name, &b, SHOWN[i].expected);
	}
	prim_buf_fini(&b);
	prim_pidf_fini(&pidf);
}

static void what_we_write_of_an_example_says_the_same(void **state)
{
	struct prim_buf xml = { 0 }, before = { 0 }, after = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(SHOWN); i++) {
		prim_pidf_parse(&pidf, prim_slice_of(SHOWN[i].xml), NULL);
		pidf.activities &= ~(unsigned)PRIM_ACTIVITY_XA;
		prim_buf_reset(&xml);
		prim_pidf_put(&xml, &pidf);
		prim_buf_reset(&before);
		t_pidf_put(&before, &pidf);
		assert_true(prim_pidf_parse(&pidf, prim_buf_slice(&xml), NULL));
		prim_buf_reset(&after);
		t_pidf_put(&after, &pidf);
		if (!prim_slice_eq(prim_buf_slice(&before),
			prim_buf_slice(&after)))
			fail_msg("%s: %.*s", SHOWN[i].name,
			    PRIM_SLICE_ARG(prim_buf_slice(&after)));
	}
	prim_buf_fini(&xml);
	prim_buf_fini(&before);
	prim_buf_fini(&after);
	prim_pidf_fini(&pidf);
}

static void examples_that_are_broken_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(REFUSED); i++) {
		const char *why = "taken";

		prim_pidf_parse(&pidf, prim_slice_of(REFUSED[i].xml), &why);
		t_slice_is(REFUSED[i].name, prim_slice_of(why),
		    REFUSED[i].expected);
		t_number_is(REFUSED[i].name, pidf.tuple_count, 0);
	}
	prim_pidf_fini(&pidf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_example_of_the_standards_is_read),
		cmocka_unit_test(what_we_write_of_an_example_says_the_same),
		cmocka_unit_test(examples_that_are_broken_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
