/// Flagpost's own side of the interoperability tests: makes cases for the other implementations, and judges theirs.
///
///     log_cases make TREES SEED > cases        one line of JSON a tree
///     log_cases check < cases                  one line a case: its tree, and what does not hold, or "-"
///
/// A case is an inclusion proof as a .tlog-proof file (`proof`), the signed note of an earlier head (`old_head`), the
/// consistency proof between the two, the log's `key`, the `witness` whose cosignature is wanted ("" for none), and
/// `fails`: what its maker spoilt. Leaf i of tree t is the text "leaf i of tree t". If one of the heads does not open,
/// nothing after it is looked at. sumdb.go and second_log.py read and write the same.
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "broker/log/tlog_proof.h"

using namespace flagpost;
using nlohmann::json;

namespace {

constexpr std::uint64_t usual_size_log2 = 11;
constexpr std::uint64_t large_tree_every = 500;  // one whose tiles have a third level
constexpr std::uint64_t large_size = 70'000;

std::string leaf_text(std::uint64_t tree, std::uint64_t index) {
    return "leaf " + std::to_string(index) + " of tree " + std::to_string(tree);
}

/// A tree and its tiles.
struct Tree {
    log::Frontier frontier;
    std::map<log::TileId, log::TileHashes> tiles;

    Tree(std::uint64_t number, std::uint64_t size) {
        for (std::uint64_t i = 0; i < size; ++i) {
            const auto leaf = log::leaf_hash(view(leaf_text(number, i)));
            frontier.append(leaf, [&](log::TileId id, const log::TileHashes& hashes) { tiles[id] = hashes; });
        }
    }
    log::ReadTile reader() const {
        return [this](log::TileId id) { return tiles.at(id); };
    }
};

json base64_of(const std::vector<Digest>& hashes) {
    auto texts = json::array();
    for (const auto& hash : hashes) texts.push_back(to_base64(hash));
    return texts;
}

class Maker {
public:
    explicit Maker(std::uint64_t seed) : random_{seed} {}
    json make(std::uint64_t number);

private:
    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
    std::uint64_t size_of(std::uint64_t number);
    void flip(Bytes& bytes) { bytes[below(bytes.size())] ^= static_cast<std::uint8_t>(1u << below(8)); }
    void spoil(std::vector<Digest>& hashes);
    log::SignedNote signed_head(std::uint64_t size, const Digest& root);

    const std::string origin_ = "interop.example/flagpost";
    const std::string witness_ = "interop.example/flagpost-witness";
    crypto::NoteKey log_key_ = crypto::NoteKey::from_seed({1});
    crypto::NoteKey witness_key_ = crypto::NoteKey::from_seed({2});
    std::mt19937_64 random_;
};

std::uint64_t Maker::size_of(std::uint64_t number) {
    if (number % large_tree_every == large_tree_every / 2) return large_size + below(1000);
    const auto bits = below(usual_size_log2);
    return (std::uint64_t{1} << bits) + below(std::uint64_t{1} << bits);
}

void Maker::spoil(std::vector<Digest>& hashes) {
    const auto way = hashes.empty() ? 0 : below(3);
    if (way == 0) {
        hashes.insert(hashes.begin() + static_cast<std::ptrdiff_t>(below(hashes.size() + 1)), Digest{7});
    } else if (way == 1) {
        hashes.erase(hashes.begin() + static_cast<std::ptrdiff_t>(below(hashes.size())));
    } else {
        hashes[below(hashes.size())][below(32)] ^= static_cast<std::uint8_t>(1u << below(8));
    }
}

log::SignedNote Maker::signed_head(std::uint64_t size, const Digest& root) {
    const auto text = log::Checkpoint{origin_, size, root}.format();
    return {text, {log::sign_note(text, origin_, log_key_)}};
}

json Maker::make(std::uint64_t number) {
    const auto size = size_of(number);
    const auto old_size = 1 + below(size);
    auto index = below(size);
    const Tree tree{number, size};
    auto root = tree.frontier.root();
    auto old_root = log::root_at(old_size, tree.reader());
    auto path = log::inclusion_proof(index, size, tree.reader());
    auto consistency = log::consistency_proof(old_size, size, tree.reader());

    // One thing is spoilt in every second tree: first what is signed, then what is not.
    const auto way = below(16);
    auto fails = json::array();
    if (way == 0) root[below(32)] ^= 1, fails = {"root", "inclusion", "consistency"};
    if (way == 1) old_root[below(32)] ^= 1, fails = {"consistency"};
    if (way == 2) spoil(path), fails = {"inclusion"};
    if (way == 3) spoil(consistency), fails = {"consistency"};
    if (way == 4) index = size > 1 && below(2) == 0 ? (index + 1) % size : size, fails = {"inclusion"};
    auto head = signed_head(size, root);
    auto old_head = signed_head(old_size, old_root);
    const Instant at{std::chrono::seconds{1'700'000'000 + below(1'000'000'000)}};
    auto cosignature = log::cosign_note(head.text, witness_, witness_key_, at);
    if (way == 5) flip(head.signatures[0].signature), fails = {"head"};
    if (way == 6) head.text.insert(head.text.find('\n') + 1, "1"), fails = {"head"};
    if (way == 7) flip(old_head.signatures[0].signature), fails = {"old_head"};
    if (way == 8) flip(cosignature.signature), fails = {"cosignature"};
    if (way != 9) head.signatures.push_back(std::move(cosignature));
    if (way == 9) fails = {"cosignature"};

