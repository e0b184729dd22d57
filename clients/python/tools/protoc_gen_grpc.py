"""Plugin of buf that writes *_pb2_grpc.py and *_pb2_grpc.pyi for the files that define services.

grpcio-tools has the first generator only inside its protoc, and protoc-gen-mypy_grpc writes empty files where there is no service.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2


def main() -> None:
    """Reads a CodeGeneratorRequest, and writes the answer."""
    request = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    with_services = {file.name for file in request.proto_file if file.service}
    files = sorted(with_services.intersection(request.file_to_generate))
    request.ClearField("file_to_generate")
    request.file_to_generate.extend(files)
    stubs = subprocess.run(
        ["protoc-gen-mypy_grpc"],
        input=request.SerializeToString(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    response = plugin_pb2.CodeGeneratorResponse.FromString(stubs.stdout)
    with tempfile.TemporaryDirectory() as folder:
        descriptors = Path(folder, "descriptors.binpb")
        descriptors.write_bytes(descriptor_pb2.FileDescriptorSet(file=request.proto_file).SerializeToString())
        out = Path(folder, "out")
        out.mkdir()
        protoc = [sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_in={descriptors}"]
        subprocess.run([*protoc, f"--grpc_python_out={out}", *files], check=True)
        for path in sorted(out.rglob("*.py")):
            response.file.add(name=path.relative_to(out).as_posix(), content=path.read_text())
    sys.stdout.buffer.write(response.SerializeToString())


if __name__ == "__main__":
    main()
