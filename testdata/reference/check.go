// Command check reads a Tachograph log with somebody else's code.
//
// What it is: an independent reader of the public half of a log (`checkpoint`, `tile/...`), built on the
// reference implementation of transparency logs, golang.org/x/mod/sumdb/note and .../tlog. It shares no
// line with the project's own Rust, so a mistake made there cannot repeat itself here. What it is not:
// a reader of records; it needs no key but the log's public one and sees commitments only.
//
//	check LOGDIR VKEY [-old CHECKPOINT] [-chain] [-all]
//
// LOGDIR is the folder of one log, VKEY its verifier key ("name+hash+base64"). With -old it also opens a
// checkpoint that was seen at another time and requires that one of the two trees is a prefix of the other,
// and that the log still holds everything that the larger one signed. With -all it proves every entry and
// every earlier size, otherwise a spread of them. With -chain it also requires that
// each entry carries its predecessor's leaf hash at bytes 40..72 (docs/internals/format.md, "Entry").
//
// Exit code 0: everything agrees. 1: it does not, with the reason on standard error. 2: wrong arguments.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tileHeight is fixed by tlog-tiles: a full tile holds 2^8 hashes.
const tileHeight = 8

const tileWidth = 1 << tileHeight

// samples is how many pseudo-random indexes and old sizes are proved beside the chosen ones.
const samples = 200

type options struct {
	folder string
	key    string
	old    string
	chain  bool
	all    bool
}

// head is what a checkpoint says: which log, how many entries, which root.
type head struct {
	origin string
	size   int64
	root   tlog.Hash
}

// counts is what was looked at, for the closing line.
type counts struct {
	bundles, entries, tiles, inclusion, consistency, extra int
}

