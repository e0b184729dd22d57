package dev.understudy.client;

import io.grpc.Metadata;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What a client does where a call says nothing else. */
record Settings(
    Map<RpcMethod, Duration> timeouts,
    Map<String, String> metadata,
    boolean waitForReady,
    int maxRetries) {
  static final String REQUEST_ID = "x-request-id";

  /** Longest deadline, about 27 hours: {@code grpc-timeout} has at most eight digits, and servers count milliseconds. */
  private static final Duration LONGEST_TIMEOUT = Duration.ofMillis(99_999_999);

  Settings {
    timeouts = timeouts.isEmpty() ? Map.of() : new EnumMap<>(timeouts);
    metadata = Map.copyOf(metadata);
  }

  /** The settings of one call. */
  record OfCall(Duration timeout, Metadata headers, boolean waitForReady, int maxRetries) {}

  OfCall with(RpcMethod method, RequestOptions options) {
    Map<String, String> merged = new TreeMap<>(metadata);
    merged.putAll(options.metadata());
    Metadata headers = new Metadata();
    merged.forEach((name, value) -> headers.put(key(name), value));
    Duration timeout = options.timeout().orElseGet(() -> timeouts.getOrDefault(method, method.defaultTimeout()));
    return new OfCall(
        timeout.compareTo(LONGEST_TIMEOUT) > 0 ? LONGEST_TIMEOUT : timeout,
        headers,
        options.waitForReady().orElse(waitForReady),
        options.maxRetries().orElse(maxRetries));
  }

  static Duration checkTimeout(Duration timeout) {
    if (timeout.isNegative()) throw new IllegalArgumentException("a timeout must be zero or more");
    return timeout;
  }

  static int checkMaxRetries(int maxRetries) {
    if (maxRetries < 0) throw new IllegalArgumentException("maxRetries must be 0 or more");
    return maxRetries;
  }

  static void putMetadata(Map<String, String> metadata, String name, String value) {
    String lowerName = name.toLowerCase(Locale.ROOT);
    if (lowerName.startsWith("grpc-")) throw new IllegalArgumentException("names that begin with \"grpc-\" are gRPC's own");
    key(lowerName);
    if (!isPrintableAscii(value)) {
      throw new IllegalArgumentException("the value of \"" + lowerName + "\" must be printable ASCII");
    }
    metadata.put(lowerName, value);
  }

  static boolean isPrintableAscii(String value) {
    return value.chars().allMatch(character -> character >= 0x20 && character <= 0x7e);
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
