package understudy_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"understudy.internal/understudy"
)

func restarted(sequence, from int64) *understudy.StreamChatResponse {
	return &understudy.StreamChatResponse{Sequence: sequence, Event: &understudy.StreamChatResponse_Restarted_{
		Restarted: &understudy.StreamChatResponse_Restarted{Target: "second", DiscardFromSequence: from},
	}}
}

func reasoning(sequence int64, words string) *understudy.StreamChatResponse {
	return &understudy.StreamChatResponse{Sequence: sequence, Event: &understudy.StreamChatResponse_ReasoningDelta_{
		ReasoningDelta: &understudy.StreamChatResponse_ReasoningDelta{Text: words},
	}}
}

func toolCall(sequence int64, index int32, id, name, arguments string) *understudy.StreamChatResponse {
	return &understudy.StreamChatResponse{Sequence: sequence, Event: &understudy.StreamChatResponse_ToolCallDelta_{
		ToolCallDelta: &understudy.StreamChatResponse_ToolCallDelta{
			PartIndex: index, Id: id, Name: name, ArgumentsFragment: arguments,
		},
	}}
}

func state(sequence int64, index int32) *understudy.StreamChatResponse {
	return &understudy.StreamChatResponse{Sequence: sequence, Event: &understudy.StreamChatResponse_PartFinished_{
		PartFinished: &understudy.StreamChatResponse_PartFinished{
			PartIndex: index, ProviderState: &understudy.ProviderState{Target: "lead", Data: []byte("kept")},
		},
	}}
}

func ping(sequence int64) *understudy.StreamChatResponse {
	return &understudy.StreamChatResponse{Sequence: sequence, Event: &understudy.StreamChatResponse_Ping_{}}
}

func TestCollectPutsAnAnswerTogether(t *testing.T) {
	seen := 0
	second := text(6, "world")
	second.GetTextDelta().PartIndex = 1
	begin := text(4, "hello ")
	begin.GetTextDelta().PartIndex = 1
	answer, err := chat(t, saying(t, nil,
		reasoning(1, "hm, "), reasoning(2, "yes"), state(3, 0), begin, ping(5), second,
		toolCall(7, 2, "id", "weather", `{"city":`), toolCall(8, 2, "", "", `"Rome"}`), state(9, 3), finished(10),
	)).Collect(func(*understudy.StreamChatResponse) { seen++ })
	if err != nil {
		t.Fatal(err)
	}
	kept := &understudy.ProviderState{Target: "lead", Data: []byte("kept")}
	want := &understudy.Message{Role: understudy.Role_ROLE_ASSISTANT, Content: []*understudy.Part{
		{Part: &understudy.Part_Reasoning{Reasoning: &understudy.Reasoning{Text: "hm, yes"}}, ProviderState: kept},
		understudy.TextPart("hello world"),
		{Part: &understudy.Part_ToolCall{ToolCall: &understudy.ToolCall{Id: "id", Name: "weather", ArgumentsJson: `{"city":"Rome"}`}}},
		{Part: &understudy.Part_Reasoning{Reasoning: &understudy.Reasoning{}}, ProviderState: kept},
	}}
	if !proto.Equal(answer.Message, want) || answer.Text != "hello world" || answer.Reasoning != "hm, yes" {
		t.Fatal(answer)
	}
	if seen != 10 || len(answer.Events) != 9 || answer.Finished == nil || len(answer.Restarts) != 0 {
		t.Fatal(seen, answer)
	}
	if calls := understudy.ToolCalls(answer.Message); len(calls) != 1 || calls[0].GetName() != "weather" {
		t.Fatal(calls)
	}
}

func TestRestartsDiscardWhatCame(t *testing.T) {
	answer, err := chat(t, saying(t, nil,
		text(2, "half a "), toolCall(3, 1, "id", "weather", "{"), restarted(4, 2),
		text(5, "again half "), restarted(6, 5), text(7, "a whole answer"), finished(8),
	)).Collect()
	if err != nil || answer.Text != "a whole answer" || len(answer.Restarts) != 2 || len(answer.Message.GetContent()) != 1 {
		t.Fatal(answer, err)
	}
}

func TestAnAccumulatorTellsTheTextSoFar(t *testing.T) {
	var accumulator understudy.Accumulator
	var all []string
	for _, event := range []*understudy.StreamChatResponse{text(1, "a"), text(2, "b"), restarted(3, 1), text(4, "c"), {Sequence: 5}, nil} {
		accumulator.Add(event)
		all = append(all, accumulator.Text())
	}
	if want := []string{"a", "ab", "", "c", "c", "c"}; !equal(all, want) || len(accumulator.Restarts()) != 1 {
		t.Fatal(all)
	}
	if answer, err := accumulator.Answer(); answer != nil || understudy.DecodeError(err).Reason != understudy.ReasonStreamInterrupted {
		t.Fatal(answer, err)
	}
}

func equal(left, right []string) bool {
	for index := range left {
		if len(left) != len(right) || left[index] != right[index] {
			return false
		}
	}
	return true
}

func TestHelpersMakeMessages(t *testing.T) {
	call := &understudy.ToolCall{Id: "id"}
	for name, test := range map[string]struct{ got, want proto.Message }{
		"system": {understudy.SystemMessage("Be brief."), &understudy.Message{
			Role: understudy.Role_ROLE_SYSTEM, Content: []*understudy.Part{understudy.TextPart("Be brief.")},
		}},
		"parts": {
			understudy.UserMessage(
				understudy.TextPart("What is it?"), understudy.ImagePart([]byte("data"), "image/png"),
				understudy.ImageURLPart("https://a.example/b.png"), understudy.FilePart([]byte("pdf"), "application/pdf", "a.pdf"),
			),
			&understudy.Message{Role: understudy.Role_ROLE_USER, Content: []*understudy.Part{
				{Part: &understudy.Part_Text{Text: "What is it?"}},
				{Part: &understudy.Part_Image{Image: &understudy.Image{
					Source: &understudy.Image_Data{Data: []byte("data")}, MediaType: "image/png",
				}}},
				{Part: &understudy.Part_Image{Image: &understudy.Image{Source: &understudy.Image_Url{Url: "https://a.example/b.png"}}}},
				{Part: &understudy.Part_File{File: &understudy.File{
					Data: []byte("pdf"), MediaType: "application/pdf", Filename: "a.pdf",
				}}},
			}},
		},
		"tool": {understudy.ToolErrorMessage(call, "no"), &understudy.Message{
			Role: understudy.Role_ROLE_TOOL, Content: []*understudy.Part{{Part: &understudy.Part_ToolResult{
				ToolResult: &understudy.ToolResult{ToolCallId: "id", Content: []*understudy.Part{understudy.TextPart("no")}, IsError: true},
			}}},
		}},
	} {
		if !proto.Equal(test.got, test.want) {
			t.Errorf("%s: %v instead of %v", name, test.got, test.want)
		}
	}
}
