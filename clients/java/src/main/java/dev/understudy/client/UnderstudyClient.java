package dev.understudy.client;

import dev.understudy.v1.ChatRequest;
import dev.understudy.v1.ChatResponse;
import dev.understudy.v1.GenerateRequest;
import dev.understudy.v1.GenerateResponse;
import dev.understudy.v1.HealthRequest;
import dev.understudy.v1.HealthResponse;
import dev.understudy.v1.ListModelsRequest;
import dev.understudy.v1.ListModelsResponse;
import dev.understudy.v1.LlmServiceGrpc;
import dev.understudy.v1.Model;
import dev.understudy.v1.StreamChatRequest;
import dev.understudy.v1.StreamChatResponse;
import io.grpc.MethodDescriptor;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Calls gateways. Threads may share it, virtual ones too: nothing pins them while they wait.
 *
 * <p>Calls throw {@link UnderstudyException}. An interrupt of a thread that waits aborts its call. Futures complete with the
 * same exception, on threads of the executor; completing the future that was returned (as by {@code cancel} or
 * {@code orTimeout}), not one derived from it, aborts the call. Nothing here keeps the process alive.
 */
public final class UnderstudyClient implements AutoCloseable {
  private final Settings settings;
  private final Connection connection;
  private final Connection healthConnection;

  UnderstudyClient(Settings settings, Connection connection, Connection healthConnection) {
    this.settings = settings;
    this.connection = connection;
    this.healthConnection = healthConnection;
  }

  /**
   * Makes a client with defaults.
   *
   * @param addresses as {@link UnderstudyClientBuilder#addresses(String...)}
   * @return the client, to be closed at the end
   * @throws IllegalArgumentException if an address cannot be read
   */
  public static UnderstudyClient create(String... addresses) {
    return builder().addresses(addresses).build();
  }

  /**
   * Begins a client with options.
   *
   * @return a builder
   */
  public static UnderstudyClientBuilder builder() {
    return new UnderstudyClientBuilder();
  }

  /**
   * Answers one prompt.
   *
   * @param prompt the prompt
   * @return the answer
   * @throws UnderstudyException if the call failed
   */
  public GenerateResponse generate(String prompt) {
    return generate(GenerateRequest.newBuilder().setPrompt(prompt).build());
  }

  /**
   * Answers one prompt.
   *
   * @param request the prompt and how to answer it
   * @return the answer
   * @throws UnderstudyException if the call failed
   */
  public GenerateResponse generate(GenerateRequest request) {
    return generate(request, RequestOptions.defaults());
  }

  /**
   * Answers one prompt.
   *
   * @param request the prompt and how to answer it
   * @param options options of the call
   * @return the answer
   * @throws UnderstudyException if the call failed
   */
  public GenerateResponse generate(GenerateRequest request, RequestOptions options) {
    return unary(RpcMethod.GENERATE, LlmServiceGrpc.getGenerateMethod(), request, options).await();
  }

  /**
   * Answers one prompt.
   *
   * @param request the prompt and how to answer it
   * @return the answer; cancelling it aborts the call
   */
  public CompletableFuture<GenerateResponse> generateAsync(GenerateRequest request) {
    return generateAsync(request, RequestOptions.defaults());
  }

  /**
   * Answers one prompt.
   *
   * @param request the prompt and how to answer it
   * @param options options of the call
   * @return the answer; cancelling it aborts the call
   */
  public CompletableFuture<GenerateResponse> generateAsync(GenerateRequest request, RequestOptions options) {
    return unary(RpcMethod.GENERATE, LlmServiceGrpc.getGenerateMethod(), request, options);
  }

  /**
   * Answers a message of the user with one whole message.
   *
   * @param message what the user says
   * @return the answer
   * @throws UnderstudyException if the call failed
   */
  public ChatResponse chat(String message) {
    return chat(ChatRequest.newBuilder().addMessages(Messages.userMessage(message)).build());
  }

  /**
   * Answers a conversation with one whole message.
   *
   * @param request the conversation and how to go on with it
   * @return the answer
   * @throws UnderstudyException if the call failed
   */
  public ChatResponse chat(ChatRequest request) {
    return chat(request, RequestOptions.defaults());
  }

