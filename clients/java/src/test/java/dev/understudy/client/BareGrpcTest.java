package dev.understudy.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.understudy.v1.Attempt;
import dev.understudy.v1.AttemptTrail;
import dev.understudy.v1.GenerateRequest;
import dev.understudy.v1.LlmServiceGrpc;
import dev.understudy.v1.StreamChatRequest;
import dev.understudy.v1.StreamChatResponse;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What grpc-java does by itself, which this client is there to change. Where one of these fails, grpc-java has changed. */
@Timeout(20)
class BareGrpcTest {
  private final TestServer server = new TestServer();
  private final ManagedChannel channel =
      Grpc.newChannelBuilder(server.address(), InsecureChannelCredentials.create()).build();
  private final LlmServiceGrpc.LlmServiceBlockingStub stub = LlmServiceGrpc.newBlockingStub(channel);

  @AfterEach
  void close() {
    channel.shutdownNow();
    server.close();
  }

  @Test
  void aBlockingIteratorThatIsLeftGoesOn() throws InterruptedException {
    Iterator<StreamChatResponse> events = stub.streamChat(StreamChatRequest.getDefaultInstance());
    assertTrue(events.next().hasStarted());
    assertFalse(server.aborted.await(500, TimeUnit.MILLISECONDS));
  }

  @Test
  void aStreamWithoutFinishedLooksComplete() {
    server.endsStreams = true;
    Iterator<StreamChatResponse> events = stub.streamChat(StreamChatRequest.getDefaultInstance());
    while (events.hasNext()) assertFalse(events.next().hasFinished());
  }

  @Test
  void detailsOfTwelveKilobytesCostTheCallItsError() {
    AttemptTrail.Builder trail = AttemptTrail.newBuilder();
    Attempt attempt = Attempt.newBuilder().setTarget("x".repeat(1000)).build();
    for (int count = 0; count < 12; count++) trail.addAttempts(attempt);
    server.failures.add(
        TestServer.error(Status.Code.UNAVAILABLE, Details.trailers("-1", Details.reason("DEADLINE"), trail.build())));
    StatusRuntimeException error =
        assertThrows(
            StatusRuntimeException.class,
            () -> stub.generate(GenerateRequest.newBuilder().setPrompt("Hi").build()));
    assertEquals("", DecodedError.of(error).reason());
    assertEquals(0, DecodedError.of(error).attempts().size());
  }

  @Test
  void anAnswerOfFiveMebibytesIsRefused() {
    String prompt = "x".repeat(5 * 1024 * 1024);
    StatusRuntimeException error =
        assertThrows(
            StatusRuntimeException.class,
            () -> stub.generate(GenerateRequest.newBuilder().setPrompt(prompt).build()));
    assertEquals(Status.Code.RESOURCE_EXHAUSTED, error.getStatus().getCode());
  }
}
