package dev.understudy.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grpc.ServerCredentials;
import io.grpc.Status;
import io.grpc.TlsServerCredentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class TlsTest {
  @TempDir static Path folder;
  private static Certificates local;
  private static Certificates other;

  @BeforeAll
  static void makeCertificates() throws Exception {
    local = Certificates.of(folder, "ip:127.0.0.1,dns:localhost");
    other = Certificates.of(folder, "dns:gateway.example");
  }

  private static TestServer server(Certificates own, Certificates trusted) throws IOException {
    TlsServerCredentials.Builder builder =
        TlsServerCredentials.newBuilder()
            .keyManager(new ByteArrayInputStream(own.certificate()), new ByteArrayInputStream(own.key()));
    if (trusted != null) {
      builder
          .trustManager(new ByteArrayInputStream(trusted.certificate()))
          .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE);
    }
    ServerCredentials credentials = builder.build();
    return new TestServer(credentials);
  }

  private static UnderstudyClient client(TlsOptions tls, String... addresses) {
    return UnderstudyClient.builder().addresses(addresses).tls(tls).apiKey("key").maxRetries(0).build();
  }

  @Test
  void aTrustedCertificateIsTakenAndTheKeySent() throws IOException {
    Path file = Files.write(folder.resolve("trusted.pem"), local.certificate());
    try (TestServer server = server(local, null);
        UnderstudyClient client = client(TlsOptions.defaults().withTrustedCertificates(file), "https://" + server.address())) {
      assertEquals("Hi", client.generate("Hi").getText());
      assertEquals("Bearer key", server.header("authorization"));
    }
  }

  @Test
  void aCertificateThatIsNotTrustedOrOfAnotherNameIsRefused() throws IOException {
    try (TestServer server = server(local, null);
        UnderstudyClient client = client(TlsOptions.defaults(), server.address())) {
      assertEquals(Status.Code.UNAVAILABLE, assertThrows(UnderstudyException.class, () -> client.generate("Hi")).code());
    }
    TlsOptions trusting = TlsOptions.defaults().withTrustedCertificates(other.certificate());
    try (TestServer server = server(other, null);
        UnderstudyClient client = client(trusting, server.address());
        UnderstudyClient named = client(trusting.withServerName("gateway.example"), server.address())) {
      assertThrows(UnderstudyException.class, () -> client.generate("Hi"));
      assertEquals("Hi", named.generate("Hi").getText());
    }
  }

  @Test
  void aClientShowsItsOwnCertificate() throws IOException {
    TlsOptions tls = TlsOptions.defaults().withTrustedCertificates(local.certificate());
    try (TestServer server = server(local, other);
        UnderstudyClient without = client(tls, server.address());
        UnderstudyClient with = client(tls.withClientCertificate(other.certificate(), other.key()), server.address())) {
      assertThrows(UnderstudyException.class, () -> without.generate("Hi"));
      assertEquals("Hi", with.generate("Hi").getText());
    }
  }

  @Test
  void eachOfSeveralGatewaysIsCheckedForItsOwnName() throws IOException {
    TlsOptions tls = TlsOptions.defaults().withTrustedCertificates(local.certificate());
    try (TestServer one = server(local, null);
        TestServer two = server(local, null);
        UnderstudyClient client = client(tls, one.address(), "localhost:" + two.port)) {
      Set<String> seen = new TreeSet<>();
      while (seen.size() < 2) seen.add(client.generate("Hi").getTarget());
    }
  }
}
