"""The model server inside the image: opens one sealed artifact into memory and answers over a serving protocol.

`__main__.py` starts it, in layers of which each knows only those below it:

    server.py   starts and stops all transports: the graceful end of a pod
    http/       who asks: connections, bodies and statuses; grpc/ the same over gRPC
    served.py   one model as both serve it: access, batches, counts, log, memory
    page/       the page for people
    explain/    why an answer is as it is; tracing/ where its time went
    protocol/   what is asked: one file per serving protocol, in its own words; knows no HTTP
    access/     who may ask: API keys and tokens; knows no HTTP either
    batches.py  what is run together; batch_limits.py finds out how much may be
    model.py    plain model → session; plain_model.py reads one with large weights
    opening.py  artifact → plain model, in a process of its own
    tensor.py   datatypes, shapes, arrays

image_layout.py, beside them, says where everything is in the image; whoever builds it or runs it reads that too. The
server knows neither Pulumi nor torch, and writes no file.
"""
