package dev.understudy.client;

import dev.understudy.v1.Message;
import dev.understudy.v1.StreamChatResponse;
import java.util.List;
import java.util.Optional;

/**
 * A streamed answer, put together.
 *
 * @param text the text parts, joined
 * @param reasoning the reasoning, as far as the provider showed it, joined
 * @param message the whole answer: text, reasoning and tool calls in their order; it can be sent back as it is
 * @param finished what the last event says: finish reason, usage, cost, attempts, warnings
 * @param started what the first event says
 * @param restarts each new beginning, in order; text, reasoning and message hold the last one alone
 * @param events the events that count, in order: without those that a restart discarded, and without pings
 */
public record CollectedAnswer(
    String text,
    String reasoning,
    Message message,
    StreamChatResponse.Finished finished,
    Optional<StreamChatResponse.Started> started,
    List<StreamChatResponse.Restarted> restarts,
    List<StreamChatResponse> events) {}
