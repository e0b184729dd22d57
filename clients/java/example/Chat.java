import dev.understudy.client.AnswerStream;
import dev.understudy.client.UnderstudyClient;
import dev.understudy.client.UnderstudyException;
import dev.understudy.v1.Attempt;
import dev.understudy.v1.StreamChatResponse;

/** Asks a gateway once, then reads an answer as it is written. Start it as the README says. */
public class Chat {
  public static void main(String[] arguments) {
    String address = arguments.length > 0 ? arguments[0] : "127.0.0.1:50051";
    try (UnderstudyClient client = UnderstudyClient.create(address)) {
      var answer = client.generate("Say hello.");
      System.out.printf("%s (%s, %s)%n", answer.getText(), answer.getProvider(), answer.getModel());

      try (AnswerStream stream = client.streamChat("Tell me a story.")) {
        for (StreamChatResponse event : stream) {
          if (event.hasTextDelta()) System.out.print(event.getTextDelta().getText());
          if (event.hasFinished()) System.out.printf("%n(%s)%n", event.getFinished().getFinishReason());
        }
      }
    } catch (UnderstudyException error) {
      System.err.println(error.getMessage());
      for (Attempt attempt : error.attempts()) System.err.printf("  %s: %s%n", attempt.getTarget(), attempt.getOutcome());
      System.exit(1);
    }
  }
}
