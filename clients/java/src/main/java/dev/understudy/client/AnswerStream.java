package dev.understudy.client;

import dev.understudy.v1.StreamChatResponse;
import java.util.function.Consumer;

/**
 * The events of one StreamChat call. Only {@code finished} means complete: a stream that ends without it throws, with reason
 * {@code STREAM_INTERRUPTED}.
 */
public final class AnswerStream extends EventStream<StreamChatResponse> {
  AnswerStream(Reader<?, StreamChatResponse> reader) {
    super(reader);
  }

  /**
   * Reads the rest of the stream, puts the answer together and closes the stream.
   *
   * @return the whole answer
   * @throws UnderstudyException if the call failed, or the answer broke off
   */
  public CollectedAnswer collect() {
    return collect(event -> {});
  }

  /**
   * Reads the rest of the stream, puts the answer together and closes the stream, also where the consumer throws.
   *
   * @param onEvent takes each event as it comes, those that a restart discards later included
   * @return the whole answer
   * @throws UnderstudyException if the call failed, or the answer broke off
   */
  public CollectedAnswer collect(Consumer<? super StreamChatResponse> onEvent) {
    try (this) {
      StreamCollector collector = new StreamCollector();
      while (hasNext()) {
        StreamChatResponse event = next();
        collector.add(event);
        onEvent.accept(event);
      }
      return collector.answer();
    }
  }
}
