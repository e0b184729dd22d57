package dev.understudy.client;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;

/** A certificate that nobody else has signed, and its key, both in PEM. */
record Certificates(byte[] certificate, byte[] key) {
  private static final String PASSWORD = "password";

  static Certificates of(Path folder, String names) throws IOException, InterruptedException, GeneralSecurityException {
    Path file = folder.resolve(names.replaceAll("[^a-z0-9]", "") + ".p12");
    Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
    Process made =
        new ProcessBuilder(
                keytool.toString(), "-genkeypair", "-keyalg", "EC", "-alias", "a", "-dname", "CN=test", "-ext",
                "SAN=" + names, "-ext", "BC:c=ca:true", "-storetype", "PKCS12", "-keystore", file.toString(),
                "-storepass", PASSWORD)
            .redirectErrorStream(true)
            .start();
    String output = new String(made.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (made.waitFor() != 0) throw new IOException(output);
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, PASSWORD.toCharArray());
    }
    return new Certificates(
        pem("CERTIFICATE", store.getCertificate("a").getEncoded()),
        pem("PRIVATE KEY", store.getKey("a", PASSWORD.toCharArray()).getEncoded()));
  }

  private static byte[] pem(String kind, byte[] bytes) {
    String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
    return ("-----BEGIN " + kind + "-----\n" + body + "\n-----END " + kind + "-----\n").getBytes(StandardCharsets.US_ASCII);
  }
}
