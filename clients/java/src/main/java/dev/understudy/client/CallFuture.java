package dev.understudy.client;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** The answer of a unary call. Cancelling it aborts the call. */
final class CallFuture<R> extends CompletableFuture<R> implements GatewayCall.Receiver<R> {
  private GatewayCall<?, R> call;
  private R message;

  /** Starts the call, whose receiver this is. */
  CallFuture<R> start(GatewayCall<?, R> started) {
    call = started;
    started.request(2);
    started.start();
    return this;
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    boolean isCancelled = super.cancel(mayInterruptIfRunning);
    call.cancel("the call was cancelled", null);
    return isCancelled;
  }

  @Override
  public <U> CompletableFuture<U> newIncompleteFuture() {
    return new CompletableFuture<>();
  }

  @Override
  public void onMessage(R received) {
    message = received;
  }

  @Override
  public void onEnd(DecodedError error, Throwable cause) {
    if (error == null && message != null) complete(message);
    else if (error != null) completeExceptionally(new UnderstudyException(error, cause));
    else {
      DecodedError empty = ErrorReader.plain(io.grpc.Status.Code.INTERNAL, "the call ended without an answer");
      completeExceptionally(new UnderstudyException(empty, null));
    }
  }

  /** Waits for the answer. Where the thread is interrupted, the call is aborted. */
  R await() {
    try {
      return get();
    } catch (InterruptedException interrupted) {
      cancel(true);
      Thread.currentThread().interrupt();
      throw new UnderstudyException(
          ErrorReader.plain(io.grpc.Status.Code.CANCELLED, "the thread was interrupted"), interrupted);
    } catch (ExecutionException failed) {
      // Made anew, so that the stack trace is the caller's.
      throw new UnderstudyException(DecodedError.of(failed), failed.getCause().getCause());
    }
  }
}
