package dev.understudy.client;

import java.io.Serializable;

/**
 * A field of the request that is wrong.
 *
 * @param field its path, such as {@code messages[0].role}
 * @param description what is wrong with it, in words
 */
public record FieldViolation(String field, String description) implements Serializable {}
