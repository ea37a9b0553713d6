package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the administrator's connection
)

// PostgresEnv names a server to use instead of starting one, by a URL whose
// user may create databases.
const PostgresEnv = "SCAIGRID_TEST_POSTGRES"

const howToInstall = "PostgreSQL 15 is needed for this test. Install it with: apt-get install postgresql-15 (or set " + PostgresEnv + " to the URL of a server)"

// PostgresURL makes an empty database for one test, dropped at its end.
func PostgresURL(t testing.TB) string {
	t.Helper()
	admin, err := adminURL()
	if err != nil {
		if errors.Is(err, errNotInstalled) && os.Getenv("CI") == "" {
			t.Skip(howToInstall)
		}
		t.Fatal(err)
	}
	name := "test_" + strings.ToLower(rand.Text()[:16])
	if err := adminExec(admin, "CREATE DATABASE "+name+" ENCODING 'UTF8' TEMPLATE template0 STRATEGY FILE_COPY"); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		if err := adminExec(admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatalf("%s is not a URL", PostgresEnv)
	}
	u.Path = "/" + name
	return u.String()
}

func adminExec(admin, query string) error {
	db, err := sql.Open("pgx", admin)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err = db.ExecContext(ctx, query)
	return err
}

var errNotInstalled = errors.New(howToInstall)

var adminURL = sync.OnceValues(func() (string, error) {
	if u := os.Getenv(PostgresEnv); u != "" {
		return u, nil
	}
	c, err := StartCluster(false)
	if err != nil {
		return "", err
	}
	return c.URL, nil
})

// Cluster is a private PostgreSQL server.
type Cluster struct {
	URL string // of its administrator, database "postgres"
	dir string
	pg  postgresUser
	bin string
}

// StartCluster starts a server on a loopback port in a temporary folder. With
// synced false it does not wait for the disk, which is faster. It ends, and
// its folder goes, with Stop or soon after the test process has ended.
func StartCluster(synced bool) (*Cluster, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin}
	if c.pg, err = whoRuns(); err != nil {
		return nil, err
	}
	if c.dir, err = os.MkdirTemp(place(synced), "scaigrid-pg-"); err != nil {
		return nil, err
	}
	if err := c.start(synced); err != nil {
		_ = os.RemoveAll(c.dir)
		return nil, fmt.Errorf("start a PostgreSQL server for the tests: %w", err)
	}
	return c, nil
}

// place is where the folder goes: in memory where that is to be had and nothing
// is proved about the disk, since each test has a database of its own.
func place(synced bool) string {
	const memory = "/dev/shm"
	var fs syscall.Statfs_t
	if synced || syscall.Statfs(memory, &fs) != nil || fs.Bavail*uint64(fs.Bsize) < 1<<30 {
		return ""
	}
	return memory
}

func (c *Cluster) start(synced bool) error {
	if c.pg.id != nil {
		if err := os.Chown(c.dir, int(c.pg.id.Uid), int(c.pg.id.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(c.dir, "data")
	args := []string{"-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"}
	if !synced {
		args = append(args, "-N")
	}
	if err := c.run("initdb", args...); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	conf := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 -c shared_buffers=32MB", port)
	if !synced {
		conf += " -c fsync=off -c full_page_writes=off"
	}
	if err := c.run("pg_ctl", "-D", data, "-l", filepath.Join(c.dir, "log"), "-w", "-t", "60", "-o", conf, "start"); err != nil {
		return err
	}
	c.URL = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	return c.watch(data)
}

// watch leaves a shell behind that ends the server when this process is gone,
// however it went: it reads from a pipe that only we hold open.
func (c *Cluster) watch(data string) error {
	cmd := c.command("/bin/sh", "-c", `read _; "$1" -D "$2" -m immediate stop >/dev/null 2>&1; rm -rf "$3"`, "sh",
		filepath.Join(c.bin, "pg_ctl"), data, c.dir)
	cmd.SysProcAttr.Setsid = true // the terminal's interrupt is not for it
	if _, err := cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

// Stop ends the server at once.
func (c *Cluster) Stop() error {
	err := c.run("pg_ctl", "-D", filepath.Join(c.dir, "data"), "-m", "immediate", "stop")
	return errors.Join(err, os.RemoveAll(c.dir))
}

// Restart ends the server hard and starts it again on the same port, as after a crash.
func (c *Cluster) Restart() error {
	return c.run("pg_ctl", "-D", filepath.Join(c.dir, "data"), "-l", filepath.Join(c.dir, "log"), "-m", "immediate", "-w", "restart")
}

func (c *Cluster) run(name string, args ...string) error {
	cmd := c.command(filepath.Join(c.bin, name), args...)
	out, err := os.CreateTemp(c.dir, "out-") // a pipe would be held open by the server
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %s", name, err, said)
	}
	return nil
}

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.pg.id}
	return cmd
}

// postgresUser is who runs the server, which refuses to run as root.
type postgresUser struct{ id *syscall.Credential }

func whoRuns() (postgresUser, error) {
	if os.Getuid() != 0 {
		return postgresUser{}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return postgresUser{}, fmt.Errorf("PostgreSQL does not run as root and there is no user postgres: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return postgresUser{}, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return postgresUser{}, err
	}
	return postgresUser{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

func postgresBin() (string, error) {
	dirs := []string{"/usr/lib/postgresql/15/bin"}
	if path, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	return "", errNotInstalled
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
