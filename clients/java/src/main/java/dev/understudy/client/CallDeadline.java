package dev.understudy.client;

import io.grpc.Attributes;
import io.grpc.ClientStreamTracer;
import io.grpc.Deadline;
import io.grpc.Metadata;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The deadline of one call, kept here instead of by gRPC, which ends a call at the very moment at which the gateway is about to
 * tell why it is late, and with what trail. The gateway is told the deadline as it is; the call ends a little later.
 */
final class CallDeadline extends ClientStreamTracer.Factory {
  private static final Metadata.Key<String> TIMEOUT =
      Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER);
  private static final long LONGEST_GRACE_NS = TimeUnit.MILLISECONDS.toNanos(250);
  private static final ScheduledThreadPoolExecutor TIMER = timer();

  private final Deadline deadline;
  private final Duration timeout;
  private volatile boolean wasTold;
  private volatile boolean hasEnded;
  private volatile ScheduledFuture<?> alarm;

  CallDeadline(Deadline deadline, Duration timeout) {
    this.deadline = deadline;
    this.timeout = timeout;
  }

  private static ScheduledThreadPoolExecutor timer() {
    ScheduledThreadPoolExecutor executor =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "understudy-timer");
              thread.setDaemon(true);
              return thread;
            });
    executor.setRemoveOnCancelPolicy(true);
    executor.setKeepAliveTime(10, TimeUnit.SECONDS);
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  /** Runs a short task later. */
  static ScheduledFuture<?> schedule(Runnable task, long delayNs) {
    return TIMER.schedule(task, delayNs, TimeUnit.NANOSECONDS);
  }

  /** Runs a short task when time is up; by then the gateway has had its last word, where it was reached. */
  void start(Runnable onExceeded) {
    alarm = schedule(() -> onDeadline(onExceeded), deadline.timeRemaining(TimeUnit.NANOSECONDS));
    if (hasEnded) stop();
  }

  /** Forgets the task. */
  void stop() {
    hasEnded = true;
    ScheduledFuture<?> set = alarm;
    if (set != null) set.cancel(false);
  }

  boolean isOver() {
    return deadline.isExpired();
  }

  /** What the error says. */
  String message() {
    String text = "no answer within " + timeout.toMillis() + " ms";
    return wasTold ? text : text + ", and no gateway was reached";
  }

  private void onDeadline(Runnable onExceeded) {
    if (!wasTold) onExceeded.run();
    else alarm = schedule(onExceeded, Math.min(LONGEST_GRACE_NS, timeout.toNanos() / 4));
    if (hasEnded) stop();
  }

  @Override
  public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
    return new ClientStreamTracer() {
      @Override
      public void streamCreated(Attributes transport, Metadata sent) {
        wasTold = true;
        sent.discardAll(TIMEOUT);
        sent.put(TIMEOUT, told(Math.max(1, deadline.timeRemaining(TimeUnit.MICROSECONDS))));
      }
    };
  }

  /** At most eight digits. */
  private static String told(long micros) {
    return micros < 100_000_000 ? micros + "u" : TimeUnit.MICROSECONDS.toMillis(micros) + "m";
  }
}
