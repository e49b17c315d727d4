"""HTTP as the transport over the protocols' operations: our own connections on uvloop, or any ASGI server.

server.py      listens, and drains before it ends
connection.py  one client's connection: bytes → requests in their order, responses → bytes
routes.py      which paths there are, and who may ask
service.py     request → operation → response; asgi.py offers the same as an ASGI application
messages.py    what a request and a response are
failures.py    what went wrong → response
logged.py      a request in the log; traced.py as spans
limits.py      how much, how many and how long
errors.py      statuses
"""
