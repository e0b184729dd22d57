package dev.understudy.client;

/** The version of this client, which a test holds to that of the module. */
final class Version {
  static final String VALUE = "0.1.0";

  private Version() {}
}
