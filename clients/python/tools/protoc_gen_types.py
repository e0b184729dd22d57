"""Plugin of buf that writes understudy/types.py: all messages and enums of the contract in one module."""

import sys

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

_LEFT_OUT = "understudy/v1/admin.proto"  # for operators, and served elsewhere


def main() -> None:
    """Reads a CodeGeneratorRequest, and writes the answer."""
    request = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    files = [file for file in request.proto_file if file.name in request.file_to_generate and file.name != _LEFT_OUT]
    lines = ['"""All messages and enums of the contract (understudy.v1), and the values of the enums."""', ""]
    for file in sorted(files, key=lambda file: file.name):
        module = file.name.removesuffix(".proto").replace("/", ".")
        lines += [f"from {module}_pb2 import (", *(f"    {name}," for name in _names(file)), ")"]
    names = sorted(name for file in files for name in _names(file))
    lines += ["", "__all__ = [", *(f'    "{name}",' for name in names), "]", ""]
    features = plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    response = plugin_pb2.CodeGeneratorResponse(supported_features=features)
    response.file.add(name="understudy/types.py", content="\n".join(lines))
    sys.stdout.buffer.write(response.SerializeToString())


def _names(file: descriptor_pb2.FileDescriptorProto) -> list[str]:
    values = [value.name for enum in file.enum_type for value in enum.value]
    return sorted([message.name for message in file.message_type] + [enum.name for enum in file.enum_type] + values)


if __name__ == "__main__":
    main()
