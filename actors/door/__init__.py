"""The caller's door: one port for HTTP and WebSockets.

GET /health /ready /metrics / …  ──▶ pages ──▶ a response
Upgrade on any path ──▶ door: draining? full? origin? too many? ──▶ CallerSocket ──▶ a ConnectionActor of its own

door           listening, admitting, draining
request        what is read from a request
origins        which pages may open a socket                                                    pure
visitors       how many sockets each address has open, and whose word about an address counts
pages          what is served over HTTP, loaded once
wary           the library's connection, with limits that it lacks
caller_socket  one caller's socket: the port for writing, the reader for mail
"""
