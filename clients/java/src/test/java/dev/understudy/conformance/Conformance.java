package dev.understudy.conformance;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.understudy.client.AnswerStream;
import dev.understudy.client.CollectedAnswer;
import dev.understudy.client.DecodedError;
import dev.understudy.client.EventStream;
import dev.understudy.client.Messages;
import dev.understudy.client.RequestOptions;
import dev.understudy.client.TlsOptions;
import dev.understudy.client.UnderstudyClient;
import dev.understudy.client.UnderstudyException;
import dev.understudy.v1.ChatResponse;
import dev.understudy.v1.GenerateRequest;
import dev.understudy.v1.GenerateResponse;
import dev.understudy.v1.LlmServiceGrpc;
import dev.understudy.v1.Recovery;
import dev.understudy.v1.RoutingOptions;
import dev.understudy.v1.StreamChatRequest;
import dev.understudy.v1.StreamChatResponse;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Runs the cases of the conformance suite that are named as arguments, with nothing but what the client exports. */
public final class Conformance {
  private static final String PROMPT = "Say hello.";
  private static final String TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  private static final Gson JSON = new Gson();

  private interface Case {
    Object run() throws Exception;
  }

  /** What a case found is not what it should be. */
  private static final class Different extends Exception {
    private static final long serialVersionUID = 1L;

    Different(String what) {
      super(what);
    }
  }

  private Conformance() {}

  /**
   * Runs cases, one after the other, and prints a line of JSON for each.
   *
   * @param names the cases
   */
  public static void main(String[] names) {
    boolean isAllOk = true;
    for (String name : names) isAllOk &= run(name);
    System.exit(isAllOk ? 0 : 1);
  }

  private static boolean run(String name) {
    boolean isOk = false;
    Object detail = "unknown case";
    Case named = cases().get(name);
    if (named != null) {
      try {
        detail = named.run();
        isOk = true;
      } catch (Exception | Error failure) {
        detail = failure.getClass().getSimpleName() + ": " + failure.getMessage();
      }
    }
    JsonObject line = new JsonObject();
    line.addProperty("case", name);
    line.addProperty("ok", isOk);
    line.add("detail", detail instanceof JsonElement element ? element : JSON.toJsonTree(String.valueOf(detail)));
    print(line);
    return isOk;
  }

  private static Map<String, Case> cases() {
    Map<String, Case> cases = new LinkedHashMap<>();
    cases.put("generate", Conformance::generate);
    cases.put("chat", Conformance::chat);
    cases.put("stream", Conformance::stream);
    cases.put("health", Conformance::health);
    cases.put("list-models", Conformance::listModels);
    cases.put("health-check", Conformance::healthCheck);
    cases.put("health-watch", Conformance::healthWatch);
    cases.put("deadline", Conformance::deadline);
    cases.put("cancel", Conformance::cancel);
    cases.put("left-loop", Conformance::leftLoop);
    cases.put("decoded-error", Conformance::decodedError);
    cases.put("restarted", Conformance::restarted);
    cases.put("tls", Conformance::transportSecurity);
    cases.put("metadata", Conformance::metadata);
    cases.put("large", Conformance::large);
    cases.put("streams", Conformance::streams);
    cases.put("rolling", Conformance::rolling);
    cases.put("retry-before", () -> retryWithPolicy("UNDERSTUDY_CLOSED_ADDRESS", 5000));
    cases.put("retry-after", () -> retryWithPolicy("UNDERSTUDY_CONTACTED_ADDRESS", 5000));
    cases.put("retry-late", () -> retryWithPolicy("UNDERSTUDY_CLOSED_ADDRESS", 500));
    return cases;
  }

  private static String generate() throws Different {
    try (UnderstudyClient client = client("UNDERSTUDY_ADDRESS")) {
      GenerateRequest request = GenerateRequest.newBuilder().setPrompt(PROMPT).build();
      for (GenerateResponse answer : List.of(client.generate(PROMPT), client.generateAsync(request).join())) {
        expect("the text is empty", !answer.getText().isEmpty());
        expect("the provider is " + answer.getProvider(), answer.getProvider().equals("mock"));
      }
      return client.generate(request).getText();
    }
  }

