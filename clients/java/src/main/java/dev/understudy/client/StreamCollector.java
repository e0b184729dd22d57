package dev.understudy.client;

import dev.understudy.v1.Message;
import dev.understudy.v1.Part;
import dev.understudy.v1.ProviderState;
import dev.understudy.v1.Reasoning;
import dev.understudy.v1.Role;
import dev.understudy.v1.StreamChatResponse;
import dev.understudy.v1.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Takes the events of one stream as they come, and applies restarts. {@link AnswerStream#collect()} uses it; it is for those who
 * read a stream themselves. Not for several threads at once.
 */
public final class StreamCollector {
  private final List<StreamChatResponse> events = new ArrayList<>();
  private final List<StreamChatResponse.Restarted> restarts = new ArrayList<>();
  private StreamChatResponse.Started started;
  private StreamChatResponse.Finished finished;

  /** Makes one that has no events yet. */
  public StreamCollector() {}

  /**
   * Takes the next event. Pings, and events that are newer than this client, are passed over.
   *
   * @param event the event
   */
  public void add(StreamChatResponse event) {
    switch (event.getEventCase()) {
      case PING, EVENT_NOT_SET -> {
        return;
      }
      case STARTED -> started = event.getStarted();
      case RESTARTED -> {
        restarts.add(event.getRestarted());
        long fromSequence = event.getRestarted().getDiscardFromSequence();
        events.removeIf(kept -> kept.getSequence() >= fromSequence);
      }
      case FINISHED -> finished = event.getFinished();
      default -> {}
    }
    events.add(event);
  }

  /**
   * Returns the text so far, without what restarts discarded.
   *
   * @return the text parts, joined
   */
  public String text() {
    return textOf(parts());
  }

  /**
   * Returns the restarts so far.
   *
   * @return each new beginning, in order
   */
  public List<StreamChatResponse.Restarted> restarts() {
    return List.copyOf(restarts);
  }

  /**
   * Tells whether the answer is complete.
   *
   * @return whether {@code finished} has come
   */
  public boolean isFinished() {
    return finished != null;
  }

  /**
   * Returns the whole answer.
   *
   * @return the answer
   * @throws UnderstudyException with reason {@code STREAM_INTERRUPTED} if {@code finished} has not come
   */
  public CollectedAnswer answer() {
    if (finished == null) {
      throw new UnderstudyException(ErrorReader.interrupted(started == null ? "" : started.getRequestId()), null);
    }
    List<Part> parts = parts();
    String reasoning = parts.stream().map(part -> part.getReasoning().getText()).collect(Collectors.joining());
    Message message = Message.newBuilder().setRole(Role.ROLE_ASSISTANT).addAllContent(parts).build();
    return new CollectedAnswer(
        textOf(parts),
        reasoning,
        message,
        finished,
        Optional.ofNullable(started),
        List.copyOf(restarts),
        List.copyOf(events));
  }

  private static String textOf(List<Part> parts) {
    return parts.stream().map(Part::getText).collect(Collectors.joining());
  }

  private List<Part> parts() {
    SortedMap<Integer, Draft> drafts = new TreeMap<>();
    for (StreamChatResponse event : events) {
      switch (event.getEventCase()) {
        case TEXT_DELTA -> {
          StreamChatResponse.TextDelta delta = event.getTextDelta();
          draft(drafts, delta.getPartIndex(), Kind.TEXT).body.append(delta.getText());
        }
        case REASONING_DELTA -> {
          StreamChatResponse.ReasoningDelta delta = event.getReasoningDelta();
          draft(drafts, delta.getPartIndex(), Kind.REASONING).body.append(delta.getText());
        }
        case TOOL_CALL_DELTA -> {
          StreamChatResponse.ToolCallDelta delta = event.getToolCallDelta();
          Draft draft = draft(drafts, delta.getPartIndex(), Kind.TOOL_CALL);
          if (draft.id.isEmpty()) draft.id = delta.getId();
          if (draft.name.isEmpty()) draft.name = delta.getName();
          draft.body.append(delta.getArgumentsFragment());
        }
        case PART_FINISHED -> {
          StreamChatResponse.PartFinished part = event.getPartFinished();
          // A part that has nothing but a state is reasoning that its provider keeps to itself.
          if (part.hasProviderState()) {
            draft(drafts, part.getPartIndex(), Kind.REASONING).providerState = part.getProviderState();
          }
        }
        default -> {}
      }
    }
    return drafts.values().stream().map(Draft::part).toList();
  }

  private static Draft draft(SortedMap<Integer, Draft> drafts, int index, Kind kind) {
    return drafts.computeIfAbsent(index, missing -> new Draft(kind));
  }

  private enum Kind {
    TEXT,
    REASONING,
    TOOL_CALL
  }

  /** A part that is being put together. */
  private static final class Draft {
    private final Kind kind;
    private final StringBuilder body = new StringBuilder();
    private String id = "";
    private String name = "";
    private ProviderState providerState;

    Draft(Kind kind) {
      this.kind = kind;
    }

    Part part() {
      Part.Builder part = Part.newBuilder();
      if (providerState != null) part.setProviderState(providerState);
      return switch (kind) {
        case TEXT -> part.setText(body.toString()).build();
        case REASONING -> part.setReasoning(Reasoning.newBuilder().setText(body.toString())).build();
        case TOOL_CALL ->
            part.setToolCall(ToolCall.newBuilder().setId(id).setName(name).setArgumentsJson(body.toString())).build();
      };
    }
  }
}
