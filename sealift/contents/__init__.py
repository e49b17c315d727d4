"""The content of artifacts, which training seals and serving reads, defined once. Standard library only.

description.py    an artifact's description of its model
plain_model.py    a graph with its large weights beside it
onnx_tensors.py   tensors of an ONNX file that keep their content elsewhere
codec.py          frozen dataclasses as JSON and back
"""
