package dev.understudy.client;

import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Makes clients. {@link UnderstudyClient#builder()} returns one. */
public final class UnderstudyClientBuilder {
  private static final int RECEIVE_LIMIT_BYTES = 20 * 1024 * 1024;

  /** With grpc-java's own 8 KiB, details that are larger cost the call its error, and some all calls of the connection. */
  private static final int METADATA_LIMIT_BYTES = 64 * 1024;

  private static final Map<String, ?> ROUND_ROBIN = Map.of("loadBalancingConfig", List.of(Map.of("round_robin", Map.of())));
  static final Map<String, ?> ROUND_ROBIN_OF_SERVING =
      Map.of(
          "loadBalancingConfig",
          List.of(Map.of("round_robin", Map.of())),
          "healthCheckConfig",
          Map.of("serviceName", ""));

  private final List<String> addresses = new ArrayList<>();
  private final Map<RpcMethod, Duration> timeouts = new EnumMap<>(RpcMethod.class);
  private final Map<String, String> metadata = new TreeMap<>();
  private final List<ClientInterceptor> interceptors = new ArrayList<>();
  private TlsOptions tls;
  private Supplier<String> apiKey;
  private boolean allowsApiKeyWithoutTls;
  private boolean waitForReady;
  private int maxRetries = Repeats.DEFAULT_MAX_RETRIES;
  private Executor executor;

  UnderstudyClientBuilder() {}

  /**
   * Adds addresses of gateways. Calls take turns between them; those that cannot be reached, or do not serve, are left out. A
   * name with several addresses is balanced too.
   *
   * @param added each {@code host:port} (plaintext), {@code http://host:port} or {@code https://host:port}, also several
   *     with commas between; or one name of gRPC, such as {@code dns:///host:port}
   * @return this
   */
  public UnderstudyClientBuilder addresses(String... added) {
    return addresses(List.of(added));
  }

  /**
   * Adds addresses of gateways, as {@link #addresses(String...)}.
   *
   * @param added the addresses
   * @return this
   */
  public UnderstudyClientBuilder addresses(List<String> added) {
    addresses.addAll(added);
    return this;
  }

  /**
   * Uses TLS, also for addresses without a scheme.
   *
   * @param options certificates and keys
   * @return this
   */
  public UnderstudyClientBuilder tls(TlsOptions options) {
    tls = options;
    return this;
  }

  /**
   * Sends an API key with every call, as {@code authorization: Bearer}. Metadata of a call named so wins.
   *
   * @param key the key
   * @return this
   * @throws IllegalArgumentException if it cannot be sent
   */
  public UnderstudyClientBuilder apiKey(String key) {
    String checked = ApiKey.checked(key);
    return apiKey(() -> checked);
  }

  /**
   * Sends an API key with every call, for keys that change.
   *
   * @param source is asked at each try of a call, on a thread of the executor; it may wait. Where it throws, the call fails
   *     with UNAUTHENTICATED
   * @return this
   */
  public UnderstudyClientBuilder apiKey(Supplier<String> source) {
    apiKey = source;
    return this;
  }

  /**
   * Allows to send the API key over plaintext to another host, where something else protects the way.
   *
   * @param allows whether it may; by default not
   * @return this
   */
  public UnderstudyClientBuilder allowApiKeyWithoutTls(boolean allows) {
    allowsApiKeyWithoutTls = allows;
    return this;
  }

  /**
   * Sets the deadline of calls that set none.
   *
   * @param method the call
   * @param timeout the time from its start; zero sends none
   * @return this
   * @throws IllegalArgumentException if it is negative
   */
  public UnderstudyClientBuilder timeout(RpcMethod method, Duration timeout) {
    timeouts.put(method, Settings.checkTimeout(timeout));
    return this;
  }

  /**
   * Adds metadata of every call.
   *
   * @param name the name; not one of binary metadata
   * @param value the value, printable ASCII
   * @return this
   * @throws IllegalArgumentException if gRPC does not allow the name or the value
   */
  public UnderstudyClientBuilder metadata(String name, String value) {
    Settings.putMetadata(metadata, name, value);
    return this;
  }

  /**
   * Sets how often a call is repeated at most. It is repeated only where that cannot bill twice: the gateway invites to it, or
   * says that no provider was asked, or was never reached.
   *
   * @param retries by default 2; 0 for never
   * @return this
   * @throws IllegalArgumentException if it is negative
   */
  public UnderstudyClientBuilder maxRetries(int retries) {
    maxRetries = Settings.checkMaxRetries(retries);
    return this;
  }

  /**
   * Says whether calls wait, within their deadlines, for a gateway that can be reached, instead of failing at once.
   *
   * @param waits by default not
   * @return this
   */
  public UnderstudyClientBuilder waitForReady(boolean waits) {
    waitForReady = waits;
    return this;
  }

  /**
   * Adds interceptors of gRPC, such as those of a tracing library. They see each try of a call.
   *
   * @param added the interceptors
   * @return this
   */
  public UnderstudyClientBuilder interceptors(ClientInterceptor... added) {
    interceptors.addAll(List.of(added));
    return this;
  }

  /**
   * Sets where callbacks run: those of futures, publishers and keys.
   *
   * @param runner by default daemon threads that grpc-java and the JDK share
   * @return this
   */
  public UnderstudyClientBuilder executor(Executor runner) {
    executor = runner;
    return this;
  }

  /**
   * Makes the client. It connects with its first call.
   *
   * @return the client, to be closed at the end
   * @throws IllegalArgumentException if an address cannot be read, addresses differ in TLS, or an API key would go over
   *     plaintext to another host
   */
  public UnderstudyClient build() {
    Addresses parsed = Addresses.parse(addresses, tls != null);
    if (apiKey != null && !parsed.isSecure() && !parsed.isLoopback() && !allowsApiKeyWithoutTls) {
      throw new IllegalArgumentException(
          "an API key would go over plaintext to another host: use TLS (https://), or allowApiKeyWithoutTls");
    }
    ApiKey credentials = apiKey == null ? null : new ApiKey(apiKey);
    Executor callbacks = executor == null ? ForkJoinPool.commonPool() : executor;
    Settings settings = new Settings(timeouts, metadata, waitForReady, maxRetries);
    return new UnderstudyClient(
        settings,
        new Connection(channel(parsed, ROUND_ROBIN_OF_SERVING), credentials, callbacks),
        // Health is asked of a gateway that does not serve, too. Nothing connects before the first call.
        new Connection(channel(parsed, ROUND_ROBIN), credentials, callbacks));
  }

  private ManagedChannel channel(Addresses parsed, Map<String, ?> serviceConfig) {
    ChannelCredentials credentials = InsecureChannelCredentials.create();
    if (parsed.isSecure()) credentials = (tls == null ? TlsOptions.defaults() : tls).credentials();
    ManagedChannelBuilder<?> builder =
        Grpc.newChannelBuilder(parsed.target(), credentials)
            .defaultServiceConfig(serviceConfig)
            .disableServiceConfigLookUp()
            .maxInboundMessageSize(RECEIVE_LIMIT_BYTES)
            .maxInboundMetadataSize(METADATA_LIMIT_BYTES)
            .keepAliveTime(30, TimeUnit.SECONDS)
            .keepAliveTimeout(10, TimeUnit.SECONDS)
            .keepAliveWithoutCalls(false)
            .userAgent("understudy-java/" + Version.VALUE)
            .intercept(interceptors);
    if (tls != null && tls.serverName() != null) builder.overrideAuthority(tls.serverName());
    if (executor != null) builder.executor(executor);
    return builder.build();
  }
}
