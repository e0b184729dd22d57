package dev.understudy.client;

import dev.understudy.v1.Attempt;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A call that failed. {@link #getCause()} is the error of gRPC, where there is one. */
public final class UnderstudyException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** All that the error says. */
  private final DecodedError decoded;

  UnderstudyException(DecodedError decoded, Throwable cause) {
    super(decoded.toString(), cause);
    this.decoded = decoded;
  }

  /**
   * Returns all that the error says.
   *
   * @return what was read
   */
  public DecodedError decoded() {
    return decoded;
  }

  /**
   * Returns the gRPC status code.
   *
   * @return the code
   */
  public Status.Code code() {
    return decoded.code();
  }

  /**
   * Returns why, such as {@code CIRCUIT_OPEN}: a name of {@link dev.understudy.v1.ErrorReason} without its prefix.
   *
   * @return empty where the error does not come from the gateway
   */
  public String reason() {
    return decoded.reason();
  }

  /**
   * Returns what is wrong with the request.
   *
   * @return one entry per field
   */
  public List<FieldViolation> violations() {
    return decoded.violations();
  }

  /**
   * Returns which limits are used up.
   *
   * @return one entry per limit or budget
   */
  public List<QuotaViolation> quotaViolations() {
    return decoded.quotaViolations();
  }

  /**
   * Returns further facts of the reason, such as {@code renewsAt} of a budget.
   *
   * @return empty for none
   */
  public Map<String, String> metadata() {
    return decoded.metadata();
  }

  /**
   * Returns what the gateway tried, in order: which provider, why it failed, how long, what it cost.
   *
   * @return empty where it tried nothing
   */
  public List<Attempt> attempts() {
    return decoded.attempts();
  }

  /**
   * Tells whether a repeat cannot bill twice. The client has done its own repeats by then.
   *
   * @return false where that is not certain
   */
  public boolean mayRetry() {
    return decoded.mayRetry();
  }

  /**
   * Returns how long to wait before a repeat.
   *
   * @return empty where nobody said
   */
  public Optional<Duration> retryAfter() {
    return decoded.retryAfter();
  }

  /**
   * Returns the id of the request, for logs and support.
   *
   * @return empty for none
   */
  public String requestId() {
    return decoded.requestId();
  }
}
