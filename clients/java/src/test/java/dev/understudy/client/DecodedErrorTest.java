package dev.understudy.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RequestInfo;
import dev.understudy.v1.Attempt;
import dev.understudy.v1.AttemptTrail;
import dev.understudy.v1.ErrorReason;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class DecodedErrorTest {
  private static Metadata everything() {
    return Details.trailers(
        "1500",
        ErrorInfo.newBuilder().setReason("OTHER").setDomain("elsewhere").build(),
        Details.reason("INVALID_REQUEST"),
        RequestInfo.newBuilder().setRequestId("request-1").build(),
        BadRequest.newBuilder()
            .addFieldViolations(BadRequest.FieldViolation.newBuilder().setField("prompt").setDescription("is empty"))
            .build(),
        QuotaFailure.newBuilder()
            .addViolations(QuotaFailure.Violation.newBuilder().setSubject("target:a").setDescription("used up"))
            .build(),
        AttemptTrail.newBuilder()
            .addAttempts(Attempt.newBuilder().setTarget("a").setOutcome(ErrorReason.ERROR_REASON_PROVIDER_TIMEOUT))
            .build());
  }

  @Test
  void allThatTheDetailsSayIsRead() {
    DecodedError error = DecodedError.of(TestServer.error(Status.Code.INVALID_ARGUMENT, everything()));
    assertEquals(Status.Code.INVALID_ARGUMENT, error.code());
    assertEquals("told", error.message());
    assertEquals("INVALID_REQUEST", error.reason());
    assertEquals(DecodedError.DOMAIN, error.domain());
    assertEquals("0", error.metadata().get("attempts"));
    assertEquals("request-1", error.requestId());
    assertEquals(List.of(new FieldViolation("prompt", "is empty")), error.violations());
    assertEquals(List.of(new QuotaViolation("target:a", "used up")), error.quotaViolations());
    assertEquals("a", error.attempts().get(0).getTarget());
    assertEquals(Duration.ofMillis(1500), error.retryAfter().orElseThrow());
    assertTrue(error.mayRetry());
    assertEquals(
        "INVALID_ARGUMENT: told (reason INVALID_REQUEST) (request request-1)\n  prompt: is empty", error.toString());
  }

  @Test
  void wrappersAreLookedThrough() {
    StatusException checked = Status.NOT_FOUND.withDescription("gone").asException();
    assertEquals(Status.Code.NOT_FOUND, DecodedError.of(new CompletionException(new RuntimeException(checked))).code());
    assertEquals(Status.Code.CANCELLED, DecodedError.of(new CancellationException()).code());
    assertEquals(Status.Code.DEADLINE_EXCEEDED, DecodedError.of(new TimeoutException("late")).code());
    DecodedError other = DecodedError.of(new IllegalStateException("other"));
    assertEquals(Status.Code.UNKNOWN, other.code());
    assertEquals("other", other.message());
    assertFalse(other.mayRetry());
  }

  @Test
  void nothingThatIsThrownAtItMakesItThrow() {
    assertEquals(Status.Code.UNKNOWN, DecodedError.of(null).code());
    RuntimeException circle = new RuntimeException("a");
    circle.initCause(new RuntimeException("b", circle));
    assertEquals("a", DecodedError.of(circle).message());
    RuntimeException hostile =
        new RuntimeException() {
          private static final long serialVersionUID = 1L;

          @Override
          public String getMessage() {
            throw new IllegalStateException();
          }
        };
    assertEquals("an error that cannot be read", DecodedError.of(hostile).message());
    assertEquals("", DecodedError.of(TestServer.error(Status.Code.INTERNAL, Details.raw(new byte[] {1, 2, 3}))).reason());
    Any broken =
        Any.newBuilder()
            .setTypeUrl("type.googleapis.com/google.rpc.ErrorInfo")
            .setValue(ByteString.copyFrom(new byte[] {(byte) 0xff}))
            .build();
    byte[] bytes =
        com.google.rpc.Status.newBuilder()
            .addDetails(broken)
            .addDetails(Any.pack(RequestInfo.newBuilder().setRequestId("kept").build()))
            .build()
            .toByteArray();
    assertEquals("kept", DecodedError.of(TestServer.error(Status.Code.INTERNAL, Details.raw(bytes))).requestId());
  }

  @Test
  void errorsCanBeSerialized() throws Exception {
    UnderstudyException error =
        new UnderstudyException(DecodedError.of(TestServer.error(Status.Code.ABORTED, everything())), null);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(error);
    }
    try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      UnderstudyException read = (UnderstudyException) in.readObject();
      assertEquals(error.getMessage(), read.getMessage());
      assertEquals(error.attempts(), read.attempts());
      assertEquals(error.retryAfter(), read.retryAfter());
    }
  }

  @Test
  void detailsThatAreLargerThanUsualArrive() {
    try (TestServer server = new TestServer();
        UnderstudyClient client = UnderstudyClient.create(server.address())) {
      for (int kilobytes : new int[] {6, 12, 40}) {
        AttemptTrail.Builder trail = AttemptTrail.newBuilder();
        Attempt attempt = Attempt.newBuilder().setTarget("x".repeat(1000)).build();
        for (int count = 0; count < kilobytes; count++) trail.addAttempts(attempt);
        server.failures.add(
            TestServer.error(Status.Code.UNAVAILABLE, Details.trailers("-1", Details.reason("DEADLINE"), trail.build())));
        UnderstudyException error = assertThrows(UnderstudyException.class, () -> client.generate("Hi"));
        assertEquals("DEADLINE", error.reason());
        assertEquals(kilobytes, error.attempts().size());
      }
      assertEquals("Hi", client.generate("Hi").getText());
    }
  }

  @Test
  void theTraceOfABlockingCallIsTheCallers() {
    try (TestServer server = new TestServer();
        UnderstudyClient client = UnderstudyClient.create(server.address())) {
      server.failures.add(TestServer.error(Status.Code.NOT_FOUND, new Metadata()));
      UnderstudyException error = assertThrows(UnderstudyException.class, () -> client.generate("Hi"));
      assertTrue(
          List.of(error.getStackTrace()).stream().anyMatch(frame -> frame.getClassName().equals(getClass().getName())));
      assertEquals(Status.Code.NOT_FOUND, Status.fromThrowable(error.getCause()).getCode());
    }
  }
}
