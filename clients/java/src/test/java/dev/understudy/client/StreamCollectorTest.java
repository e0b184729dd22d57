package dev.understudy.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.understudy.v1.Message;
import dev.understudy.v1.ProviderState;
import dev.understudy.v1.Role;
import dev.understudy.v1.StreamChatResponse;
import dev.understudy.v1.ToolCall;
import java.util.List;
import org.junit.jupiter.api.Test;

class StreamCollectorTest {
  private static StreamChatResponse restarted(int sequence, int from) {
    return StreamChatResponse.newBuilder()
        .setSequence(sequence)
        .setRestarted(StreamChatResponse.Restarted.newBuilder().setDiscardFromSequence(from))
        .build();
  }

  private static StreamChatResponse tool(int sequence, int index, String id, String fragment) {
    return StreamChatResponse.newBuilder()
        .setSequence(sequence)
        .setToolCallDelta(
            StreamChatResponse.ToolCallDelta.newBuilder()
                .setPartIndex(index)
                .setId(id)
                .setName(id.isEmpty() ? "" : "weather")
                .setArgumentsFragment(fragment))
        .build();
  }

  @Test
  void aRestartDiscardsWhatCameBefore() {
    StreamCollector collector = new StreamCollector();
    collector.add(TestServer.started(1));
    collector.add(TestServer.text(2, "wro"));
    collector.add(TestServer.text(3, "ng"));
    assertEquals("wrong", collector.text());
    collector.add(restarted(4, 2));
    assertEquals("", collector.text());
    collector.add(TestServer.text(5, "right"));
    assertFalse(collector.isFinished());
    assertEquals("STREAM_INTERRUPTED", assertThrows(UnderstudyException.class, collector::answer).reason());
    collector.add(TestServer.finished(6));
    CollectedAnswer answer = collector.answer();
    assertTrue(collector.isFinished());
    assertEquals("right", answer.text());
    assertEquals(1, answer.restarts().size());
    assertEquals(List.of(1L, 4L, 5L, 6L), answer.events().stream().map(StreamChatResponse::getSequence).toList());
    assertEquals("request-1", answer.started().orElseThrow().getRequestId());
  }

  @Test
  void partsAreOrderedByTheirIndexAndKeepTheirState() {
    StreamCollector collector = new StreamCollector();
    ProviderState state = ProviderState.newBuilder().setTarget("a").setData(ByteString.copyFromUtf8("s")).build();
    collector.add(tool(1, 2, "call-1", "{\"city\":"));
    collector.add(tool(2, 2, "", "\"Rome\"}"));
    collector.add(
        StreamChatResponse.newBuilder()
            .setReasoningDelta(StreamChatResponse.ReasoningDelta.newBuilder().setPartIndex(0).setText("because"))
            .build());
    collector.add(
        StreamChatResponse.newBuilder()
            .setTextDelta(StreamChatResponse.TextDelta.newBuilder().setPartIndex(1).setText("Well."))
            .build());
    for (int index : new int[] {0, 3}) {
      collector.add(
          StreamChatResponse.newBuilder()
              .setPartFinished(StreamChatResponse.PartFinished.newBuilder().setPartIndex(index).setProviderState(state))
              .build());
    }
    collector.add(StreamChatResponse.newBuilder().setPing(StreamChatResponse.Ping.getDefaultInstance()).build());
    collector.add(StreamChatResponse.getDefaultInstance());
    collector.add(TestServer.finished(9));
    CollectedAnswer answer = collector.answer();
    Message message = answer.message();
    assertEquals(Role.ROLE_ASSISTANT, message.getRole());
    assertEquals("because", answer.reasoning());
    assertEquals("Well.", answer.text());
    assertEquals(state, message.getContent(0).getProviderState());
    ToolCall call = Messages.toolCalls(message).get(0);
    assertEquals("{\"city\":\"Rome\"}", call.getArgumentsJson());
    assertEquals("weather", call.getName());
    assertTrue(message.getContent(3).hasReasoning());
    assertEquals(state, message.getContent(3).getProviderState());
    assertEquals("call-1", Messages.toolMessage(call, "Sunny.").getContent(0).getToolResult().getToolCallId());
  }
}
