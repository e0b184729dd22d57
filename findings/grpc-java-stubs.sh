#!/usr/bin/env bash
# grpc-java 1.85.1 (Maven Central): the blocking iterator goes on when its loop is left, and Netty's limit for headers takes other calls along.
#
# Leaving `while (iterator.hasNext())` of a blocking stub ends nothing: the server goes on to its last message, unless the call ran in a
# `CancellableContext` that is cancelled. And a status with details of more than about 10 KiB on the wire is above the 8 KiB of metadata that
# a Netty channel takes by default: not only that call fails, but the connection, and with it every other call on it.
# `maxInboundMetadataSize` raises the limit.
#
# Seen:
#   iterator left: sent all 40
#   iterator left, context cancelled: stopped
#   details of 4 KiB: UNAVAILABLE; another call on the connection: OK
#   details of 12 KiB: not UNAVAILABLE; another call on the connection: fails
#   details of 12 KiB, limit of 64 KiB: UNAVAILABLE; another call on the connection: OK
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > pom.xml <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.grpc</groupId><artifactId>grpc-stub</artifactId><version>1.85.1</version></dependency>
    <dependency><groupId>io.grpc</groupId><artifactId>grpc-netty-shaded</artifactId><version>1.85.1</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies -DoutputDirectory=lib
cat > Leave.java <<'JAVA'
import io.grpc.*;
import io.grpc.netty.shaded.io.grpc.netty.*;
import io.grpc.stub.*;
import java.io.*;
import java.util.concurrent.*;

public class Leave {
  static final int MESSAGES = 40;
  static final Metadata.Key<byte[]> DETAILS = Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);
  static final BlockingQueue<String> ends = new LinkedBlockingQueue<>();

  static final MethodDescriptor.Marshaller<byte[]> BYTES = new MethodDescriptor.Marshaller<>() {
    public InputStream stream(byte[] bytes) { return new ByteArrayInputStream(bytes); }
    public byte[] parse(InputStream stream) {
      try { return stream.readAllBytes(); } catch (IOException e) { throw new UncheckedIOException(e); }
    }
  };

  static MethodDescriptor<byte[], byte[]> method(String name, MethodDescriptor.MethodType type) {
    return MethodDescriptor.newBuilder(BYTES, BYTES).setType(type).setFullMethodName("finding/" + name).build();
  }

  static final MethodDescriptor<byte[], byte[]> COUNT = method("Count", MethodDescriptor.MethodType.SERVER_STREAMING);
  static final MethodDescriptor<byte[], byte[]> FAIL = method("Fail", MethodDescriptor.MethodType.UNARY);
  static final MethodDescriptor<byte[], byte[]> SLOW = method("Slow", MethodDescriptor.MethodType.UNARY);

  public static void main(String[] args) throws Exception {
    Server server = NettyServerBuilder.forPort(0).addService(ServerServiceDefinition.builder("finding")
        .addMethod(COUNT, ServerCalls.asyncServerStreamingCall((byte[] request, StreamObserver<byte[]> out) -> {
          var observer = (ServerCallStreamObserver<byte[]>) out;
          observer.setOnCancelHandler(() -> {});
          new Thread(() -> {
            for (int sent = 0; sent < MESSAGES; sent++) {
              pause(50);
              if (observer.isCancelled()) { ends.add("stopped"); return; }
              observer.onNext(new byte[1]);
            }
            observer.onCompleted();
            ends.add("sent all " + MESSAGES);
          }).start();
        }))
        .addMethod(FAIL, ServerCalls.asyncUnaryCall((byte[] request, StreamObserver<byte[]> out) -> {
          Metadata trailers = new Metadata();
          byte[] details = new byte[request.length];
          new java.util.Random(1).nextBytes(details);
          trailers.put(DETAILS, details);
          out.onError(Status.UNAVAILABLE.asRuntimeException(trailers));
        }))
        .addMethod(SLOW, ServerCalls.asyncUnaryCall((byte[] request, StreamObserver<byte[]> out) ->
          new Thread(() -> { pause(1000); out.onNext(new byte[1]); out.onCompleted(); }).start()))
        .build()).build().start();
    for (boolean cancels : new boolean[] {false, true}) {
      ManagedChannel channel = channel(server, 0);
      Context.CancellableContext context = Context.current().withCancellation();
      context.run(() -> {
        var iterator = ClientCalls.blockingServerStreamingCall(channel, COUNT, CallOptions.DEFAULT, new byte[0]);
        while (iterator.hasNext()) { iterator.next(); break; }
      });
      if (cancels) context.cancel(null);
      System.out.println("iterator left" + (cancels ? ", context cancelled" : "") + ": " + ends.poll(20, TimeUnit.SECONDS));
      channel.shutdownNow();
    }
    fail(server, 4, 0);
    fail(server, 12, 0);
    fail(server, 12, 64);
    System.exit(0);
  }

  static void fail(Server server, int kibibytes, int limit) throws Exception {
    ManagedChannel channel = channel(server, limit);
    var other = ClientCalls.futureUnaryCall(channel.newCall(SLOW, CallOptions.DEFAULT), new byte[0]);
    pause(300);
    String code;
    try {
      ClientCalls.blockingUnaryCall(channel, FAIL, CallOptions.DEFAULT.withDeadlineAfter(5, TimeUnit.SECONDS), new byte[kibibytes * 1024]);
      code = "OK";
    } catch (StatusRuntimeException e) {
      boolean told = e.getStatus().getCode() == Status.Code.UNAVAILABLE && e.getTrailers() != null && e.getTrailers().get(DETAILS) != null;
      code = told ? "UNAVAILABLE" : "not UNAVAILABLE";
    }
    String otherwise;
    try { other.get(); otherwise = "OK"; } catch (ExecutionException e) { otherwise = "fails"; }
    System.out.println("details of " + kibibytes + " KiB" + (limit == 0 ? "" : ", limit of " + limit + " KiB") + ": " + code
        + "; another call on the connection: " + otherwise);
    channel.shutdownNow();
  }

  static ManagedChannel channel(Server server, int limit) {
    var builder = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext();
    return (limit == 0 ? builder : builder.maxInboundMetadataSize(limit * 1024)).build();
  }

  static void pause(long ms) {
    try { Thread.sleep(ms); } catch (InterruptedException e) { throw new IllegalStateException(e); }
  }
}
JAVA
java -cp 'lib/*' Leave.java 2>log | tee seen || { cat log >&2; exit 1; }
diff seen - <<'SEEN' || { cat log >&2; echo 'This has changed.' >&2; exit 1; }
iterator left: sent all 40
iterator left, context cancelled: stopped
details of 4 KiB: UNAVAILABLE; another call on the connection: OK
details of 12 KiB: not UNAVAILABLE; another call on the connection: fails
details of 12 KiB, limit of 64 KiB: UNAVAILABLE; another call on the connection: OK
SEEN
