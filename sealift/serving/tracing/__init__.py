"""Which requests are traced, what spans each has, and how they get to a collector. Loaded only where one is named.

trace_context.py   W3C Trace Context: the headers that a caller sends
tracer.py          which request is sampled; its times → spans
otlp.py            spans → OpenTelemetry's protocol
exporter.py        sends them, in a thread, and loses them before it holds up a request
"""
