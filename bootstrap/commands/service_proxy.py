"""Sends one request to a service through the API server: `python -m bootstrap.commands.service_proxy METHOD PATH`, with
its headers and body on stdin, as JSON.

It uses the official client, because kubeconfig files have many ways to log in. Prints status and body as JSON. If
nothing answers, the status is 0 and the body the reason.
"""

import json
import sys

import urllib3
from kubernetes import client, config

TIMEOUT_SECONDS = 10


def main(method: str, path: str, headers: dict[str, str], body: str) -> tuple[int, str]:
    try:
        config.load_kube_config()  # type: ignore[no-untyped-call]  # the client has no types
        api = client.ApiClient()
        request = api.param_serialize(
            method,
            path,
            header_params={"Content-Type": "application/json", **headers},
            body=json.loads(body) if body else None,
            auth_settings=["BearerToken"],
        )
        reply = api.call_api(*request, _request_timeout=TIMEOUT_SECONDS)
        data: bytes = reply.read()  # type: ignore[no-untyped-call]
        return reply.status, data.decode(errors="replace")
    except client.ApiException as problem:
        return problem.status or 0, str(problem.body or problem.reason)
    except (OSError, urllib3.exceptions.HTTPError, config.ConfigException) as problem:
        return 0, str(problem)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], **json.load(sys.stdin))))
