package dev.understudy.client;

import java.io.Serializable;

/**
 * A limit that is used up.
 *
 * @param subject whose limit, such as {@code target:openai}
 * @param description which one, in words
 */
public record QuotaViolation(String subject, String description) implements Serializable {}
