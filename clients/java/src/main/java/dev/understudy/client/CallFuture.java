package dev.understudy.client;

import io.grpc.Status;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** The answer of a unary call. Completing it from outside, as by cancelling, aborts the call. */
final class CallFuture<R> extends CompletableFuture<R> implements GatewayCall.Receiver<R> {
  private R message;

  /** Starts the call, whose receiver this is. */
  CallFuture<R> start(GatewayCall<?, R> call) {
    // However it is completed from outside: by cancel, orTimeout, complete. Behind the end of the call nothing happens.
    whenComplete((answer, error) -> call.cancel("the answer is no longer wanted", null));
    call.request(2);
    call.start();
    return this;
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
      DecodedError empty = ErrorReader.plain(Status.Code.INTERNAL, "the call ended without an answer");
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
          ErrorReader.plain(Status.Code.CANCELLED, "the thread was interrupted"), interrupted);
    } catch (ExecutionException failed) {
      // Made anew, so that the stack trace is the caller's.
      throw new UnderstudyException(DecodedError.of(failed), failed.getCause().getCause());
    }
  }
}
