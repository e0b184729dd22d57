package dev.understudy.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.InsecureServerCredentials;
import io.grpc.Status;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(20)
class BalancingTest {
  private final TestServer one = new TestServer();
  private final TestServer two = new TestServer();

  @AfterEach
  void close() {
    one.close();
    two.close();
  }

  /** Calls until a call went to each of the addresses, and then some; connections come about one after the other. */
  private static void callUntil(UnderstudyClient client, Set<String> wanted) {
    Set<String> seen = new TreeSet<>();
    while (!seen.equals(wanted)) {
      seen.clear();
      for (int count = 0; count < 10; count++) seen.add(client.generate("Hi").getTarget());
    }
  }

  /** Makes the first call behind the loss of a gateway: on a connection that is just breaking it may have been billed, and is told. */
  private static void callInto(UnderstudyClient client) {
    try {
      client.generate("Hi");
    } catch (UnderstudyException lost) {
      assertEquals(Status.Code.UNAVAILABLE, lost.code());
    }
  }

  @Test
  void callsTakeTurnsBetweenGatewaysThatServe() {
    try (UnderstudyClient client = UnderstudyClient.create(one.address() + ", " + two.address())) {
      callUntil(client, Set.of(one.address(), two.address()));
      one.serves(false);
      callUntil(client, Set.of(two.address()));
      one.serves(true);
      callUntil(client, Set.of(one.address(), two.address()));
    }
  }

  @Test
  void aGatewayThatIsGoneIsLeftOutAndFoundAgain() {
    int port = one.port;
    String address = one.address();
    try (UnderstudyClient client = UnderstudyClient.create(address, two.address())) {
      callUntil(client, Set.of(address, two.address()));
      one.close();
      for (int count = 0; count < 2; count++) callInto(client);
      callUntil(client, Set.of(two.address()));
      try (TestServer back = new TestServer(InsecureServerCredentials.create(), port)) {
        callUntil(client, Set.of(back.address(), two.address()));
      }
    }
  }

  @Test
  void anAddressThatCannotBeResolvedDoesNotStandInTheWay() {
    try (UnderstudyClient client = UnderstudyClient.create("gateway.invalid:1", two.address())) {
      callUntil(client, Set.of(two.address()));
    }
    try (UnderstudyClient client = UnderstudyClient.builder().addresses("a.invalid:1", "b.invalid:1").maxRetries(0).build()) {
      UnderstudyException error = assertThrows(UnderstudyException.class, () -> client.generate("Hi"));
      assertEquals(Status.Code.UNAVAILABLE, error.code());
      assertTrue(error.mayRetry(), error.getMessage());
    }
  }

  @Test
  void whereNoGatewayServesTheCallMayBeRepeatedAndHealthIsToldAllTheSame() {
    one.serves(false);
    try (UnderstudyClient client = UnderstudyClient.builder().addresses(one.address()).maxRetries(0).build()) {
      UnderstudyException error = assertThrows(UnderstudyException.class, () -> client.generate("Hi"));
      assertEquals(Status.Code.UNAVAILABLE, error.code());
      assertTrue(error.mayRetry(), error.getMessage());
      assertEquals("1", client.health().getVersion());
      assertEquals(List.of("Health"), one.methods);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "127.0.0.1:50051|dns:///127.0.0.1:50051|false|true",
        "[::1]:50051|dns:///%5B::1%5D:50051|false|true",
        "http://my_gateway:8000/|dns:///my_gateway:8000|false|false",
        "https://gateway.example|dns:///gateway.example:443|true|false",
        "a.localhost:1,a.localhost:1|dns:///a.localhost:1|false|true",
        "dns:///gateway:1|dns:///gateway:1|false|false",
        "unix:///tmp/a.sock|unix:///tmp/a.sock|false|true",
        "a:1,[::1]:2|understudy-list:///a%3A1%2C%5B%3A%3A1%5D%3A2|false|false",
      })
  void addressesAreRead(String text, String target, boolean isSecure, boolean isLoopback) {
    assertEquals(new Addresses(target, isSecure, isLoopback), Addresses.parse(List.of(text), false));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "host", "host:", "host:0", "host:65536", ":1", "ftp://host:1", "http://user:secret@host", "a:1,", "http://a/b", "a:1/", "http://a:1,https://b:1"})
  void otherTextsAreRefused(String text) {
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> UnderstudyClient.create(text));
    assertTrue(!error.getMessage().contains("secret"));
  }

  @Test
  void anAddressOfIpVersion6IsNotTakenForAName() {
    UnderstudyException error =
        assertThrows(UnderstudyException.class, () -> {
          try (UnderstudyClient client = UnderstudyClient.builder().addresses("[::1]:9").maxRetries(0).build()) {
            client.generate("Hi");
          }
        });
    assertTrue(error.getMessage().contains("0:0:0:0:0:0:0:1"), error.getMessage());
    try (UnderstudyClient client = UnderstudyClient.create("[::1]:9", two.address())) {
      callUntil(client, Set.of(two.address()));
    }
  }

  @Test
  void noAddressIsRefusedAndSoIsPlaintextWithTlsOptions() {
    assertThrows(IllegalArgumentException.class, () -> UnderstudyClient.builder().build());
    UnderstudyClientBuilder builder = UnderstudyClient.builder().addresses("http://a:1").tls(TlsOptions.defaults());
    assertThrows(IllegalArgumentException.class, builder::build);
  }
}