  private static String chat() throws Different {
    try (UnderstudyClient client = client("UNDERSTUDY_ADDRESS")) {
      ChatResponse answer = client.chat(PROMPT);
      expect("the text is empty", !answer.getText().isEmpty());
      expect("the provider is " + answer.getProvider(), answer.getProvider().equals("mock"));
      return answer.getText();
    }
  }

  private static String stream() throws Different {
    try (UnderstudyClient client = client("UNDERSTUDY_ADDRESS")) {
      CollectedAnswer answer = client.streamChat(PROMPT).collect();
      String expected = client.chat(PROMPT).getText();
      expect("the text is " + answer.text() + " and not " + expected, answer.text().equals(expected));
      expect("the last event says another provider", answer.finished().getProvider().equals("mock"));
      return answer.text();
    }
  }

  private static String health() throws Different {
    try (UnderstudyClient client = client("UNDERSTUDY_ADDRESS")) {
      List<String> targets = client.health().getProvidersList().stream().map(target -> target.getTarget()).toList();
      expect("the targets are " + targets, targets.contains("mock"));
      return targets.toString();
    }
  }

  private static String listModels() throws Different {
    try (UnderstudyClient client = client("UNDERSTUDY_ADDRESS")) {
      int count = client.models().size();
      expect("no model is listed", count > 0);
      return count + " models";
    }
  }

  private static String healthCheck() throws Different {
    try (UnderstudyClient client = client("UNDERSTUDY_ADDRESS")) {
      ServingStatus status = client.check("");
      expect("the state is " + status, status == ServingStatus.SERVING);
      return status.name();
    }
  }

  private static String healthWatch() throws Different {
    try (UnderstudyClient client = client("UNDERSTUDY_ADDRESS");
        EventStream<ServingStatus> states = client.watch("")) {
      ServingStatus status = states.next();
      expect("the state is " + status, status == ServingStatus.SERVING);
      return status.name();
    }
  }

  private static String deadline() throws Different {
    try (UnderstudyClient client = client("UNDERSTUDY_ADDRESS")) {
      // Connects, and loads classes: both would take their part of the second.
      client.generate(PROMPT);
      GenerateRequest request = GenerateRequest.newBuilder().setPrompt(PROMPT).setModel("mock-silence").build();
      UnderstudyException error =
          failureOf(() -> client.generate(request, RequestOptions.defaults().withTimeout(Duration.ofSeconds(1))));
      expect(error.getMessage(), error.code() == Status.Code.DEADLINE_EXCEEDED && error.reason().equals("DEADLINE"));
      expect("the trail is empty", !error.attempts().isEmpty());
      return error.attempts().size() + " attempts";
    }
  }

  private static String cancel() throws Exception {
    try (UnderstudyClient client = client("UNDERSTUDY_WORDS_ADDRESS")) {
      AnswerStream stream = client.streamChat(PROMPT);
      readWords(stream);
      stream.cancel();
      mark("cancel");
      UnderstudyException error = failureOf(stream::hasNext);
      TimeUnit.SECONDS.sleep(3);
      expect("the code is " + error.code(), error.code() == Status.Code.CANCELLED);
      return "left after 3 words";
    }
  }

  private static String leftLoop() throws Exception {
    try (UnderstudyClient client = client("UNDERSTUDY_WORDS_ADDRESS")) {
      try (AnswerStream stream = client.streamChat(PROMPT)) {
        int words = 0;
        for (StreamChatResponse event : stream) {
          if (event.hasTextDelta()) words++;
          if (words == 3) break;
        }
      }
      mark("left-loop");
      TimeUnit.SECONDS.sleep(3);
      return "left after 3 words";
    }
  }

