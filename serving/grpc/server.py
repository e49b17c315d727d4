"""A gRPC server on a port of its own, in the event loop that runs already."""

import grpc
import grpc.aio

from serving.grpc.service import Served, Service


async def start(served: Served, address: str, most_bytes: int) -> grpc.aio.Server:
    """Listens on `address`, HOST:PORT, for messages of up to `most_bytes`. Its `stop` takes seconds to drain in."""
    options = [
        ("grpc.max_receive_message_length", most_bytes),
        ("grpc.max_send_message_length", -1),  # an answer is as large as the model makes it
        ("grpc.so_reuseport", 0),  # a second server on the port is a mistake, not a share
    ]
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers((Service(served).handlers(),))
    server.add_insecure_port(address)
    await server.start()
    return server
