package understudy_test

import (
	"net"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"understudy.internal/understudy"
)

// eventually waits until something holds.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < 5*time.Second; time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("it never came about")
}

func count(served *server) int {
	calls, _, _ := served.seen()
	return calls
}

func TestSeveralGatewaysTakeTurns(t *testing.T) {
	one, two := new(server).start(t, ""), new(server).start(t, "")
	llm := client(t, one.address+","+two.address)
	call := func() {
		t.Helper()
		if err := generate(t.Context(), llm); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() bool { call(); return count(one) > 0 && count(two) > 0 })
	before, beforeTwo := count(one), count(two)
	for range 20 {
		call()
	}
	if count(one)-before != 10 || count(two)-beforeTwo != 10 {
		t.Fatal(count(one)-before, count(two)-beforeTwo)
	}

	// One that goes down says so, and is left out while it still answers.
	one.health.SetServingStatus("", understudy.NotServing)
	eventually(t, func() bool { before := count(one); call(); call(); return count(one) == before })
	one.health.SetServingStatus("", understudy.Serving)
	eventually(t, func() bool { before := count(one); call(); call(); return count(one) == before+1 })

	// One that is gone is left out, and found again.
	one.grpc.GracefulStop()
	for range 10 {
		call()
	}
	again := new(server).start(t, one.address)
	eventually(t, func() bool { call(); return count(again) > 0 })
}

func TestAGatewayThatIsNotThereIsLeftOut(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := listener.Addr().String()
	_ = listener.Close()
	served := new(server).start(t, "")
	llm := client(t, gone+","+served.address+",nowhere.invalid:1")
	for range 10 {
		if err := generate(t.Context(), llm); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNamesThatAreNotKnownAreNeverReached(t *testing.T) {
	for _, address := range []string{"nowhere.invalid:1", "nowhere.invalid:1,elsewhere.invalid:1"} {
		err := generate(t.Context(), client(t, address), understudy.MaxRetries(0), understudy.Timeout(5*time.Second))
		if failed := understudy.DecodeError(err); failed.Code != codes.Unavailable || !failed.MayRetry {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestTheOnlyGatewayIsReplaced(t *testing.T) {
	old := new(server).start(t, "")
	llm := client(t, old.address)
	if err := generate(t.Context(), llm); err != nil {
		t.Fatal(err)
	}
	old.health.SetServingStatus("", understudy.NotServing)
	var err error
	eventually(t, func() bool {
		err = generate(t.Context(), llm, understudy.MaxRetries(0))
		return err != nil
	})
	if failed := understudy.DecodeError(err); !failed.MayRetry {
		t.Fatal(err)
	}
	// What has been told that it is going down goes down 1.5 s later; another is there at once.
	time.AfterFunc(1500*time.Millisecond, func() {
		old.grpc.Stop()
		new(server).start(t, old.address)
	})
	if err := generate(t.Context(), llm); err != nil {
		t.Fatal(err)
	}
}

func TestAGatewayThatIsGoingDownSaysSo(t *testing.T) {
	served := new(server).start(t, "")
	served.health.SetServingStatus("", understudy.NotServing)
	llm := client(t, served.address)
	if found, err := llm.Check(t.Context(), ""); err != nil || found != understudy.NotServing {
		t.Fatal(found, err)
	}
	begun := time.Now()
	err := generate(t.Context(), llm, understudy.Timeout(time.Second))
	if failed := understudy.DecodeError(err); failed.Code != codes.Unavailable || !failed.MayRetry || time.Since(begun) > 2*time.Second {
		t.Fatal(err, time.Since(begun))
	}
}
