// Command eval asks the questions of public question sets inside of one
// process: documents go through the same reading, cutting and ranking as in
// the server, answers come from the extractive answerer. It writes run records
// that the harness of the question sets scores:
//
//	go run ./bench/eval -data ../shared/eval/data -out /tmp/ours squad2 covidfaq
//	python3 ../shared/eval/harness.py score /tmp/ours
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/knowledge"
	"github.com/scailabs/scaigrid/internal/llm/extractive"
)

type evalDoc struct{ ID, Title, Text string }

type evalQuery struct {
	ID, Text string
	History  []struct{ Role, Text string }
}

type hit struct {
	Doc   string  `json:"doc"`
	Text  string  `json:"text"`
	Score float64 `json:"score"`
}

type record struct {
	QID        string   `json:"qid"`
	Docs       []string `json:"docs"`
	Chunks     []hit    `json:"chunks"`
	Answer     string   `json:"answer"`
	Abstained  bool     `json:"abstained"`
	Citations  []string `json:"citations"`
	Confidence float64  `json:"confidence"`
	MS         float64  `json:"ms"`
}

func main() {
	data := flag.String("data", "../shared/eval/data", "folder of the question sets")
	out := flag.String("out", "", "folder for the run records")
	always := flag.Bool("always", false, "refuse nothing: score_threshold 0")
	limit := flag.Int("limit", 0, "questions per set; 0: all")
	flag.Parse()
	if *out == "" || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2) // allow: flag parsing ends the process
	}
	if err := run(*data, *out, *always, *limit, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) // allow: the end of a program
	}
}

func run(data, out string, always bool, limit int, patterns []string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	var sets []string
	for _, p := range patterns {
		m, err := filepath.Glob(filepath.Join(data, p))
		if err != nil {
			return err
		}
		if len(m) == 0 {
			return fmt.Errorf("no question set %q in %s", p, data)
		}
		sets = append(sets, m...)
	}
	work := make(chan string)
	errs := make(chan error, len(sets))
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for s := range work {
				errs <- runSet(s, out, always, limit)
			}
		})
	}
	for _, s := range sets {
		work <- s
	}
	close(work)
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func readLines[T any](path string) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var out []T
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 64<<20)
	for sc.Scan() {
		var v T
		if err := json.Unmarshal(sc.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, v)
	}
	return out, sc.Err()
}

var marker = regexp.MustCompile(`\s*\[\d+\]`)

func runSet(dir, out string, always bool, limit int) error {
	name := filepath.Base(dir)
	docs, err := readLines[evalDoc](filepath.Join(dir, "docs.jsonl"))
	if err != nil {
		return err
	}
	queries, err := readLines[evalQuery](filepath.Join(dir, "dev", "queries.jsonl"))
	if err != nil {
		return err
	}
	if limit > 0 && len(queries) > limit {
		queries = queries[:limit]
	}
	start := time.Now()
	s, err := load(docs)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	bot := &scaigrid.Bot{ID: "bot_eval", KnowledgeVersion: 1, BotConfig: scaigrid.DefaultBotConfig()}
	bot.KnowledgeEnabled = true
	if always {
		bot.KnowledgeSettings.ScoreThreshold = 0
	}
	lib := knowledge.NewLibrary(s, 0)
	if _, err := lib.Retrieve(context.Background(), bot, "warm up", nil); err != nil {
		return err
	}
	built := time.Since(start)
	f, err := os.Create(filepath.Join(out, name+".dev.jsonl"))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	start = time.Now()
	for _, q := range queries {
		r, err := ask(lib, bot, q)
		if err != nil {
			return fmt.Errorf("%s %s: %w", name, q.ID, err)
		}
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "%s: %d docs, %d chunks in %v, %d questions in %v\n", name, len(docs), len(s.chunks), built.Round(time.Millisecond), len(queries), time.Since(start).Round(time.Millisecond))
	return w.Flush()
}

func load(docs []evalDoc) (*shelf, error) {
	s := &shelf{byID: map[string]int{}, docs: map[string]scaigrid.Document{}}
	for _, d := range docs {
		body, name := d.Text, d.ID
		if d.Title != "" {
			body, name = "# "+d.Title+"\n\n"+d.Text, d.Title
		}
		doc := scaigrid.Document{ID: d.ID, Name: name, MediaType: "text/markdown"}
		chunks, why := knowledge.Prepare(&doc, []byte(body), time.Now())
		if why != nil {
			return nil, fmt.Errorf("%s: %s", d.ID, why.Message)
		}
		s.docs[d.ID] = doc
		for _, c := range chunks {
			s.byID[c.ID] = len(s.chunks)
			s.chunks = append(s.chunks, c)
		}
	}
	return s, nil
}

func ask(lib *knowledge.Library, bot *scaigrid.Bot, q evalQuery) (record, error) {
	ctx := context.Background()
	var hist []scaigrid.PromptMessage
	for _, h := range q.History {
		role := scaigrid.RoleVisitor
		if h.Role != "user" {
			role = scaigrid.RoleAssistant
		}
		hist = append(hist, scaigrid.PromptMessage{Role: role, Content: h.Text})
	}
	start := time.Now()
	found, err := lib.Search(ctx, bot, q.Text, hist, 20)
	if err != nil {
		return record{}, err
	}
	r := record{QID: q.ID, MS: float64(time.Since(start).Microseconds()) / 1000, Docs: []string{}, Citations: []string{}}
	for i, p := range found.Passages {
		r.Docs = append(r.Docs, p.DocumentID)
		if i < 5 {
			r.Chunks = append(r.Chunks, hit{p.DocumentID, p.Text, p.Score})
		}
	}
	// As the harness does over the wire, the answer is asked for without history.
	if found, err = lib.Retrieve(ctx, bot, q.Text, nil); err != nil {
		return record{}, err
	}
	var b strings.Builder
	prompt := scaigrid.Prompt{Model: scaigrid.ExtractiveModel, Question: q.Text, Passages: found.Kept(), Retrieval: found.Confidence, Knowledge: true}
	r.Confidence = found.Confidence
	for part, err := range extractive.New().Stream(ctx, prompt) {
		if err != nil {
			return record{}, err
		}
		b.WriteString(part.Text)
		for _, c := range part.Citations {
			r.Citations = append(r.Citations, c.DocumentID)
		}
		if part.Answered != nil {
			r.Abstained = !*part.Answered
		}
		if part.Confidence != nil {
			r.Confidence = *part.Confidence
		}
	}
	r.Answer = marker.ReplaceAllString(b.String(), "")
	return r, nil
}
