"""What training seals and serving reads, known to both sides once. Standard library only.

description.py    what an artifact says of its model
plain_model.py    a graph with its large weights beside it
onnx_tensors.py   tensors of an ONNX file that keep their content elsewhere
codec.py          frozen dataclasses as JSON and back
"""