    const log::TlogProof proof{std::nullopt, index, path, head.format()};
    return {
        {"tree",        number                                                                               },
        {"proof",       proof.format()                                                                       },
        {"old_head",    old_head.format()                                                                    },
        {"consistency", base64_of(consistency)                                                               },
        {"key",         log::VerifierKey{origin_, log::VerifierKey::Type::note, log_key_.public_key()}.text()},
        {"witness",
         log::VerifierKey{witness_, log::VerifierKey::Type::cosignature, witness_key_.public_key()}.text()   },
        {"fails",       fails                                                                                },
    };
}

/// What does not hold in a case. The witness is asked for by a trust policy, as `flagpost-audit check` would.
std::vector<std::string> faults_of(const json& one) {
    const auto key = log::VerifierKey::parse(one.at("key").get<std::string>());
    const auto proof = log::TlogProof::parse(one.at("proof").get<std::string>());
    if (!key || !proof) return {"head"};
    const auto head = log::open_checkpoint(proof->checkpoint, *key);
    if (!head) return {"head"};
    const auto old_head = log::open_checkpoint(one.at("old_head").get<std::string>(), *key);
    if (!old_head) return {"old_head"};

    std::vector<std::string> faults;
    const auto tree = one.at("tree").get<std::uint64_t>();
    if (Tree{tree, head->size}.frontier.root() != head->root) faults.push_back("root");
    const auto believed = log::Policy::of_log(*key);
    if (!log::check_proof(*proof, view(leaf_text(tree, proof->index)), believed))
        faults.push_back("inclusion");
    std::vector<Digest> consistency;
    for (const auto& hash : one.at("consistency"))
        consistency.push_back(exactly<32>(from_base64(hash.get<std::string>()).value()).value());
    if (!log::verify_consistency(old_head->size, head->size, old_head->root, head->root, consistency))
        faults.push_back("consistency");
    if (const auto witness = one.at("witness").get<std::string>(); !witness.empty()) {
        const auto policy =
            log::Policy::parse("log " + key->text() + "\nwitness w " + witness + "\nquorum w\n");
        if (!policy || !policy->judge(proof->checkpoint)) faults.push_back("cosignature");
    }
    return faults;
}

void check(std::istream& cases) {
    for (std::string line; std::getline(cases, line);) {
        const auto one = json::parse(line);
        std::string said;
        for (const auto& fault : faults_of(one)) said += (said.empty() ? "" : ",") + fault;
        std::cout << one.at("tree") << ' ' << (said.empty() ? "-" : said) << '\n';
    }
}

}  // namespace

int main(int count, char** words) {
    const std::vector<std::string> given{words + 1, words + count};
    if (given.size() == 1 && given[0] == "check") {
        check(std::cin);
        return 0;
    }
    if (given.size() != 3 || given[0] != "make") {
        std::cerr << "usage: log_cases make TREES SEED | log_cases check\n";
        return 2;
    }
    Maker maker{std::stoull(given[2])};
    for (std::uint64_t tree = 0; tree < std::stoull(given[1]); ++tree) std::cout << maker.make(tree) << '\n';
    return 0;
}
