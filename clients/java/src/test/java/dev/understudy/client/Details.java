package dev.understudy.client;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import io.grpc.Metadata;

/** Makes trailers as the gateway sends them. */
final class Details {
  private static final Metadata.Key<byte[]> KEY =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private Details() {}

  static ErrorInfo reason(String reason) {
    return ErrorInfo.newBuilder().setReason(reason).setDomain("understudy").putMetadata("attempts", "0").build();
  }

  /** The pushback is null for none. */
  static Metadata trailers(String pushback, Message... details) {
    Status.Builder status = Status.newBuilder();
    for (Message detail : details) status.addDetails(Any.pack(detail));
    Metadata trailers = raw(status.build().toByteArray());
    if (pushback != null) trailers.put(TestServer.PUSHBACK, pushback);
    return trailers;
  }

  static Metadata raw(byte[] bytes) {
    Metadata trailers = new Metadata();
    trailers.put(KEY, bytes);
    return trailers;
  }
}
