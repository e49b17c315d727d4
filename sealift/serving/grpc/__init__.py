"""The transport for gRPC: KServe's and Triton's GRPCInferenceService over one model. It is loaded only if it has a
port, because grpcio takes memory.

messages.py    the protocol's messages
requests.py    a request's message → an inference
arrivals.py    messages being received: limits on number and duration
message_memory.py  the number of fields of a message, before it is parsed
guard.py       each call: access, status, metrics and log
service.py     the calls and their responses
transport.py   starts and stops
"""