  private static String decodedError() throws Different {
    try (UnderstudyClient client = client("UNDERSTUDY_ADDRESS")) {
      UnderstudyException wrong = failureOf(() -> client.generate(""));
      expect("the code is " + wrong.code(), wrong.code() == Status.Code.INVALID_ARGUMENT);
      List<String> fields = wrong.violations().stream().map(violation -> violation.field()).toList();
      expect("the fields are " + fields, fields.contains("prompt"));
      UnderstudyException limited =
          failureOf(
              () -> client.generate(GenerateRequest.newBuilder().setPrompt(PROMPT).setModel("mock-429").build()));
      List<String> reasons = List.of("ALL_PROVIDERS_FAILED", "PROVIDER_RATE_LIMITED");
      expect("the reason is " + limited.reason(), reasons.contains(limited.reason()));
      expect("the trail is empty", !limited.attempts().isEmpty());
      return wrong.reason() + ", " + limited.reason() + ", may retry: " + limited.mayRetry() + ", after: " + limited.retryAfter();
    }
  }

  private static String restarted() throws Different {
    try (UnderstudyClient client = client("UNDERSTUDY_ADDRESS")) {
      StreamChatRequest.Builder request =
          StreamChatRequest.newBuilder().addMessages(Messages.userMessage(PROMPT)).setRecovery(Recovery.RECOVERY_RESTART);
      CollectedAnswer broken =
          client.streamChat(request.setRouting(RoutingOptions.newBuilder().setRoute("broken")).build()).collect();
      CollectedAnswer alone =
          client.streamChat(request.setRouting(RoutingOptions.newBuilder().addTargets("second")).build()).collect();
      expect(broken.restarts().size() + " restarts", broken.restarts().size() == 1);
      expect("the text is " + broken.text() + " and not " + alone.text(), broken.text().equals(alone.text()));
      return broken.text();
    }
  }

  private static String transportSecurity() throws Different {
    Path folder = Path.of(System.getenv("UNDERSTUDY_TLS_FOLDER"));
    TlsOptions trust = TlsOptions.defaults().withTrustedCertificates(folder.resolve("ca.crt"));
    expect("text is empty", !callWith(own(trust, folder, "caller")).isEmpty());
    refused(trust, "A client certificate is required.");
    refused(own(trust, folder, "expired"), "The client certificate has expired.");
    return "TLS";
  }

  private static TlsOptions own(TlsOptions trust, Path folder, String name) {
    return trust.withClientCertificate(folder.resolve(name + ".crt"), folder.resolve(name + ".key"));
  }

  private static String callWith(TlsOptions tls) {
    String address = System.getenv("UNDERSTUDY_TLS_ADDRESS");
    try (UnderstudyClient client = UnderstudyClient.builder().addresses(address).tls(tls).build()) {
      return client.generate(PROMPT).getText();
    }
  }

  private static void refused(TlsOptions tls, String why) throws Different {
    try {
      callWith(tls);
    } catch (UnderstudyException error) {
      boolean isMeant = error.code() == Status.Code.UNAUTHENTICATED && error.getMessage().contains(why);
      expect(error.code() + " " + error.getMessage(), isMeant);
      return;
    }
    throw new Different("a client without its certificate was taken");
  }

  private static String metadata() throws Different {
    String address = System.getenv("UNDERSTUDY_ECHO_ADDRESS");
    try (UnderstudyClient client = UnderstudyClient.builder().addresses(address).apiKey("conformance-key").build()) {
      RequestOptions options = RequestOptions.defaults().withRequestId("conformance-1").withTraceparent(TRACE);
      GenerateRequest request = GenerateRequest.newBuilder().setPrompt(PROMPT).build();
      JsonObject got = JsonParser.parseString(client.generate(request, options).getText()).getAsJsonObject();
      expectValue(got, "authorization", "Bearer conformance-key");
      expectValue(got, "x-request-id", "conformance-1");
      expectValue(got, "traceparent", TRACE);
      expect("no grpc-timeout came: " + got, got.has("grpc-timeout"));
      return got.get("grpc-timeout").toString();
    }
  }

  private static String large() throws Different {
    try (UnderstudyClient client = client("UNDERSTUDY_ECHO_ADDRESS")) {
      String prompt = "0123456789abcdef".repeat(10 * 1024 * 1024 / 16);
      expect("the text is not the prompt", client.generate(prompt).getText().equals(prompt));
      return prompt.length() + " bytes";
    }
  }

