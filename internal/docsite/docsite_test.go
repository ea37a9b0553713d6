package docsite_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/scailabs/scaigrid/docs"
	"github.com/scailabs/scaigrid/internal/docsite"
)

const openAPI = `{
  "openapi": "3.1.0", "info": {"description": "About the API."},
  "paths": {
    "/v1/bots/{bot}": {"get": {"tags": ["Bots"], "summary": "Read a bot", "security": [{"apiKey": []}],
      "parameters": [{"name": "bot", "in": "path", "required": true, "description": "Its <id>", "schema": {"type": "string"}}],
      "responses": {"200": {"description": "Success", "content": {"application/json": {"schema": {"type": "object", "properties": {"data": {"$ref": "#/components/schemas/Bot"}}}}}},
        "404": {"description": "NOT_FOUND"}}}},
    "/health": {"get": {"tags": ["Platform"], "summary": "Health", "responses": {"200": {"description": "Success"}}}},
    "/v1/bots": {"post": {"tags": ["Bots"], "summary": "Create a bot", "security": [{"apiKey": []}],
      "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/BotBody"}}}},
      "responses": {"201": {"description": "Success"}}}}
  },
  "components": {"schemas": {
    "Bot": {"type": "object", "properties": {"id": {"type": "string"}, "limits": {"$ref": "#/components/schemas/Limits"}, "at": {"type": ["string", "null"], "format": "date-time"}}},
    "Limits": {"type": "object", "properties": {"turns": {"type": "integer", "minimum": 0, "description": "A | B"}}},
    "BotBody": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 200}, "status": {"type": "string", "enum": ["draft", "active"]}}}
  }}
}`

func site(t *testing.T) (*httptest.Server, []docs.Page) {
	t.Helper()
	api, err := docsite.APIMarkdown([]byte(openAPI))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := docs.Pages(docs.Generated{API: api, Widget: "## Attributes\n\n| A | B |\n|:--|--:|\n| `data-x` | <b>x</b> |\n"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := docsite.New(pages)
	if err != nil {
		t.Fatal(err)
	}
	// As the server mounts it: these two patterns and nothing else.
	mux := http.NewServeMux()
	mux.Handle("/docs", s)
	mux.Handle("/docs/{page...}", s)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv, pages
}

type answer struct {
	status int
	header http.Header
	body   string
	at     *url.URL // after redirects
}

func get(t *testing.T, address string) answer {
	t.Helper()
	res, err := (&http.Client{}).Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body), res.Request.URL}
}

// elements walks the page and gives every element with its attributes.
func elements(t *testing.T, page string, visit func(tag string, attr map[string]string)) {
	t.Helper()
	tree, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range tree.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		visit(n.Data, attr)
	}
}

func TestEveryPageIsReachableUnderEachOfItsNames(t *testing.T) {
	srv, pages := site(t)
	for _, p := range pages {
		for _, name := range []string{p.URL(), p.URL() + "/", "/docs/" + p.Path + ".md", "/docs/" + p.Path} {
			a := get(t, srv.URL+name)
			if a.status != 200 || a.at.Path != p.URL() {
				t.Errorf("%s: status %d at %s, want 200 at %s", name, a.status, a.at.Path, p.URL())
			}
			if !strings.Contains(a.body, "<h1>"+html.EscapeString(p.Title)+"</h1>") {
				t.Errorf("%s: the title %q is not its heading", name, p.Title)
			}
		}
	}
}

