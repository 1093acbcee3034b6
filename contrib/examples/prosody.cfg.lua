-- SPDX-License-Identifier: ISC
-- For Prosody: lets the bridge in as the component prim.example.org. Goes into
-- conf.d/, after the VirtualHost "jabber.example" whose users it is for.

-- Components log in without TLS: on loopback only, or through a tunnel.
component_interfaces = { "127.0.0.1" }
component_ports = { 5347 }

Component "prim.example.org"
	component_secret = "as in xmpp.secret"
	-- A bridge that comes back after a broken connection takes the place of
	-- the dead one at once, instead of waiting until Prosody notices.
	component_conflict_resolve = "kick_old"
