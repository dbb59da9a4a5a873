// The judge that did not grow up here: golang.org/x/mod/sumdb, as Go's checksum database uses it.
//
//	sumdb make TREES SEED > cases      as log_cases.cpp says, without witnesses
//	sumdb check < cases                likewise; cosignatures are for second_log.py
//	sumdb export DIR VKEY              an export's head, entries and tiles against each other
//	sumdb proof FILE LEAF VKEY         one .tlog-proof file and its leaf
//
// Built with Debian's golang-golang-x-mod-dev: GO111MODULE=off GOPATH=/usr/share/gocode go build sumdb.go
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	origin         = "interop.example/sumdb"
	proofFirstLine = "c2sp.org/tlog-proof@v1"
	largeTreeEvery = 500
	largeSize      = 70000
)

type testCase struct {
	Tree        int64       `json:"tree"`
	Proof       string      `json:"proof"`
	OldHead     string      `json:"old_head"`
	Consistency []tlog.Hash `json:"consistency"`
	Key         string      `json:"key"`
	Witness     string      `json:"witness"`
	Fails       []string    `json:"fails"`
}

func leafText(tree, index int64) []byte {
	return []byte(fmt.Sprintf("leaf %d of tree %d", index, tree))
}

// hashes is a tree in memory, by Go's own numbering of its nodes.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(h)) {
			return nil, errors.New("no such node")
		}
		found[i] = h[index]
	}
	return found, nil
}

func (h *hashes) add(index int64, leaf []byte) error {
	stored, err := tlog.StoredHashes(index, leaf, *h)
	*h = append(*h, stored...)
	return err
}

func treeOf(number, size int64) hashes {
	var tree hashes
	for i := int64(0); i < size; i++ {
		must(tree.add(i, leafText(number, i)))
	}
	return tree
}

// parseHead reads a checkpoint with Go's own parser, which knows one origin only.
func parseHead(text, name string) (tlog.Tree, error) {
	rest := strings.TrimPrefix(text, name+"\n")
	if rest == text || strings.Count(rest, "\n") != 2 {
		return tlog.Tree{}, errors.New("not a head of " + name)
	}
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

func formatHead(tree tlog.Tree) string {
	return strings.Replace(string(tlog.FormatTree(tree)), "go.sum database tree", origin, 1)
}

func openHead(signed, key string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	return parseHead(opened.Text, verifier.Name())
}

// parseProof takes a .tlog-proof file apart: its index, path, and signed head.
func parseProof(text string) (index int64, path tlog.RecordProof, head string, err error) {
	lines, head, found := strings.Cut(text, "\n\n")
	words := strings.Split(lines, "\n")
	if !found || words[0] != proofFirstLine {
		return 0, nil, "", errors.New("not a proof file")
	}
	words = words[1:]
	if len(words) > 0 && strings.HasPrefix(words[0], "extra ") {
		words = words[1:]
	}
	if len(words) == 0 || !strings.HasPrefix(words[0], "index ") {
		return 0, nil, "", errors.New("no index")
	}
	if index, err = strconv.ParseInt(words[0][len("index "):], 10, 64); err != nil {
		return 0, nil, "", err
	}
	for _, line := range words[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, "", err
		}
		path = append(path, hash)
	}
	return index, path, head, nil
}

func faultsOf(one testCase) (faults []string) {
	index, path, signed, err := parseProof(one.Proof)
	if err != nil {
		return []string{"head"}
	}
	head, err := openHead(signed, one.Key)
	if err != nil {
		return []string{"head"}
	}
	old, err := openHead(one.OldHead, one.Key)
	if err != nil {
		return []string{"old_head"}
	}
	root, err := tlog.TreeHash(head.N, treeOf(one.Tree, head.N))
	must(err)
	if root != head.Hash {
		faults = append(faults, "root")
	}
	if tlog.CheckRecord(path, head.N, head.Hash, index, tlog.RecordHash(leafText(one.Tree, index))) != nil {
		faults = append(faults, "inclusion")
	}
	if tlog.CheckTree(one.Consistency, head.N, head.Hash, old.N, old.Hash) != nil {
		faults = append(faults, "consistency")
	}
	return faults
}

func check() {
	lines := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for decoder := json.NewDecoder(lines); decoder.More(); {
		var one testCase
		must(decoder.Decode(&one))
		said := strings.Join(faultsOf(one), ",")
		if said == "" {
			said = "-"
		}
		fmt.Fprintln(out, one.Tree, said)
	}
}

// flipBit changes the base64 text of a signature or hash, at a place where every bit counts.
func flipBit(random *rand.Rand, text []byte) {
	raw, err := base64.StdEncoding.DecodeString(string(text))
	must(err)
	raw[4+random.Intn(len(raw)-4)] ^= 1 << random.Intn(8)
	base64.StdEncoding.Encode(text, raw)
}

func spoilPath(random *rand.Rand, path []tlog.Hash) []tlog.Hash {
	way := random.Intn(3)
	if len(path) == 0 || way == 0 {
		return append(path, tlog.Hash{7})
	}
	if way == 1 {
		return path[:len(path)-1]
	}
	path[random.Intn(len(path))][random.Intn(32)] ^= 1 << random.Intn(8)
	return path
}

func spoilSignature(random *rand.Rand, signed string) string {
	bytes := []byte(signed)
	flipBit(random, bytes[strings.LastIndex(signed, " ")+1:len(bytes)-1])
	return string(bytes)
}

