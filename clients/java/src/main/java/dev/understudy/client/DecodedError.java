package dev.understudy.client;

import dev.understudy.v1.Attempt;
import io.grpc.Status;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What an error of a call says. */
public final class DecodedError implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Domain of the reasons that the gateway gives. */
  public static final String DOMAIN = "understudy";

  private final Status.Code code;
  private final String message;
  private final String reason;
  private final String domain;
  private final HashMap<String, String> metadata;
  private final Duration retryAfter;
  private final boolean mayRetry;
  private final ArrayList<FieldViolation> violations;
  private final ArrayList<QuotaViolation> quotaViolations;
  private final String requestId;
  private final ArrayList<Attempt> attempts;

  DecodedError(Draft draft) {
    code = draft.code;
    message = draft.message == null ? "" : draft.message;
    reason = draft.reason;
    domain = draft.domain;
    metadata = new HashMap<>(draft.metadata);
    retryAfter = draft.retryAfter;
    mayRetry = draft.mayRetry;
    violations = new ArrayList<>(draft.violations);
    quotaViolations = new ArrayList<>(draft.quotaViolations);
    requestId = draft.requestId;
    attempts = new ArrayList<>(draft.attempts);
  }

  /** Fields that are being read. */
  static final class Draft {
    Status.Code code = Status.Code.UNKNOWN;
    String message = "";
    String reason = "";
    String domain = "";
    Map<String, String> metadata = Map.of();
    Duration retryAfter;
    boolean mayRetry;
    List<FieldViolation> violations = List.of();
    List<QuotaViolation> quotaViolations = List.of();
    String requestId = "";
    List<Attempt> attempts = List.of();
  }

  /**
   * Reads an error, whatever it is, and never throws: what cannot be read is left out.
   *
   * @param error an {@link UnderstudyException}, an error of a stub that was called without this client, or anything else,
   *     which has code UNKNOWN; wrappers such as {@link java.util.concurrent.CompletionException} are looked through
   * @return what it says
   */
  public static DecodedError of(Throwable error) {
    return ErrorReader.read(error);
  }

  /**
   * Returns the gRPC status code.
   *
   * @return UNKNOWN for something that is no error of a call
   */
  public Status.Code code() {
    return code;
  }

  /**
   * Returns why, in words.
   *
   * @return empty for none
   */
  public String message() {
    return message;
  }

  /**
   * Returns why: a name of {@link dev.understudy.v1.ErrorReason} without its prefix, such as {@code CIRCUIT_OPEN}, or one
   * that is newer than this client.
   *
   * @return empty where the error carries none, so that it does not come from the gateway
   */
  public String reason() {
    return reason;
  }

  /**
   * Returns who gives the reason: {@link #DOMAIN} for the gateway.
   *
   * @return empty for none
   */
  public String domain() {
    return domain;
  }

  /**
   * Returns further facts of the reason, such as {@code attempts} and {@code lastProvider}.
   *
   * @return facts by name
   */
  public Map<String, String> metadata() {
    return Map.copyOf(metadata);
  }

  /**
   * Returns how long to wait before a repeat.
   *
   * @return empty where nobody said
   */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }

  /**
   * Tells whether a repeat cannot bill twice: the gateway invites to it, or says that no provider was asked, or was never
   * reached.
   *
   * @return false where that is not certain
   */
  public boolean mayRetry() {
    return mayRetry;
  }

  /**
   * Returns what is wrong with the request.
   *
   * @return one entry per field
   */
  public List<FieldViolation> violations() {
    return List.copyOf(violations);
  }

  /**
   * Returns which limits are used up.
   *
   * @return one entry per limit
   */
  public List<QuotaViolation> quotaViolations() {
    return List.copyOf(quotaViolations);
  }

  /**
   * Returns the id of the request.
   *
   * @return empty for none
   */
  public String requestId() {
    return requestId;
  }

  /**
   * Returns what the gateway tried, in order: which provider, why it failed, how long, what it cost.
   *
   * @return empty where it tried nothing, or the error is not its own
   */
  public List<Attempt> attempts() {
    return List.copyOf(attempts);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(code.name());
    if (!message.isEmpty()) text.append(": ").append(message);
    if (!reason.isEmpty()) text.append(" (reason ").append(reason).append(')');
    if (!requestId.isEmpty()) text.append(" (request ").append(requestId).append(')');
    for (FieldViolation violation : violations) {
      text.append("\n  ").append(violation.field()).append(": ").append(violation.description());
    }
    return text.toString();
  }
}
