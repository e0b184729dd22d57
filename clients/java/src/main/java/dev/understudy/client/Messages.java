package dev.understudy.client;

import com.google.protobuf.ByteString;
import dev.understudy.v1.File;
import dev.understudy.v1.FunctionTool;
import dev.understudy.v1.Image;
import dev.understudy.v1.Message;
import dev.understudy.v1.Part;
import dev.understudy.v1.Role;
import dev.understudy.v1.Tool;
import dev.understudy.v1.ToolCall;
import dev.understudy.v1.ToolResult;
import java.util.List;
import java.util.stream.Stream;

/** Makes messages, parts and tools. */
public final class Messages {
  private Messages() {}

  /**
   * Makes a message of the application: instructions.
   *
   * @param text what it says
   * @return the message
   */
  public static Message systemMessage(String text) {
    return message(Role.ROLE_SYSTEM, text(text));
  }

  /**
   * Makes a message of the user.
   *
   * @param text what it says
   * @return the message
   */
  public static Message userMessage(String text) {
    return userMessage(text(text));
  }

  /**
   * Makes a message of the user, of text, images and files.
   *
   * @param parts what it says
   * @return the message
   */
  public static Message userMessage(Part... parts) {
    return message(Role.ROLE_USER, parts);
  }

  /**
   * Makes a message of the model. An answer that came from the gateway is better sent back as it is.
   *
   * @param text what it says
   * @return the message
   */
  public static Message assistantMessage(String text) {
    return message(Role.ROLE_ASSISTANT, text(text));
  }

  /**
   * Makes the message that answers one tool call.
   *
   * @param call the call
   * @param text what the tool returned
   * @return the message
   */
  public static Message toolMessage(ToolCall call, String text) {
    return toolMessage(call.getId(), false, text(text));
  }

  /**
   * Makes the message that answers one tool call.
   *
   * @param toolCallId the id of the call
   * @param isError whether the tool failed
   * @param parts what the tool returned: text, images and files
   * @return the message
   */
  public static Message toolMessage(String toolCallId, boolean isError, Part... parts) {
    ToolResult.Builder result =
        ToolResult.newBuilder().setToolCallId(toolCallId).setIsError(isError).addAllContent(List.of(parts));
    return message(Role.ROLE_TOOL, Part.newBuilder().setToolResult(result).build());
  }

  /**
   * Makes a part of text.
   *
   * @param text the text
   * @return the part
   */
  public static Part text(String text) {
    return Part.newBuilder().setText(text).build();
  }

  /**
   * Makes a part of an image.
   *
   * @param data its bytes, at most 10 MiB
   * @param mediaType {@code image/png}, {@code image/jpeg}, {@code image/gif} or {@code image/webp}
   * @return the part
   */
  public static Part image(byte[] data, String mediaType) {
    return Part.newBuilder()
        .setImage(Image.newBuilder().setData(ByteString.copyFrom(data)).setMediaType(mediaType))
        .build();
  }

  /**
   * Makes a part of an image that the provider fetches.
   *
   * @param url its address: https, at most 8 KiB
   * @return the part
   */
  public static Part imageUrl(String url) {
    return Part.newBuilder().setImage(Image.newBuilder().setUrl(url)).build();
  }

  /**
   * Makes a part of a file.
   *
   * @param data its bytes, at most 16 MiB
   * @param mediaType such as {@code application/pdf}
   * @param filename its name as the model shall see it, without a path
   * @return the part
   */
  public static Part file(byte[] data, String mediaType, String filename) {
    return Part.newBuilder()
        .setFile(
            File.newBuilder().setData(ByteString.copyFrom(data)).setMediaType(mediaType).setFilename(filename))
        .build();
  }

  /**
   * Makes a tool: a function of the caller.
   *
   * @param name letters, digits, {@code _} and {@code -}, at most 64
   * @param description what the function does, for the model
   * @param parametersJson the JSON Schema of its arguments, that of an object; empty for none
   * @return the tool
   */
  public static Tool functionTool(String name, String description, String parametersJson) {
    return Tool.newBuilder()
        .setFunction(
            FunctionTool.newBuilder().setName(name).setDescription(description).setParametersJson(parametersJson))
        .build();
  }

  /**
   * Returns the tools that a message calls.
   *
   * @param message an answer of the model
   * @return the calls, in order
   */
  public static List<ToolCall> toolCalls(Message message) {
    return message.getContentList().stream()
        .flatMap(part -> part.hasToolCall() ? Stream.of(part.getToolCall()) : Stream.empty())
        .toList();
  }

  private static Message message(Role role, Part... parts) {
    return Message.newBuilder().setRole(role).addAllContent(List.of(parts)).build();
  }
}
