#include "broker/router/heads.h"

#include "broker/core/limits.h"
#include "tests/support/catch.h"
#include "tests/unit/router/peer.h"

using namespace flagpost;
using namespace flagpost::router;
using namespace flagpost::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t quorum = 2;

/// Heads of a log of any size, and witnesses with keys of their own.
struct World {
    crypto::NoteKey log_key = crypto::NoteKey::from_seed({9});
    log::VerifierKey vkey{"county.example/log", log::VerifierKey::Type::note, log_key.public_key()};
    Heads heads{vkey};
    Instant now = start_time;

    std::string head(std::uint64_t size) const {
        const auto text =
            log::Checkpoint{"county.example/log", size, Digest{static_cast<std::uint8_t>(size)}}.format();
        return log::SignedNote{text, {log::sign_note(text, "county.example/log", log_key)}}.format();
    }
    static crypto::NoteKey key_of(std::uint8_t witness) { return crypto::NoteKey::from_seed({witness}); }
    static std::string name_of(std::uint8_t witness) {
        return "county.example/witness-" + std::to_string(witness);
    }
    PartyKeys party(std::uint8_t witness) const {
        return {{},
                {{{name_of(witness), log::VerifierKey::Type::cosignature, key_of(witness).public_key()},
                  now - 1h,
                  now + 1h}}};
    }
    Result<bool> cosign(std::uint64_t size, std::uint8_t witness) {
        auto note = log::SignedNote::parse(head(size)).value();
        note.signatures.push_back(log::cosign_note(note.text, name_of(witness), key_of(witness), now));
        return cosign(note, "agency/" + std::to_string(witness), party(witness));
    }
    /// Handed in as a party with these keys; whether the head has its quorum now.
    Result<bool> cosign(const log::SignedNote& note, const std::string& who, const PartyKeys& keys) {
        std::vector<Parties::Witness> witnesses;
        for (const auto& key : keys.witness) witnesses.push_back({who, key});
        const auto added = heads.cosign(note.format(), witnesses, quorum, now);
        if (!added) return tl::unexpected{added.error()};
        return added->has_quorum;
    }
    std::uint64_t proposed() {
        heads.propose(quorum, now);
        return heads.proposed_size().value_or(0);
    }
};

}  // namespace

TEST_CASE("all witnesses are shown one head until enough have cosigned it, though newer ones come",
          "[heads]") {
    World world;
    world.heads.add(world.head(1), world.now);
    CHECK(world.proposed() == 1);
    world.now += 2s;
    world.heads.add(world.head(5), world.now);
    CHECK(world.proposed() == 1);
    CHECK(world.cosign(1, 1) == false);
    CHECK(world.proposed() == 1);
    CHECK(world.cosign(1, 2) == true);
    CHECK(world.heads.cosigned_size() == 1);
    CHECK(world.heads.cosigners() == std::vector{World::name_of(1), World::name_of(2)});
    CHECK(world.proposed() == 5);
}

TEST_CASE("a head that witnesses do not cosign in time makes room for a newer one", "[heads]") {
    World world;
    world.heads.add(world.head(1), world.now);
    CHECK(world.proposed() == 1);
    world.heads.add(world.head(2), world.now);
    world.now += limits::head_shown_for - 1ms;
    CHECK(world.proposed() == 1);
    world.now += 1ms;
    CHECK(world.proposed() == 2);
}

TEST_CASE("one agency is one witness, however often and by whichever key it cosigns", "[heads]") {
    World world;
    world.heads.add(world.head(1), world.now);
    CHECK(world.cosign(1, 1) == false);
    CHECK(world.cosign(1, 1) == false);
    auto next_key = world.party(1);
    next_key.witness[0].key = {World::name_of(1), log::VerifierKey::Type::cosignature,
                               World::key_of(77).public_key()};
    auto note = log::SignedNote::parse(world.head(1)).value();
    note.signatures.push_back(log::cosign_note(note.text, World::name_of(1), World::key_of(77), world.now));
    CHECK(world.cosign(note, "agency/1", next_key) == false);
    // Nor does a key of another name, which is all that tells two signature lines apart.
    auto other = world.party(1);
    other.witness.push_back(world.party(3).witness[0]);
    note.signatures.push_back(log::cosign_note(note.text, World::name_of(3), World::key_of(3), world.now));
    CHECK(world.cosign(note, "agency/1", other) == false);
    CHECK(world.heads.cosigned_size() == 0);
    CHECK(world.cosign(1, 2) == true);
}

