package dev.understudy.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.understudy.v1.GenerateRequest;
import dev.understudy.v1.GenerateResponse;
import dev.understudy.v1.StreamChatRequest;
import dev.understudy.v1.StreamChatResponse;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every way out of a call aborts it. */
@Timeout(20)
class StreamLeavingTest {
  private final TestServer server = new TestServer();
  private final UnderstudyClient client = UnderstudyClient.create(server.address());

  @AfterEach
  void close() {
    client.close();
    server.close();
  }

  @Test
  void theEndOfTheBlockAbortsAStreamWhoseLoopWasLeft() throws InterruptedException {
    try (AnswerStream stream = client.streamChat("Hi")) {
      for (StreamChatResponse event : stream) if (event.hasTextDelta()) break;
    }
    assertTrue(server.wasAborted());
  }

  @Test
  void anExceptionInTheLoopAbortsTheStream() throws InterruptedException {
    assertThrows(
        IllegalStateException.class,
        () -> {
          try (AnswerStream stream = client.streamChat("Hi")) {
            for (StreamChatResponse event : stream) throw new IllegalStateException(event.toString());
          }
        });
    assertTrue(server.wasAborted());
  }

  @Test
  void aConsumerThatThrowsAbortsTheStreamThatIsCollected() throws InterruptedException {
    AnswerStream stream = client.streamChat("Hi");
    assertThrows(
        IllegalStateException.class,
        () ->
            stream.collect(
                event -> {
                  throw new IllegalStateException();
                }));
    assertTrue(server.wasAborted());
  }

  @Test
  void cancelEndsAReaderThatWaitsInAnotherThread() throws Exception {
    AnswerStream stream = client.streamChat("Hi");
    CountDownLatch waits = new CountDownLatch(4);
    CompletableFuture<Void> reader =
        CompletableFuture.runAsync(
            () -> {
              while (stream.hasNext()) {
                stream.next();
                waits.countDown();
              }
            });
    assertTrue(waits.await(5, TimeUnit.SECONDS));
    stream.cancel();
    assertTrue(server.wasAborted());
    DecodedError error = DecodedError.of(assertThrows(Exception.class, reader::join));
    assertEquals(Status.Code.CANCELLED, error.code());
  }

  @Test
  void anInterruptAbortsTheStreamAndIsKept() throws InterruptedException {
    AtomicReference<Boolean> wasKept = new AtomicReference<>();
    AtomicReference<UnderstudyException> thrown = new AtomicReference<>();
    CountDownLatch waits = new CountDownLatch(4);
    Thread reader =
        new Thread(
            () -> {
              AnswerStream stream = client.streamChat("Hi");
              try {
                while (stream.hasNext()) {
                  stream.next();
                  waits.countDown();
                }
              } catch (UnderstudyException error) {
                thrown.set(error);
                wasKept.set(Thread.currentThread().isInterrupted());
              }
            });
    reader.start();
    assertTrue(waits.await(5, TimeUnit.SECONDS));
    reader.interrupt();
    assertTrue(server.wasAborted());
    reader.join();
    assertEquals(Status.Code.CANCELLED, thrown.get().code());
    assertTrue(wasKept.get());
  }

  @Test
  void aStreamThatIsDroppedIsAbortedOnceItIsGarbage() throws InterruptedException {
    readOneAndDrop();
    for (int count = 0; count < 50 && server.aborts.get() == 0; count++) {
      System.gc();
      server.aborted.await(100, TimeUnit.MILLISECONDS);
    }
    assertEquals(1, server.aborts.get());
  }

  private void readOneAndDrop() {
    assertTrue(client.streamChat("Hi").next().hasStarted());
  }

  @Test
  void aJavaStreamThatIsClosedAbortsTheCall() throws InterruptedException {
    try (Stream<StreamChatResponse> events = client.streamChat("Hi").stream()) {
      assertEquals("one ", events.filter(StreamChatResponse::hasTextDelta).findFirst().orElseThrow().getTextDelta().getText());
    }
    assertTrue(server.wasAborted());
  }

  @Test
  void theEndOfTheClientEndsAStreamWithCancelled() throws InterruptedException {
    AnswerStream stream = client.streamChat("Hi");
    stream.next();
    client.close();
    UnderstudyException error =
        assertThrows(
            UnderstudyException.class,
            () -> {
              while (stream.hasNext()) stream.next();
            });
    assertEquals(Status.Code.CANCELLED, error.code());
    assertTrue(server.wasAborted());
    assertEquals(Status.Code.CANCELLED, assertThrows(UnderstudyException.class, () -> client.generate("Hi")).code());
  }

  @Test
  void aCompleteStreamIsNotAborted() throws InterruptedException {
    server.events = List.of(TestServer.started(1), TestServer.text(2, "all"), TestServer.finished(3));
    server.endsStreams = true;
    assertEquals("all", client.streamChat("Hi").collect().text());
    try (AnswerStream stream = client.streamChat("Hi")) {
      for (StreamChatResponse event : stream) if (event.hasFinished()) break;
    }
    client.generate("Hi");
    assertEquals(0, server.aborts.get());
  }

