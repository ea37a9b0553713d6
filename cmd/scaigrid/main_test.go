package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts run this test binary as the command "scaigrid".
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"scaigrid": main})
}

// TestScripts runs the real program, as a process, as testdata/*.txtar say.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("SCAIGRID_ADDR", "127.0.0.1:0")
			env.Setenv("SCAIGRID_DEMO_ADDR", "localhost:0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "start": start, "halt": halt, "get": get, "field": field, "spoil": spoil,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// code N command…: the command ends with this exit code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command args…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var ee *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &ee):
		got = ee.ExitCode()
	default:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// notice is what a running server leaves for commands beside it.
type notice struct {
	PID int
	URL string
}

func readNotice(ts *testscript.TestScript, dir string) (n notice, ok bool) {
	data, err := os.ReadFile(filepath.Join(ts.MkAbs(dir), "serve.json"))
	return n, err == nil && json.Unmarshal(data, &n) == nil && n.PID > 0
}

// start folder args…: scaigrid serve on the folder, until it is ready; its
// address is in $URL.
func start(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command(os.Args[0]) //nolint:gosec // ourselves
	path, err := exec.LookPath(filepath.Join(strings.Split(ts.Getenv("PATH"), string(os.PathListSeparator))[0], "scaigrid"))
	ts.Check(err)
	cmd.Path, cmd.Args = path, append([]string{"scaigrid", "serve", "--data-dir", args[0]}, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "SCAIGRID_ADDR=127.0.0.1:0", "SCAIGRID_DEMO_ADDR=localhost:0")
	log, err := os.Create(ts.MkAbs("serve.log"))
	ts.Check(err)
	cmd.Stdout, cmd.Stderr = log, log
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait(); _ = log.Close() }()
	ts.Defer(func() { _ = cmd.Process.Kill() })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if n, ok := readNotice(ts, args[0]); ok && n.PID == cmd.Process.Pid {
			ts.Setenv("URL", n.URL)
			break
		}
		if time.Now().After(deadline) {
			ts.Fatalf("the server is not ready: %s", ts.ReadFile("serve.log"))
		}
		select {
		case err := <-ended:
			ts.Fatalf("the server ended: %v: %s", err, ts.ReadFile("serve.log"))
		default:
		}
	}
	running(ts)[args[0]] = &process{cmd, ended}
}

type process struct {
	cmd   *exec.Cmd
	ended chan error
}

// processes of a script, by data folder; kept in the script itself.
type processes map[string]*process

func running(ts *testscript.TestScript) processes {
	key := ts.MkAbs("")
	if all[key] == nil {
		all[key] = processes{}
	}
	return all[key]
}

var all = map[string]processes{}

// halt folder signal: the server ends, after TERM and INT with exit code 0 in
// less than ten seconds.
func halt(ts *testscript.TestScript, _ bool, args []string) {
	p := running(ts)[args[0]]
	sig := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL}[args[1]]
	ts.Check(p.cmd.Process.Signal(sig))
	select {
	case err := <-p.ended:
		if err != nil && sig != syscall.SIGKILL {
			ts.Fatalf("after %s: %v: %s", args[1], err, ts.ReadFile("serve.log"))
		}
	case <-time.After(10 * time.Second):
		ts.Fatalf("the server does not end")
	}
}

// get STATUS address [credential]: a GET answers with this status; the body is stdout.
func get(ts *testscript.TestScript, _ bool, args []string) {
	req, err := http.NewRequest(http.MethodGet, args[1], http.NoBody)
	ts.Check(err)
	if len(args) > 2 {
		req.Header.Set("Authorization", "Bearer "+args[2])
	}
	client := &http.Client{Timeout: 10 * time.Second}
	res, err := client.Do(req)
	ts.Check(err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s", body)
	if strconv.Itoa(res.StatusCode) != args[0] {
		ts.Fatalf("status %d: %s", res.StatusCode, body)
	}
}

// field NAME key: the field of the JSON object on stdout becomes the variable.
func field(ts *testscript.TestScript, _ bool, args []string) {
	var v map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	text, ok := v[args[1]].(string)
	if !ok {
		ts.Fatalf("no field %s", args[1])
	}
	ts.Setenv(args[0], text)
}

// spoil file offset: overwrites 64 bytes of a file.
func spoil(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	at, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	_, err = f.WriteAt([]byte(strings.Repeat("spoilt! ", 8)), at)
	ts.Check(err)
	ts.Check(f.Close())
}
