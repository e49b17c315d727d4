"""Documents about a sealed model for programs of others: where it comes from, and what it consists of. Pure functions
of what an artifact's manifest and description say.

subject.py is the artifact that a document is about; slsa.py and cyclonedx.py write one form each. Equal artifacts have
equal documents: they contain no time and no place.
"""

from sealift.provenance.cyclonedx import make_cyclonedx
from sealift.provenance.slsa import make_slsa
from sealift.provenance.subject import Subject

__all__ = ["Subject", "make_cyclonedx", "make_slsa"]
