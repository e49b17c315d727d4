"""The HTTP transport for the protocols' operations, with its own connections on uvloop.

transport.py   accepts and dismisses clients; sockets.py has the listening sockets
connection.py  one client's connection: bytes → requests in order, responses → bytes
routes.py      paths, their methods and scopes
service.py     request → operation → response
messages.py    requests and responses
failures.py    error → response
response_log.py  a request in the log; request_span.py as spans
limits.py      limits on sizes, counts and durations
errors.py      statuses
"""
