"""`pulumi-resource-sealift ENGINE_ADDRESS`: started by the engine, never by hand."""

import asyncio
import sys

from components.plugin.provider import serve

USAGE = "usage: pulumi-resource-sealift ENGINE_ADDRESS\nThe Pulumi engine starts this program; run `pulumi up` instead.\n"


def main() -> int:
    """Serves the engine at the address given as the last argument that is not a flag."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not addresses:
        sys.stderr.write(USAGE)
        return 2
    asyncio.run(serve(addresses[-1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
