/**
 * A client of Understudy, the LLM provider gateway.
 *
 * <p>{@link dev.understudy.client.UnderstudyClient} makes the calls. The messages of the contract are in
 * {@code dev.understudy.v1}.
 */
package dev.understudy.client;
