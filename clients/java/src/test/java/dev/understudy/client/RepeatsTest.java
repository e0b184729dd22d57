package dev.understudy.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import com.google.rpc.RetryInfo;
import dev.understudy.v1.Attempt;
import dev.understudy.v1.AttemptKind;
import dev.understudy.v1.AttemptTrail;
import dev.understudy.v1.GenerateRequest;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A call is repeated only where that cannot bill twice. */
@Timeout(20)
class RepeatsTest {
  private static final GenerateRequest REQUEST = GenerateRequest.newBuilder().setPrompt("Hi").build();

  private final TestServer server = new TestServer();
  private final UnderstudyClient client = UnderstudyClient.create(server.address());

  @AfterEach
  void close() {
    client.close();
    server.close();
  }

  private void fails(int times, Metadata trailers) {
    for (int count = 0; count < times; count++) {
      Metadata copy = new Metadata();
      copy.merge(trailers);
      server.failures.add(TestServer.error(Status.Code.UNAVAILABLE, copy));
    }
  }

  private static AttemptTrail trail(AttemptKind kind) {
    return AttemptTrail.newBuilder().addAttempts(Attempt.newBuilder().setKind(kind)).build();
  }

  private static RetryInfo after(int ms) {
    return RetryInfo.newBuilder().setRetryDelay(Duration.newBuilder().setNanos(ms * 1_000_000)).build();
  }

  @Test
  void aCallThatReachedNoProviderIsRepeatedAfterThePushback() {
    fails(2, Details.trailers("60", Details.reason("CIRCUIT_OPEN")));
    long beganAtNs = System.nanoTime();
    assertEquals("Hi", client.generate("Hi").getText());
    assertTrue(System.nanoTime() - beganAtNs >= TimeUnit.MILLISECONDS.toNanos(120));
    assertEquals(3, server.calls.size());
  }

  @Test
  void thereAreTwoRepeatsAtMost() {
    fails(3, Details.trailers("10", Details.reason("CIRCUIT_OPEN")));
    UnderstudyException error = assertThrows(UnderstudyException.class, () -> client.generate("Hi"));
    assertEquals("CIRCUIT_OPEN", error.reason());
    assertTrue(error.mayRetry());
    assertEquals(java.time.Duration.ofMillis(10), error.retryAfter().orElseThrow());
    assertEquals(3, server.calls.size());
  }

  @Test
  void retryInfoAndSkippedTargetsInviteToo() {
    fails(1, Details.trailers(null, Details.reason("CIRCUIT_OPEN"), after(10), trail(AttemptKind.ATTEMPT_KIND_SKIPPED)));
    fails(1, Details.trailers(null, Details.reason("SHUTTING_DOWN"), after(10)));
    assertEquals("Hi", client.generate("Hi").getText());
  }

  @Test
  void aCallThatReachedAProviderIsNotRepeated() {
    for (Metadata trailers :
        List.of(
            Details.trailers("-1", Details.reason("ALL_PROVIDERS_FAILED"), after(10)),
            Details.trailers(null, Details.reason("ALL_PROVIDERS_FAILED"), after(10), trail(AttemptKind.ATTEMPT_KIND_FIRST)),
            Details.trailers(null, Details.reason("CIRCUIT_OPEN"), trail(AttemptKind.ATTEMPT_KIND_RETRY)),
            Details.trailers("soon", Details.reason("CIRCUIT_OPEN")),
            new Metadata())) {
      server.calls.clear();
      fails(1, trailers);
      assertThrows(UnderstudyException.class, () -> client.generate("Hi"));
      assertEquals(1, server.calls.size());
    }
  }

  @Test
  void aRepeatThatWouldComeTooLateIsNotWaitedFor() {
    fails(1, Details.trailers("5000", Details.reason("CIRCUIT_OPEN")));
    long beganAtNs = System.nanoTime();
    RequestOptions options = RequestOptions.defaults().withTimeout(java.time.Duration.ofSeconds(3));
    assertEquals("CIRCUIT_OPEN", assertThrows(UnderstudyException.class, () -> client.generate(REQUEST, options)).reason());
    assertTrue(System.nanoTime() - beganAtNs < TimeUnit.SECONDS.toNanos(3));
  }

  @Test
  void closingTheClientEndsTheWaitForARepeat() throws Exception {
    fails(1, Details.trailers("20000", Details.reason("CIRCUIT_OPEN")));
    long beganAtNs = System.nanoTime();
    CompletableFuture<?> call = client.generateAsync(REQUEST);
    Thread.sleep(1000);
    client.close();
    Throwable cause = assertThrows(ExecutionException.class, call::get).getCause();
    assertEquals(Status.Code.CANCELLED, ((UnderstudyException) cause).code());
    assertTrue(System.nanoTime() - beganAtNs < TimeUnit.SECONDS.toNanos(5));
    assertEquals(1, server.calls.size());
  }

  @Test
  void repeatsCanBeTurnedOff() {
    fails(1, Details.trailers("10", Details.reason("CIRCUIT_OPEN")));
    RequestOptions options = RequestOptions.defaults().withMaxRetries(0);
    assertThrows(UnderstudyException.class, () -> client.generate(REQUEST, options));
    try (UnderstudyClient never = UnderstudyClient.builder().addresses(server.address()).maxRetries(0).build()) {
      fails(1, Details.trailers("10", Details.reason("CIRCUIT_OPEN")));
      assertThrows(UnderstudyException.class, () -> never.generate("Hi"));
    }
    assertEquals(2, server.calls.size());
  }

  @Test
  void aStreamIsRepeatedBeforeItsFirstEvent() {
    fails(2, Details.trailers("10", Details.reason("OVERLOADED")));
    server.events = List.of(TestServer.text(1, "all"), TestServer.finished(2));
    server.endsStreams = true;
    assertEquals("all", client.streamChat("Hi").collect().text());
    assertEquals(3, server.calls.size());
  }

  @Test
  void aGatewayThatWasNeverReachedIsTriedAgain() throws Exception {
    int port = server.port;
    server.close();
    UnderstudyException error = assertThrows(UnderstudyException.class, () -> client.generate("Hi"));
    assertEquals(Status.Code.UNAVAILABLE, error.code());
    assertTrue(error.mayRetry());
    assertTrue(error.getMessage().contains("refused"), error.getMessage());
    RequestOptions waiting = RequestOptions.defaults().withWaitForReady(true);
    CompletableFuture<String> answer =
        CompletableFuture.supplyAsync(() -> client.generate(REQUEST, waiting).getText());
    try (TestServer back = new TestServer(InsecureServerCredentials.create(), port)) {
      assertEquals("Hi", answer.get());
      assertEquals(1, back.calls.size());
    }
  }
}
