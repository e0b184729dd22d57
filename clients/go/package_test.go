package understudy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// command runs a program in a folder, and returns what it said.
func command(t *testing.T, folder, name string, arguments ...string) string {
	t.Helper()
	made := exec.CommandContext(t.Context(), name, arguments...)
	made.Dir = folder
	output, err := made.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, arguments, err, output)
	}
	return string(output)
}

// newModule makes a module elsewhere with a program that imports the package by a path.
func newModule(t *testing.T, path string) string {
	t.Helper()
	folder := t.TempDir()
	program := `package main

import (
	"fmt"

	"` + path + `"
)

func main() {
	_, err := understudy.New("nonsense")
	fmt.Println(err != nil, understudy.UserMessage("hello").GetRole())
}
`
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, folder, "go", "mod", "init", "example.com/caller")
	return folder
}

func TestTheModuleIsUsedElsewhereByOneReplace(t *testing.T) {
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	const path = "understudy.internal/understudy"
	folder := newModule(t, path)
	command(t, folder, "go", "mod", "edit", "-require", path+"@v0.0.0", "-replace", path+"="+here)
	command(t, folder, "go", "mod", "tidy")
	if said := command(t, folder, "go", "run", "."); said != "true ROLE_USER\n" {
		t.Fatal(said)
	}
}

func TestTheFolderIsCopiedToAnyPath(t *testing.T) {
	folder := newModule(t, "example.com/caller/internal/understudy")
	copied := filepath.Join(folder, "internal", "understudy")
	if err := os.MkdirAll(copied, 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// The versions of this module, so that nothing is looked up.
	for line := range strings.Lines(command(t, ".", "go", "list", "-m", "-f", "{{if not .Main}}{{.Path}}@{{.Version}}{{end}}", "all")) {
		if module := strings.TrimSpace(line); strings.HasPrefix(module, "google.golang.org/") {
			command(t, folder, "go", "mod", "edit", "-require", module)
		}
	}
	command(t, folder, "go", "mod", "tidy")
	if said := command(t, folder, "go", "run", "."); said != "true ROLE_USER\n" {
		t.Fatal(said)
	}
}

func TestFormatAndStyle(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	if said := command(t, ".", "gofmt", "-l", "."); said != "" {
		t.Errorf("gofmt would change:\n%s", said)
	}
	command(t, ".", "go", "vet", "./...")
	command(t, ".", "go", "tool", "-modfile=tools/go.mod", "staticcheck", "./...")
}
