package dev.understudy.client;

import io.grpc.Deadline;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** The repeats of one call: only where they cannot bill twice, after the wait that was asked for, within the deadline. */
final class Repeats {
  static final int DEFAULT_MAX_RETRIES = 2;

  private static final double FIRST_BACKOFF_MS = 250;
  private static final double GROWTH = 4;
  private static final long LEAST_TRY_MS = 10;

  private final Deadline deadline;
  private int left;
  private double backoffMs = FIRST_BACKOFF_MS;

  /** The deadline is null where there is none. */
  Repeats(int maxRetries, Deadline deadline) {
    this.left = maxRetries;
    this.deadline = deadline;
  }

  /** Returns how long to wait before the repeat, in milliseconds; empty where the error is the caller's. */
  Optional<Long> waitMs(DecodedError error) {
    if (left <= 0 || !error.mayRetry()) return Optional.empty();
    long waitMs = error.retryAfter().map(Duration::toMillis).orElseGet(this::nextBackoffMs);
    if (deadline != null && waitMs + LEAST_TRY_MS > deadline.timeRemaining(TimeUnit.MILLISECONDS)) return Optional.empty();
    left--;
    return Optional.of(waitMs);
  }

  private long nextBackoffMs() {
    double waitMs = backoffMs * ThreadLocalRandom.current().nextDouble(0.8, 1.2);
    backoffMs *= GROWTH;
    return Math.round(waitMs);
  }
}
