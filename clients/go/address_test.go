package understudy

import "testing"

func TestAddressesAreRead(t *testing.T) {
	for text, want := range map[string]endpoints{
		"127.0.0.1:1":                  {target: "dns:///127.0.0.1:1", loopback: true},
		" localhost:50051 ":            {target: "dns:///localhost:50051", loopback: true},
		":50051":                       {target: "dns:///localhost:50051", loopback: true},
		"[::1]:1":                      {target: "dns:///[::1]:1", loopback: true},
		"llm.example:1":                {target: "dns:///llm.example:1"},
		"dns:50051":                    {target: "dns:///dns:50051"},
		"http://llm.example":           {target: "dns:///llm.example:80"},
		"https://llm.example/":         {target: "dns:///llm.example:443", secure: true},
		"https://[2001:db8::1]":        {target: "dns:///[2001:db8::1]:443", secure: true},
		"https://a:1,b:2":              {target: "understudy:///a:1", hosts: []string{"a:1", "b:2"}, secure: true},
		"127.0.0.1:1, 127.0.0.1:2":     {target: "understudy:///127.0.0.1:1", hosts: []string{"127.0.0.1:1", "127.0.0.1:2"}, loopback: true},
		"127.0.0.1:1,llm.example:2":    {target: "understudy:///127.0.0.1:1", hosts: []string{"127.0.0.1:1", "llm.example:2"}},
		"a:1,a:1":                      {target: "dns:///a:1"},
		"dns:///llm.example:1":         {target: "dns:///llm.example:1"},
		"dns:///127.0.0.1:1":           {target: "dns:///127.0.0.1:1", loopback: true},
		"dns://127.0.0.1/llm.example":  {target: "dns://127.0.0.1/llm.example"},
		"dns:localhost":                {target: "dns:localhost", loopback: true},
		"passthrough:///llm.example:1": {target: "passthrough:///llm.example:1"},
		"unix:///tmp/understudy.sock":  {target: "unix:///tmp/understudy.sock", loopback: true},
		"unix:understudy.sock":         {target: "unix:understudy.sock", loopback: true},
	} {
		got, err := parseAddresses(text, false)
		if err != nil || got.target != want.target || got.secure != want.secure || got.loopback != want.loopback ||
			len(got.hosts) != len(want.hosts) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestAddressesAreRefused(t *testing.T) {
	for _, text := range []string{
		"", " ", ",", "a:1,", "localhost", "llm.example", "a:0", "a:65536", "a:http", "::1:1", "[::1]", "a b:1", "a:1/path",
		"http://", "http://:1", "http://user:secret@a:1", "http://a:1/path", "http://a:1?q", "http://a:1#f", "ftp://a:1",
		"grpc://a:1", "http://a:1,https://b:1", "a:1,dns:///b:1",
	} {
		if got, err := parseAddresses(text, false); err == nil {
			t.Errorf("%q is taken as %+v", text, got)
		}
	}
	if _, err := parseAddresses("http://a:1", true); err == nil {
		t.Error("http:// is taken with TLS")
	}
}
