package dev.understudy.client;

import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/** Publishes the messages of a streaming call; each subscriber has a call of its own. */
final class AnswerPublisher<R> implements Flow.Publisher<R> {
  private final Function<GatewayCall.Receiver<R>, GatewayCall<?, R>> makeCall;

  AnswerPublisher(Function<GatewayCall.Receiver<R>, GatewayCall<?, R>> makeCall) {
    this.makeCall = makeCall;
  }

  @Override
  public void subscribe(Flow.Subscriber<? super R> subscriber) {
    Subscription<R> subscription = new Subscription<>(subscriber);
    subscription.call = makeCall.apply(subscription);
    subscriber.onSubscribe(subscription);
    if (subscription.hasEnded.get()) return;
    subscription.call.start();
  }

  private static final class Subscription<R> implements Flow.Subscription, GatewayCall.Receiver<R> {
    private final Flow.Subscriber<? super R> subscriber;
    private final AtomicBoolean hasEnded = new AtomicBoolean();
    private GatewayCall<?, R> call;

    Subscription(Flow.Subscriber<? super R> subscriber) {
      this.subscriber = subscriber;
    }

    @Override
    public void request(long count) {
      if (count > 0) call.request(count);
      else if (hasEnded.compareAndSet(false, true)) {
        call.cancel("a request that is not positive", null);
        subscriber.onError(new IllegalArgumentException("the number of requested events must be positive"));
      }
    }

    @Override
    public void cancel() {
      if (hasEnded.compareAndSet(false, true)) call.cancel("the subscriber left the stream", null);
    }

    @Override
    public void onMessage(R message) {
      if (!hasEnded.get()) subscriber.onNext(message);
    }

    @Override
    public void onEnd(DecodedError error, Throwable cause) {
      if (!hasEnded.compareAndSet(false, true)) return;
      if (error == null) subscriber.onComplete();
      else subscriber.onError(new UnderstudyException(error, cause));
    }
  }
}
