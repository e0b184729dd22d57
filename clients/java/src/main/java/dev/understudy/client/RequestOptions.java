package dev.understudy.client;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/** Options of one call. Immutable: each {@code with…} returns a copy. */
public final class RequestOptions {
  private static final RequestOptions DEFAULTS = new RequestOptions(null, Map.of(), null, null);

  private final Duration timeout;
  private final Map<String, String> metadata;
  private final Boolean waitForReady;
  private final Integer maxRetries;

  private RequestOptions(
      Duration timeout, Map<String, String> metadata, Boolean waitForReady, Integer maxRetries) {
    this.timeout = timeout;
    this.metadata = metadata;
    this.waitForReady = waitForReady;
    this.maxRetries = maxRetries;
  }

  /**
   * Returns options that leave everything to the client.
   *
   * @return the options
   */
  public static RequestOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Sets the deadline: the budget of the whole chain of providers, repeats included.
   *
   * @param timeout the time from the start of the call; zero sends none, and the gateway then uses its own
   * @return a copy with it
   * @throws IllegalArgumentException if it is negative
   */
  public RequestOptions withTimeout(Duration timeout) {
    return new RequestOptions(Settings.checkTimeout(timeout), metadata, waitForReady, maxRetries);
  }

  /**
   * Adds metadata. It wins over that of the client.
   *
   * @param name the name, such as {@code x-tenant}; not one of binary metadata
   * @param value the value, printable ASCII
   * @return a copy with it
   * @throws IllegalArgumentException if gRPC does not allow the name or the value
   */
  public RequestOptions withMetadata(String name, String value) {
    Map<String, String> merged = new TreeMap<>(metadata);
    Settings.putMetadata(merged, name, value);
    return new RequestOptions(timeout, Map.copyOf(merged), waitForReady, maxRetries);
  }

  /**
   * Sets the caller's own id of the request ({@code x-request-id}); it comes back in answers and errors. An id in the
   * message itself wins.
   *
   * @param requestId at most 128 printable ASCII characters
   * @return a copy with it
   * @throws IllegalArgumentException if gRPC does not allow the value
   */
  public RequestOptions withRequestId(String requestId) {
    return withMetadata(Settings.REQUEST_ID, requestId);
  }

  /**
   * Passes a W3C trace context on.
   *
   * @param traceparent the value of the header {@code traceparent}
   * @return a copy with it
   * @throws IllegalArgumentException if gRPC does not allow the value
   */
  public RequestOptions withTraceparent(String traceparent) {
    return withMetadata("traceparent", traceparent);
  }

  /**
   * Says whether the call waits, within its deadline, for a gateway that can be reached, instead of failing at once.
   *
   * @param waitForReady whether it waits
   * @return a copy with it
   */
  public RequestOptions withWaitForReady(boolean waitForReady) {
    return new RequestOptions(timeout, metadata, waitForReady, maxRetries);
  }

  /**
   * Sets how often the call is repeated at most. It is repeated only where that cannot bill twice.
   *
   * @param maxRetries 0 for never
   * @return a copy with it
   * @throws IllegalArgumentException if it is negative
   */
  public RequestOptions withMaxRetries(int maxRetries) {
    return new RequestOptions(timeout, metadata, waitForReady, Settings.checkMaxRetries(maxRetries));
  }

  /**
   * Returns the deadline.
   *
   * @return empty for that of the client; zero for none
   */
  public Optional<Duration> timeout() {
    return Optional.ofNullable(timeout);
  }

  /**
   * Returns the metadata.
   *
   * @return values by lower-case name
   */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * Returns whether the call waits for a gateway that can be reached.
   *
   * @return empty for what the client does
   */
  public Optional<Boolean> waitForReady() {
    return Optional.ofNullable(waitForReady);
  }

  /**
   * Returns how often the call is repeated at most.
   *
   * @return empty for what the client does
   */
  public OptionalInt maxRetries() {
    return maxRetries == null ? OptionalInt.empty() : OptionalInt.of(maxRetries);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RequestOptions options
        && Objects.equals(timeout, options.timeout)
        && metadata.equals(options.metadata)
        && Objects.equals(waitForReady, options.waitForReady)
        && Objects.equals(maxRetries, options.maxRetries);
  }

  @Override
  public int hashCode() {
    return Objects.hash(timeout, metadata, waitForReady, maxRetries);
  }
}
