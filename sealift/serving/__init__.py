"""The model server inside the image: opens one sealed artifact into memory and serves it over an inference protocol.

`__main__.py` starts it. Each layer knows only the layers below it:

    server.py   starts and stops all transports: the graceful end of a pod
    http/       HTTP transport: connections, bodies and statuses; grpc/ does the same over gRPC
    served.py   the model that all transports share: access, batches, counts, log, memory
    page/       the page for browsers
    explain/    explanations of predictions; tracing/ spans of requests
    protocol/   requests and responses, one file per serving protocol; knows no HTTP
    access/     access control by API keys and tokens; knows no HTTP either
    batches.py  combines requests into one run; batch_limits.py measures how many rows that may be
    model.py    plain model → session; plain_model.py reads one with large weights
    opening.py  artifact → plain model, in a separate process
    tensor.py   datatypes, shapes, arrays

image_layout.py defines where everything is in the image; the code that builds and deploys the image reads it too. The
server depends on neither Pulumi nor torch, and writes no file.
"""
