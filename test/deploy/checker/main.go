// Reads deployment files as the programs that they are for would read them, and fails at a field that those do not know:
//
//	checker manifests FILE   resources of Gateway API, Istio and the Prometheus operator
//	checker compose FILE     a compose file
//	checker dashboard FILE   a dashboard of Grafana
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	istio "istio.io/api/networking/v1"
	security "istio.io/api/security/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("checker manifests|compose|dashboard FILE")
	}
	data, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	switch args[0] {
	case "manifests":
		return manifests(data)
	case "compose":
		return compose(args[1])
	case "dashboard":
		_, err := readDashboard(data)
		return err
	}
	return fmt.Errorf("unknown command %s", args[0])
}

// resource is what all resources have.
type resource struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Spec       json.RawMessage `json:"spec"`
}

func manifests(data []byte) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := manifest(document); err != nil {
			return err
		}
	}
}

// manifest reads one resource into its own type; kinds of Kubernetes itself are left to kubeconform.
func manifest(document []byte) error {
	var head resource
	if err := yaml.Unmarshal(document, &head); err != nil {
		return err
	}
	name := head.APIVersion + "/" + head.Kind
	var whole any
	var spec proto.Message
	switch name {
	case "gateway.networking.k8s.io/v1/GRPCRoute":
		whole = &gateway.GRPCRoute{}
	case "gateway.networking.k8s.io/v1/HTTPRoute":
		whole = &gateway.HTTPRoute{}
	case "gateway.networking.k8s.io/v1/Gateway":
		whole = &gateway.Gateway{}
	case "monitoring.coreos.com/v1/PodMonitor":
		whole = &monitoring.PodMonitor{}
	case "monitoring.coreos.com/v1/PrometheusRule":
		whole = &monitoring.PrometheusRule{}
	case "networking.istio.io/v1/DestinationRule":
		spec = &istio.DestinationRule{}
	case "networking.istio.io/v1/VirtualService":
		spec = &istio.VirtualService{}
	case "networking.istio.io/v1/Gateway":
		spec = &istio.Gateway{}
	case "security.istio.io/v1/PeerAuthentication":
		spec = &security.PeerAuthentication{}
	default:
		return nil
	}
	var err error
	if spec != nil {
		err = protojson.Unmarshal(head.Spec, spec)
	} else {
		err = yaml.UnmarshalStrict(document, whole)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Println(name)
	return nil
}

// compose loads a file as Docker Compose does, schema and references included.
func compose(path string) error {
	options, err := cli.NewProjectOptions([]string{path}, cli.WithWorkingDirectory(filepath.Dir(path)), cli.WithOsEnv)
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	loaded, err := project.MarshalJSON()
	if err == nil {
		fmt.Println(string(loaded))
	}
	return err
}

// readDashboard reads a dashboard field by field. Where nothing is wrong the SDK's error is an empty list, which is not nil.
func readDashboard(data []byte) (dashboard.Dashboard, error) {
	var board dashboard.Dashboard
	for _, err := range []error{board.UnmarshalJSONStrict(data), board.Validate()} {
		var problems cog.BuildErrors
		if err != nil && (!errors.As(err, &problems) || len(problems) > 0) {
			return board, err
		}
	}
	return board, nil
}