func main() {
	options, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "check: %v\nusage: check LOGDIR VKEY [-old CHECKPOINT] [-chain] [-all]\n", err)
		os.Exit(2)
	}
	start := time.Now()
	head, counts, err := check(options)
	if err != nil {
		fmt.Fprintf(os.Stderr, "REJECTED: %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("accepted: %s, size %d, root %s\n", head.origin, head.size, head.root)
	fmt.Printf("  %d bundles, %d entries, %d tiles, %d inclusion proofs, %d consistency proofs, "+
		"%d files ahead of the checkpoint, %.1f s\n", counts.bundles, counts.entries, counts.tiles,
		counts.inclusion, counts.consistency, counts.extra, time.Since(start).Seconds())
}

func parse(arguments []string) (options, error) {
	var o options
	var plain []string
	for i := 0; i < len(arguments); i++ {
		switch arguments[i] {
		case "-chain", "--chain":
			o.chain = true
		case "-all", "--all":
			o.all = true
		case "-old", "--old":
			if i+1 == len(arguments) {
				return o, fmt.Errorf("-old needs the path of a checkpoint")
			}
			i++
			o.old = arguments[i]
		default:
			plain = append(plain, arguments[i])
		}
	}
	if len(plain) != 2 {
		return o, fmt.Errorf("expected LOGDIR and VKEY, got %d arguments", len(plain))
	}
	o.folder, o.key = plain[0], plain[1]
	return o, nil
}

func check(o options) (head, counts, error) {
	var n counts
	verifier, err := note.NewVerifier(o.key)
	if err != nil {
		return head{}, n, fmt.Errorf("verifier key %q: %v", o.key, err)
	}
	now, err := openCheckpoint(filepath.Join(o.folder, "checkpoint"), verifier)
	if err != nil {
		return now, n, err
	}
	hashes, err := readEntries(o, now, &n)
	if err != nil {
		return now, n, err
	}
	if err := checkTiles(o, now, hashes, &n); err != nil {
		return now, n, err
	}
	if err := checkRoot(now, hashes); err != nil {
		return now, n, err
	}
	// From here on only the tiles are read; TileHashReader checks each one up to the signed root.
	reader := tlog.TileHashReader(tlog.Tree{N: now.size, Hash: now.root}, &tileFolder{o.folder, map[tlog.Tile][]byte{}})
	if err := checkInclusion(o, now, hashes, reader, &n); err != nil {
		return now, n, err
	}
	if err := checkConsistency(o, now, hashes, reader, &n); err != nil {
		return now, n, err
	}
	if o.old != "" {
		return now, n, checkOther(o.old, verifier, now, hashes, reader, &n)
	}
	return now, n, nil
}

// openCheckpoint reads a signed note and the tree head in its text (C2SP tlog-checkpoint).
func openCheckpoint(path string, verifier note.Verifier) (head, error) {
	message, err := os.ReadFile(path)
	if err != nil {
		return head{}, fmt.Errorf("checkpoint: %v", err)
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return head{}, fmt.Errorf("checkpoint %s: signature: %v", path, err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 {
		return head{}, fmt.Errorf("checkpoint %s: %d lines, want origin, size and root", path, len(lines)-1)
	}
	if lines[0] != verifier.Name() {
		return head{}, fmt.Errorf("checkpoint %s: origin %q, but the key is named %q", path, lines[0], verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return head{}, fmt.Errorf("checkpoint %s: size %q is not a plain decimal number", path, lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || base64.StdEncoding.EncodeToString(root[:]) != lines[2] {
		return head{}, fmt.Errorf("checkpoint %s: root %q is not the base64 of 32 bytes", path, lines[2])
	}
	return head{lines[0], size, root}, nil
}

// storedHashes holds every hash of the tree in the order of tlog.StoredHashIndex, computed from entries.
type storedHashes []tlog.Hash

func (s storedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(s)) {
			return nil, fmt.Errorf("hash %d of %d asked for", index, len(s))
		}
		found[i] = s[index]
	}
	return found, nil
}

// readEntries reads every bundle up to the checkpoint's size and hashes the whole tree from them alone.
func readEntries(o options, now head, n *counts) (storedHashes, error) {
	hashes := make(storedHashes, 0, tlog.StoredHashCount(now.size))
	previous := tlog.Hash{}
	for index := int64(0); index < now.size; {
		width := tileWidth
		if now.size-index < tileWidth {
			width = int(now.size - index)
		}
		entries, err := readBundle(o.folder, index/tileWidth, width)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if err := checkLink(o, index, entry, previous); err != nil {
				return nil, err
			}
			previous = tlog.RecordHash(entry)
			added, err := tlog.StoredHashesForRecordHash(index, previous, hashes)
			if err != nil {
				return nil, fmt.Errorf("entry %d: %v", index, err)
			}
			hashes = append(hashes, added...)
			index++
		}
		n.bundles++
		n.entries += len(entries)
	}
	return hashes, nil
}

// checkLink requires the hash chain inside the entries, when asked for.
func checkLink(o options, index int64, entry []byte, previous tlog.Hash) error {
	if !o.chain {
		return nil
	}
	if len(entry) != 104 || entry[0] != 1 {
		return fmt.Errorf("entry %d: %d bytes of version %d, want 104 of version 1", index, len(entry), entry[0])
	}
	if !bytes.Equal(entry[40:72], previous[:]) {
		return fmt.Errorf("entry %d: chain broken: previous leaf hash %x, but entry %d hashes to %x", index, entry[40:72], index-1, previous[:])
	}
	return nil
}

// readBundle reads the entries of bundle number `bundle`: each a big-endian u16 length and that many bytes.
// A partial bundle may be gone once the full one exists; then the full one's first entries are meant.
func readBundle(folder string, bundle int64, width int) ([][]byte, error) {
	name, data, err := readTile(folder, "entries", bundle, width)
	if err != nil {
		return nil, fmt.Errorf("bundle %d (entries from %d): %v", bundle, bundle*tileWidth, err)
	}
	var entries [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("bundle %s: cut off inside entry %d", name, bundle*tileWidth+int64(len(entries)))
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		if end == 2 {
			return nil, fmt.Errorf("bundle %s: entry %d is empty", name, bundle*tileWidth+int64(len(entries)))
		}
		entries = append(entries, data[2:end])
		data = data[end:]
	}
	if len(entries) < width {
		return nil, fmt.Errorf("bundle %s: %d entries, want %d", name, len(entries), width)
	}
	if len(entries) > width && strings.Contains(name, ".p/") {
		return nil, fmt.Errorf("bundle %s: %d entries, its name says %d", name, len(entries), width)
	}
	return entries[:width], nil
}

// tilePath is the C2SP path. Go's own differs: it carries the height ("tile/8/0/000").
func tilePath(level string, number int64, width int) string {
	path := fmt.Sprintf("%03d", number%1000)
	for number >= 1000 {
		number /= 1000
		path = fmt.Sprintf("x%03d/%s", number%1000, path)
	}
	if width < tileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return "tile/" + level + "/" + path
}

// readTile reads a tile or bundle, or for a partial one that was tidied away the full one.
func readTile(folder, level string, number int64, width int) (string, []byte, error) {
	name := tilePath(level, number, width)
	data, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
	if os.IsNotExist(err) && width < tileWidth {
		full := tilePath(level, number, tileWidth)
		if data, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(full))); err == nil {
			return full, data, nil
		}
	}
	if os.IsNotExist(err) {
		return name, nil, fmt.Errorf("%s is missing", name)
	}
	return name, data, err
}

// checkTiles compares every tile that the checkpoint needs, and every other one found, with the hashes
// computed from the entries.
func checkTiles(o options, now head, hashes storedHashes, n *counts) error {
	for level := 0; now.size>>(tileHeight*level) > 0; level++ {
		whole := now.size >> (tileHeight * level)
		for number := int64(0); number*tileWidth < whole; number++ {
			width := tileWidth
			if whole-number*tileWidth < tileWidth {
				width = int(whole - number*tileWidth)
			}
			name, data, err := readTile(o.folder, strconv.Itoa(level), number, width)
			if err != nil {
				return fmt.Errorf("level-%d tile: %v", level, err)
			}
			if len(data) < width*tlog.HashSize {
				return fmt.Errorf("level-%d tile %s: %d bytes, want %d", level, name, len(data), width*tlog.HashSize)
			}
			if err := compareTile(name, level, number, width, data, hashes); err != nil {
				return err
			}
			n.tiles++
		}
	}
	return checkFolder(o, now, hashes, n)
}

// compareTile says which hash of a tile differs from what the entries give.
func compareTile(name string, level int, number int64, width int, data []byte, hashes storedHashes) error {
	want, err := tlog.ReadTileData(tlog.Tile{H: tileHeight, L: level, N: number, W: width}, hashes)
	if err != nil {
		return fmt.Errorf("level-%d tile %s: %v", level, name, err)
	}
	for i := 0; i < width; i++ {
		from, to := i*tlog.HashSize, (i+1)*tlog.HashSize
		if !bytes.Equal(data[from:to], want[from:to]) {
			return fmt.Errorf("level-%d tile %s: hash %d is %x, but the entries give %x", level, name, i, data[from:to], want[from:to])
		}
	}
	return nil
}

// checkFolder visits every file under tile/: older partial tiles must agree too, unknown names are refused,
// and what lies beyond the checkpoint (a writer publishes tiles first) is only counted.
func checkFolder(o options, now head, hashes storedHashes, n *counts) error {
	root := filepath.Join(o.folder, "tile")
	return filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if os.IsNotExist(err) && path == root && now.size == 0 {
			return nil
		}
		if err != nil || info.IsDir() {
			return err
		}
		relative, err := filepath.Rel(o.folder, path)
		if err != nil {
			return err
		}
		return checkFile(o, now, hashes, filepath.ToSlash(relative), n)
	})
}

