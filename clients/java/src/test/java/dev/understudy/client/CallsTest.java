package dev.understudy.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.understudy.v1.ChatRequest;
import dev.understudy.v1.GenerateRequest;
import dev.understudy.v1.ListModelsRequest;
import dev.understudy.v1.Model;
import dev.understudy.v1.StreamChatRequest;
import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class CallsTest {
  private static final GenerateRequest REQUEST = GenerateRequest.newBuilder().setPrompt("Hi").build();

  private final TestServer server = new TestServer();
  private final UnderstudyClient client = UnderstudyClient.create(server.address());

  @AfterEach
  void close() {
    client.close();
    server.close();
  }

  /** The last call told this deadline, less what it took to get there. */
  private void assertTold(int seconds) {
    long told = toldMs();
    assertTrue(told <= seconds * 1000L && told > seconds * 1000L - 2500, told + " ms");
  }

  private long toldMs() {
    String told = server.header("grpc-timeout");
    long value = Long.parseLong(told.substring(0, told.length() - 1));
    TimeUnit unit =
        switch (told.charAt(told.length() - 1)) {
          case 'n' -> TimeUnit.NANOSECONDS;
          case 'u' -> TimeUnit.MICROSECONDS;
          case 'm' -> TimeUnit.MILLISECONDS;
          case 'S' -> TimeUnit.SECONDS;
          default -> throw new AssertionError(told);
        };
    return unit.toMillis(value);
  }

  @Test
  void everyMethodHasADeadlineOfItsOwn() {
    client.generate("Hi");
    assertTold(120);
    client.chat(ChatRequest.getDefaultInstance());
    assertTold(120);
    client.listModels(ListModelsRequest.getDefaultInstance());
    assertTold(120);
    client.health();
    assertTold(5);
    client.streamChat("Hi").next();
    assertTold(600);
  }

  @Test
  void deadlinesOfTheClientAndOfTheCallWin() {
    try (UnderstudyClient own =
        UnderstudyClient.builder()
            .addresses(server.address())
            .timeout(RpcMethod.GENERATE, Duration.ofSeconds(7))
            .build()) {
      own.generate("Hi");
      assertTold(7);
      own.generate(REQUEST, RequestOptions.defaults().withTimeout(Duration.ofSeconds(9)));
      assertTold(9);
      own.generate(REQUEST, RequestOptions.defaults().withTimeout(Duration.ZERO));
      assertNull(server.header("grpc-timeout"));
      own.generate(REQUEST, RequestOptions.defaults().withTimeout(Duration.ofDays(1000)));
      assertTold(100_000);
    }
    assertThrows(
        IllegalArgumentException.class, () -> RequestOptions.defaults().withTimeout(Duration.ofMillis(-1)));
  }

  @Test
  void aShorterDeadlineOfTheContextHolds() throws Exception {
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    try (Context.CancellableContext context = Context.current().withDeadlineAfter(3, TimeUnit.SECONDS, timer)) {
      context.call(() -> client.generate("Hi"));
      assertTold(3);
    } finally {
      timer.shutdownNow();
    }
  }

  @Test
  void whenTimeIsUpTheCallEndsAndIsAborted() throws InterruptedException {
    client.generate("Hi");
    server.answers = false;
    long beganAtNs = System.nanoTime();
    UnderstudyException error =
        assertThrows(
            UnderstudyException.class,
            () -> client.generate(REQUEST, RequestOptions.defaults().withTimeout(Duration.ofMillis(400))));
    assertTrue(System.nanoTime() - beganAtNs >= TimeUnit.MILLISECONDS.toNanos(400));
    assertEquals(Status.Code.DEADLINE_EXCEEDED, error.code());
    assertFalse(error.mayRetry());
    assertTrue(server.wasAborted());
  }

  @Test
  void theGatewayIsToldTheDeadlineAndHasAQuarterOfItForItsLastWord() throws InterruptedException {
    long beganAtNs = System.nanoTime();
    CallDeadline deadline =
        new CallDeadline(Deadline.after(200, TimeUnit.MILLISECONDS), Duration.ofMillis(200));
    Metadata headers = new Metadata();
    deadline.newClientStreamTracer(null, headers).streamCreated(Attributes.EMPTY, headers);
    String told = headers.get(Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER));
    assertTrue(Integer.parseInt(told.replace("u", "")) <= 200_000, told);
    CountDownLatch exceeded = new CountDownLatch(1);
    deadline.start(exceeded::countDown);
    assertTrue(exceeded.await(5, TimeUnit.SECONDS));
    assertTrue(System.nanoTime() - beganAtNs >= TimeUnit.MILLISECONDS.toNanos(250));
  }

  @Test
  void aGatewayThatIsNotThereIsNotWaitedForBeyondTheDeadline() {
    server.close();
    RequestOptions options = RequestOptions.defaults().withTimeout(Duration.ofMillis(300)).withWaitForReady(true);
    UnderstudyException error = assertThrows(UnderstudyException.class, () -> client.generate(REQUEST, options));
    assertEquals(Status.Code.DEADLINE_EXCEEDED, error.code());
    assertTrue(error.getMessage().contains("no gateway was reached"), error.getMessage());
  }

  @Test
  void metadataGoesWithTheCall() {
    try (UnderstudyClient own =
        UnderstudyClient.builder().addresses(server.address()).metadata("X-Tenant", "a").metadata("x-team", "b").build()) {
      RequestOptions options =
          RequestOptions.defaults().withRequestId("id-1").withTraceparent("00-1").withMetadata("x-team", "c");
      own.generate(REQUEST, options);
      assertEquals("id-1", server.header("x-request-id"));
      assertEquals("00-1", server.header("traceparent"));
      assertEquals("a", server.header("x-tenant"));
      assertEquals("c", server.header("x-team"));
      assertTrue(server.header("user-agent").startsWith("understudy-java/0.1.0 grpc-java"), server.header("user-agent"));
    }
    for (String name : List.of("x tenant", "x-key-bin", "grpc-timeout", "")) {
      assertThrows(IllegalArgumentException.class, () -> RequestOptions.defaults().withMetadata(name, "a"));
    }
    assertThrows(IllegalArgumentException.class, () -> RequestOptions.defaults().withRequestId("a\nb"));
  }

  @Test
  void anApiKeyIsSentAndAskedForAtEachTry() {
    AtomicInteger count = new AtomicInteger();
    try (UnderstudyClient own =
        UnderstudyClient.builder().addresses(server.address()).apiKey(() -> "key-" + count.incrementAndGet() + "\n").build()) {
      own.generate("Hi");
      assertEquals("Bearer key-1", server.header("authorization"));
      server.failures.add(TestServer.error(Status.Code.UNAVAILABLE, Details.trailers("10", Details.reason("CIRCUIT_OPEN"))));
      own.generate("Hi");
      assertEquals("Bearer key-3", server.header("authorization"));
      own.generate(REQUEST, RequestOptions.defaults().withMetadata("authorization", "Basic x"));
      assertEquals("Basic x", server.header("authorization"));
    }
  }

  @Test
  void aKeyThatCannotBeHadFailsTheCall() {
    try (UnderstudyClient own =
        UnderstudyClient.builder()
            .addresses(server.address())
            .apiKey(
                () -> {
                  throw new IllegalStateException("no token");
                })
            .build()) {
      UnderstudyException error = assertThrows(UnderstudyException.class, () -> own.generate("Hi"));
      assertEquals(Status.Code.UNAUTHENTICATED, error.code());
      assertEquals(0, server.calls.size());
    }
  }

  @Test
  void aKeyOverPlaintextToAnotherHostIsRefused() {
    UnderstudyClientBuilder builder = UnderstudyClient.builder().addresses("gateway.example:50051").apiKey("secret");
    IllegalArgumentException error = assertThrows(IllegalArgumentException.class, builder::build);
    assertFalse(error.getMessage().contains("secret"));
    builder.allowApiKeyWithoutTls(true).build().close();
    UnderstudyClient.builder().addresses("https://gateway.example").apiKey("secret").build().close();
    for (String local : List.of("localhost:1", "127.0.0.1:1,[::1]:1", "dns:///localhost:1")) {
      UnderstudyClient.builder().addresses(local).apiKey("secret").build().close();
    }
    assertThrows(IllegalArgumentException.class, () -> UnderstudyClient.builder().apiKey("a\u00e9"));
    assertThrows(IllegalArgumentException.class, () -> UnderstudyClient.builder().apiKey(" "));
  }

  @Test
  void tenMebibytesGoEachWay() {
    String prompt = "0123456789abcdef".repeat(10 * 1024 * 1024 / 16);
    assertEquals(prompt, client.generate(prompt).getText());
  }

  @Test
  void allPagesOfModelsAreRead() {
    assertEquals(List.of("a", "b"), client.models().stream().map(Model::getId).toList());
  }

  @Test
  void aReaderThatStopsTakesInLittle() throws InterruptedException {
    List<dev.understudy.v1.StreamChatResponse> many = new ArrayList<>();
    String text = "x".repeat(64 * 1024);
    for (int sequence = 1; sequence <= 200; sequence++) many.add(TestServer.text(sequence, text));
    server.events = many;
    try (AnswerStream stream = client.streamChat(StreamChatRequest.getDefaultInstance())) {
      stream.next();
      int sent = -1;
      while (sent != server.sent.get()) {
        sent = server.sent.get();
        TimeUnit.MILLISECONDS.sleep(100);
      }
      assertTrue(sent * 64 <= 4 * 1024, sent + " messages of 64 KiB");
    }
    assertTrue(server.wasAborted());
  }
}
