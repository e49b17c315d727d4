"""HTTP requests in the log."""

from sealift.serving.http.messages import HttpRequest, Response
from sealift.serving.request_log import HEADER, RequestLog


def log_response(log: RequestLog, request: HttpRequest, route: str, received: int, response: Response) -> Response:
    """Logs a request. Returns the response, with the request's identifier if the client sent one or it is logged."""
    identifier = log.identifier(request.identifier, response.status)
    if identifier is None:
        return response
    log.write_answer(
        identifier,
        caller=request.caller,
        method=request.method.decode("ascii"),
        route=route,
        status=response.status,
        rows=request.rows,
        began=request.began,
        bytes_in=received,
        bytes_out=len(response.body),
        trace_id=None if request.trace is None else request.trace.trace_id.hex(),
    )
    return response._replace(fields=b"%s%s: %s\r\n" % (response.fields, HEADER.encode(), identifier))
