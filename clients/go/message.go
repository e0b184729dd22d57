package understudy

// Content is what a message says: text, or parts.
type Content interface {
	string | *Part
}

// SystemMessage makes a message of the application: instructions.
func SystemMessage[C Content](content ...C) *Message {
	return &Message{Role: Role_ROLE_SYSTEM, Content: partsOf(content)}
}

// UserMessage makes a message of the user, of text or of parts:
//
//	understudy.UserMessage("What is on it?")
//	understudy.UserMessage(understudy.TextPart("What is on it?"), understudy.ImagePart(data, "image/png"))
func UserMessage[C Content](content ...C) *Message {
	return &Message{Role: Role_ROLE_USER, Content: partsOf(content)}
}

// AssistantMessage makes a message of the model. An answer that came from the gateway is better sent back as it is.
func AssistantMessage[C Content](content ...C) *Message {
	return &Message{Role: Role_ROLE_ASSISTANT, Content: partsOf(content)}
}

// ToolMessage makes the message that answers one tool call.
func ToolMessage[C Content](call *ToolCall, content ...C) *Message {
	return toolMessage(&ToolResult{ToolCallId: call.GetId(), Content: partsOf(content)})
}

// ToolErrorMessage makes the message that says that a tool call has failed, and why.
func ToolErrorMessage[C Content](call *ToolCall, content ...C) *Message {
	return toolMessage(&ToolResult{ToolCallId: call.GetId(), Content: partsOf(content), IsError: true})
}

func toolMessage(result *ToolResult) *Message {
	return &Message{Role: Role_ROLE_TOOL, Content: []*Part{{Part: &Part_ToolResult{ToolResult: result}}}}
}

// TextPart makes a part of text.
func TextPart(text string) *Part { return &Part{Part: &Part_Text{Text: text}} }

// ImagePart makes a part that is an image of a media type, such as "image/png".
func ImagePart(data []byte, mediaType string) *Part {
	return &Part{Part: &Part_Image{Image: &Image{Source: &Image_Data{Data: data}, MediaType: mediaType}}}
}

// ImageURLPart makes a part that is an image at an https address, which the provider fetches.
func ImageURLPart(address string) *Part {
	return &Part{Part: &Part_Image{Image: &Image{Source: &Image_Url{Url: address}}}}
}

// FilePart makes a part that is a file of a media type, such as "application/pdf".
func FilePart(data []byte, mediaType, filename string) *Part {
	return &Part{Part: &Part_File{File: &File{Data: data, MediaType: mediaType, Filename: filename}}}
}

// NewFunctionTool makes a tool. The JSON Schema of its arguments is text; empty for none.
func NewFunctionTool(name, description, parametersJSON string) *Tool {
	return &Tool{Kind: &Tool_Function{
		Function: &FunctionTool{Name: name, Description: description, ParametersJson: parametersJSON},
	}}
}

// JSONSchema makes the form of an answer that is JSON of a schema, which is text. Strict passes over an answer that does not
// hold to it.
func JSONSchema(name, schemaJSON string, strict bool) *ResponseFormat {
	return &ResponseFormat{Format: &ResponseFormat_JsonSchema{
		JsonSchema: &JsonSchemaFormat{Name: name, SchemaJson: schemaJSON, Strict: strict},
	}}
}

// JSONObject makes the form of an answer that is any JSON object.
func JSONObject() *ResponseFormat {
	return &ResponseFormat{Format: &ResponseFormat_JsonObject{JsonObject: &JsonObjectFormat{}}}
}

// ToolCalls returns the tool calls of an answer, in their order.
func ToolCalls(message *Message) []*ToolCall {
	var calls []*ToolCall
	for _, part := range message.GetContent() {
		if call := part.GetToolCall(); call != nil {
			calls = append(calls, call)
		}
	}
	return calls
}

func partsOf[C Content](content []C) []*Part {
	parts := make([]*Part, 0, len(content))
	for _, item := range content {
		switch item := any(item).(type) {
		case string:
			parts = append(parts, TextPart(item))
		case *Part:
			parts = append(parts, item)
		}
	}
	return parts
}