TEST_CASE("an outside witness is a party of its own, whoever hands its cosignature in", "[heads]") {
    World world;
    world.heads.add(world.head(1), world.now);
    Parties parties;
    const auto auditor = AgencyId::parse("auditor/audit-office").value();
    const auto force = AgencyId::parse("police/31").value();
    parties.keys[auditor] = world.party(1);
    parties.outside = world.party(2).witness;
    CHECK(parties.witnesses_for(force).size() == 1);  // it has no key itself, and may carry

    // Both under one note: the carrier's own does not stand for the witness's.
    auto note = log::SignedNote::parse(world.head(1)).value();
    for (const std::uint8_t witness : {1, 2})
        note.signatures.push_back(
            log::cosign_note(note.text, World::name_of(witness), World::key_of(witness), world.now));
    const auto added =
        world.heads.cosign(note.format(), parties.witnesses_for(auditor), quorum, world.now).value();
    CHECK(added.has_quorum);
    CHECK(added.parties == std::vector<std::string>{"auditor/audit-office", "outside " + World::name_of(2)});
    CHECK(world.heads.cosigners() == std::vector{World::name_of(1), World::name_of(2)});
}

TEST_CASE("the head shown and the newest with a quorum are remembered however many come after", "[heads]") {
    World world;
    world.heads.add(world.head(1), world.now);
    CHECK(world.cosign(1, 1) == false);
    CHECK(world.cosign(1, 2) == true);
    world.heads.add(world.head(2), world.now);
    CHECK(world.proposed() == 2);
    for (std::uint64_t size = 3; size < 3 * limits::heads_remembered_max; ++size)
        world.heads.add(world.head(size), world.now);
    CHECK(log::open_checkpoint(*world.heads.cosigned_by(quorum), world.vkey)->size == 1);
    CHECK(world.cosign(2, 1) == false);
    CHECK(world.cosign(2, 2) == true);
    CHECK(world.cosign(3, 1).error().reason == Reason::not_found);  // neither of the two, and long ago
}

TEST_CASE("for how long there has been no quorum counts from the first head that lacks one", "[heads]") {
    World world;
    CHECK_FALSE(world.heads.waiting_since());
    const Instant first = world.now;
    world.heads.add(world.head(1), world.now);
    world.now += 10s;
    world.heads.add(world.head(2), world.now);
    CHECK(world.heads.waiting_since() == first);
    CHECK(world.cosign(1, 1) == false);
    CHECK(world.cosign(1, 2) == true);
    CHECK(world.heads.waiting_since() == world.now);  // head 2 lacks one still
    CHECK(world.cosign(2, 1) == false);
    CHECK(world.cosign(2, 2) == true);
    CHECK_FALSE(world.heads.waiting_since());
    world.heads.add(world.head(2), world.now);  // signed again after a start: no news
    CHECK_FALSE(world.heads.waiting_since());
}

TEST_CASE("what a quorum had cosigned before a stop counts after it", "[heads]") {
    World world;
    world.heads.add(world.head(4), world.now);
    CHECK(world.cosign(4, 1) == false);
    CHECK(world.cosign(4, 2) == true);
    Heads after{world.vkey};
    after.restore(*world.heads.cosigned_by(quorum), world.now);
    after.add(world.head(4), world.now);
    after.add(world.head(6), world.now);
    CHECK(after.cosigned_size() == 4);
    CHECK(after.cosigners().size() == 2);
    CHECK(after.newest_size() == 6);
    CHECK_THROWS_AS(after.restore("no note\n", world.now), std::logic_error);
}

TEST_CASE(
    "after a change of the log's key its earlier heads are known, new ones need the new key, and no key of "
    "the log cosigns",
    "[heads]") {
    World before;
    const auto new_key = crypto::NoteKey::from_seed({8});
    const log::VerifierKey new_vkey{"county.example/log", log::VerifierKey::Type::note, new_key.public_key()};
    Heads heads{new_vkey, before.vkey};
    heads.restore(before.head(5), before.now);
    CHECK(heads.open(before.head(5)));
    CHECK_FALSE(Heads{new_vkey}.open(before.head(5)));
    CHECK_THROWS_AS(heads.add(before.head(6), before.now), std::logic_error);

    auto both = log::SignedNote::parse(before.head(7)).value();
    both.signatures.push_back(log::sign_note(both.text, "county.example/log", new_key));
    heads.add(both.format(), before.now);
    CHECK(heads.newest_size() == 7);
    CHECK_FALSE(heads.cosigned_by(1));
    CHECK(heads.cosigners().empty());
}
