"""The content of artifacts, which training writes and serving reads. Standard library only.

description.py    an artifact's description of its model
plain_model.py    an ONNX file, or a graph with its large weights beside it
onnx_tensors.py   tensors of an ONNX file whose content is in other files
codec.py          frozen dataclasses as JSON and back
"""
