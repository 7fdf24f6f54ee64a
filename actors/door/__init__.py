"""The caller's door: one port for HTTP and WebSockets.

GET /health /ready /metrics / …  ──▶ pages ──▶ a response
Upgrade on any path ──▶ door: draining? full? origin? ──▶ CallerSocket ──▶ a ConnectionActor of its own

door           listening, admitting, draining
caller_socket  one caller's socket: the port for writing, the reader for mail
origins        which pages may open a socket                                                    pure
pages          what is served over HTTP, loaded once
"""