func checkFile(o options, now head, hashes storedHashes, name string, n *counts) error {
	isEntries := strings.HasPrefix(name, "tile/entries/")
	goName := fmt.Sprintf("tile/%d/%s", tileHeight, strings.TrimPrefix(name, "tile/"))
	if isEntries {
		goName = strings.Replace(goName, "/entries/", "/data/", 1)
	}
	tile, err := tlog.ParseTilePath(goName)
	if err != nil {
		return fmt.Errorf("%s is neither a tile nor a bundle", name)
	}
	level := tile.L
	if isEntries {
		level = 0
	}
	if tile.N*tileWidth+int64(tile.W) > now.size>>(tileHeight*level) {
		n.extra++
		return nil
	}
	if isEntries {
		return checkOldBundle(o, tile, hashes)
	}
	data, err := os.ReadFile(filepath.Join(o.folder, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	if len(data) != tile.W*tlog.HashSize {
		return fmt.Errorf("level-%d tile %s: %d bytes, its name says %d", tile.L, name, len(data), tile.W*tlog.HashSize)
	}
	return compareTile(name, tile.L, tile.N, tile.W, data, hashes)
}

// checkOldBundle compares a partial bundle that a later one has overtaken.
func checkOldBundle(o options, tile tlog.Tile, hashes storedHashes) error {
	if tile.W == tileWidth {
		return nil // read in full by readEntries
	}
	entries, err := readBundle(o.folder, tile.N, tile.W)
	if err != nil {
		return err
	}
	for i, entry := range entries {
		index := tile.N*tileWidth + int64(i)
		if tlog.RecordHash(entry) != hashes[tlog.StoredHashIndex(0, index)] {
			return fmt.Errorf("bundle %s: entry %d differs from the full bundle's", tilePath("entries", tile.N, tile.W), index)
		}
	}
	return nil
}

// treeHash is tlog.TreeHash, with RFC 6962's hash of the empty tree (tlog has its own idea of that).
func treeHash(size int64, reader tlog.HashReader) (tlog.Hash, error) {
	if size == 0 {
		return sha256.Sum256(nil), nil
	}
	return tlog.TreeHash(size, reader)
}

func checkRoot(now head, hashes storedHashes) error {
	root, err := treeHash(now.size, hashes)
	if err != nil {
		return fmt.Errorf("root: %v", err)
	}
	if root != now.root {
		return fmt.Errorf("root: the checkpoint signs %s, but the entries give %s", now.root, root)
	}
	return nil
}

// tileFolder hands the tiles on disk to tlog.TileHashReader.
type tileFolder struct {
	folder string
	cache  map[tlog.Tile][]byte
}

func (t *tileFolder) Height() int { return tileHeight }

func (t *tileFolder) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for i, tile := range tiles {
		t.cache[tile] = data[i]
	}
}

func (t *tileFolder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		if data, ok := t.cache[tile]; ok {
			found[i] = data
			continue
		}
		name, data, err := readTile(t.folder, strconv.Itoa(tile.L), tile.N, tile.W)
		if err != nil {
			return nil, err
		}
		if len(data) < tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: %d bytes, want %d", name, len(data), tile.W*tlog.HashSize)
		}
		found[i] = data[:tile.W*tlog.HashSize]
	}
	return found, nil
}

