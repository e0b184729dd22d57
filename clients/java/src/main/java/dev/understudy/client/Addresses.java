package dev.understudy.client;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the gateways are.
 *
 * @param target what gRPC connects to
 * @param isSecure whether TLS is used
 * @param isLoopback whether no byte leaves the machine
 */
record Addresses(String target, boolean isSecure, boolean isLoopback) {
  private static final String INVALID =
      "an address must be \"host:port\", \"http://host:port\", \"https://host:port\" or a name of gRPC such as"
          + " \"dns:///host:port\"";
  private static final Pattern GRPC_NAME = Pattern.compile("(dns|unix|xds|ipv4|ipv6):.+");
  private static final Pattern HOST =
      Pattern.compile("(?:(https?)://)?(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?/?");

  private record Host(String name, int port, Boolean isSecure) {
    String text() {
      return name + ":" + port;
    }
  }

  /** Reads addresses, each also several with commas between. The text of the errors does not repeat them. */
  static Addresses parse(List<String> texts, boolean hasTlsOptions) {
    if (texts.size() == 1 && GRPC_NAME.matcher(texts.get(0)).matches()) return named(texts.get(0), hasTlsOptions);
    List<Host> hosts = new ArrayList<>();
    for (String text : texts) {
      for (String one : text.split(",", -1)) hosts.add(host(one.strip()));
    }
    if (hosts.isEmpty()) throw new IllegalArgumentException(INVALID);
    boolean isToldSecure = hosts.stream().anyMatch(host -> Boolean.TRUE.equals(host.isSecure));
    boolean isToldPlain = hosts.stream().anyMatch(host -> Boolean.FALSE.equals(host.isSecure));
    if (isToldSecure && isToldPlain) {
      throw new IllegalArgumentException("addresses of one client must all use TLS, or none");
    }
    if (isToldPlain && hasTlsOptions) {
      throw new IllegalArgumentException("TLS options are given, but the address says \"http://\"");
    }
    Set<String> distinct = new LinkedHashSet<>(hosts.stream().map(Host::text).toList());
    return new Addresses(
        distinct.size() == 1 ? dnsTarget(hosts.get(0).text()) : AddressListProvider.targetOf(List.copyOf(distinct)),
        isToldSecure || hasTlsOptions,
        hosts.stream().allMatch(host -> isLoopback(host.name)));
  }

  /** The target of one {@code host:port}. */
  static String dnsTarget(String address) {
    // No URI has brackets in its path.
    return "dns:///" + address.replace("[", "%5B").replace("]", "%5D");
  }

  private static Addresses named(String text, boolean hasTlsOptions) {
    if (text.startsWith("unix:")) return new Addresses(text, hasTlsOptions, true);
    Matcher last = HOST.matcher(text.substring(Math.max(text.indexOf(':'), text.lastIndexOf('/')) + 1));
    return new Addresses(text, hasTlsOptions, !text.startsWith("xds:") && last.matches() && isLoopback(last.group(2)));
  }

  private static Host host(String text) {
    Matcher matcher = HOST.matcher(text);
    if (!matcher.matches()) throw new IllegalArgumentException(INVALID);
    String scheme = matcher.group(1);
    if (scheme == null && (matcher.group(3) == null || text.endsWith("/"))) throw new IllegalArgumentException(INVALID);
    Boolean isSecure = scheme == null ? null : (Boolean) scheme.equals("https");
    int port = matcher.group(3) != null ? Integer.parseInt(matcher.group(3)) : scheme.equals("https") ? 443 : 80;
    if (port == 0 || port > 65_535) throw new IllegalArgumentException(INVALID);
    return new Host(matcher.group(2), port, isSecure);
  }

  private static boolean isLoopback(String host) {
    String name = host.toLowerCase(Locale.ROOT);
    return name.equals("localhost")
        || name.endsWith(".localhost")
        || name.equals("[::1]")
        || name.matches("127(\\.[0-9]{1,3}){3}");
  }
}