  /**
   * Answers a conversation with one whole message.
   *
   * @param request the conversation and how to go on with it
   * @param options options of the call
   * @return the answer
   * @throws UnderstudyException if the call failed
   */
  public ChatResponse chat(ChatRequest request, RequestOptions options) {
    return unary(RpcMethod.CHAT, LlmServiceGrpc.getChatMethod(), request, options).await();
  }

  /**
   * Answers a conversation with one whole message.
   *
   * @param request the conversation and how to go on with it
   * @return the answer; cancelling it aborts the call
   */
  public CompletableFuture<ChatResponse> chatAsync(ChatRequest request) {
    return chatAsync(request, RequestOptions.defaults());
  }

  /**
   * Answers a conversation with one whole message.
   *
   * @param request the conversation and how to go on with it
   * @param options options of the call
   * @return the answer; cancelling it aborts the call
   */
  public CompletableFuture<ChatResponse> chatAsync(ChatRequest request, RequestOptions options) {
    return unary(RpcMethod.CHAT, LlmServiceGrpc.getChatMethod(), request, options);
  }

  /**
   * Answers a message of the user as it is written.
   *
   * @param message what the user says
   * @return the events, to be read in try-with-resources; the call starts with the first read
   */
  public AnswerStream streamChat(String message) {
    return streamChat(StreamChatRequest.newBuilder().addMessages(Messages.userMessage(message)).build());
  }

  /**
   * Answers a conversation as it is written.
   *
   * @param request the conversation and how to go on with it
   * @return the events, to be read in try-with-resources; the call starts with the first read
   */
  public AnswerStream streamChat(StreamChatRequest request) {
    return streamChat(request, RequestOptions.defaults());
  }

  /**
   * Answers a conversation as it is written.
   *
   * @param request the conversation and how to go on with it
   * @param options options of the call
   * @return the events, to be read in try-with-resources; the call starts with the first read
   */
  public AnswerStream streamChat(StreamChatRequest request, RequestOptions options) {
    EventStream.Reader<StreamChatResponse, StreamChatResponse> reader = new EventStream.Reader<>(Function.identity());
    return new AnswerStream(reader.of(streamCall(request, options, reader)));
  }

  /**
   * Answers a conversation as it is written, without a thread that waits.
   *
   * @param request the conversation and how to go on with it
   * @param options options of the call
   * @return the events; each subscriber makes a call of its own, cancelling the subscription aborts it, and nothing comes
   *     that was not requested. It ends with {@link UnderstudyException} unless {@code finished} came
   */
  public Flow.Publisher<StreamChatResponse> streamChatAsync(StreamChatRequest request, RequestOptions options) {
    return new AnswerPublisher<>(receiver -> streamCall(request, options, receiver));
  }

  /**
   * Tells how the targets are doing. Calls no provider.
   *
   * @return their state
   * @throws UnderstudyException if the call failed
   */
  public HealthResponse health() {
    return health(RequestOptions.defaults());
  }

  /**
   * Tells how the targets are doing. Calls no provider.
   *
   * @param options options of the call
   * @return their state
   * @throws UnderstudyException if the call failed
   */
  public HealthResponse health(RequestOptions options) {
    return healthCall(options).await();
  }

  /**
   * Tells how the targets are doing. Calls no provider.
   *
   * @param options options of the call
   * @return their state; cancelling it aborts the call
   */
  public CompletableFuture<HealthResponse> healthAsync(RequestOptions options) {
    return healthCall(options);
  }

  /**
   * Lists one page of the models that requests may name.
   *
   * @param request which page
   * @return the page
   * @throws UnderstudyException if the call failed
   */
  public ListModelsResponse listModels(ListModelsRequest request) {
    return listModels(request, RequestOptions.defaults());
  }

  /**
   * Lists one page of the models that requests may name.
   *
   * @param request which page
   * @param options options of the call
   * @return the page
   * @throws UnderstudyException if the call failed
   */
  public ListModelsResponse listModels(ListModelsRequest request, RequestOptions options) {
    return unary(RpcMethod.LIST_MODELS, LlmServiceGrpc.getListModelsMethod(), request, options).await();
  }

  /**
   * Lists one page of the models that requests may name.
   *
   * @param request which page
   * @param options options of the call
   * @return the page; cancelling it aborts the call
   */
  public CompletableFuture<ListModelsResponse> listModelsAsync(ListModelsRequest request, RequestOptions options) {
    return unary(RpcMethod.LIST_MODELS, LlmServiceGrpc.getListModelsMethod(), request, options);
  }

