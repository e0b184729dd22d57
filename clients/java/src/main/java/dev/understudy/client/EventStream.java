package dev.understudy.client;

import io.grpc.Status;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What a streaming call sends, to be read once, by one thread at a time. The call starts with the first read.
 *
 * <p>Open it in try-with-resources: the end of the block aborts a call that is not at its end, and with it the provider's,
 * however the loop was left. Java does not tell an iterator that its loop was left, so that without it a call goes on until
 * the stream is collected as garbage, or its deadline.
 *
 * @param <T> what is read
 */
public sealed class EventStream<T> implements Iterator<T>, Iterable<T>, AutoCloseable permits AnswerStream {
  private static final Cleaner CLEANER = Cleaner.create();

  private final Reader<?, T> reader;
  private final Cleaner.Cleanable cleanable;
  private T next;

  EventStream(Reader<?, T> reader) {
    this.reader = reader;
    // The reader knows nothing of this object, which is therefore garbage as soon as its user drops it.
    this.cleanable = CLEANER.register(this, reader::leave);
  }

  /**
   * Waits for the next event.
   *
   * @return false where the stream is complete
   * @throws UnderstudyException if the call failed, was cancelled, or ended without being complete
   */
  @Override
  public boolean hasNext() {
    try {
      if (next == null) next = reader.read();
      return next != null;
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /**
   * Returns the next event, for which it waits.
   *
   * @return the event
   * @throws UnderstudyException as {@link #hasNext()}
   * @throws NoSuchElementException if the stream is complete
   */
  @Override
  public T next() {
    if (!hasNext()) throw new NoSuchElementException("the stream is complete");
    T event = next;
    next = null;
    return event;
  }

  /**
   * Returns this object, for a loop. A stream can be read once.
   *
   * @return this
   */
  @Override
  public Iterator<T> iterator() {
    return this;
  }

  /**
   * Hands all events to an action, and closes the stream, also where the action throws.
   *
   * @param action takes each event
   * @throws UnderstudyException as {@link #hasNext()}
   */
  @Override
  public void forEach(Consumer<? super T> action) {
    try (this) {
      while (hasNext()) action.accept(next());
    }
  }

  /**
   * Hands all events that are left to an action, and closes the stream, as {@link #forEach}.
   *
   * @param action takes each event
   */
  @Override
  public void forEachRemaining(Consumer<? super T> action) {
    forEach(action);
  }

  /**
   * Returns the events as a stream of {@code java.util.stream}. Close it, in try-with-resources, which closes this: a terminal
   * operation that leaves early, such as {@code findFirst}, closes nothing.
   *
   * @return a sequential, ordered stream
   */
  public Stream<T> stream() {
    int traits = Spliterator.ORDERED | Spliterator.NONNULL;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(this, traits), false).onClose(this::close);
  }

  /**
   * Aborts the call at once, from any thread. Whoever reads gets CANCELLED. Does nothing where the stream is complete.
   */
  public void cancel() {
    reader.leave();
  }

  /** Aborts the call at once, unless it is complete. Never throws; further calls do nothing. */
  @Override
  public void close() {
    cleanable.clean();
  }

  /** Takes messages from gRPC and hands them to the thread that reads. */
  static final class Reader<R, T> implements GatewayCall.Receiver<R> {
    /** Messages that may wait here; as many again may be under way. */
    private static final int PREFETCH = 16;

    private record End(DecodedError error, Throwable cause) {}

    private final LinkedBlockingQueue<Object> queue = new LinkedBlockingQueue<>();
    private final Function<R, T> map;
    private GatewayCall<?, R> call;
    private boolean isStarted;
    private volatile boolean isCancelled;
    private volatile boolean isComplete;
    private End end;

    Reader(Function<R, T> map) {
      this.map = map;
    }

    /** Sets the call, whose receiver this is. */
    Reader<R, T> of(GatewayCall<?, R> made) {
      call = made;
      return this;
    }

    @Override
    public void onMessage(R message) {
      queue.add(message);
    }

    @Override
    public void onEnd(DecodedError error, Throwable cause) {
      isComplete = error == null;
      queue.add(new End(error, cause));
    }

    void leave() {
      if (isComplete) return;
      isCancelled = true;
      call.cancel("the reader left the stream", null);
    }

    /** Returns null at the end. */
    @SuppressWarnings("unchecked")
    T read() {
      if (end == null && isCancelled) end = new End(ErrorReader.plain(Status.Code.CANCELLED, "the reader left the stream"), null);
      if (end == null) {
        Object item = take();
        if (!(item instanceof End ended)) return map.apply((R) item);
        end = ended;
      }
      if (end.error() == null) return null;
      throw new UnderstudyException(end.error(), end.cause());
    }

    private Object take() {
      try {
        if (!isStarted) {
          isStarted = true;
          call.request(PREFETCH);
          call.start();
        }
        Object item = queue.poll();
        if (item == null) item = queue.take();
        if (isCancelled) return new End(ErrorReader.plain(Status.Code.CANCELLED, "the reader left the stream"), null);
        call.request(1);
        return item;
      } catch (InterruptedException interrupted) {
        isCancelled = true;
        call.cancel("the thread was interrupted", interrupted);
        Thread.currentThread().interrupt();
        return new End(ErrorReader.plain(Status.Code.CANCELLED, "the thread was interrupted"), interrupted);
      }
    }
  }
}