func makeCase(random *rand.Rand, number int64, signer note.Signer, key string) testCase {
	bits := random.Intn(11)
	size := int64(1)<<bits + random.Int63n(int64(1)<<bits)
	if number%largeTreeEvery == largeTreeEvery/2 {
		size = largeSize + random.Int63n(1000)
	}
	oldSize, index := 1+random.Int63n(size), random.Int63n(size)
	tree := treeOf(number, size)
	root, err := tlog.TreeHash(size, tree)
	must(err)
	oldRoot, err := tlog.TreeHash(oldSize, tree)
	must(err)
	path, err := tlog.ProveRecord(size, index, tree)
	must(err)
	consistency, err := tlog.ProveTree(size, oldSize, tree)
	must(err)

	way := random.Intn(14)
	fails := []string{}
	switch way {
	case 0:
		root[random.Intn(32)] ^= 1
		fails = []string{"root", "inclusion", "consistency"}
	case 1:
		oldRoot[random.Intn(32)] ^= 1
		fails = []string{"consistency"}
	case 2:
		path = spoilPath(random, path)
		fails = []string{"inclusion"}
	case 3:
		consistency = spoilPath(random, consistency)
		fails = []string{"consistency"}
	case 4:
		index = size
		fails = []string{"inclusion"}
	}
	sign := func(size int64, root tlog.Hash) string {
		signed, err := note.Sign(&note.Note{Text: formatHead(tlog.Tree{N: size, Hash: root})}, signer)
		must(err)
		return string(signed)
	}
	head, oldHead := sign(size, root), sign(oldSize, oldRoot)
	switch way {
	case 5:
		head = spoilSignature(random, head)
		fails = []string{"head"}
	case 6:
		head = strings.Replace(head, "\n", "\n1", 1)
		fails = []string{"head"}
	case 7:
		oldHead = spoilSignature(random, oldHead)
		fails = []string{"old_head"}
	}
	proof := fmt.Sprintf("%s\nindex %d\n", proofFirstLine, index)
	for _, hash := range path {
		proof += hash.String() + "\n"
	}
	if consistency == nil {
		consistency = []tlog.Hash{}
	}
	return testCase{number, proof + "\n" + head, oldHead, consistency, key, "", fails}
}

func makeCases(trees, seed int64) {
	random := rand.New(rand.NewSource(seed))
	secret, key, err := note.GenerateKey(random, origin)
	must(err)
	signer, err := note.NewSigner(secret)
	must(err)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for i := int64(0); i < trees; i++ {
		must(out.Encode(makeCase(random, i, signer, key)))
	}
}

// exported reads an export's tiles for tlog.TileHashReader, which believes only what leads to the head.
type exported struct{ dir string }

func (exported) Height() int                     { return 8 }
func (exported) SaveTiles([]tlog.Tile, [][]byte) {}
func (e exported) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(e.dir, pathOf(tile)))
		if err != nil {
			return nil, err
		}
		all[i] = data
	}
	return all, nil
}

// pathOf is Go's path without the height, and with Go's "data" as "entries".
func pathOf(tile tlog.Tile) string {
	return strings.Replace(strings.Replace(tile.Path(), "tile/8/", "tile/", 1), "tile/data", "tile/entries", 1)
}

func entriesOf(dir string, size int64) (entries [][]byte) {
	for n := int64(0); n*256 < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		data, err := os.ReadFile(filepath.Join(dir, pathOf(tlog.Tile{H: 8, L: -1, N: n, W: int(width)})))
		must(err)
		for len(data) > 0 {
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries = append(entries, data[2:end])
			data = data[end:]
		}
	}
	return entries
}

func checkExport(dir, key string) error {
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err)
	head, err := openHead(string(signed), key)
	if err != nil {
		return err
	}
	entries := entriesOf(dir, head.N)
	if int64(len(entries)) != head.N {
		return fmt.Errorf("%d entries, the head says %d", len(entries), head.N)
	}
	tiles := tlog.TileHashReader(head, exported{dir})
	var tree hashes
	for i, entry := range entries {
		must(tree.add(int64(i), entry))
	}
	root, err := tlog.TreeHash(head.N, tree)
	must(err)
	if root != head.Hash {
		return errors.New("the entries do not lead to the head")
	}
	indexes := make([]int64, head.N)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, int64(i))
	}
	stored, err := tiles.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for i, hash := range stored {
		if hash != tlog.RecordHash(entries[i]) {
			return fmt.Errorf("entry %d is not what its tile says", i)
		}
	}
	fmt.Println(head.N, head.Hash)
	return nil
}

func checkProof(file, leafFile, key string) error {
	text, err := os.ReadFile(file)
	must(err)
	leaf, err := os.ReadFile(leafFile)
	must(err)
	index, path, signed, err := parseProof(string(text))
	if err != nil {
		return err
	}
	head, err := openHead(signed, key)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(path, head.N, head.Hash, index, tlog.RecordHash(leaf))
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	must(err)
	return value
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "sumdb:", err)
		os.Exit(1)
	}
}

func main() {
	words := os.Args[1:]
	switch {
	case len(words) == 3 && words[0] == "make":
		makeCases(number(words[1]), number(words[2]))
	case len(words) == 1 && words[0] == "check":
		check()
	case len(words) == 3 && words[0] == "export":
		must(checkExport(words[1], words[2]))
	case len(words) == 4 && words[0] == "proof":
		must(checkProof(words[1], words[2], words[3]))
	default:
		fmt.Fprintln(os.Stderr, "usage: sumdb make TREES SEED | check | export DIR VKEY | proof FILE LEAF VKEY")
		os.Exit(2)
	}
}