// spread chooses numbers in 0..limit: all of them, or both ends, every power of two and its neighbours,
// and a fixed pseudo-random set, so that a failure repeats.
func spread(limit int64, all bool) []int64 {
	if all {
		numbers := make([]int64, limit)
		for i := range numbers {
			numbers[i] = int64(i)
		}
		return numbers
	}
	chosen := map[int64]bool{0: true, limit - 1: true}
	for power := int64(1); power <= limit; power *= 2 {
		chosen[power-1], chosen[power], chosen[power+1] = true, true, true
	}
	random := rand.New(rand.NewSource(limit))
	for i := 0; i < samples; i++ {
		chosen[random.Int63n(limit)] = true
	}
	var sorted []int64
	for number := range chosen {
		if number >= 0 && number < limit {
			sorted = append(sorted, number)
		}
	}
	sort.Slice(sorted, func(a, b int) bool { return sorted[a] < sorted[b] })
	return sorted
}

// checkInclusion proves a spread of entries from the tiles, and that a proof fails for another hash.
func checkInclusion(o options, now head, hashes storedHashes, reader tlog.HashReader, n *counts) error {
	if now.size == 0 {
		return nil
	}
	for _, index := range spread(now.size, o.all) {
		proof, err := tlog.ProveRecord(now.size, index, reader)
		if err != nil {
			return fmt.Errorf("inclusion of entry %d: %v", index, err)
		}
		leaf := hashes[tlog.StoredHashIndex(0, index)]
		if err := tlog.CheckRecord(proof, now.size, now.root, index, leaf); err != nil {
			return fmt.Errorf("inclusion of entry %d: %v", index, err)
		}
		leaf[0] ^= 1
		if tlog.CheckRecord(proof, now.size, now.root, index, leaf) == nil {
			return fmt.Errorf("inclusion of entry %d: proof also holds for another hash", index)
		}
		n.inclusion++
	}
	return nil
}

// checkConsistency proves from the tiles that a spread of earlier trees are prefixes of this one.
func checkConsistency(o options, now head, hashes storedHashes, reader tlog.HashReader, n *counts) error {
	if now.size == 0 {
		return nil
	}
	for _, size := range append(spread(now.size, o.all), now.size) {
		if size == 0 {
			continue // every tree continues the empty one; tlog has no proof for it
		}
		old, err := treeHash(size, hashes)
		if err != nil {
			return fmt.Errorf("consistency with size %d: %v", size, err)
		}
		if err := prove(now, size, old, reader); err != nil {
			return err
		}
		n.consistency++
	}
	return nil
}

func prove(now head, size int64, old tlog.Hash, reader tlog.HashReader) error {
	proof, err := tlog.ProveTree(now.size, size, reader)
	if err != nil {
		return fmt.Errorf("consistency with size %d: %v", size, err)
	}
	if err := tlog.CheckTree(proof, now.size, now.root, size, old); err != nil {
		return fmt.Errorf("consistency with size %d: %v", size, err)
	}
	return nil
}

// checkOther compares the log with a checkpoint that was seen at another time.
func checkOther(path string, verifier note.Verifier, now head, hashes storedHashes, reader tlog.HashReader, n *counts) error {
	other, err := openCheckpoint(path, verifier)
	if err != nil {
		return fmt.Errorf("the other checkpoint: %v", err)
	}
	switch {
	case other.size > now.size:
		return fmt.Errorf("rolled back: a checkpoint of size %d was signed, the log now ends at %d", other.size, now.size)
	case other.size == now.size && other.root != now.root:
		return fmt.Errorf("forked: two roots were signed for size %d: %s and %s", now.size, other.root, now.root)
	case other.size == 0:
		if other.root != sha256.Sum256(nil) {
			return fmt.Errorf("forked: %s was signed as the root of the empty tree", other.root)
		}
		return nil
	}
	root, err := treeHash(other.size, hashes)
	if err != nil {
		return fmt.Errorf("the other checkpoint: %v", err)
	}
	if root != other.root {
		return fmt.Errorf("forked: %s was signed as the root at size %d, the log now gives %s", other.root, other.size, root)
	}
	n.consistency++
	return prove(now, other.size, other.root, reader)
}
