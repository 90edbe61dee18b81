"""Our .proto files and the official ones describe the same wire, field by field."""

import tempfile

import pytest
from google.protobuf import descriptor_pb2

from harness.official import (GOOGLE_PROTOS, compile_official, go_plugin_descriptors,
                              jaeger_v1_descriptors, otlp_descriptors, run_protoc)
from harness.process import ROOT

# Kept apart: what a program on the other side of the wire can see. Comments, options for
# documentation and the names of files are each one's own.
FIELD_FACTS = ("name", "number", "label", "type", "type_name", "proto3_optional")

# Fields of the profiles signal, which OTLP forbids in traces: to us they are unknown fields.
PROFILES_ONLY = {"field opentelemetry.proto.common.v1.AnyValue.8",
                 "field opentelemetry.proto.common.v1.KeyValue.3"}


def compile_ours():
    with tempfile.NamedTemporaryFile() as output:
        protos = sorted((ROOT / "proto").rglob("*.proto"))
        run_protoc(f"-I{ROOT / 'proto'}", f"-I{GOOGLE_PROTOS}", "--include_imports",
                   f"--descriptor_set_out={output.name}", *protos)
        return descriptor_pb2.FileDescriptorSet.FromString(output.read())


def message_facts(message, prefix, facts):
    name = f"{prefix}.{message.name}"
    facts[f"message {name}"] = "exists"
    for field in message.field:
        values = {key: getattr(field, key) for key in FIELD_FACTS}
        if field.HasField("oneof_index") and not field.proto3_optional:
            values["oneof"] = message.oneof_decl[field.oneof_index].name
        facts[f"field {name}.{field.number}"] = values
    for nested in message.nested_type:
        message_facts(nested, name, facts)
    for enum in message.enum_type:
        enum_facts(enum, name, facts)


def enum_facts(enum, prefix, facts):
    for value in enum.value:
        facts[f"enum {prefix}.{enum.name}.{value.number}"] = value.name


def wire_facts(files, packages):
    """{what: fact} of every message, field, enum value and method of some packages."""
    facts = {}
    for file in files.file:
        if not file.package.startswith(packages):
            continue
        for message in file.message_type:
            message_facts(message, file.package, facts)
        for enum in file.enum_type:
            enum_facts(enum, file.package, facts)
        for service in file.service:
            for method in service.method:
                facts[f"rpc {file.package}.{service.name}/{method.name}"] = (
                    method.input_type, method.output_type,
                    method.client_streaming, method.server_streaming)
    return facts


@pytest.mark.parametrize("official, packages", [
    (lambda: compile_official()[1], ("jaeger.storage.v2", "jaeger.expression")),
    (otlp_descriptors, ("opentelemetry.proto",)),
    (jaeger_v1_descriptors, ("jaeger.storage.v1", "jaeger.api_v2")),
    (go_plugin_descriptors, ("plugin",)),
], ids=["jaeger", "otlp", "jaeger-v1", "go-plugin"])
def test_ours_agree_with_the_official_ones(official, packages):
    wanted, ours = wire_facts(official(), packages), wire_facts(compile_ours(), packages)
    assert len(wanted) > 15, "the official files were not read"
    differences = [f"{what}: official {wanted.get(what)}, ours {ours.get(what)}"
                   for what in sorted((wanted.keys() | ours.keys()) - PROFILES_ONLY)
                   if wanted.get(what) != ours.get(what)]
    assert not differences, "\n".join(differences)
