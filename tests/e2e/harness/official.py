"""Jaeger's official storage interface, compiled from the .proto files of its Go module."""

import functools
import importlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest
from google.protobuf import descriptor_pb2
from grpc_tools import protoc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

MODULES = {"github.com/jaegertracing/jaeger-idl": "v0.14.0", "github.com/google/gnostic": "v0.7.1",
           "github.com/jaegertracing/jaeger": "v1.76.0", "github.com/gogo/protobuf": "v1.3.2",
           "github.com/hashicorp/go-plugin": "v1.6.0"}
PROTOS = ("storage/v2/trace_storage.proto", "storage/v2/dependency_storage.proto",
          "storage/v2/capabilities.proto", "expression/v1/expression.proto",
          "expression/v1/vocabulary.proto", "gnostic/openapiv3/annotations.proto",
          "openapiv3/OpenAPIv3.proto")
GOOGLE_PROTOS = pathlib.Path(protoc.__file__).parent / "_proto"


def module_folder(module):
    """Downloads a Go module and returns where it lies; skips the test when that cannot be."""
    if not shutil.which("go"):
        pytest.skip("the official .proto files come as a Go module, and Go is not installed")
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "go.mod").write_text("module larder.example/official\n")
        command = ["go", "mod", "download", "-json", f"{module}@{MODULES[module]}"]
        for _ in range(3):  # a proxy may fail for a moment
            reply = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if reply.returncode == 0:
                break
    assert reply.returncode == 0, reply.stdout + reply.stderr
    return pathlib.Path(json.loads(reply.stdout)["Dir"])


def otlp_descriptors():
    """OTLP's own files, as the SDK for Python carries them, with all that they import."""
    files = descriptor_pb2.FileDescriptorSet()

    def add(descriptor):
        for dependency in descriptor.dependencies:
            add(dependency)
        if descriptor.name not in {each.name for each in files.file}:
            descriptor.CopyToProto(files.file.add())
    add(trace_service_pb2.DESCRIPTOR)
    return files


def run_protoc(*arguments):
    assert protoc.main(["protoc", *(str(each) for each in arguments)]) == 0, arguments


@functools.cache
def compile_official():
    """Returns (folder of Python stubs, FileDescriptorSet) of the official interface."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="larder-official-"))
    proto = folder / "proto"
    shutil.copytree(module_folder("github.com/jaegertracing/jaeger-idl") / "proto", proto,
                    copy_function=shutil.copyfile)
    gnostic = module_folder("github.com/google/gnostic") / "openapiv3"
    for target, name in (("gnostic/openapiv3", "annotations.proto"),
                         ("openapiv3", "OpenAPIv3.proto")):
        (proto / target).mkdir(parents=True)
        shutil.copyfile(gnostic / name, proto / target / name)

    imports = folder / "imports.bin"  # The module does not carry OTLP's files.
    imports.write_bytes(otlp_descriptors().SerializeToString())
    files = folder / "official.bin"
    run_protoc(f"-I{proto}", f"-I{GOOGLE_PROTOS}", f"--descriptor_set_in={imports}",
               f"--descriptor_set_out={files}", "--include_imports",
               f"--python_out={folder}", f"--grpc_python_out={folder}", *PROTOS)
    return folder, descriptor_pb2.FileDescriptorSet.FromString(files.read_bytes())


def compile_module_files(*files):
    """The FileDescriptorSet of files of Go modules, each (module, folder, name), which import each
    other by their names below those folders."""
    folders = {module_folder(module) / folder for module, folder, _ in files}
    with tempfile.NamedTemporaryFile() as output:
        run_protoc(*(f"-I{folder}" for folder in folders), f"-I{GOOGLE_PROTOS}",
                   f"--descriptor_set_out={output.name}", *(name for _, _, name in files))
        return descriptor_pb2.FileDescriptorSet.FromString(output.read())


def jaeger_v1_descriptors():
    """What the last Jaeger v1 says to a storage."""
    return compile_module_files(
        ("github.com/jaegertracing/jaeger", "internal/storage/v1/grpc/proto", "storage.proto"),
        ("github.com/jaegertracing/jaeger-idl", "proto/api_v2", "model.proto"),
        ("github.com/gogo/protobuf", "", "gogoproto/gogo.proto"))


def go_plugin_descriptors():
    """What a host says to a plugin in the version that Jaeger v1.57 has."""
    return compile_module_files(*(
        ("github.com/hashicorp/go-plugin", "internal/plugin", f"grpc_{name}.proto")
        for name in ("broker", "controller", "stdio")))


class Client:
    """The official client: one stub per service, and the modules of the messages."""

    def __init__(self, channel):
        folder, _ = compile_official()
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
        trace = importlib.import_module("storage.v2.trace_storage_pb2_grpc")
        dependency = importlib.import_module("storage.v2.dependency_storage_pb2_grpc")
        capabilities = importlib.import_module("storage.v2.capabilities_pb2_grpc")
        self.messages = importlib.import_module("storage.v2.trace_storage_pb2")
        self.dependency_messages = importlib.import_module("storage.v2.dependency_storage_pb2")
        self.capability_messages = importlib.import_module("storage.v2.capabilities_pb2")
        self.expressions = importlib.import_module("expression.v1.expression_pb2")
        self.traces = trace.TraceReaderStub(channel)
        self.dependencies = dependency.DependencyReaderStub(channel)
        self.capabilities = capabilities.CapabilitiesStub(channel)
