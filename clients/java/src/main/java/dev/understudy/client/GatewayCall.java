package dev.understudy.client;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/**
 * One call, with its repeats before the first message. Flow control is the receiver's: nothing comes that it has not
 * requested. All methods may be called from any thread.
 */
final class GatewayCall<Q, R> {
  /** Takes what comes. */
  interface Receiver<R> {
    /** Takes the next message; never after the end. */
    void onMessage(R message);

    /** Takes the end, once; the error is null where all went well. The cause may be null. */
    void onEnd(DecodedError error, Throwable cause);
  }

  private final Connection connection;
  private final MethodDescriptor<Q, R> method;
  private final Q request;
  private final Settings.OfCall settings;
  private final Predicate<R> isLast;
  private final Receiver<R> receiver;

  private final ReentrantLock lock = new ReentrantLock();
  private Context context;
  private CallOptions options;
  private CallDeadline callDeadline;
  private Repeats repeats;
  private ClientCall<Q, R> current;
  private long demand;
  private boolean hasMessage;
  private boolean hasEnded;

  /**
   * Makes a call that is not started yet.
   *
   * @param isLast tells the message without which a stream is not complete; null where there is none
   */
  GatewayCall(
      Connection connection,
      MethodDescriptor<Q, R> method,
      Q request,
      Settings.OfCall settings,
      Predicate<R> isLast,
      Receiver<R> receiver) {
    this.connection = connection;
    this.method = method;
    this.request = request;
    this.settings = settings;
    this.isLast = isLast;
    this.receiver = receiver;
  }

  /** Starts the call and its deadline. */
  void start() {
    context = Context.current();
    Deadline deadline = settings.timeout().isZero() ? null : Deadline.after(settings.timeout().toNanos(), TimeUnit.NANOSECONDS);
    if (context.getDeadline() != null) {
      deadline = deadline == null ? context.getDeadline() : deadline.minimum(context.getDeadline());
    }
    options = settings.waitForReady() ? CallOptions.DEFAULT.withWaitForReady() : CallOptions.DEFAULT;
    repeats = new Repeats(settings.maxRetries(), deadline);
    if (context.getDeadline() != null) options = options.withDeadline(deadline);
    else if (deadline != null) {
      callDeadline = new CallDeadline(deadline, settings.timeout());
      options = options.withStreamTracerFactory(callDeadline);
      callDeadline.start(() -> connection.executor().execute(this::onDeadline));
    }
    tryOnce();
  }

  /** Asks for more messages. */
  void request(long count) {
    lock.lock();
    try {
      demand = Math.min(demand + count, Integer.MAX_VALUE);
      if (current != null && !hasEnded) current.request((int) Math.min(count, Integer.MAX_VALUE));
    } finally {
      lock.unlock();
    }
  }

  /** Aborts the call, and with it the provider's; the receiver hears CANCELLED. Does nothing behind the end. */
  void cancel(String why, Throwable cause) {
    abort(ErrorReader.plain(Status.Code.CANCELLED, why), cause);
  }

  private void onDeadline() {
    abort(deadlineError(), null);
  }

  private DecodedError deadlineError() {
    return ErrorReader.plain(Status.Code.DEADLINE_EXCEEDED, callDeadline.message());
  }

  private void abort(DecodedError error, Throwable cause) {
    ClientCall<Q, R> aborted;
    lock.lock();
    try {
      if (hasEnded) return;
      hasEnded = true;
      aborted = current;
    } finally {
      lock.unlock();
    }
    if (callDeadline != null) callDeadline.stop();
    if (aborted != null) aborted.cancel(error.message(), cause);
    receiver.onEnd(error, cause);
  }

  private void tryOnce() {
    if (connection.isClosed()) {
      end(closedError(), null);
      return;
    }
    lock.lock();
    try {
      if (hasEnded) return;
      ClientCall<Q, R> call = connection.newCall(method, options, settings.headers());
      current = call;
      Metadata headers = new Metadata();
      headers.merge(settings.headers());
      call.start(new Listener(call), headers);
      if (demand > 0) call.request((int) demand);
      call.sendMessage(request);
      call.halfClose();
    } catch (RuntimeException | Error failure) {
      current.cancel("the call could not be started", failure);
      throw failure;
    } finally {
      lock.unlock();
    }
  }

  private static DecodedError closedError() {
    return ErrorReader.plain(Status.Code.CANCELLED, "the client is closed");
  }

  private void end(DecodedError error, Throwable cause) {
    lock.lock();
    try {
      if (hasEnded) return;
      hasEnded = true;
    } finally {
      lock.unlock();
    }
    if (callDeadline != null) callDeadline.stop();
    receiver.onEnd(error, cause);
  }

  /** Hears one try of the call. */
  private final class Listener extends ClientCall.Listener<R> {
    private final ClientCall<Q, R> call;
    private Metadata headers;

    Listener(ClientCall<Q, R> call) {
      this.call = call;
    }

    @Override
    public void onHeaders(Metadata received) {
      headers = received;
    }

    @Override
    public void onMessage(R message) {
      lock.lock();
      try {
        if (hasEnded) return;
        hasMessage = true;
        demand--;
      } finally {
        lock.unlock();
      }
      receiver.onMessage(message);
      if (isLast != null && isLast.test(message)) {
        // Complete. The call ends by itself: a reset would count as a cancelled call at the gateway.
        end(null, null);
        call.request(1);
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (status.isOk()) {
        end(isLast == null ? null : ErrorReader.interrupted(ErrorReader.requestId(trailers, headers)), null);
        return;
      }
      DecodedError error = ErrorReader.of(status, trailers, headers);
      if (error.domain().isEmpty()) {
        if (connection.isClosed()) error = closedError();
        // Servers and proxies reset streams whose time is up, each in its own way.
        else if (callDeadline != null && callDeadline.isOver()) error = deadlineError();
      }
      Optional<Long> waitMs = hasMessage ? Optional.empty() : repeats.waitMs(error);
      if (waitMs.isEmpty()) {
        end(error, new StatusRuntimeException(status, trailers));
        return;
      }
      Runnable again = context.wrap(this::tryAgain);
      connection.runLater(again, TimeUnit.MILLISECONDS.toNanos(waitMs.get()));
    }

    private void tryAgain() {
      try {
        tryOnce();
      } catch (RuntimeException | Error failure) {
        end(ErrorReader.read(failure), failure);
      }
    }
  }
}
