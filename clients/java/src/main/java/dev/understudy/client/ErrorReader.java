package dev.understudy.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RequestInfo;
import com.google.rpc.RetryInfo;
import dev.understudy.v1.AttemptKind;
import dev.understudy.v1.AttemptTrail;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;

/** Reads what errors say. */
final class ErrorReader {
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);
  private static final Metadata.Key<String> PUSHBACK =
      Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> REQUEST_ID =
      Metadata.Key.of(Settings.REQUEST_ID, Metadata.ASCII_STRING_MARSHALLER);

  /** Reasons that the gateway gives only before it asks a provider, or with a trail that says otherwise. */
  private static final Set<String> BEFORE_CONTACT = Set.of("CIRCUIT_OPEN", "OVERLOADED", "LIMITS_UNAVAILABLE");

  /** How grpc-java begins where its own health check keeps a call back. */
  private static final String NOT_SERVING = "Health-check service responded";

  private ErrorReader() {}

  static DecodedError read(Throwable error) {
    try {
      return decode(error);
    } catch (RuntimeException | LinkageError unreadable) {
      return plain(Status.Code.UNKNOWN, "an error that cannot be read");
    }
  }

  static DecodedError plain(Status.Code code, String message) {
    DecodedError.Draft draft = new DecodedError.Draft();
    draft.code = code;
    draft.message = message;
    return new DecodedError(draft);
  }

  /** The error of a stream that ended without {@code finished}; it looks as the gateway's own for a broken answer. */
  static DecodedError interrupted(String requestId) {
    DecodedError.Draft draft = new DecodedError.Draft();
    draft.code = Status.Code.ABORTED;
    draft.message = "the stream ended without \"finished\"";
    draft.reason = "STREAM_INTERRUPTED";
    draft.domain = DecodedError.DOMAIN;
    draft.metadata = Map.of("origin", "client");
    draft.requestId = requestId;
    return new DecodedError(draft);
  }

  /** Reads the end of a call; headers may be null. */
  static DecodedError of(Status status, Metadata trailers, Metadata headers) {
    DecodedError.Draft draft = new DecodedError.Draft();
    draft.code = status.getCode();
    draft.message = message(status);
    List<Any> details = details(trailers);
    List<ErrorInfo> infos = new ArrayList<>(all(details, ErrorInfo.class));
    infos.sort(Comparator.comparing(info -> !info.getDomain().equals(DecodedError.DOMAIN)));
    if (!infos.isEmpty()) {
      draft.reason = infos.get(0).getReason();
      draft.domain = infos.get(0).getDomain();
      draft.metadata = infos.get(0).getMetadataMap();
    }
    first(details, AttemptTrail.class).ifPresent(trail -> draft.attempts = trail.getAttemptsList());
    first(details, BadRequest.class).ifPresent(bad -> draft.violations = violations(bad));
    first(details, QuotaFailure.class).ifPresent(failure -> draft.quotaViolations = violations(failure));
    draft.requestId =
        first(details, RequestInfo.class)
            .map(RequestInfo::getRequestId)
            .filter(id -> !id.isEmpty())
            .orElseGet(() -> requestId(trailers, headers));
    Long pushbackMs = pushbackMs(trailers);
    Optional<RetryInfo> retryInfo = first(details, RetryInfo.class).filter(RetryInfo::hasRetryDelay);
    if (pushbackMs != null && pushbackMs >= 0) draft.retryAfter = Duration.ofMillis(pushbackMs);
    else retryInfo.ifPresent(info -> draft.retryAfter = duration(info.getRetryDelay()));
    draft.mayRetry = pushbackMs == null ? invites(draft, status, retryInfo.isPresent()) : pushbackMs >= 0;
    return new DecodedError(draft);
  }

  /** The id of the request as metadata tells it; either may be null. */
  static String requestId(Metadata trailers, Metadata headers) {
    String id = trailers == null ? null : trailers.get(REQUEST_ID);
    if (id == null && headers != null) id = headers.get(REQUEST_ID);
    return id == null ? "" : id;
  }

  private static DecodedError decode(Throwable error) {
    List<Throwable> causes = causes(error);
    for (Throwable cause : causes) {
      if (cause instanceof UnderstudyException known) return known.decoded();
      if (cause instanceof StatusRuntimeException failed) return of(failed.getStatus(), failed.getTrailers(), null);
      if (cause instanceof StatusException failed) return of(failed.getStatus(), failed.getTrailers(), null);
    }
    for (Throwable cause : causes) {
      if (cause instanceof CancellationException || cause instanceof InterruptedException) {
        return plain(Status.Code.CANCELLED, cause.getMessage());
      }
      if (cause instanceof TimeoutException) return plain(Status.Code.DEADLINE_EXCEEDED, cause.getMessage());
    }
    return plain(Status.Code.UNKNOWN, error == null ? "" : error.getMessage());
  }

  private static boolean invites(DecodedError.Draft draft, Status status, boolean hasRetryInfo) {
    if (draft.domain.isEmpty()) return wasNeverReached(status);
    if (!draft.domain.equals(DecodedError.DOMAIN)) return false;
    if (!hasRetryInfo && !BEFORE_CONTACT.contains(draft.reason)) return false;
    return draft.attempts.stream().allMatch(attempt -> attempt.getKind() == AttemptKind.ATTEMPT_KIND_SKIPPED);
  }

  /** Whether no connection came about, so that nothing of the call was sent. */
  private static boolean wasNeverReached(Status status) {
    if (status.getCode() != Status.Code.UNAVAILABLE) return false;
    String description = status.getDescription();
    if (description != null && description.startsWith(NOT_SERVING)) return true;
    return causes(status.getCause()).stream()
        .anyMatch(
            cause ->
                cause instanceof ConnectException
                    || cause instanceof UnknownHostException
                    || cause instanceof NoRouteToHostException
                    || cause instanceof UnresolvedAddressException);
  }

  /** Where a connection failed, gRPC's own text does not say how; its cause does. */
  private static String message(Status status) {
    String description = status.getDescription() == null ? "" : status.getDescription();
    String why = status.getCause() == null ? null : status.getCause().getMessage();
    if (why == null || status.getCode() != Status.Code.UNAVAILABLE || description.contains(why)) return description;
    return description.isEmpty() ? why : description + ": " + why;
  }

  /** The chain of causes, each once. */
  private static List<Throwable> causes(Throwable error) {
    Map<Throwable, Boolean> seen = new IdentityHashMap<>();
    List<Throwable> chain = new ArrayList<>();
    for (Throwable cause = error; cause != null && seen.put(cause, true) == null; cause = cause.getCause()) {
      chain.add(cause);
    }
    return chain;
  }

  private static List<Any> details(Metadata trailers) {
    byte[] bytes = trailers == null ? null : trailers.get(DETAILS);
    if (bytes == null) return List.of();
    try {
      return com.google.rpc.Status.parseFrom(bytes).getDetailsList();
    } catch (InvalidProtocolBufferException unreadable) {
      return List.of();
    }
  }

  private static <T extends Message> List<T> all(List<Any> details, Class<T> type) {
    List<T> found = new ArrayList<>();
    for (Any detail : details) {
      try {
        if (detail.is(type)) found.add(detail.unpack(type));
      } catch (InvalidProtocolBufferException unreadable) {
        continue;
      }
    }
    return found;
  }

  private static <T extends Message> Optional<T> first(List<Any> details, Class<T> type) {
    return all(details, type).stream().findFirst();
  }

  /** Null without a pushback; -1 where it forbids a repeat or cannot be read, which means the same. */
  private static Long pushbackMs(Metadata trailers) {
    String value = trailers == null ? null : trailers.get(PUSHBACK);
    if (value == null) return null;
    return value.matches("[0-9]{1,10}") ? Long.parseLong(value) : -1L;
  }

  private static Duration duration(com.google.protobuf.Duration delay) {
    Duration read = Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
    return read.isNegative() ? Duration.ZERO : read;
  }

  private static List<FieldViolation> violations(BadRequest bad) {
    return bad.getFieldViolationsList().stream()
        .map(violation -> new FieldViolation(violation.getField(), violation.getDescription()))
        .toList();
  }

  private static List<QuotaViolation> violations(QuotaFailure failure) {
    return failure.getViolationsList().stream()
        .map(violation -> new QuotaViolation(violation.getSubject(), violation.getDescription()))
        .toList();
  }
}
