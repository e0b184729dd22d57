package dev.understudy.client;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** The channel of a client. */
final class Connection {
  /** grpc-java waits up to two minutes before it tries a lost gateway again; here a call has it tried after this. */
  private static final long LONGEST_BACKOFF_NS = TimeUnit.SECONDS.toNanos(10);

  private final ManagedChannel channel;
  private final ApiKey apiKey;
  private final Executor executor;
  private final AtomicLong backoffResetAtNs = new AtomicLong(System.nanoTime());
  private final Set<Runnable> waits = ConcurrentHashMap.newKeySet();
  private volatile boolean isClosed;

  /** The key is null where there is none. */
  Connection(ManagedChannel channel, ApiKey apiKey, Executor executor) {
    this.channel = channel;
    this.apiKey = apiKey;
    this.executor = executor;
  }

  /** Makes a call, with the key unless its headers bring one. */
  <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method, CallOptions options, Metadata headers) {
    long nowNs = System.nanoTime();
    long lastNs = backoffResetAtNs.get();
    if (nowNs - lastNs > LONGEST_BACKOFF_NS && backoffResetAtNs.compareAndSet(lastNs, nowNs)) {
      channel.resetConnectBackoff();
    }
    boolean sendsKey = apiKey != null && !headers.containsKey(ApiKey.AUTHORIZATION);
    return channel.newCall(method, sendsKey ? options.withCallCredentials(apiKey) : options);
  }

  /** Where repeats and the ends of deadlines run. */
  Executor executor() {
    return executor;
  }

  /** Runs a repeat later, or at once where this is closed before, which the repeat then meets. */
  void runLater(Runnable repeat, long delayNs) {
    Runnable wait = () -> executor.execute(repeat);
    waits.add(wait);
    CallDeadline.schedule(() -> end(wait), delayNs);
    if (isClosed) end(wait);
  }

  private void end(Runnable wait) {
    if (waits.remove(wait)) wait.run();
  }

  boolean isClosed() {
    return isClosed;
  }

  /** Ends the open calls with CANCELLED. */
  void close() {
    isClosed = true;
    channel.shutdownNow();
    waits.forEach(this::end);
  }
}
