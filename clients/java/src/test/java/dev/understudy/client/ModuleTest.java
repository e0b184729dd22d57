package dev.understudy.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
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

  @Test
  void theServiceConfigIsThatOfAllClients() throws IOException {
    Path shared = Path.of("../service-config.json");
    assumeTrue(Files.exists(shared), "clients/service-config.json is not there");
    JsonElement own = new Gson().toJsonTree(UnderstudyClientBuilder.ROUND_ROBIN_OF_SERVING);
    assertEquals(JsonParser.parseString(Files.readString(shared)), own);
  }
}