// Every link of every page leads to a page that exists, and its fragment to a place in it.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	srv, pages := site(t)
	bodies := map[string]string{}
	for _, p := range pages {
		bodies[p.URL()] = get(t, srv.URL+p.URL()).body
	}
	ids := map[string]map[string]bool{}
	for at, body := range bodies {
		ids[at] = map[string]bool{}
		elements(t, body, func(_ string, attr map[string]string) {
			if id := attr["id"]; id != "" {
				if ids[at][id] {
					t.Errorf("%s: the id %q stands twice", at, id)
				}
				ids[at][id] = true
			}
		})
	}
	links := 0
	for at, body := range bodies {
		elements(t, body, func(tag string, attr map[string]string) {
			if tag != "a" {
				return
			}
			u, err := url.Parse(attr["href"])
			if err != nil {
				t.Errorf("%s: link %q: %v", at, attr["href"], err)
				return
			}
			if u.Host != "" {
				return
			}
			links++
			page := u.Path
			if page == "" {
				page = at
			}
			if page == "/openapi.json" {
				return // the server's own
			}
			if _, ok := bodies[page]; !ok {
				t.Errorf("%s links to %s, where there is no page", at, attr["href"])
			} else if u.Fragment != "" && !ids[page][u.Fragment] {
				t.Errorf("%s links to %s, where there is no such place", at, attr["href"])
			}
		})
	}
	if links < 100 {
		t.Errorf("found %d links only; is the test looking?", links)
	}
}

// The tutorial's own links, followed as a browser does from either form of its address.
func TestLinksOfTheTutorialResolve(t *testing.T) {
	srv, _ := site(t)
	for _, from := range []string{"/docs/tutorials/embed-on-your-site", "/docs/tutorials/embed-on-your-site/"} {
		a := get(t, srv.URL+from)
		found := map[string]bool{}
		elements(t, a.body, func(tag string, attr map[string]string) {
			if tag == "a" {
				if u, err := a.at.Parse(attr["href"]); err == nil {
					found[u.Path] = true
				}
			}
		})
		for _, want := range []string{"/docs/quickstart", "/docs/tutorials/build-with-the-admin-ui"} {
			if !found[want] || get(t, srv.URL+want).status != 200 {
				t.Errorf("%s does not lead to %s", from, want)
			}
		}
	}
}

// Pages hold to their own policy: no script, no style in the text, nothing from elsewhere.
func TestPagesHoldToTheirPolicy(t *testing.T) {
	srv, pages := site(t)
	for _, p := range pages {
		a := get(t, srv.URL+p.URL())
		csp := a.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "style-src 'self'", "img-src 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %s", p.Path, csp, want)
			}
		}
		elements(t, a.body, func(tag string, attr map[string]string) {
			if tag == "script" || tag == "style" || tag == "iframe" {
				t.Errorf("%s has an element %s", p.Path, tag)
			}
			for key, v := range attr {
				if key == "style" || strings.HasPrefix(key, "on") {
					t.Errorf("%s: %s has an attribute %s", p.Path, tag, key)
				}
				if loads := key == "src" || key == "href" && tag == "link"; loads {
					u, err := url.Parse(v)
					if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/docs/-/") {
						t.Errorf("%s loads %s", p.Path, v)
					} else if get(t, srv.URL+v).status != 200 {
						t.Errorf("%s loads %s, which is not there", p.Path, v)
					}
				}
				if key == "href" && strings.HasPrefix(strings.ToLower(v), "javascript:") {
					t.Errorf("%s links to %s", p.Path, v)
				}
			}
		})
	}
}