  @Test
  void aStreamThatIsNeverReadMakesNoCall() {
    client.streamChat("Hi").close();
    AnswerStream closed = client.streamChat("Hi");
    closed.close();
    assertEquals(Status.Code.CANCELLED, assertThrows(UnderstudyException.class, closed::hasNext).code());
    assertEquals(List.of(), server.methods);
  }

  @Test
  void aStreamWithoutFinishedIsInterrupted() {
    server.endsStreams = true;
    UnderstudyException error = assertThrows(UnderstudyException.class, () -> client.streamChat("Hi").collect());
    assertEquals(Status.Code.ABORTED, error.code());
    assertEquals("STREAM_INTERRUPTED", error.reason());
    assertFalse(error.mayRetry());
    server.events = List.of();
    assertEquals("STREAM_INTERRUPTED", assertThrows(UnderstudyException.class, () -> client.streamChat("Hi").next()).reason());
  }

  @Test
  void cancellingAFutureAbortsItsCall() throws InterruptedException {
    server.answers = false;
    CompletableFuture<?> answer = client.generateAsync(GenerateRequest.newBuilder().setPrompt("Hi").build());
    while (server.methods.isEmpty()) Thread.onSpinWait();
    assertTrue(answer.cancel(true));
    assertTrue(server.wasAborted());
  }

  @Test
  void aFutureThatIsNoLongerWaitedForAbortsItsCall() throws InterruptedException {
    server.answers = false;
    CompletableFuture<GenerateResponse> answer =
        client.generateAsync(GenerateRequest.newBuilder().setPrompt("Hi").build());
    while (server.methods.isEmpty()) Thread.onSpinWait();
    // As orTimeout and completeOnTimeout do.
    answer.complete(GenerateResponse.getDefaultInstance());
    assertTrue(server.wasAborted());
  }

  @Test
  void forEachClosesTheStreamWhereItsActionThrows() throws InterruptedException {
    AnswerStream stream = client.streamChat("Hi");
    assertThrows(
        IllegalStateException.class,
        () ->
            stream.forEach(
                event -> {
                  throw new IllegalStateException();
                }));
    assertTrue(server.wasAborted());
  }

  @Test
  void anInterruptAbortsAUnaryCall() throws InterruptedException {
    server.answers = false;
    AtomicReference<UnderstudyException> thrown = new AtomicReference<>();
    Thread caller =
        new Thread(() -> thrown.set(assertThrows(UnderstudyException.class, () -> client.generate("Hi"))));
    caller.start();
    while (server.methods.isEmpty()) Thread.onSpinWait();
    caller.interrupt();
    assertTrue(server.wasAborted());
    caller.join();
    assertEquals(Status.Code.CANCELLED, thrown.get().code());
  }

  @Test
  void aSubscriberGetsWhatItRequestsAndAbortsByCancelling() throws InterruptedException {
    CountDownLatch two = new CountDownLatch(2);
    AtomicReference<Flow.Subscription> subscription = new AtomicReference<>();
    client
        .streamChatAsync(StreamChatRequest.getDefaultInstance(), RequestOptions.defaults())
        .subscribe(
            new Flow.Subscriber<>() {
              @Override
              public void onSubscribe(Flow.Subscription made) {
                subscription.set(made);
                made.request(2);
              }

              @Override
              public void onNext(StreamChatResponse event) {
                two.countDown();
              }

              @Override
              public void onError(Throwable error) {}

              @Override
              public void onComplete() {}
            });
    assertTrue(two.await(5, TimeUnit.SECONDS));
    assertEquals(0, server.aborts.get());
    subscription.get().cancel();
    assertTrue(server.wasAborted());
  }

  @Test
  void aSubscriberHearsTheEnd() throws InterruptedException {
    assertEquals("STREAM_INTERRUPTED", DecodedError.of(endOf()).reason());
    server.events = List.of(TestServer.finished(1));
    assertEquals(null, endOf());
  }

  private Throwable endOf() throws InterruptedException {
    server.endsStreams = true;
    CountDownLatch end = new CountDownLatch(1);
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    client
        .streamChatAsync(StreamChatRequest.getDefaultInstance(), RequestOptions.defaults())
        .subscribe(
            new Flow.Subscriber<>() {
              @Override
              public void onSubscribe(Flow.Subscription made) {
                made.request(Long.MAX_VALUE);
              }

              @Override
              public void onNext(StreamChatResponse event) {}

              @Override
              public void onError(Throwable error) {
                thrown.set(error);
                end.countDown();
              }

              @Override
              public void onComplete() {
                end.countDown();
              }
            });
    assertTrue(end.await(5, TimeUnit.SECONDS));
    return thrown.get();
  }

  @Test
  void aWatchTellsChangesAndCanBeLeft() {
    try (EventStream<ServingStatus> states = client.watch("")) {
      assertEquals(ServingStatus.SERVING, states.next());
      server.serves(false);
      assertEquals(ServingStatus.NOT_SERVING, states.next());
    }
    assertEquals(ServingStatus.NOT_SERVING, client.check(""));
    assertEquals(Status.Code.NOT_FOUND, assertThrows(UnderstudyException.class, () -> client.check("none")).code());
  }
}
