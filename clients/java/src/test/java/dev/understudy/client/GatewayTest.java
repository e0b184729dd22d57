package dev.understudy.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What users start, against a real gateway. Skipped where Node, or what {@code npm ci} brings, is not there. */
@Timeout(120)
class GatewayTest {
  private static final Path ROOT = Path.of("../..").toAbsolutePath().normalize();
  private static final String TARGETS =
      """
      targets:
        - { name: mock, provider: mock, model: mock-ok }
        - { name: lead, provider: mock, model: mock-stream-cut }
        - { name: second, provider: mock, model: mock-ok }
      routes:
        - { name: default, targets: [mock] }
        - { name: broken, targets: [lead, second] }
      """;

  @TempDir static Path folder;
  private static Process gateway;
  private static String address;

  private record Run(int exitCode, String output) {}

  @BeforeAll
  static void startGateway() throws Exception {
    assumeTrue(Files.isDirectory(ROOT.resolve("node_modules")), "no gateway: run npm ci in the root first");
    Path config = Files.writeString(folder.resolve("gateway.yaml"), TARGETS);
    ProcessBuilder builder = new ProcessBuilder("node", "bin/understudy.js", "--config", config.toString());
    builder.directory(ROOT.toFile()).redirectErrorStream(true);
    Path log = folder.resolve("gateway.log");
    builder.redirectOutput(log.toFile());
    for (String door : List.of("GRPC", "HTTP", "ADMIN")) builder.environment().put("UNDERSTUDY_" + door + "_ADDRESS", "127.0.0.1:0");
    try {
      gateway = builder.start();
    } catch (IOException noNode) {
      assumeTrue(false, "no gateway: Node is not installed");
    }
    address = listens(log);
  }

  private static String listens(Path log) throws Exception {
    Pattern told = Pattern.compile("gRPC +(127\\.0\\.0\\.1:[1-9][0-9]*)\\s");
    for (int count = 0; count < 600; count++) {
      Matcher matcher = told.matcher(Files.readString(log));
      if (matcher.find()) return matcher.group(1);
      if (!gateway.isAlive()) break;
      TimeUnit.MILLISECONDS.sleep(50);
    }
    throw new IOException("the gateway did not start: " + Files.readString(log));
  }

  @AfterAll
  static void stopGateway() throws InterruptedException {
    if (gateway == null) return;
    gateway.destroy();
    gateway.waitFor();
  }

  private static Run java(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("UNDERSTUDY_ADDRESS", address);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Run(process.waitFor(), output);
  }

  @Test
  void theConformanceProgramPasses() throws Exception {
    Run run =
        java(
            "dev.understudy.conformance.Conformance", "generate", "chat", "stream", "health", "list-models",
            "health-check", "health-watch", "deadline", "decoded-error", "restarted");
    assertEquals(0, run.exitCode(), run.output());
  }

  @Test
  void theExampleAnswers() throws Exception {
    Run run = java("example/Chat.java", address);
    assertEquals(0, run.exitCode(), run.output());
    assertTrue(run.output().contains("FINISH_REASON_STOP"), run.output());
  }

  @Test
  void theSnippetsOfTheReadmeRun() throws Exception {
    Matcher blocks = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(Path.of("README.md")));
    int count = 0;
    while (blocks.find()) {
      count++;
      List<String> lines = blocks.group(1).lines().toList();
      boolean hasClass = lines.stream().anyMatch(line -> line.startsWith("public class"));
      String imports = lines.stream().filter(line -> line.startsWith("import ")).collect(Collectors.joining("\n"));
      String body = lines.stream().filter(line -> !line.startsWith("import ")).collect(Collectors.joining("\n"));
      String program =
          hasClass
              ? blocks.group(1)
              : imports
                  + "\nimport dev.understudy.client.*;\nimport dev.understudy.v1.*;\nclass Snippet {\n"
                  + "public static void main(String[] arguments) throws Exception {\n"
                  + (body.contains(" client =") ? "" : "var client = UnderstudyClient.create(\"127.0.0.1:50051\");\n")
                  + body
                  + "\n}\n}\n";
      Path file = folder.resolve("Snippet" + count + ".java");
      Files.writeString(file, program.replace("127.0.0.1:50051", address));
      Run run = java(file.toString());
      assertEquals(0, run.exitCode(), run.output() + "\n" + program);
    }
    assertTrue(count >= 4, "snippets: " + count);
  }

  @Test
  void aClientThatIsNotClosedKeepsNoProcessAlive() throws Exception {
    Path file = folder.resolve("Forgetful.java");
    Files.writeString(
        file,
        """
        import dev.understudy.client.*;
        class Forgetful {
          public static void main(String[] arguments) {
            var client = UnderstudyClient.create(arguments[0]);
            client.generate("Hi");
            client.streamChat("Hi").next();
            client.watch("").next();
          }
        }
        """);
    long beganAtNs = System.nanoTime();
    Run run = java(file.toString(), address);
    assertEquals(0, run.exitCode(), run.output());
    assertTrue(System.nanoTime() - beganAtNs < TimeUnit.SECONDS.toNanos(30));
  }
}
