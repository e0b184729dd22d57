package dev.understudy.client;

import java.time.Duration;

/** The calls that have a default deadline. */
public enum RpcMethod {
  /** Answers one prompt. 120 s. */
  GENERATE(Duration.ofSeconds(120)),
  /** Answers a conversation with one whole message. 120 s. */
  CHAT(Duration.ofSeconds(120)),
  /** Answers a conversation as it is written. 600 s, which covers the whole stream. */
  STREAM_CHAT(Duration.ofSeconds(600)),
  /** Tells how the targets are doing. 5 s. */
  HEALTH(Duration.ofSeconds(5)),
  /** Lists models, one page. 120 s. */
  LIST_MODELS(Duration.ofSeconds(120)),
  /** {@code grpc.health.v1} Check. 5 s. */
  CHECK(Duration.ofSeconds(5)),
  /** {@code grpc.health.v1} Watch. None. */
  WATCH(Duration.ZERO);

  private final Duration defaultTimeout;

  RpcMethod(Duration defaultTimeout) {
    this.defaultTimeout = defaultTimeout;
  }

  /**
   * Returns the deadline of calls that set none, unless the client has another one.
   *
   * @return the time from the start of the call; zero for none
   */
  public Duration defaultTimeout() {
    return defaultTimeout;
  }
}
