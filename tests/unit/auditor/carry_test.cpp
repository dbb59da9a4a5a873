#include "adapters/auditor/carry.h"

#include "broker/log/merkle.h"
#include "tests/support/catch.h"

using namespace flagpost;
using auditor::Carrier;
using auditor::HttpAnswer;

namespace {

const auto log_key = crypto::NoteKey::from_seed({1});
const auto witness_key = crypto::NoteKey::from_seed({2});
const std::string origin = "broker.example/audit", witness_name = "witness.example/w1";
const log::VerifierKey log_vkey{origin, log::VerifierKey::Type::note, log_key.public_key()};
const log::VerifierKey witness_vkey{witness_name, log::VerifierKey::Type::cosignature,
                                    witness_key.public_key()};

std::string head_of(std::uint64_t size) {
    const auto text = log::Checkpoint{origin, size, Digest{9}}.format();
    return log::SignedNote{text, {log::sign_note(text, origin, log_key)}}.format();
}

/// A witness that minds sizes only: proofs are for tests/unit/log.
struct World {
    std::uint64_t seen = 0;
    std::vector<std::uint64_t> heads;  // shown, or the newest, one after the other; the last again and again
    std::vector<std::uint64_t> olds;   // what the witness was asked from

    Carrier carrier() {
        const auto next = [this] {
            const auto size = heads.front();
            if (heads.size() > 1) heads.erase(heads.begin());
            return head_of(size);
        };
        return {
            log_vkey,
            witness_vkey,
            {[this](const std::string& body) { return answer(body); },
              [](std::uint64_t, std::uint64_t) { return std::vector<Digest>{Digest{1}}; }, next, next}
        };
    }
    HttpAnswer answer(const std::string& body) {
        olds.push_back(std::stoull(body.substr(4)));
        if (olds.back() != seen) return {409, std::to_string(seen) + "\n"};
        const auto note = log::SignedNote::parse(body.substr(body.find("\n\n") + 2)).value();
        seen = log::Checkpoint::parse(note.text)->size;
        const log::SignedNote said{note.text,
                                   {log::cosign_note(note.text, witness_name, witness_key, Instant{})}};
        return {200, said.format().substr(note.text.size() + 1)};
    }
};

}  // namespace

TEST_CASE("a witness is asked from the head it saw last, which it says itself at first", "[auditor]") {
    World world{
        5, {8,          12},
         {          }
    };
    auto carrier = world.carrier();
    CHECK(log::cosigned_at(log::SignedNote::parse(carrier.carry().value()).value(), witness_vkey));
    CHECK(world.olds == std::vector<std::uint64_t>{0, 5});
    REQUIRE(carrier.carry());
    CHECK(world.olds == std::vector<std::uint64_t>{0, 5, 8});
    REQUIRE(carrier.carry());  // the same head once more
    CHECK(world.seen == 12);
}

TEST_CASE("a head that somebody else carried meanwhile is no rollback", "[auditor]") {
    World world{
        10, {8,          12},
         {          }
    };
    REQUIRE(world.carrier().carry());
    CHECK(world.seen == 12);
}

TEST_CASE("a broker that shows less than the witness has seen is an alarm with evidence", "[auditor]") {
    World world{10, {8}, {}};
    try {
        (void)world.carrier().carry();
        FAIL("no alarm");
    } catch (const auditor::WitnessAlarm& alarm) {
        CHECK(alarm.evidence.find(head_of(8)) != std::string::npos);
        CHECK(alarm.evidence.find("status 409:\n10\n") != std::string::npos);
    }
    CHECK(world.seen == 10);
}

TEST_CASE("a head the log's key did not sign is carried nowhere", "[auditor]") {
    World world{0, {8}, {}};
    const auto unsigned_head = [] { return head_of(8).replace(origin.size() + 1, 1, "9"); };
    const Carrier::Ways ways{[&](const std::string& body) { return world.answer(body); },
                             [](std::uint64_t, std::uint64_t) { return std::vector<Digest>{}; },
                             unsigned_head, unsigned_head};
    CHECK_THROWS_AS(Carrier(log_vkey, witness_vkey, ways).carry(), std::runtime_error);
    CHECK(world.olds.empty());
}

TEST_CASE("a witness that says another size each time is left alone for now", "[auditor]") {
    std::uint64_t size = 0;
    const auto head = [] { return head_of(50); };
    const Carrier::Ways ways{[&](const std::string&) {
                                 return HttpAnswer{409, std::to_string(++size) + "\n"};
                             },
                             [](std::uint64_t, std::uint64_t) { return std::vector<Digest>{Digest{1}}; },
                             head, head};
    CHECK(Carrier(log_vkey, witness_vkey, ways).carry().error().reason == Reason::busy);
    CHECK(size < 10);
}

TEST_CASE("what is carried is the head all witnesses are shown, not a newer one", "[auditor]") {
    World world{0, {12}, {}};
    const Carrier::Ways ways{[&](const std::string& body) { return world.answer(body); },
                             [](std::uint64_t, std::uint64_t) { return std::vector<Digest>{}; },
                             [] { return head_of(8); }, [] { return head_of(12); }};
    REQUIRE(Carrier(log_vkey, witness_vkey, ways).carry());
    CHECK(world.seen == 8);
}
