"""The engine's protocol for language hosts, for Python."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

PLUGIN: Final = "airgap.plugins.language_python.plugin"
HERE: Final = Path(__file__).resolve().parents[3]


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Language host that runs programs and source plugins, each in its own process."""

    def __init__(self, engine_address: str) -> None:
        self._engine_address = engine_address
        self._children: set[subprocess.Popen[bytes]] = set()

    def stop(self) -> None:
        """Terminates all running programs."""
        for child in list(self._children):
            child.terminate()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version="0.1.0")

    def About(self, request: Any, context: Any) -> Any:  # noqa: N802
        version = ".".join(map(str, sys.version_info[:3]))
        return language_pb2.AboutResponse(
            executable=sys.executable, version=version, metadata={"host": "Sealift's stand-in"}
        )

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.GetRequiredPluginsResponse()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.GetRequiredPackagesResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.GetProgramDependenciesResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        yield language_pb2.InstallDependenciesResponse(
            stdout=b"nothing to install: `make setup` made the environment\n"
        )

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.RuntimeOptionsResponse()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.stop()
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Runs the program in a new interpreter. Its output goes to the engine, like this process's own."""
        del request.args[:]
        request.args.append(self._engine_address)
        python = interpreter(request.info.root_directory, _options(request.info))
        reading, writing = os.pipe()
        child = self._start(
            [python, "-m", "airgap.plugins.language_python.program", str(writing), str(os.getpid())],
            cwd=request.info.program_directory, pass_fds=(writing,), stdin=subprocess.PIPE,
        )  # fmt: skip
        os.close(writing)
        child.communicate(request.SerializeToString())
        with os.fdopen(reading, "rb") as pipe:
            answer = pipe.read()
        self._children.discard(child)
        if child.returncode != 0 and not answer:
            return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {child.returncode}")
        return language_pb2.RunResponse.FromString(answer)

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Runs a source plugin (a folder with PulumiPlugin.yaml) and streams its output until it ends."""
        python = interpreter(request.info.root_directory, _options(request.info))
        child = self._start(
            [python, "-m", PLUGIN, str(os.getpid()), request.info.program_directory, *request.args],
            cwd=request.pwd or request.info.program_directory, environment=dict(e.split("=", 1) for e in request.env),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        context.add_callback(child.terminate)
        ready = threading.Semaphore(0)
        pieces: list[Any] = []

        def forward(stream: Any, name: str) -> None:
            while piece := stream.read1(65536):
                pieces.append(language_pb2.RunPluginResponse(**{name: piece}))
                ready.release()
            ready.release()

        for stream, name in ((child.stdout, "stdout"), (child.stderr, "stderr")):
            threading.Thread(target=forward, args=(stream, name), daemon=True).start()
        ended = 0
        while ended < 2:
            ready.acquire()
            if pieces:
                yield pieces.pop(0)
            else:
                ended += 1
        self._children.discard(child)
        yield language_pb2.RunPluginResponse(exitcode=child.wait())

    def _start(
        self, command: list[str], *, cwd: str, environment: Mapping[str, str] | None = None, **options: Any
    ) -> "subprocess.Popen[bytes]":
        paths = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
        merged = os.environ | (environment or {}) | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
        child = subprocess.Popen(command, cwd=cwd, env=merged, **options)
        self._children.add(child)
        return child


def interpreter(root: str, options: Mapping[str, Any]) -> str:
    """Returns the program's Python: its `virtualenv` option, relative to the project, if it exists, otherwise ours."""
    virtualenv = options.get("virtualenv")
    if virtualenv:
        python = Path(root) / str(virtualenv) / "bin" / "python"
        if python.exists():
            return str(python)
    return sys.executable


def _options(info: Any) -> dict[str, Any]:
    return dict(info.options.items())
