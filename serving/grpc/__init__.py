"""The transport for gRPC: KServe's and Triton's GRPCInferenceService over one model. It is to be loaded only where it
is given a port, since grpcio takes memory.

messages.py    the protocol's messages
requests.py    a request's message → an inference
service.py     the calls: who may make them, and with which status each ends
server.py      starts and stops
"""
