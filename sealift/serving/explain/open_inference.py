"""`POST …/explain`: Shapley values of rows, requested like `infer`, in the form of the Open Inference Protocol v2.

The protocol has no such operation. The path and the request are those of other servers with this protocol (MLServer,
MLRun). Tensors are named as in SHAP's Explanation. A response has these tensors for each requested output:

    NAME.shap_values      FP64 [rows, features, numbers of the output]
    NAME.base_values      FP64 [rows, numbers of the output]: the model's answer for the reference row
    NAME.standard_errors  shape of shap_values; only if a row was sampled, with zeros for rows with exact values

It also has `features` with their names, and `INPUT.reference` with the reference row, which rows are compared with. Its
parameters are `method` (exact or sampled) and `evaluations` (the number of coalitions that the model was run for).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from sealift.serving.categories import Categories
from sealift.serving.errors import InvalidInput
from sealift.serving.explain.explainer import Explainer
from sealift.serving.model import Model
from sealift.serving.protocol.contract import Answer, Body, Explained, Operation
from sealift.serving.protocol.open_inference import MODEL_VERSION, paths
from sealift.serving.protocol.open_inference_answer import AnswerWriter
from sealift.serving.protocol.open_inference_request import Asked, AskedOutput, RequestReader
from sealift.serving.protocol.open_inference_schema import answer_schema, request_schema
from sealift.serving.tensor import ANY, Array, Tensor

FEATURES: Final = "features"
SHAP_VALUES: Final = "{}.shap_values"
BASE_VALUES: Final = "{}.base_values"
STANDARD_ERRORS: Final = "{}.standard_errors"
REFERENCE: Final = "{}.reference"


def operations(name: str, model: Model) -> Mapping[str, Operation]:
    """Returns the operations by path, for the model name `name`. Raises StartError if the model cannot be explained."""
    words = _Words(name, model)
    schemas = request_schema(model), answer_schema(name, words.tensors.values())
    return {f"{path}/explain": Explained(words.answer, *schemas) for path in paths(name)}


class _Words:
    def __init__(self, name: str, model: Model) -> None:
        self._explainer = Explainer(model)
        outputs = self._explainer.outputs
        self._reader = RequestReader(model.inputs, outputs, Categories(model.rows))
        tensors = [Tensor(FEATURES, (ANY,), "BYTES")]
        tensors += [Tensor(REFERENCE.format(one.name), one.shape, one.datatype) for one in model.inputs.values()]
        for output in outputs:
            tensors.append(Tensor(BASE_VALUES.format(output), (ANY, ANY), "FP64"))
            tensors += [Tensor(one.format(output), (ANY, ANY, ANY), "FP64") for one in (SHAP_VALUES, STANDARD_ERRORS)]
        self.tensors = {tensor.name: tensor for tensor in tensors}
        self._writer = AnswerWriter(name, MODEL_VERSION, self.tensors, [])

    def answer(self, body: Body, json_bytes: int | None, until: float) -> Answer:
        """Answers a request, as in protocol/contract.py."""
        asked = self._reader.parse(body, json_bytes)
        if any(wanted.classes for wanted in asked.wanted):
            raise InvalidInput(
                "explanations do not support the parameter classification; expected a request without it"
            )
        found = self._explainer.explain(asked.inputs, asked.outputs, until)
        all_binary = all(wanted.binary for wanted in asked.wanted)
        wanted, arrays = [], dict[str, Array]()

        def give(name: str, array: Array, binary: bool) -> None:
            wanted.append(AskedOutput(name, binary))
            arrays[name] = array

        for one in asked.wanted:
            give(SHAP_VALUES.format(one.name), found.shap_values[one.name], one.binary)
            give(BASE_VALUES.format(one.name), found.base_values[one.name], one.binary)
            if not found.exact:
                give(STANDARD_ERRORS.format(one.name), found.standard_errors[one.name], one.binary)
        give(FEATURES, np.array(found.features, np.object_), all_binary)
        for name, array in found.reference.items():
            give(REFERENCE.format(name), array, all_binary)
        parameters = dict(asked.parameters or {})
        parameters |= {"method": "exact" if found.exact else "sampled", "evaluations": found.evaluations}
        unknown = asked.unknown_categories
        said = Asked(asked.inputs, list(arrays), wanted, asked.request_id, parameters, unknown)
        return self._writer.answer(said, arrays)
