#include "broker/log/signer.h"

#include <map>

#include "broker/log/merkle.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::log;

namespace {

/// A growing log, its tiles, and a signer whose memory is a vector.
struct Desk {
    std::map<TileId, TileHashes> tiles;
    Frontier frontier;
    std::vector<Checkpoint> remembered;
    Signer signer{crypto::NoteKey::from_seed({1}), Signer::new_log("log.example/audit"),
                  [this](const Checkpoint& head) { remembered.push_back(head); }};

    void grow_to(std::uint64_t size, std::uint8_t what = 1) {
        while (frontier.size() < size) {
            const std::uint8_t leaf[] = {what, static_cast<std::uint8_t>(frontier.size())};
            frontier.append(leaf_hash(leaf),
                            [this](TileId id, const TileHashes& hashes) { tiles[id] = hashes; });
        }
    }
    std::vector<Digest> proof_from(std::uint64_t old_size) const {
        return consistency_proof(old_size, frontier.size(), [this](TileId id) { return tiles.at(id); });
    }
    Result<std::string> sign() {
        return signer.sign(frontier.size(), frontier.root(), proof_from(signer.last().size));
    }
};

}  // namespace

TEST_CASE("a signer signs heads that extend each other, and remembers each first", "[log]") {
    Desk desk;
    std::size_t heads = 0;
    for (const std::uint64_t size : {1, 2, 3, 200, 256, 700}) {
        desk.grow_to(size);
        const auto note = desk.sign();
        REQUIRE(note);
        const auto head = open_checkpoint(*note, desk.signer.verifier());
        REQUIRE(head);
        CHECK(*head == Checkpoint{"log.example/audit", size, desk.frontier.root()});
        CHECK(desk.remembered.size() == ++heads);
        CHECK(desk.remembered.back() == *head);
    }
}

TEST_CASE("the same head may be signed again, and nothing new is remembered", "[log]") {
    Desk desk;
    desk.grow_to(5);
    const auto first = desk.sign();
    REQUIRE(first);
    CHECK(desk.sign() == first);
    CHECK(desk.remembered.size() == 1);
}

TEST_CASE("a head that does not extend the last one is not signed", "[log]") {
    Desk desk;
    desk.grow_to(100);
    const auto old_root = desk.frontier.root();
    const Frontier older = desk.frontier;
    desk.grow_to(300);
    REQUIRE(desk.sign());
    Desk other;
    other.grow_to(300, 2);
    const auto root_300 = desk.frontier.root();
    desk.grow_to(400);
    const auto proof = desk.proof_from(300);
    auto spoilt = proof;
    spoilt.back()[0] ^= 1;

    struct Row {
        const char* why;
        std::uint64_t size;
        Digest root;
        std::vector<Digest> proof;
    };
    const std::vector<Row> rows{
        {"a smaller tree, as after an old backup", 100, old_root,              {}    },
        {"equal size, another root",               300, other.frontier.root(), {}    },
        {"equal size, a proof nobody needs",       300, root_300,              proof },
        {"larger without a proof",                 400, desk.frontier.root(),  {}    },
        {"larger with a spoilt proof",             400, desk.frontier.root(),  spoilt},
        {"larger with another root",               400, other.frontier.root(), proof },
        {"no tree at all",                         0,   empty_root(),          {}    },
    };
    const auto remembered = desk.remembered.size();
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const auto note = desk.signer.sign(row.size, row.root, row.proof);
        REQUIRE_FALSE(note);
        CHECK(note.error().reason == Reason::not_consistent);
    }
    CHECK(desk.remembered.size() == remembered);
    CHECK(desk.sign());
}

TEST_CASE("no signature is released for a head that could not be remembered", "[log]") {
    Desk desk;
    bool disk_full = true;
    Signer signer{crypto::NoteKey::from_seed({1}), Signer::new_log("log.example/audit"),
                  [&](const Checkpoint&) {
                      if (disk_full) throw std::runtime_error{"no space left"};
                  }};
    desk.grow_to(3);
    CHECK_THROWS(signer.sign(3, desk.frontier.root(), {}));
    CHECK(signer.last().size == 0);
    disk_full = false;
    CHECK(signer.sign(3, desk.frontier.root(), {}));
}

TEST_CASE("a signer restarted from its memory goes on where it stopped", "[log]") {
    Desk desk;
    desk.grow_to(10);
    REQUIRE(desk.sign());
    Signer restarted{crypto::NoteKey::from_seed({1}), desk.remembered.back(), [](const Checkpoint&) {}};
    desk.grow_to(20);
    CHECK_FALSE(restarted.sign(9, desk.frontier.root(), {}));
    CHECK(restarted.sign(20, desk.frontier.root(), desk.proof_from(10)));
}

TEST_CASE("while the log's key is changed each head is signed by both keys, and either opens it", "[log]") {
    const auto before = crypto::NoteKey::from_seed({1}), after = crypto::NoteKey::from_seed({2}),
               neither = crypto::NoteKey::from_seed({3});
    const auto vkey_of = [](const crypto::NoteKey& key) {
        return VerifierKey{"log.example/audit", VerifierKey::Type::note, key.public_key()};
    };
    Signer signer{crypto::NoteKey::from_seed({2}), Signer::new_log("log.example/audit"),
                  [](const Checkpoint&) {}, crypto::NoteKey::from_seed({1})};
    const auto note = signer.sign(0, empty_root(), {}).value();
    CHECK(SignedNote::parse(note)->signatures.size() == 2);
    CHECK(open_checkpoint(note, vkey_of(before)));
    CHECK(open_checkpoint(note, vkey_of(after)));
    CHECK_FALSE(open_checkpoint(note, vkey_of(neither)));
    CHECK(signer.verifier().text() == vkey_of(after).text());
}