  /**
   * Lists all models that requests may name, page by page.
   *
   * @return the models, by target and then by id
   * @throws UnderstudyException if a call failed
   */
  public List<Model> models() {
    List<Model> models = new ArrayList<>();
    ListModelsResponse page = ListModelsResponse.getDefaultInstance();
    do {
      page = listModels(ListModelsRequest.newBuilder().setPageSize(1000).setPageToken(page.getNextPageToken()).build());
      models.addAll(page.getModelsList());
    } while (!page.getNextPageToken().isEmpty());
    return List.copyOf(models);
  }

  /**
   * Asks a gateway whether it serves, as {@code grpc.health.v1} has it. One that does not is asked as well.
   *
   * @param service empty for the whole gateway, or {@code understudy.v1.LlmService}, {@code liveness}, {@code readiness},
   *     {@code understudy.target.<target>}
   * @return its state
   * @throws UnderstudyException with NOT_FOUND if there is no such service, or if the call failed
   */
  public ServingStatus check(String service) {
    return check(service, RequestOptions.defaults());
  }

  /**
   * Asks a gateway whether it serves, as {@link #check(String)}.
   *
   * @param service the service
   * @param options options of the call
   * @return its state
   * @throws UnderstudyException with NOT_FOUND if there is no such service, or if the call failed
   */
  public ServingStatus check(String service, RequestOptions options) {
    return unary(healthConnection, RpcMethod.CHECK, HealthGrpc.getCheckMethod(), healthOf(service), options)
        .await()
        .getStatus();
  }

  /**
   * Watches whether a gateway serves.
   *
   * @param service the service, as in {@link #check(String)}
   * @return its state now, and whenever it changes; to be read in try-with-resources
   */
  public EventStream<ServingStatus> watch(String service) {
    return watch(service, RequestOptions.defaults());
  }

  /**
   * Watches whether a gateway serves.
   *
   * @param service the service, as in {@link #check(String)}
   * @param options options of the call
   * @return its state now, and whenever it changes; to be read in try-with-resources
   */
  public EventStream<ServingStatus> watch(String service, RequestOptions options) {
    EventStream.Reader<HealthCheckResponse, ServingStatus> reader =
        new EventStream.Reader<>(HealthCheckResponse::getStatus);
    Settings.OfCall ofCall = settings.with(RpcMethod.WATCH, options);
    return new EventStream<>(
        reader.of(
            new GatewayCall<>(
                healthConnection, HealthGrpc.getWatchMethod(), healthOf(service), ofCall, null, reader)));
  }

  /** Ends open calls with CANCELLED, and the connections. Does not wait; further calls do nothing. */
  @Override
  public void close() {
    connection.close();
    healthConnection.close();
  }

  private CallFuture<HealthResponse> healthCall(RequestOptions options) {
    HealthRequest request = HealthRequest.getDefaultInstance();
    return unary(healthConnection, RpcMethod.HEALTH, LlmServiceGrpc.getHealthMethod(), request, options);
  }

  private static HealthCheckRequest healthOf(String service) {
    return HealthCheckRequest.newBuilder().setService(service).build();
  }

  private GatewayCall<StreamChatRequest, StreamChatResponse> streamCall(
      StreamChatRequest request, RequestOptions options, GatewayCall.Receiver<StreamChatResponse> receiver) {
    Settings.OfCall ofCall = settings.with(RpcMethod.STREAM_CHAT, options);
    Predicate<StreamChatResponse> isLast = StreamChatResponse::hasFinished;
    return new GatewayCall<>(connection, LlmServiceGrpc.getStreamChatMethod(), request, ofCall, isLast, receiver);
  }

  private <Q, R> CallFuture<R> unary(RpcMethod rpc, MethodDescriptor<Q, R> method, Q request, RequestOptions options) {
    return unary(connection, rpc, method, request, options);
  }

  private <Q, R> CallFuture<R> unary(
      Connection over, RpcMethod rpc, MethodDescriptor<Q, R> method, Q request, RequestOptions options) {
    CallFuture<R> future = new CallFuture<>();
    return future.start(new GatewayCall<>(over, method, request, settings.with(rpc, options), null, future));
  }
}
