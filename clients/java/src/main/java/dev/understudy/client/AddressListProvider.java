package dev.understudy.client;

import io.grpc.Attributes;
import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.Status;
import io.grpc.StatusOr;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Resolves several addresses: each by DNS, all together one list. */
final class AddressListProvider extends NameResolverProvider {
  private static final String SCHEME = "understudy-list";

  static {
    NameResolverRegistry.getDefaultRegistry().register(new AddressListProvider());
  }

  /** The target of {@code host:port} addresses. */
  static String targetOf(List<String> addresses) {
    return SCHEME + ":///" + URLEncoder.encode(String.join(",", addresses), StandardCharsets.UTF_8);
  }

  @Override
  public NameResolver newNameResolver(URI target, NameResolver.Args args) {
    if (!SCHEME.equals(target.getScheme())) return null;
    String list = URLDecoder.decode(target.getRawPath().substring(1), StandardCharsets.UTF_8);
    return new ListResolver(Arrays.asList(list.split(",")), args);
  }

  @Override
  public String getDefaultScheme() {
    return SCHEME;
  }

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return 1;
  }

  /** All that it is told comes in the synchronization context of the channel. */
  private static final class ListResolver extends NameResolver {
    private final List<String> addresses;
    private final List<NameResolver> resolvers = new ArrayList<>();
    private final List<StatusOr<List<EquivalentAddressGroup>>> found = new ArrayList<>();

    ListResolver(List<String> addresses, Args args) {
      this.addresses = addresses;
      Factory factory = NameResolverRegistry.getDefaultRegistry().asFactory();
      for (String address : addresses) {
        resolvers.add(factory.newNameResolver(URI.create(Addresses.dnsTarget(address)), args));
        found.add(null);
      }
    }

    @Override
    public String getServiceAuthority() {
      return addresses.get(0);
    }

    @Override
    public void start(Listener2 listener) {
      for (int index = 0; index < resolvers.size(); index++) {
        resolvers.get(index).start(new Part(index, listener));
      }
    }

    @Override
    public void refresh() {
      resolvers.forEach(NameResolver::refresh);
    }

    @Override
    public void shutdown() {
      resolvers.forEach(NameResolver::shutdown);
    }

    private Status tell(int index, StatusOr<List<EquivalentAddressGroup>> part, Listener2 listener) {
      // What was found before stays in use where DNS fails for a while.
      if (part.hasValue() || found.get(index) == null || !found.get(index).hasValue()) found.set(index, part);
      List<EquivalentAddressGroup> all = new ArrayList<>();
      for (StatusOr<List<EquivalentAddressGroup>> one : found) {
        if (one != null && one.hasValue()) all.addAll(one.getValue());
      }
      if (!all.isEmpty()) return listener.onResult2(result(StatusOr.fromValue(all)));
      if (found.contains(null)) return Status.OK;
      return listener.onResult2(result(part));
    }

    private static ResolutionResult result(StatusOr<List<EquivalentAddressGroup>> groups) {
      return ResolutionResult.newBuilder().setAddressesOrError(groups).build();
    }

    /** Hears the resolver of one address. */
    private final class Part extends Listener2 {
      private final int index;
      private final Listener2 listener;

      Part(int index, Listener2 listener) {
        this.index = index;
        this.listener = listener;
      }

      @Override
      public void onResult(ResolutionResult result) {
        onResult2(result);
      }

      @Override
      public Status onResult2(ResolutionResult result) {
        StatusOr<List<EquivalentAddressGroup>> groups = result.getAddressesOrError();
        return tell(index, groups.hasValue() ? StatusOr.fromValue(named(groups.getValue())) : groups, listener);
      }

      @Override
      public void onError(Status error) {
        tell(index, StatusOr.fromStatus(error), listener);
      }

      /** The certificate of each gateway is checked for its own name. */
      private List<EquivalentAddressGroup> named(List<EquivalentAddressGroup> groups) {
        return groups.stream()
            .map(
                group -> {
                  Attributes attributes =
                      group.getAttributes().toBuilder()
                          .set(EquivalentAddressGroup.ATTR_AUTHORITY_OVERRIDE, addresses.get(index))
                          .build();
                  return new EquivalentAddressGroup(group.getAddresses(), attributes);
                })
            .toList();
      }
    }
  }
}
