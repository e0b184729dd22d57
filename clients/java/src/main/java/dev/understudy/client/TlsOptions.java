package dev.understudy.client;

import io.grpc.ChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Certificates and keys. Immutable: each {@code with…} returns a copy. */
public final class TlsOptions {
  private static final TlsOptions DEFAULTS = new TlsOptions(null, null, null, null);

  private final byte[] trusted;
  private final byte[] chain;
  private final byte[] key;
  private final String serverName;

  private TlsOptions(byte[] trusted, byte[] chain, byte[] key, String serverName) {
    this.trusted = trusted;
    this.chain = chain;
    this.key = key;
    this.serverName = serverName;
  }

  /**
   * Returns options that trust the authorities of the JDK and have no certificate of their own.
   *
   * @return the options
   */
  public static TlsOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Sets the authorities to trust instead of the JDK's.
   *
   * @param pem their certificates in PEM
   * @return a copy with it
   */
  public TlsOptions withTrustedCertificates(byte[] pem) {
    return new TlsOptions(pem.clone(), chain, key, serverName);
  }

  /**
   * Sets the authorities to trust instead of the JDK's.
   *
   * @param pemFile a file of certificates in PEM, which is read now
   * @return a copy with it
   * @throws UncheckedIOException if it cannot be read
   */
  public TlsOptions withTrustedCertificates(Path pemFile) {
    return withTrustedCertificates(read(pemFile));
  }

  /**
   * Sets the certificate of this client, for mTLS.
   *
   * @param chainPem the certificate, and those behind it, in PEM
   * @param keyPem its private key: PKCS#8 in PEM, not encrypted
   * @return a copy with it
   */
  public TlsOptions withClientCertificate(byte[] chainPem, byte[] keyPem) {
    return new TlsOptions(trusted, chainPem.clone(), keyPem.clone(), serverName);
  }

  /**
   * Sets the certificate of this client, for mTLS.
   *
   * @param chainPemFile a file of the certificate, and those behind it, in PEM, which is read now
   * @param keyPemFile a file of its private key: PKCS#8 in PEM, not encrypted
   * @return a copy with it
   * @throws UncheckedIOException if one cannot be read
   */
  public TlsOptions withClientCertificate(Path chainPemFile, Path keyPemFile) {
    return withClientCertificate(read(chainPemFile), read(keyPemFile));
  }

  /**
   * Sets the name that the certificate of the gateway must have.
   *
   * @param serverName a host name; by default that of the address
   * @return a copy with it
   */
  public TlsOptions withServerName(String serverName) {
    return new TlsOptions(trusted, chain, key, serverName);
  }

  /** Null for that of the address. */
  String serverName() {
    return serverName;
  }

  ChannelCredentials credentials() {
    TlsChannelCredentials.Builder builder = TlsChannelCredentials.newBuilder();
    try {
      if (trusted != null) builder.trustManager(new ByteArrayInputStream(trusted));
      if (chain != null) builder.keyManager(new ByteArrayInputStream(chain), new ByteArrayInputStream(key));
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
    return builder.build();
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
