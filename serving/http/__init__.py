"""HTTP as the transport: one plain ASGI callable over the protocols' operations, behind uvicorn.

server.py      listens, and drains before it ends
connection.py  one client's connection, with an end to everything that a client could draw out
app.py         path → operation → status, headers, body
body.py        what arrives
held.py        the memory that bodies and answers take
errors.py      statuses
"""
