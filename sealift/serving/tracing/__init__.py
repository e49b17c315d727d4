"""Tracing: sampling of requests, their spans, and the export to a collector. Loaded only if a collector is set.

trace_context.py   W3C Trace Context: the headers that a caller sends
tracer.py          which request is sampled; its times → spans
otlp.py            spans → OpenTelemetry's protocol
exporter.py        sends spans in a thread; drops spans rather than delay a request
"""
