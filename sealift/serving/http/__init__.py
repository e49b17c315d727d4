"""HTTP as the transport over the protocols' operations, by connections of our own on uvloop.

transport.py   accepts clients, and lets them go; sockets.py what it listens on
connection.py  one client's connection: bytes → requests in their order, responses → bytes
routes.py      which paths there are, and who may ask
service.py     request → operation → response
messages.py    what a request and a response are
failures.py    what went wrong → response
response_log.py      a request in the log; request_span.py as spans
limits.py      how much, how many and how long
errors.py      statuses
"""
