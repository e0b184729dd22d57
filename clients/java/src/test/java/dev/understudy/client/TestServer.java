package dev.understudy.client;

import dev.understudy.v1.ChatRequest;
import dev.understudy.v1.ChatResponse;
import dev.understudy.v1.GenerateRequest;
import dev.understudy.v1.GenerateResponse;
import dev.understudy.v1.HealthRequest;
import dev.understudy.v1.HealthResponse;
import dev.understudy.v1.ListModelsRequest;
import dev.understudy.v1.ListModelsResponse;
import dev.understudy.v1.LlmServiceGrpc;
import dev.understudy.v1.Model;
import dev.understudy.v1.StreamChatRequest;
import dev.understudy.v1.StreamChatResponse;
import io.grpc.ForwardingServerCallListener;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A gateway of the tests: answers with what it was told, and remembers what it was asked. */
final class TestServer implements AutoCloseable {
  static final Metadata.Key<String> PUSHBACK =
      Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

  /** Errors that calls get, one each, before they are answered. */
  final Queue<StatusRuntimeException> failures = new ConcurrentLinkedQueue<>();

  /** Metadata of the calls of LlmService. */
  final List<Metadata> calls = new CopyOnWriteArrayList<>();

  /** Full names of the methods that were called, health left out. */
  final List<String> methods = new CopyOnWriteArrayList<>();

  /** Counted down by the end of a stream that its caller aborted. */
  final CountDownLatch aborted = new CountDownLatch(1);

  /** Streams that ended with a cancel. */
  final AtomicInteger aborts = new AtomicInteger();

  /** Events that were sent. */
  final AtomicInteger sent = new AtomicInteger();

  final HealthStatusManager health = new HealthStatusManager();
  final int port;

  /** What a stream sends; without {@code finished} it goes on in silence until it is aborted. */
  volatile List<StreamChatResponse> events = List.of(started(1), text(2, "one "), text(3, "two "), text(4, "three "));

  /** Whether a stream ends after its events. */
  volatile boolean endsStreams;

  /** Whether a unary call is answered. */
  volatile boolean answers = true;

  private final Server server;

  TestServer() {
    this(InsecureServerCredentials.create());
  }

  TestServer(ServerCredentials credentials) {
    this(credentials, 0);
  }

  TestServer(ServerCredentials credentials, int wantedPort) {
    ServerBuilder<?> builder =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", wantedPort), credentials)
            .maxInboundMessageSize(20 * 1024 * 1024)
            .intercept(new Recorder())
            .addService(new Service())
            .addService(health.getHealthService());
    try {
      server = builder.build().start();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    port = server.getPort();
  }

  String address() {
    return "127.0.0.1:" + port;
  }

  void serves(boolean serves) {
    health.setStatus("", serves ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  }

  String header(String name) {
    return calls.get(calls.size() - 1).get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
  }

  boolean wasAborted() throws InterruptedException {
    return aborted.await(5, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  static StreamChatResponse started(int sequence) {
    StreamChatResponse.Started started = StreamChatResponse.Started.newBuilder().setRequestId("request-1").build();
    return StreamChatResponse.newBuilder().setSequence(sequence).setStarted(started).build();
  }

  static StreamChatResponse text(int sequence, String text) {
    StreamChatResponse.TextDelta delta = StreamChatResponse.TextDelta.newBuilder().setText(text).build();
    return StreamChatResponse.newBuilder().setSequence(sequence).setTextDelta(delta).build();
  }

  static StreamChatResponse finished(int sequence) {
    StreamChatResponse.Finished finished = StreamChatResponse.Finished.newBuilder().setProvider("mock").build();
    return StreamChatResponse.newBuilder().setSequence(sequence).setFinished(finished).build();
  }

  private final class Recorder implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      if (call.getMethodDescriptor().getFullMethodName().startsWith("understudy")) {
        Metadata kept = new Metadata();
        kept.merge(headers);
        calls.add(kept);
        methods.add(call.getMethodDescriptor().getBareMethodName());
      }
      return new ForwardingServerCallListener.SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
        @Override
        public void onCancel() {
          super.onCancel();
          aborts.incrementAndGet();
          aborted.countDown();
        }
      };
    }
  }

  private final class Service extends LlmServiceGrpc.LlmServiceImplBase {
    private <R> void answer(R response, StreamObserver<R> observer) {
      StatusRuntimeException failure = failures.poll();
      if (failure != null) {
        observer.onError(failure);
        return;
      }
      if (!answers) return;
      observer.onNext(response);
      observer.onCompleted();
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> observer) {
      answer(GenerateResponse.newBuilder().setText(request.getPrompt()).setTarget(address()).build(), observer);
    }

    @Override
    public void chat(ChatRequest request, StreamObserver<ChatResponse> observer) {
      answer(ChatResponse.newBuilder().setText("chat").build(), observer);
    }

    @Override
    public void health(HealthRequest request, StreamObserver<HealthResponse> observer) {
      answer(HealthResponse.newBuilder().setVersion("1").build(), observer);
    }

    @Override
    public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> observer) {
      boolean isFirst = request.getPageToken().isEmpty();
      ListModelsResponse.Builder page = ListModelsResponse.newBuilder().setNextPageToken(isFirst ? "2" : "");
      answer(page.addModels(Model.newBuilder().setId(isFirst ? "a" : "b")).build(), observer);
    }

    @Override
    public void streamChat(StreamChatRequest request, StreamObserver<StreamChatResponse> observer) {
      StatusRuntimeException failure = failures.poll();
      if (failure != null) {
        observer.onError(failure);
        return;
      }
      ServerCallStreamObserver<StreamChatResponse> call = (ServerCallStreamObserver<StreamChatResponse>) observer;
      // Errors of writing to a caller who has left are of no interest.
      call.setOnCancelHandler(() -> {});
      Iterator<StreamChatResponse> left = events.iterator();
      boolean ends = endsStreams;
      call.setOnReadyHandler(
          () -> {
            while (call.isReady() && left.hasNext()) {
              call.onNext(left.next());
              sent.incrementAndGet();
              if (!left.hasNext() && ends) call.onCompleted();
            }
          });
      if (events.isEmpty() && ends) call.onCompleted();
    }
  }

  /** An error of a gateway. */
  static StatusRuntimeException error(Status.Code code, Metadata trailers) {
    return code.toStatus().withDescription("told").asRuntimeException(trailers);
  }
}
