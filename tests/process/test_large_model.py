"""A model in the form of those above 2 GB, served: `python -m sealift.serving` as for any other."""

import json
from pathlib import Path

import numpy as np

from sealift.sealing import seal
from tests.keys import key_pair
from tests.process.serving_process import serving
from tests.unit.serving import large
from tests.unit.serving.sockets import INFER
from tests.unit.serving.tiny import Files


def test_it_is_served_as_any_other_and_clients_see_no_weights(tmp_path: Path) -> None:
    description = {"task": "regression", "features": [f"x{at}" for at in range(large.FEATURES)], "classes": []}
    artifact = seal(large.plain(), description, [key_pair().recipient])
    row = np.arange(large.FEATURES, dtype=np.float32)
    tensor = {"name": "input", "shape": [1, large.FEATURES], "datatype": "FP32", "data": row.tolist()}
    files, pinned = Files.write(tmp_path, artifact), artifact.payload_digest
    serves = serving(files, artifact_id=artifact.artifact_id, payload_digest=pinned)
    with serves as server, server.connect() as connection:

        def asked(method: str, path: str, body: object = None) -> tuple[int, bytes]:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, response.read()

        status, answer = asked("POST", INFER, {"inputs": [tensor]})
        weight = {"name": "w3", "shape": [large.WIDTH, 2], "datatype": "FP32", "data": [0] * large.WIDTH * 2}
        refused, why = asked("POST", INFER, {"inputs": [tensor, weight]})
        seen = [asked("GET", path) for path in ("/v2/models/tiny", "/openapi.json", "/")]

    assert status == 200
    assert np.allclose(json.loads(answer)["outputs"][0]["data"], large.answers(row[None])[0], rtol=1e-4)
    assert (refused, b"w3" in why) == (400, True)
    assert [status for status, _ in seen] == [200, 200, 200]
    assert not any(b'"w3"' in said for _, said in seen)
