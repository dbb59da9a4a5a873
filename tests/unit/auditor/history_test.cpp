/// Every way to rewrite history, and what finds it; beside it, what a plain hash chain would not.

#include <map>

#include "adapters/auditor/verify.h"
#include "tests/support/catch.h"
#include "tests/support/figures.h"
#include "tests/unit/auditor/sample_log.h"

using namespace flagpost;
using namespace flagpost::auditor;
using test::SampleLog;

namespace {

constexpr std::uint64_t size = 700;

/// The leaves of a log, for somebody who has the whole of the broker's machine.
struct Leaves {
    std::vector<Bytes> leaves, bodies;
    Leaves() {
        SampleLog log{size};
        log.page_max = size;
        leaves = log.entries(0, size);
        bodies = log.bodies(0, size);
    }
    log::Leaf at(std::size_t index) const { return *log::decode_leaf(leaves[index]); }
    void put(std::size_t index, const log::Leaf& leaf) { leaves[index] = log::encode(leaf); }
    /// Puts every place and time right, as somebody who rewrites a log carefully would.
    void put_in_order() {
        for (std::size_t i = 0; i < leaves.size(); ++i) {
            auto leaf = at(i);
            leaf.index = i;
            leaf.time = from_us(1'772'487'612'000'000 + static_cast<std::int64_t>(i) * 1'000'000);
            put(i, leaf);
        }
    }
    SampleLog log() const {
        SampleLog log{0};
        for (std::size_t i = 0; i < leaves.size(); ++i) log.append_bytes(leaves[i], bodies[i]);
        return log;
    }
};

/// What others hold as "the log so far": each entry hashed with the hash before it, as many products do.
struct Chain {
    Digest head{};
    explicit Chain(const std::vector<Bytes>& leaves) {
        for (const auto& leaf : leaves) head = crypto::sha256({head, leaf});
    }
};

const crypto::NoteKey witness_key[] = {crypto::NoteKey::from_seed({21}), crypto::NoteKey::from_seed({22})};

std::string witness_name(std::size_t which) { return "witness.example/" + std::to_string(which); }

/// The log's key, and two witnesses, of whom both must have signed.
log::Policy policy() {
    std::string text = "log " + test::log_vkey().text() + "\n";
    for (std::size_t i = 0; i < 2; ++i)
        text += "witness w" + std::to_string(i) + " " +
                log::VerifierKey{witness_name(i), log::VerifierKey::Type::cosignature,
                                 witness_key[i].public_key()}
                    .text() +
                "\n";
    return *log::Policy::parse(text + "group both all w0 w1\nquorum both\n");
}

/// A head cosigned by witnesses who have seen no other: they sign what is consistent with what they signed before.
std::string cosigned(const std::string& head) {
    auto note = *log::SignedNote::parse(head);
    for (std::size_t i = 0; i < 2; ++i)
        note.signatures.push_back(
            log::cosign_note(note.text, witness_name(i), witness_key[i], from_us(1'772'490'000'000'000)));
    return note.format();
}

struct Attack {
    const char* what;
    /// Rewrites the leaves; answers with the first place that is not what it was.
    std::function<std::uint64_t(Leaves&)> rewrite;
};

const std::vector<Attack>& attacks() {
    static const std::vector<Attack> all{
        {"a leaf is edited",
         [](Leaves& log) {
             auto leaf = log.at(301);
             leaf.actor = "spiffe://notts.example/police/32";
             log.put(301, leaf);
             return 301;
         }},
        {"a leaf is dropped",
         [](Leaves& log) {
             log.leaves.erase(log.leaves.begin() + 301);
             log.bodies.erase(log.bodies.begin() + 301);
             return 301;
         }},
        {"two leaves change places",
         [](Leaves& log) {
             std::swap(log.leaves[301], log.leaves[305]);
             std::swap(log.bodies[301], log.bodies[305]);
             return 301;
         }},
        {"a leaf is inserted",
         [](Leaves& log) {
             log.leaves.insert(log.leaves.begin() + 301, log.leaves[310]);
             log.bodies.insert(log.bodies.begin() + 301, log.bodies[310]);
             return 301;
         }},
        {"the tail is cut",
         [](Leaves& log) {
             log.leaves.resize(600);
             log.bodies.resize(600);
             return 600;
         }},
        {"an old backup is restored, and goes on",
         [](Leaves& log) {
             log.leaves.resize(650);
             log.bodies.resize(650);
             auto leaf = log.at(649);
             leaf.topic = "incidents/32";
             while (log.leaves.size() < size) {
                 log.leaves.push_back(log::encode(leaf));
                 log.bodies.emplace_back();
             }
             return 650;
         }},
    };
    return all;
}

/// The numbers named by everything that is said to be damaged: "entry 301", "entries 301 to 305", ...
bool names(const Verification& found, std::uint64_t index) {
    for (const auto& damage : found.damages) {
        std::uint64_t first = 0, last = 0;
        if (std::sscanf(damage.what.c_str(), "entries %lu to %lu", &first, &last) == 2 && first <= index &&
            index <= last)
            return true;
        if (std::sscanf(damage.what.c_str(), "bodies of entries %lu to %lu", &first, &last) == 2 &&
            first <= index && index <= last)
            return true;
        if (std::sscanf(damage.what.c_str(), "entry %lu", &first) == 1 && first == index) return true;
        if (std::sscanf(damage.what.c_str(), "body of entry %lu", &first) == 1 && first == index) return true;
    }
    return false;
}

/// The files of one export laid over another: what somebody can do who has no key.
void lay_over(const std::filesystem::path& over, const std::filesystem::path& under) {
    for (const auto* part : {"tile/entries", "bodies"}) {
        const auto last = [&](const std::filesystem::path& of) {
            return std::filesystem::directory_iterator { of / part / "002.p" } -> path().filename();
        };
        const auto named = last(over);
        std::filesystem::remove_all(over / part);
        std::filesystem::copy(under / part, over / part, std::filesystem::copy_options::recursive);
        std::filesystem::rename(over / part / "002.p" / last(under), over / part / "002.p" / named);
    }
}

struct Count {
    int tried = 0, found = 0, named = 0, chain = 0;
};

}  // namespace

TEST_CASE("history rewritten in an export is found, with the entry named, however it was done", "[auditor]") {
    Count count;
    for (const auto& attack : attacks()) {
        CAPTURE(attack.what);
        const Leaves honest;
        Leaves forged;
        const auto place = attack.rewrite(forged);
        const test::TemporaryDirectory temporary;
        auto log = honest.log(), other = forged.log();
        write_export(log, test::log_vkey(), temporary.path() / "export", test::sample_terms());
        write_export(other, test::log_vkey(), temporary.path() / "forged", test::sample_terms());
        lay_over(temporary.path() / "export", temporary.path() / "forged");
        const auto verification = verify(temporary.path() / "export", log::Policy::of_log(test::log_vkey()));
        ++count.tried;
        count.found += !verification.verified();
        count.named += names(verification, place);
        CHECK_FALSE(verification.verified());
        CHECK(names(verification, place));
    }
    // A body, which no leaf holds.
    Leaves forged;
    forged.bodies[300].back() ^= 1;
    auto log = Leaves{}.log(), other = forged.log();
    const test::TemporaryDirectory temporary;
    write_export(log, test::log_vkey(), temporary.path() / "export", test::sample_terms());
    write_export(other, test::log_vkey(), temporary.path() / "forged", test::sample_terms());
    lay_over(temporary.path() / "export", temporary.path() / "forged");
    const auto verification = verify(temporary.path() / "export", log::Policy::of_log(test::log_vkey()));
    CHECK(names(verification, 300));
    ++count.tried;
    count.found += !verification.verified();
    count.named += names(verification, 300);
    tests::figure("T35", {
                             {"export_rewritten",   count.tried},
                             {"export_found",       count.found},
                             {"export_index_named", count.named}
    });
}

TEST_CASE("history rewritten whole and signed with a stolen key is found by what others have seen",
          "[auditor]") {
    const auto witnessed = policy();
    Count count;
    for (const auto& attack : attacks()) {
        CAPTURE(attack.what);
        const Leaves honest;
        Leaves forged;
        attack.rewrite(forged);
        forged.put_in_order();
        const test::TemporaryDirectory temporary;
        const auto directory = temporary.path() / "export";
        auto log = honest.log();
        write_export(log, test::log_vkey(), directory);
        test::write_file(directory / "checkpoint", cosigned(log.head()));
        REQUIRE(verify(directory, witnessed).verified());

        // The witnesses signed the honest head, and do not sign another one that is not consistent with it.
        auto stolen = forged.log();
        const auto fresh = temporary.path() / "forged";
        write_export(stolen, test::log_vkey(), fresh);
        const bool found_by_quorum = !verify(fresh, witnessed).verified();
        // To the thief's own key the log is sound: it takes others to tell.
        CHECK(verify(fresh, log::Policy::of_log(test::log_vkey())).verified());
        // An auditor who was here before has the head they saw then.
        bool found_by_head = false;
        try {
            write_export(stolen, test::log_vkey(), directory);
        } catch (const std::runtime_error&) {
            found_by_head = true;
        }
        CHECK(found_by_quorum);
        CHECK(found_by_head);
        ++count.tried;
        count.found += found_by_quorum && found_by_head;

        // The control: the same history in a chain of hashes that the broker keeps. Whoever can rewrite the entries
        // computes the chain anew, and it is as sound as before.
        const Chain rewritten{forged.leaves};
        count.chain += rewritten.head != Chain{forged.leaves}.head;
    }
    CHECK(count.chain == 0);
    tests::figure("T35", {
                             {"stolen_key_tried",          count.tried},
                             {"stolen_key_found",          count.found},
                             {"stolen_key_found_by_chain", count.chain}
    });
}

TEST_CASE("a chain of hashes does not know that its tail was cut", "[auditor]") {
    // The negative control of the above, without any key: cutting leaves a chain that is whole.
    Leaves cut;
    const auto place = attacks()[4].rewrite(cut);
    Digest head{};
    for (std::size_t i = 0; i < place; ++i) head = crypto::sha256({head, cut.leaves[i]});
    CHECK(head == Chain{cut.leaves}.head);
}
