package dev.understudy.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ModuleTest {
  @Test
  void theVersionIsThatOfTheModuleAndOfTheGateway() throws IOException {
    assertTrue(Files.readString(Path.of("pom.xml")).contains("<version>" + Version.VALUE + "</version>"));
    assertTrue(Files.readString(Path.of("../../package.json")).contains("\"version\": \"" + Version.VALUE + "\""));
    assertTrue(Files.readString(Path.of("README.md")).contains("<version>" + Version.VALUE + "</version>"));
  }

  @Test
  void theGeneratedCodeFitsTheProtobufOfGrpc() {
    String location = com.google.protobuf.Message.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    assertEquals("protobuf-java-3.25.9.jar", Path.of(location).getFileName().toString());
  }
}
