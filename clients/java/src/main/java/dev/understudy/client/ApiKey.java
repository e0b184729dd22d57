package dev.understudy.client;

import io.grpc.CallCredentials;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** Sends an API key with each try of a call. */
final class ApiKey extends CallCredentials {
  static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final Supplier<String> source;

  ApiKey(Supplier<String> source) {
    this.source = source;
  }

  /** Takes the key as it stands in a file, with spaces around it; the text of the error does not repeat it. */
  static String checked(String key) {
    String trimmed = key == null ? "" : key.strip();
    if (trimmed.isEmpty() || !Settings.isPrintableAscii(trimmed)) {
      throw new IllegalArgumentException("an API key must be printable ASCII and not empty");
    }
    return trimmed;
  }

  @Override
  public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier applier) {
    // On the executor, since the source may wait for a token.
    executor.execute(
        () -> {
          Metadata headers = new Metadata();
          try {
            headers.put(AUTHORIZATION, "Bearer " + checked(source.get()));
          } catch (RuntimeException | Error failure) {
            applier.fail(Status.UNAUTHENTICATED.withDescription("the API key could not be had").withCause(failure));
            return;
          }
          applier.apply(headers);
        });
  }
}
