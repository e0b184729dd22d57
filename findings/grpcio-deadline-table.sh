#!/usr/bin/env bash
# grpcio 1.85.3 (PyPI): a call tells the server the deadline of an earlier call of its connection.
#
# Where a call had a timeout that is up to 3 % longer, gRPC's core sends that `grpc-timeout` again, since it is in the table of header
# compression: beyond the rounding up of grpc-core-timeout.sh. The caller gives up at its own deadline, so that a server that answers shortly
# before the one that it was told answers nobody. Without that table (`grpc.http2.hpack_table_size.encoder` 0) only the rounding is left,
# and a timeout of a multiple of the unit, less a millisecond, is told as that.
#
# Seen:
#   128 s behind 130.1 s: told 131 s
#   without the table, 128 s behind 130.1 s: told 129 s
#   without the table, 127.999 s behind 130.1 s: told 128 s
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check grpcio==1.85.3 h2==4.4.1
cat > told.py <<'PY'
import queue
import socket
import threading

import grpc
import h2.config
import h2.connection
import h2.events

told = queue.Queue()
UNITS = {"H": 3600, "M": 60, "S": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9}


def serve(listener):
    while True:
        client, _ = listener.accept()
        threading.Thread(target=answer, args=(client,), daemon=True).start()


def answer(client):
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    connection.initiate_connection()
    client.sendall(connection.data_to_send())
    while data := client.recv(65536):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                text = dict(event.headers)["grpc-timeout"]
                told.put(int(text[:-1]) * UNITS[text[-1]])
                headers = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "10")]
                connection.send_headers(event.stream_id, headers, end_stream=True)
        client.sendall(connection.data_to_send())


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
address = f"127.0.0.1:{listener.getsockname()[1]}"


def tell(name, options, timeouts):
    with grpc.insecure_channel(address, options=options) as channel:
        call = channel.unary_unary("/finding/Told")
        for seconds in (5, *timeouts):
            try:
                call(b"", timeout=seconds)
            except grpc.RpcError:
                pass
            text = f"{name}{seconds} s behind 130.1 s: told {told.get(timeout=5):g} s"
            if seconds < 130 and seconds != 5:  # the first call connects, which takes time
                print(text)


tell("", [], (130.1, 128))
tell("without the table, ", [("grpc.http2.hpack_table_size.encoder", 0)], (130.1, 128, 127.999))
PY
python/bin/python told.py | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
128 s behind 130.1 s: told 131 s
without the table, 128 s behind 130.1 s: told 129 s
without the table, 127.999 s behind 130.1 s: told 128 s
SEEN
