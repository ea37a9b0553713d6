package main

import (
	"context"

	"github.com/scailabs/scaigrid"
)

// shelf holds the chunks of one bot in memory.
type shelf struct {
	chunks []scaigrid.Chunk
	byID   map[string]int
	docs   map[string]scaigrid.Document
}

func (s *shelf) ScanChunks(_ context.Context, _ string, f func(scaigrid.Chunk) error) error {
	for _, c := range s.chunks {
		if err := f(c); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) ChunksByID(_ context.Context, _ string, ids []string) ([]scaigrid.Chunk, error) {
	out := make([]scaigrid.Chunk, 0, len(ids))
	for _, id := range ids {
		if i, ok := s.byID[id]; ok {
			out = append(out, s.chunks[i])
		}
	}
	return out, nil
}

func (s *shelf) DocumentsByID(_ context.Context, _ string, ids []string) ([]scaigrid.Document, error) {
	out := make([]scaigrid.Document, 0, len(ids))
	for _, id := range ids {
		if d, ok := s.docs[id]; ok {
			out = append(out, d)
		}
	}
	return out, nil
}