  private static String streams() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(200);
    try (UnderstudyClient client = client("UNDERSTUDY_ADDRESS")) {
      StreamChatRequest request =
          StreamChatRequest.newBuilder().addMessages(Messages.userMessage(PROMPT)).setModel("mock-slow").build();
      List<Future<CollectedAnswer>> answers = new ArrayList<>();
      for (int count = 0; count < 200; count++) answers.add(pool.submit(() -> client.streamChat(request).collect()));
      for (Future<CollectedAnswer> answer : answers) expect("a text is empty", !answer.get().text().isEmpty());
      return answers.size() + " streams";
    } finally {
      pool.shutdownNow();
    }
  }

  private static String rolling() throws Exception {
    try (UnderstudyClient client = client("UNDERSTUDY_PAIR_ADDRESSES")) {
      GenerateRequest request = GenerateRequest.newBuilder().setPrompt(PROMPT).build();
      List<CompletableFuture<String>> calls = new ArrayList<>();
      for (int count = 0; count < 200; count++) {
        calls.add(client.generateAsync(request).handle((answer, error) -> error == null ? "" : error.toString()));
        TimeUnit.MILLISECONDS.sleep(50);
      }
      List<String> failures = calls.stream().map(CompletableFuture::join).filter(text -> !text.isEmpty()).toList();
      expect(failures.size() + " calls failed, such as " + failures.stream().findFirst().orElse(""), failures.isEmpty());
      return calls.size() + " calls";
    }
  }

  /** Calls as grpc-java alone does with a retry policy in its service config. */
  private static JsonObject retryWithPolicy(String variable, long timeoutMs) throws Exception {
    Map<String, ?> policy =
        Map.of(
            "maxAttempts", 3.0,
            "initialBackoff", "0.1s",
            "maxBackoff", "1s",
            "backoffMultiplier", 2.0,
            "retryableStatusCodes", List.of("UNAVAILABLE"));
    Map<String, ?> config = Map.of("methodConfig", List.of(Map.of("name", List.of(Map.of()), "retryPolicy", policy)));
    ManagedChannel channel =
        Grpc.newChannelBuilder(System.getenv(variable), InsecureChannelCredentials.create())
            .defaultServiceConfig(config)
            .build();
    long beganAtNs = System.nanoTime();
    try {
      LlmServiceGrpc.newBlockingStub(channel)
          .withDeadlineAfter(timeoutMs, TimeUnit.MILLISECONDS)
          .generate(GenerateRequest.newBuilder().setPrompt(PROMPT).build());
      throw new Different("the call did not fail");
    } catch (StatusRuntimeException failure) {
      DecodedError error = DecodedError.of(failure);
      JsonObject detail = new JsonObject();
      detail.addProperty("code", error.code().name());
      detail.addProperty("reason", error.reason());
      detail.addProperty("ms", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganAtNs));
      return detail;
    } finally {
      channel.shutdownNow();
    }
  }

  private static UnderstudyClient client(String variable) {
    return UnderstudyClient.create(System.getenv(variable));
  }

  private static void readWords(AnswerStream stream) {
    for (int words = 0; words < 3; ) {
      if (stream.next().hasTextDelta()) words++;
    }
  }

  private static UnderstudyException failureOf(Case call) throws Different {
    try {
      call.run();
    } catch (UnderstudyException failure) {
      return failure;
    } catch (Exception other) {
      throw new Different("another error: " + other);
    }
    throw new Different("the call did not fail");
  }

  private static void mark(String name) {
    JsonObject line = new JsonObject();
    line.addProperty("case", name);
    line.addProperty("mark", "left");
    print(line);
  }

  private static void print(JsonObject line) {
    System.out.println(line);
    System.out.flush();
  }

  private static void expectValue(JsonObject got, String name, String expected) throws Different {
    JsonElement value = got.get(name);
    if (value != null && value.isJsonArray() && value.getAsJsonArray().size() == 1) value = value.getAsJsonArray().get(0);
    expect(name + " is " + value, value != null && value.isJsonPrimitive() && value.getAsString().equals(expected));
  }

  private static void expect(String what, boolean holds) throws Different {
    if (!holds) throw new Different(what);
  }
}