func TestManners(t *testing.T) {
	srv, _ := site(t)
	missing := get(t, srv.URL+"/docs/no/such/page")
	if missing.status != 404 || !strings.Contains(missing.body, "There is no such page") || !strings.Contains(missing.body, `href="/docs/quickstart"`) {
		t.Errorf("a missing page: status %d, body %.200s", missing.status, missing.body)
	}
	for _, hostile := range []string{"/docs/..%2f..%2fetc%2fpasswd", "/docs/%2e%2e/", "/docs//evil.example", "/docs/-/layout.html", "/docs/%00"} {
		if a := get(t, srv.URL+hostile); a.status != 404 && a.status != 400 || a.at.Host != strings.TrimPrefix(srv.URL, "http://") {
			t.Errorf("%s: status %d at %s", hostile, a.status, a.at)
		}
	}
	if a := get(t, srv.URL+"/docs/tutorials"); a.at.Path != "/docs" {
		t.Errorf("a folder leads to %s, want the contents", a.at.Path)
	}
	first := get(t, srv.URL+"/docs/quickstart")
	req, err := http.NewRequest(http.MethodGet, srv.URL+"/docs/quickstart", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("If-None-Match", first.header.Get("ETag"))
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotModified {
		t.Errorf("with its ETag: status %d, want 304", res.StatusCode)
	}
	res, err = (&http.Client{}).Post(srv.URL+"/docs/quickstart", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, Allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

func TestHostileMarkdown(t *testing.T) {
	s, err := docsite.New([]docs.Page{
		{Path: "index", Section: "A", Title: "<script>alert(1)</script>", Summary: `"><img src=x onerror=alert(1)>`, Body: strings.Join([]string{
			"<script>alert(1)</script>", "[a](javascript:alert(1))", "[b](data:text/html,x)", "![i](javascript:alert(1))",
			"<img src=x onerror=alert(1)>", "```\"><script>\n</code><script>\n```", "# <b onclick=x>t</b>",
			"```mermaid\nsequenceDiagram\nparticipant A as <script>\nparticipant B\nA->>B: \"/><script>\n```",
		}, "\n\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	defer srv.Close()
	body := get(t, srv.URL+"/docs").body
	elements(t, body, func(tag string, attr map[string]string) {
		if tag == "script" || attr["onerror"] != "" || attr["onclick"] != "" {
			t.Errorf("an element %s %v came through", tag, attr)
		}
		for _, key := range []string{"href", "src"} {
			if v := strings.ToLower(attr[key]); strings.HasPrefix(v, "javascript:") || strings.HasPrefix(v, "data:") {
				t.Errorf("%s=%s came through", key, v)
			}
		}
	})
}

func TestBrokenLinksAreRefused(t *testing.T) {
	_, err := docsite.New([]docs.Page{{Path: "a/b", Section: "A", Title: "B", Summary: "s", Body: "[x](../nowhere.md)"}})
	if err == nil || !strings.Contains(err.Error(), "../nowhere.md") {
		t.Errorf("error %v, want one that names the link", err)
	}
}

func TestSequenceIsDrawn(t *testing.T) {
	srv, _ := site(t)
	body := get(t, srv.URL+"/docs/tutorials/embed-on-your-site").body
	if n := strings.Count(body, "<svg"); n != 1 {
		t.Fatalf("%d drawings, want 1", n)
	}
	for _, want := range []string{"Visitor", "Your server", "POST /embed-token", "{ token, ttl }", "loads widget.js + chats via token"} {
		if !strings.Contains(body, ">"+html.EscapeString(want)+"</text>") {
			t.Errorf("the drawing lacks %q", want)
		}
	}
	if n := len(regexp.MustCompile(`class="answers"`).FindAllString(body, -1)); n != 2 {
		t.Errorf("%d dashed arrows, want 2", n)
	}
}

func TestAPIMarkdown(t *testing.T) {
	got, err := docsite.APIMarkdown([]byte(openAPI))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"### Read a bot\n\n`GET /v1/bots/{bot}`\n\nWith an [API key]",
		"| `bot` | path | string | Its &lt;id> |",
		"- **200**, `application/json`: `data` is [Bot](#object-bot)",
		"- **404**: `NOT_FOUND`",
		"| `name` | string, required | at most 200 characters |",
		"| `status` | string | `draft`, `active` |",
		"### Object: Bot\n", "### Object: Limits\n", "| `at` | time or null |  |",
		`| A \| B. 0 or more |`,
		"Anyone may call it.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
	if strings.Index(got, "## Platform") < strings.Index(got, "## Bots") {
		t.Error("Platform does not stand last")
	}
	for _, bad := range []string{"", "{}", "[]", "{\"paths\":{}}"} {
		if _, err := docsite.APIMarkdown([]byte(bad)); err == nil {
			t.Errorf("%q was taken for an OpenAPI document", bad)
		}
	}
}
