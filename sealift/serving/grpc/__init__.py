"""The transport for gRPC: KServe's and Triton's GRPCInferenceService over one model. It is to be loaded only where it
is given a port, since grpcio takes memory.

messages.py    the protocol's messages
requests.py    a request's message → an inference
arrivals.py    a message that is under way: how many, how long
message_memory.py     how many fields a message has, before it is read
guard.py       each call: who may make it, with which status it ends, what is counted and logged of it
service.py     the calls, and what each answers
transport.py   starts and stops
"""
