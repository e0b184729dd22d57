package understudy

import (
	"iter"
	"slices"
	"strings"
)

// Answer is a streamed answer, put together.
type Answer struct {
	// Text has the text parts, joined.
	Text string
	// Reasoning has the reasoning, as far as the provider showed it, joined.
	Reasoning string
	// Message is the whole answer: text, reasoning and tool calls in their order. It can be sent back as it is.
	Message *Message
	// Finished is what the last event says: finish reason, usage, cost, attempts, warnings.
	Finished *StreamChatResponse_Finished
	// Started is what the first event says. nil where none came.
	Started *StreamChatResponse_Started
	// Restarts has each new beginning, in order. Text, Reasoning and Message have the last one alone.
	Restarts []*StreamChatResponse_Restarted
	// Events has those that count, in order: without what a restart discarded, and without pings.
	Events []*StreamChatResponse
}

// Collect reads to the end and puts the answer together, without what a restarted event discards. Each function is called with
// every event as it comes, those too that are discarded later.
//
// The error is an [*Error]: that of the call, or [ReasonStreamInterrupted] for a stream that ends without finished.
func (s *ChatStream) Collect(onEvent ...func(*StreamChatResponse)) (*Answer, error) {
	return Collect(s.Events(), onEvent...)
}

// Collect does what [ChatStream.Collect] does, for events from elsewhere.
func Collect(events iter.Seq2[*StreamChatResponse, error], onEvent ...func(*StreamChatResponse)) (*Answer, error) {
	var accumulator Accumulator
	for event, err := range events {
		if err != nil {
			return nil, err
		}
		for _, see := range onEvent {
			see(event)
		}
		accumulator.Add(event)
	}
	return accumulator.Answer()
}

// Accumulator takes the events of one stream as they come, and applies restarts. It is for those who read a stream themselves;
// [ChatStream.Collect] uses it. Its zero value is ready.
type Accumulator struct {
	events   []*StreamChatResponse
	started  *StreamChatResponse_Started
	finished *StreamChatResponse_Finished
	restarts []*StreamChatResponse_Restarted
}

// Add takes the next event. Those that it does not know are passed over.
func (a *Accumulator) Add(event *StreamChatResponse) {
	switch what := event.GetEvent().(type) {
	case nil, *StreamChatResponse_Ping_:
		return
	case *StreamChatResponse_Restarted_:
		a.restarts = append(a.restarts, what.Restarted)
		from := what.Restarted.GetDiscardFromSequence()
		a.events = slices.DeleteFunc(a.events, func(kept *StreamChatResponse) bool { return kept.GetSequence() >= from })
	case *StreamChatResponse_Started_:
		a.started = what.Started
	case *StreamChatResponse_Finished_:
		a.finished = what.Finished
	}
	a.events = append(a.events, event)
}

// Text returns the text so far, without what restarts discarded.
func (a *Accumulator) Text() string {
	text, _ := textsOf(a.parts())
	return text
}

// Restarts returns the restarts so far.
func (a *Accumulator) Restarts() []*StreamChatResponse_Restarted { return slices.Clone(a.restarts) }

// Answer returns the whole answer, or an [*Error] with [ReasonStreamInterrupted] where finished has not come.
func (a *Accumulator) Answer() (*Answer, error) {
	if a.finished == nil {
		return nil, interruptedError()
	}
	parts := a.parts()
	text, reasoning := textsOf(parts)
	return &Answer{
		Text:      text,
		Reasoning: reasoning,
		Message:   &Message{Role: Role_ROLE_ASSISTANT, Content: parts},
		Finished:  a.finished,
		Started:   a.started,
		Restarts:  slices.Clone(a.restarts),
		Events:    slices.Clone(a.events),
	}, nil
}

func textsOf(parts []*Part) (text, reasoning string) {
	var texts, reasonings strings.Builder
	for _, part := range parts {
		texts.WriteString(part.GetText())
		reasonings.WriteString(part.GetReasoning().GetText())
	}
	return texts.String(), reasonings.String()
}

type partKind int

const (
	textKind partKind = iota
	reasoningKind
	toolCallKind
)

// draft is a part that is being put together.
type draft struct {
	kind     partKind
	body     strings.Builder
	id, name string
	state    *ProviderState
}

// parts makes the parts of their pieces, in the order of their indexes.
func (a *Accumulator) parts() []*Part {
	drafts := map[int32]*draft{}
	at := func(index int32, kind partKind) *draft {
		if drafts[index] == nil {
			drafts[index] = &draft{kind: kind}
		}
		return drafts[index]
	}
	for _, event := range a.events {
		switch what := event.GetEvent().(type) {
		case *StreamChatResponse_TextDelta_:
			at(what.TextDelta.GetPartIndex(), textKind).body.WriteString(what.TextDelta.GetText())
		case *StreamChatResponse_ReasoningDelta_:
			at(what.ReasoningDelta.GetPartIndex(), reasoningKind).body.WriteString(what.ReasoningDelta.GetText())
		case *StreamChatResponse_ToolCallDelta_:
			delta := what.ToolCallDelta
			found := at(delta.GetPartIndex(), toolCallKind)
			if found.id == "" {
				found.id = delta.GetId()
			}
			if found.name == "" {
				found.name = delta.GetName()
			}
			found.body.WriteString(delta.GetArgumentsFragment())
		case *StreamChatResponse_PartFinished_:
			// A part that has nothing but a state is reasoning that its provider keeps to itself.
			if state := what.PartFinished.GetProviderState(); state != nil {
				at(what.PartFinished.GetPartIndex(), reasoningKind).state = state
			}
		}
	}
	indexes := make([]int32, 0, len(drafts))
	for index := range drafts {
		indexes = append(indexes, index)
	}
	slices.Sort(indexes)
	parts := make([]*Part, 0, len(indexes))
	for _, index := range indexes {
		parts = append(parts, drafts[index].part())
	}
	return parts
}

func (d *draft) part() *Part {
	part := &Part{ProviderState: d.state}
	switch d.kind {
	case textKind:
		part.Part = &Part_Text{Text: d.body.String()}
	case reasoningKind:
		part.Part = &Part_Reasoning{Reasoning: &Reasoning{Text: d.body.String()}}
	case toolCallKind:
		part.Part = &Part_ToolCall{ToolCall: &ToolCall{Id: d.id, Name: d.name, ArgumentsJson: d.body.String()}}
	}
	return part
}
