// Command orca calls two gateways at a steady rate, balanced by the policy that it is told, and prints once a second which of
// them was called how often.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/balancer/weightedroundrobin"
	"google.golang.org/grpc/peer"

	"understudy.internal/understudy"
)

type second struct {
	Calls  map[string]int `json:"calls"`
	Failed int            `json:"failed"`
}

func main() {
	addresses := flag.String("addresses", "", "gateways, with commas between them")
	policy := flag.String("policy", `{"round_robin":{}}`, "the load balancing policy, as JSON")
	rate := flag.Int("rate", 200, "calls a second")
	seconds := flag.Int("seconds", 30, "how long")
	flag.Parse()
	config := fmt.Sprintf(`{"loadBalancingConfig":[%s],"healthCheckConfig":{"serviceName":""}}`, *policy)
	llm, err := understudy.New(*addresses,
		understudy.WithDialOptions(grpc.WithDefaultServiceConfig(config)), understudy.WithMaxRetries(0))
	if err != nil {
		log.Fatal(err)
	}
	defer llm.Close()
	request := &understudy.GenerateRequest{Prompt: "Say hello " + strings.Repeat("to all of us ", 20)}
	var lock sync.Mutex
	var calls sync.WaitGroup
	now := second{Calls: map[string]int{}}
	call := func() {
		var called peer.Peer
		_, err := llm.Generate(context.Background(), request, understudy.Timeout(10*time.Second), grpc.Peer(&called))
		lock.Lock()
		defer lock.Unlock()
		if called.Addr != nil {
			now.Calls[called.Addr.String()]++
		}
		if err != nil {
			now.Failed++
		}
	}
	out := json.NewEncoder(os.Stdout)
	pace := time.NewTicker(time.Second / time.Duration(*rate))
	defer pace.Stop()
	tell := time.NewTicker(time.Second)
	defer tell.Stop()
	for told := 0; told < *seconds; {
		select {
		case <-pace.C:
			calls.Go(call)
		case <-tell.C:
			lock.Lock()
			if err := out.Encode(now); err != nil {
				log.Fatal(err)
			}
			now = second{Calls: map[string]int{}}
			lock.Unlock()
			told++
		}
	}
	calls.Wait()
}
