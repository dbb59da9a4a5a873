#include "broker/router/broker.h"

#include <cstring>

#include "broker/log/tlog_proof.h"
#include "tests/support/catch.h"
#include "tests/unit/router/world.h"

using namespace flagpost;
using namespace flagpost::test;
using namespace std::chrono_literals;
using log::LeafKind;
using wire::fabric::ItemKind;

namespace {

using Numbers = std::vector<std::uint64_t>;

Bytes acknowledge(const Numbers& numbers, const std::string& topic = "bench/1") {
    return wire::acknowledge_frame(topic, numbers);
}

Bytes query(schemas::QueryKind kind, std::uint64_t from = 0, std::uint16_t width = 100,
            std::optional<Id16> id = {}, std::uint8_t level = 0) {
    schemas::QueryValue value;
    value.request = 77;
    value.kind = kind;
    value.from = from;
    value.width = width;
    value.level = level;
    if (id) value.id.assign(id->begin(), id->end());
    return wire::pack_frame(std::move(value));
}

}  // namespace

TEST_CASE("nobody is welcomed before the opening is on disk", "[broker]") {
    World world;
    const Id16 session = world.connect("bench/1");
    world.send(session, hello());
    CHECK(world.take<schemas::Welcome>(session).empty());
    const auto size = world.disk->tree.size();
    REQUIRE(world.commit());
    const auto welcomes = world.take<schemas::Welcome>(session);
    REQUIRE(welcomes.size() == 1);
    CHECK(welcomes[0].agency == "bench/1");
    CHECK(welcomes[0].session == copy(session));
    CHECK(welcomes[0].publish_window == limits::publish_window);
    CHECK(log::open_checkpoint(welcomes[0].checkpoint, world.vkey()));
    CHECK(world.disk->tree.size() == size + 1);
    CHECK(world.leaves().back() == LeafKind::session_opened);
}

TEST_CASE("a publish is confirmed only after its commit, with leaf, size and root of that commit",
          "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    const Bytes envelope = world.bench.envelope("bench/1");
    world.send(session, world.bench.publish(envelope));
    CHECK(world.frames[session].empty());
    REQUIRE(world.commit());
    const auto confirms = world.take<schemas::Confirm>(session);
    REQUIRE(confirms.size() == 1);
    CHECK(confirms[0].id == copy(id_of(envelope)));
    CHECK(confirms[0].outcome == schemas::Recorded::recorded);
    CHECK(confirms[0].index == world.disk->tree.size() - 1);
    CHECK(confirms[0].leaf == copy(log::leaf_hash(world.disk->entries.back().leaf)));
    CHECK(confirms[0].size == world.disk->tree.size());
    CHECK(confirms[0].root == copy(world.disk->tree.root()));
}

TEST_CASE("what comes while a batch is being committed waits for the next", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    auto first = world.broker->next_batch(at(world.now));
    REQUIRE(first);
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    CHECK(first->records.size() == 1);
    world.broker->committed(world.store.commit(std::move(*first)), at(world.now));
    world.collect();
    CHECK(world.take<schemas::Confirm>(session).size() == 1);
    REQUIRE(world.commit());
    CHECK(world.take<schemas::Confirm>(session).size() == 2);
    CHECK_FALSE(world.commit());
}

TEST_CASE("a batch has a bound, and what is over it comes next", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    const std::size_t count = limits::batch_records_max + 10;
    for (std::size_t i = 0; i < count; ++i)
        world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    const auto batch = world.broker->next_batch(at(world.now));
    REQUIRE(batch);
    CHECK(batch->records.size() == limits::batch_records_max);
    CHECK(batch->receipts.size() == limits::batch_records_max);
    world.broker->committed(world.store.commit(*batch), at(world.now));
    REQUIRE(world.commit());
    CHECK(world.take<schemas::Confirm>(session).size() == count);
}

TEST_CASE("when the commit fails nothing of it is told to anybody", "[broker]") {
    World world;
    const Id16 reader = world.open("bench/1");
    world.send(reader, subscribe({"bench/1"}));
    world.commit();
    const Id16 session = world.open("bench/1");
    world.frames.clear();
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    auto batch = world.broker->next_batch(at(world.now));
    REQUIRE(batch);
    world.disk->broken = true;
    CHECK_THROWS_AS(world.store.commit(std::move(*batch)), store::StorageFailure);
    world.collect();
    CHECK(world.frames[session].empty());
    CHECK(world.frames[reader].empty());

    // The process ends here and starts again: what was not committed was never received.
    world.disk->broken = false;
    const auto size = world.disk->tree.size();
    world.start();
    CHECK(world.exchange->high_water("bench/1") == 0);
    CHECK(world.disk->tree.size() == size + 1);  // "recovered", and nothing else
}

TEST_CASE("the same message twice is one record, however close together", "[broker]") {
    const auto [why, commit_between, restart_between] = GENERATE(table<const char*, bool, bool>({
        {"both before the commit", false, false},
        {"one after the other",    true,  false},
        {"a restart between them", true,  true },
    }));
    CAPTURE(why);
    World world;
    Id16 session = world.open("bench/1");
    const Bytes envelope = world.bench.envelope("bench/1");
    world.send(session, world.bench.publish(envelope));
    std::vector<schemas::ConfirmValue> confirms;
    const auto take_confirms = [&] {
        for (auto& each : world.take<schemas::Confirm>(session)) confirms.push_back(std::move(each));
    };
    if (commit_between) {
        world.commit();
        take_confirms();
    }
    if (restart_between) {
        world.start();
        session = world.open("bench/1");
    }
    world.send(session, world.bench.publish(envelope));
    world.commit();
    take_confirms();
    REQUIRE(confirms.size() == 2);
    CHECK(confirms[0].outcome == schemas::Recorded::recorded);
    CHECK(confirms[1].outcome == schemas::Recorded::already_recorded);
    CHECK(confirms[1].index == confirms[0].index);
    CHECK(confirms[1].leaf == confirms[0].leaf);
    CHECK(world.exchange->high_water("bench/1") == 1);
    CHECK(world.disk->receipts.size() == 1);
}

TEST_CASE("the same id with other bytes is refused, also before either is committed", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    const Bytes envelope = world.bench.envelope("bench/1");
    const wire::Draft draft{schemas::Kind::opaque, "bench/1", "", "", {}, {}, Bytes(10, 9)};
    const Bytes other = wire::make_envelope(draft, id_of(envelope), Id16{5}, start_time);
    world.send(session, world.bench.publish(envelope));
    world.send(session, world.bench.publish(other));
    world.commit();
    CHECK(world.take<schemas::Confirm>(session).size() == 1);
    const auto refusals = world.take<schemas::Refuse>(session);
    REQUIRE(refusals.size() == 1);
    CHECK(refusals[0].reason == schemas::Reason::conflict);
    CHECK(refusals[0].id == copy(id_of(envelope)));
}

TEST_CASE("a refused publish is a leaf and can be tried again", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    const Bytes envelope = world.bench.envelope("bench/2");
    for (int attempt = 0; attempt < 2; ++attempt) {
        world.send(session, world.bench.publish(envelope));
        CHECK(world.take<schemas::Refuse>(session).empty());
        world.commit();
        const auto refusals = world.take<schemas::Refuse>(session);
        REQUIRE(refusals.size() == 1);
        CHECK(refusals[0].reason == schemas::Reason::not_permitted);
        CHECK(world.leaves().back() == LeafKind::refused);
    }
}

TEST_CASE("without room publishes are refused and acknowledgements taken", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, subscribe({"bench/1"}));
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    CHECK(world.delivered(session) == Numbers{1});
    world.room = false;
    world.frames.clear();
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    const auto refusals = world.take<schemas::Refuse>(session);
    REQUIRE(refusals.size() == 1);
    CHECK(refusals[0].reason == schemas::Reason::storage_low);
    CHECK(refusals[0].retry_after_ms > 0);
    world.send(session, acknowledge({1}));
    world.now += 1s;
    REQUIRE(world.commit());
    CHECK(world.leaves().back() == LeafKind::stored);
    CHECK_FALSE(world.exchange->pending("bench/1", 1));
}

TEST_CASE("what waits for the disk is bounded, deliveries included; then publishes are refused for now",
          "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, subscribe({"bench/1"}));
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    world.frames.clear();
    const std::size_t size = 900 * 1024;
    std::size_t taken = 0;
    std::vector<schemas::RefuseValue> refusals;
    while (refusals.empty() && taken * size < 2 * limits::pending_bytes_max) {
        world.send(session, world.bench.publish(world.bench.envelope("bench/1", world.now, size)));
        refusals = world.take<schemas::Refuse>(session);
        taken += refusals.empty() ? 1 : 0;
    }
    REQUIRE(refusals.size() == 1);
    CHECK(refusals[0].reason == schemas::Reason::busy);
    CHECK(refusals[0].retry_after_ms > 0);
    // Each waits in its record and as its delivery; the last one may go over.
    CHECK(2 * taken * size >= limits::pending_bytes_max / 10 * 9);
    CHECK(2 * (taken - 1) * size <= limits::pending_bytes_max);

    world.send(session, acknowledge({1}));  // what is owed can always be closed
    world.now += 1s;
    while (world.commit()) continue;
    CHECK(world.leaves().back() == LeafKind::stored);
    CHECK(world.take<schemas::Confirm>(session).size() == taken);
    world.send(session, world.bench.publish(world.bench.envelope("bench/1", world.now, size)));
    CHECK(world.take<schemas::Refuse>(session).empty());
}

TEST_CASE("an acknowledgement waits a moment for company before it causes a commit", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, subscribe({"bench/1"}));
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    world.send(session, acknowledge({1}));
    CHECK_FALSE(world.commit());
    SECTION("and goes along with what comes") {
        world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
        CHECK(world.commit());
    }
    SECTION("and then goes alone") {
        world.now += limits::acknowledgements_wait_max;
        CHECK(world.commit());
    }
    CHECK(world.broker->idle());
}

TEST_CASE("a delivery is sent only after the commit of what it tells", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, subscribe({"bench/1"}));
    world.commit();
    world.frames.clear();
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.broker->deliver_backlog();  // the exchange knows of it already; nobody else may
    world.collect();
    CHECK(world.frames[session].empty());
    world.commit();
    CHECK(world.delivered(session) == Numbers{1});
}

TEST_CASE("nobody learns of an uncommitted delivery by subscribing", "[broker]") {
    World world;
    const Id16 publisher = world.open("bench/1");
    const Id16 session = world.open("bench/1");
    world.send(session, subscribe({"bench/1"}, 100, 1 << 20, "other"));
    world.send(publisher, world.bench.publish(world.bench.envelope("bench/1")));
    auto batch = world.broker->next_batch(at(world.now));
    world.send(publisher, world.bench.publish(world.bench.envelope("bench/1")));
    world.broker->committed(world.store.commit(std::move(*batch)), at(world.now));
    world.broker->deliver_backlog();
    world.collect();
    const auto subscribed = world.take<schemas::Subscribed>(session);
    REQUIRE(subscribed.size() == 1);
    CHECK(subscribed[0].topics.at(0)->number <= 1);
    CHECK(world.delivered(session) == Numbers{1});
    world.commit();
    CHECK(world.delivered(session) == Numbers{2});
}

TEST_CASE("deliveries keep within credit and go on when more is granted", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, subscribe({"bench/1"}, 3));
    for (int i = 0; i < 8; ++i) world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    world.broker->deliver_backlog();
    world.collect();
    CHECK(world.delivered(session) == Numbers{1, 2, 3});
    schemas::CreditValue credit;
    credit.messages = 2;
    world.send(session, wire::pack_frame(std::move(credit)));
    world.broker->deliver_backlog();
    world.collect();
    CHECK(world.delivered(session) == Numbers{4, 5});
    credit = {};
    credit.messages = 100;
    world.send(session, wire::pack_frame(std::move(credit)));
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    world.broker->deliver_backlog();
    world.collect();
    CHECK(world.delivered(session) == Numbers{6, 7, 8, 9});  // none lost between backlog and new, none twice
    CHECK_FALSE(world.broker->behind());
}

TEST_CASE("what was not acknowledged comes again, and says that it does", "[broker]") {
    World world;
    const bool restart = GENERATE(false, true);
    CAPTURE(restart);
    Id16 session = world.open("bench/1");
    world.send(session, subscribe({"bench/1"}));
    for (int i = 0; i < 4; ++i) world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    CHECK(world.delivered(session) == Numbers{1, 2, 3, 4});
    world.send(session, acknowledge({1, 3}));
    world.now += 1s;
    world.commit();
    world.send_item(ItemKind::close, session, wire::fabric::write_ending(Reason::none));
    world.now += 1s;
    world.commit();
    if (restart) world.start();

    session = world.open("bench/1");
    world.send(session, subscribe({"bench/1"}));
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    world.broker->deliver_backlog();
    world.collect();
    const auto again = world.take<schemas::Deliver>(session);
    REQUIRE(again.size() == 3);
    CHECK(again[0].number == 2);
    CHECK(again[1].number == 4);
    CHECK(again[2].number == 5);
    CHECK(again[0].attempt == (restart ? 1 : 2));  // attempts are counted in memory only
    CHECK(again[2].attempt == 1);
}

TEST_CASE("of two sessions of one consumer the newer stays", "[broker]") {
    World world;
    const Id16 older = world.open("bench/1");
    world.send(older, subscribe({"bench/1"}));
    world.commit();
    const Id16 other_name = world.open("bench/1");
    world.send(other_name, subscribe({"bench/1"}, 100, 1 << 20, "other"));
    world.commit();
    const Id16 newer = world.open("bench/1");
    world.send(newer, subscribe({"bench/1"}));
    world.commit();
    CHECK(world.kicks[older] == std::vector<Reason>{Reason::displaced});
    CHECK(world.kicks[newer].empty());
    CHECK(world.kicks[other_name].empty());
    world.send(newer, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    CHECK(world.delivered(older).empty());
    CHECK(world.delivered(newer) == Numbers{1});
    CHECK(world.delivered(other_name) == Numbers{1});
}

TEST_CASE("a session may only acknowledge what it was sent", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, subscribe({"bench/1"}, 1));
    for (int i = 0; i < 2; ++i) world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    CHECK(world.delivered(session) == Numbers{1});
    const auto [why, number, topic] = GENERATE(table<const char*, std::uint64_t, const char*>({
        {"not sent for want of credit", 2,   "bench/1"},
        {"never made",                  100, "bench/1"},
        {"no number",                   0,   "bench/1"},
        {"a mailbox not subscribed to", 1,   "bench/2"},
    }));
    CAPTURE(why);
    world.send(session, acknowledge({number}, topic));
    const auto refusals = world.take<schemas::Refuse>(session);
    REQUIRE(refusals.size() == 1);
    CHECK(refusals[0].reason == schemas::Reason::unknown_message);
}

TEST_CASE("another agency's mailbox is refused, and the refusal is in the log", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, subscribe({"bench/1", "bench/2"}));
    world.commit();
    const auto refusals = world.take<schemas::Refuse>(session);
    REQUIRE(refusals.size() == 1);
    CHECK(refusals[0].reason == schemas::Reason::not_permitted);
    CHECK(world.take<schemas::Subscribed>(session).empty());
    CHECK(world.leaves().back() == LeafKind::refused);
}

TEST_CASE("a session ends with its silence, and its closing is a leaf", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.now += 15s;
    world.broker->tick(at(world.now));
    world.collect();
    const auto goodbyes = world.take<schemas::Goodbye>(session);
    REQUIRE(goodbyes.size() == 1);
    CHECK(goodbyes[0].reason == schemas::Reason::idle);
    CHECK(world.kicks[session] == std::vector<Reason>{Reason::none});
    CHECK(world.broker->figures().sessions == 0);
    world.now += 1s;
    world.commit();
    CHECK(world.leaves().back() == LeafKind::session_closed);
}

TEST_CASE("a clock set forward by an hour ends no session", "[broker]") {
    World world;
    world.open("bench/1");
    const Now moment{world.now + 1h, at(world.now + 1s).running};
    world.broker->clock_stepped(1h, moment);
    world.broker->tick(moment);
    CHECK(world.broker->figures().sessions == 1);
}

TEST_CASE(
    "who hangs up at a delivery time after time has it put aside; a network or a gate that fails does not",
    "[broker]") {
    World world;
    const auto [why, reason, put_aside] = GENERATE(table<const char*, std::optional<Reason>, bool>({
        {"its process died",  Reason::none, true },
        {"nothing was heard", Reason::idle, false},
        {"the gate was lost", std::nullopt, false},
    }));
    CAPTURE(why);
    world.send(world.open("bench/1"), world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    for (std::uint32_t i = 0; i < limits::delivery_attempts_max; ++i) {
        const Id16 session = world.open("bench/1");
        world.send(session, subscribe({"bench/1"}));
        world.commit();
        world.broker->deliver_backlog();
        if (reason)
            world.send_item(ItemKind::close, session, wire::fabric::write_ending(*reason));
        else
            world.broker->gate_lost("igate", at(world.now));
        world.now += 1s;
        world.commit();
    }
    const auto leaves = world.leaves();
    CHECK((std::ranges::find(leaves, LeafKind::dead_lettered) != leaves.end()) == put_aside);
}

TEST_CASE("garbage from a known peer is in the log, and its session over", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, Bytes(64, 0xee));
    CHECK(world.take<schemas::Goodbye>(session).at(0).reason == schemas::Reason::malformed);
    world.commit();
    const auto leaves = world.leaves();
    CHECK(std::ranges::count(leaves, LeafKind::refused) == 1);
}

TEST_CASE("a heartbeat names the newest number of each mailbox", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, subscribe({"bench/1"}, 0));
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    world.now += 5s;
    world.broker->tick(at(world.now));
    world.collect();
    const auto beats = world.take<schemas::Heartbeat>(session);
    REQUIRE(beats.size() == 1);
    REQUIRE(beats[0].high_water.size() == 1);
    CHECK(beats[0].high_water[0]->topic == "bench/1");
    CHECK(beats[0].high_water[0]->number == 1);
}

TEST_CASE("a client's last head is answered with a proof, or the session is refused", "[broker]") {
    World world;
    const std::string before = world.head();
    const auto size = world.disk->tree.size();
    const Digest root = world.disk->tree.root();
    const Id16 publisher = world.open("bench/1");
    for (int i = 0; i < 20; ++i) world.send(publisher, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    world.sign_head();

    const Id16 good = world.connect("bench/1");
    world.send(good, hello(1, before));
    world.commit();
    const auto welcomes = world.take<schemas::Welcome>(good);
    REQUIRE(welcomes.size() == 1);
    const auto head = log::open_checkpoint(welcomes[0].checkpoint, world.vkey());
    std::vector<Digest> proof;
    for (const auto& hash : welcomes[0].consistency) proof.push_back(*exactly<32>(hash->bytes));
    CHECK(log::verify_consistency(size, head->size, root, head->root, proof));

    const auto forged = [&](std::uint64_t of_size, Digest of_root, const crypto::NoteKey& by) {
        const std::string text = log::Checkpoint{"county.example/log", of_size, of_root}.format();
        return log::SignedNote{text, {log::sign_note(text, "county.example/log", by)}}.format();
    };
    const auto refused_for = [&](const std::string& note) {
        const Id16 bad = world.connect("bench/1");
        world.send(bad, hello(1, note));
        world.commit();
        CHECK(world.take<schemas::Welcome>(bad).empty());
        CHECK(world.leaves().back() == LeafKind::refused);
        return std::pair{world.kicks[bad].at(0), world.take<schemas::Goodbye>(bad)};
    };
    CHECK(refused_for("hello").first == Reason::bad_signature);
    CHECK(refused_for(forged(size, root, crypto::NoteKey::from_seed({4}))).first == Reason::bad_signature);

    // Whoever was shown another history is handed ours with it: what the tree was at that size, and that it goes on from there.
    const auto handed = [&](std::uint64_t of_size) {
        auto [reason, goodbyes] = refused_for(forged(of_size, Digest{1}, world.log_key));
        CHECK(reason == Reason::none);  // the broker's own goodbye has said it
        REQUIRE(goodbyes.size() == 1);
        CHECK(goodbyes[0].reason == schemas::Reason::not_consistent);
        CHECK(log::open_checkpoint(goodbyes[0].checkpoint, world.vkey()).value() == head);
        std::vector<Digest> hashes;
        for (const auto& hash : goodbyes[0].consistency) hashes.push_back(*exactly<32>(hash->bytes));
        return hashes;
    };
    const auto tree_at = [&](std::uint64_t of_size) {
        return log::root_at(of_size, [&](log::TileId tile) { return world.reader.tile(tile); });
    };
    CHECK(handed(1000).empty());
    const auto odd = size % 2 == 1 ? size : size + 1;
    CHECK(log::verify_consistency(odd, head->size, tree_at(odd), head->root, handed(odd)));
    auto of_four = handed(4);
    REQUIRE(of_four.size() > 1);
    CHECK(of_four.front() == tree_at(4));
    of_four.erase(of_four.begin());
    CHECK(log::verify_consistency(4, head->size, tree_at(4), head->root, of_four));
}

TEST_CASE("a witness's cosignature is added to the head it signed, and nobody else's", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    const auto cosign_with = [&](const std::string& note_text, const std::string& name,
                                 const crypto::NoteKey& by) {
        auto note = log::SignedNote::parse(note_text).value();
        note.signatures = {log::cosign_note(note.text, name, by, start_time)};
        schemas::CosignValue value;
        value.checkpoint = note.format();
        world.send(session, wire::pack_frame(std::move(value)));
    };
    const auto cosigned = [&] {
        world.send(session, query(schemas::QueryKind::checkpoint, 0, 0, {}, 1));
        world.commit();
        return !world.take<schemas::Answer>(session).empty();
    };
    world.sign_head();
    cosign_with(world.head(), "county.example/bench/1", crypto::NoteKey::from_seed({66}));
    CHECK(world.take<schemas::Refuse>(session).at(0).reason == schemas::Reason::bad_signature);
    CHECK_FALSE(cosigned());
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    world.frames.clear();
    cosign_with(world.head(), "county.example/bench/1", world.bench.witness);  // a head we have not signed
    CHECK(world.take<schemas::Refuse>(session).at(0).reason == schemas::Reason::not_found);
    world.sign_head();
    cosign_with(world.head(), "county.example/bench/1", world.bench.witness);
    CHECK(world.take<schemas::Refuse>(session).empty());
    CHECK(cosigned());
}

TEST_CASE("a witness is shown newer heads in heartbeats, with the proof from the one before", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    world.sign_head();
    const auto size = world.disk->tree.size();
    const auto beats = [&] {
        world.now += limits::heartbeat_interval;
        world.send(session, wire::pack_frame(schemas::HeartbeatValue{}));
        world.broker->tick(at(world.now));
        world.commit();
        std::vector<schemas::HeartbeatValue> shown;
        for (auto& beat : world.take<schemas::Heartbeat>(session))
            if (!beat.checkpoint.empty()) shown.push_back(std::move(beat));
        return shown;
    };
    std::vector<schemas::HeartbeatValue> shown;
    for (int i = 0; i < 5 && shown.empty(); ++i) shown = beats();
    REQUIRE(shown.size() == 1);
    const auto head = log::open_checkpoint(shown[0].checkpoint, world.vkey());
    REQUIRE(head);
    CHECK(head->size == size);
    CHECK_FALSE(shown[0].consistency.empty());
    CHECK(beats().empty());  // the same head is not shown twice
}

TEST_CASE("a proof of a leaf is for whoever did it or was told it, and for auditors", "[broker]") {
    World world;
    const Id16 mine = world.open("bench/1");
    world.send(mine, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    const auto confirms = world.take<schemas::Confirm>(mine);
    REQUIRE(confirms.size() == 1);
    const auto index = confirms[0].index;
    const auto answered = [&](const std::string& agency, std::uint64_t from, std::uint8_t cosigned = 0) {
        const Id16 session = world.open(agency);
        world.send(session, query(schemas::QueryKind::proof, from, 100, {}, cosigned));
        world.commit();
        return world.take<schemas::Answer>(session);
    };
    CHECK(answered("bench/1", index).empty());  // no head covers it yet
    world.sign_head();
    for (const auto* agency : {"bench/1", "auditor/office"}) {
        CAPTURE(agency);
        const auto answers = answered(agency, index);
        REQUIRE(answers.size() == 1);
        const BytesView content{answers[0].content};
        const auto proof_size = read_be(content.first(4));
        const auto proof = log::TlogProof::parse(text(content.subspan(4, proof_size)));
        const auto leaf = content.subspan(8 + proof_size);
        REQUIRE(proof);
        CHECK(proof->index == index);
        CHECK(log::check_proof(*proof, leaf, log::Policy::of_log(world.vkey())));
    }
    CHECK(answered("bench/2", index).empty());
    CHECK(answered("bench/1", index, 1).empty());  // nobody has cosigned it
    CHECK(answered("bench/1", 1'000'000).empty());
}

TEST_CASE("how the broker stands: who is here, since when not, and what is waiting", "[broker]") {
    World world;
    const auto peer = [&] { return world.broker->stands(world.now).peers.at(1); };
    CHECK(peer().agency == "bench/1");
    CHECK_FALSE(peer().seen);
    const Id16 session = world.open("bench/1");
    world.now += std::chrono::hours{1};
    CHECK(peer().sessions == 1);
    CHECK(peer().seen == world.now);
    CHECK(peer().certificate_ends == start_time + std::chrono::hours{24 * 30});

    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    const auto before = world.broker->stands(world.now);
    CHECK(before.pending_bytes > 0);
    world.commit();
    const auto after = world.broker->stands(world.now);
    CHECK(after.pending_bytes == 0);
    CHECK(after.counts.published == 1);
    CHECK(after.log.size == before.log.size + 1);
    CHECK(after.log.signed_size < after.log.size);
    CHECK(after.log.unsigned_since.has_value());
    world.sign_head();
    CHECK(world.broker->stands(world.now).log.signed_size == after.log.size);
    CHECK_FALSE(world.broker->stands(world.now).log.unsigned_since);
    CHECK(peer().uncosigned_since == world.now);

    const Instant left = world.now;
    world.send_item(wire::fabric::ItemKind::close, session, wire::fabric::write_ending(Reason::none));
    world.now += std::chrono::hours{1};
    CHECK(peer().sessions == 0);
    CHECK(peer().seen == left);
    CHECK_FALSE(peer().uncosigned_since);
}

TEST_CASE("nobody looks into the log to say how the broker stands", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    world.sign_head();
    const auto before = world.reader.reads;
    for (int i = 0; i < 3; ++i) {
        const auto standing = world.broker->stands(world.now);
        CHECK(standing.counts.published == 1);
        CHECK(standing.log.size == world.disk->tree.size());
        world.now += std::chrono::seconds{2};
    }
    CHECK(world.reader.reads == before);
}

TEST_CASE("who was not welcomed was not here", "[broker]") {
    World world;
    const Id16 session = world.connect("bench/1");
    world.send_item(wire::fabric::ItemKind::close, session, wire::fabric::write_ending(Reason::none));
    const auto peers = world.broker->stands(world.now).peers;
    CHECK(peers.at(1).sessions == 0);
    CHECK_FALSE(peers.at(1).seen);
}

TEST_CASE("whoever asks for a head over what was confirmed has it signed, proved and shown", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    const auto index = world.take<schemas::Confirm>(session).at(0).index;
    const auto ask = [&](std::uint64_t entries) {
        world.send(session, query(schemas::QueryKind::checkpoint, entries));
        world.commit();
    };
    CHECK_FALSE(world.broker->take_head_wanted());
    ask(index + 1);
    CHECK(world.take<schemas::Refuse>(session).at(0).reason == schemas::Reason::not_found);
    CHECK(world.broker->take_head_wanted());
    CHECK_FALSE(world.broker->take_head_wanted());
    ask(world.disk->tree.size() + 1);
    CHECK(world.take<schemas::Refuse>(session).at(0).reason == schemas::Reason::not_found);
    CHECK_FALSE(world.broker->take_head_wanted());  // nothing can be signed that is not there

    const auto shown = world.broker->stands(world.now).log.signed_size;
    world.sign_head();
    ask(index + 1);
    const auto beats = world.take<schemas::Heartbeat>(session);
    REQUIRE(beats.size() == 1);
    const auto head = log::open_checkpoint(beats[0].checkpoint, world.vkey());
    REQUIRE(head);
    CHECK(head->size > index);
    CHECK(beats[0].consistency.size() > 0);
    CHECK(text(world.take<schemas::Answer>(session).at(0).content) == beats[0].checkpoint);
    CHECK(shown < head->size);
    ask(index + 1);
    CHECK(world.take<schemas::Heartbeat>(session).empty());  // it has seen it
}

TEST_CASE("the revocation lists that a gate begins to judge by are written down, once", "[broker]") {
    World world;
    const auto tell = [&](std::uint64_t number, std::string_view text, bool trusted = true) {
        const auto before = world.leaves().size();
        const wire::fabric::Credentials told{Digest{1}, world.now, world.now, number, text};
        world.send_item(wire::fabric::ItemKind::credentials, Id16{}, wire::fabric::write_credentials(told),
                        trusted, trusted ? "igate" : "xgate");
        world.commit();
        return world.leaves().size() - before;
    };
    CHECK(tell(1, "# revoked\n") == 0);  // as it was
    CHECK(tell(2, "# two\n") == 1);
    CHECK(world.leaves().back() == LeafKind::crl_set);
    const auto leaf = log::decode_leaf(world.disk->entries.back().leaf).value();
    CHECK(leaf.number == 2);
    CHECK(leaf.setting == crypto::sha256(view("# two\n")));
    CHECK(tell(2, "# two\n") == 0);
    CHECK(tell(3, "# a stranger's\n", false) == 0);  // it has not proved that it is one of ours
    CHECK(tell(1, "# revoked\n") == 1);              // another gate's, left behind
    CHECK(tell(3, "") == 0);

    // Other files read anew leave it as the gates have it.
    auto texts = world.texts();
    texts.crl.clear();
    texts.parties = "# others\n";
    const auto before = world.leaves().size();
    world.broker->files_changed(texts, at(world.now));
    world.commit();
    CHECK(world.leaves().size() == before + 1);
    CHECK(world.leaves().back() == LeafKind::parties_set);
    CHECK(tell(1, "# revoked\n") == 0);
}

TEST_CASE("the keys are written down with the certificates that gates show, whichever process they are in",
          "[broker]") {
    World world;
    world.keys = "log = \"x\"\n";
    world.start();
    CHECK_FALSE(std::ranges::count(world.leaves(), LeafKind::keys_set));  // nobody has been shown one yet
    const auto tell = [&](const std::string& gate, std::uint8_t certificate, Instant ends,
                          std::optional<Instant> lists_end) {
        const auto before = std::ranges::count(world.leaves(), LeafKind::keys_set);
        const wire::fabric::Credentials told{Digest{certificate}, ends, lists_end, 1, "# revoked\n"};
        world.send_item(wire::fabric::ItemKind::credentials, Id16{}, wire::fabric::write_credentials(told),
                        true, gate);
        world.commit();
        return std::ranges::count(world.leaves(), LeafKind::keys_set) - before;
    };
    const auto in_force = [&](const std::vector<std::uint8_t>& certificates) {
        std::string all;
        for (const auto each : certificates)
            all += (all.empty() ? "\"" : ", \"") + to_hex(Digest{each}) + "\"";
        const auto text = world.keys + "tls_certificates = [" + all + "]\n";
        const auto kinds = world.leaves();
        const auto last = std::ranges::find(kinds.rbegin(), kinds.rend(), LeafKind::keys_set);
        const auto leaf =
            log::decode_leaf(world.disk->entries.at(static_cast<std::size_t>(kinds.rend() - last - 1)).leaf)
                .value();
        return leaf.setting == crypto::sha256(view(text));
    };
    const auto year = world.now + 24h * 365, month = world.now + 24h * 30;
    CHECK(tell("igate", 5, year, month) == 1);
    CHECK(in_force({5}));
    CHECK(tell("igate", 5, year, month) == 0);  // read anew, and the same
    CHECK(world.broker->stands(world.now).certificate_ends == year);
    CHECK(world.broker->stands(world.now).revocation_list_ends == month);

    // A second one with its own certificate; what ends first is what somebody has to act on.
    CHECK(tell("xgate", 3, month, year) == 1);
    CHECK(in_force({3, 5}));
    CHECK(world.broker->stands(world.now).certificate_ends == month);
    CHECK(world.broker->stands(world.now).revocation_list_ends == month);

    // It is started anew: no news. The other too, with another certificate.
    world.broker->gate_lost("xgate", at(world.now));
    CHECK(world.broker->stands(world.now).certificate_ends == year);
    CHECK(tell("xgate", 3, month, std::nullopt) == 0);
    world.broker->gate_lost("igate", at(world.now));
    CHECK(tell("igate", 6, year, year) == 1);
    CHECK(in_force({3, 6}));
    CHECK(world.broker->stands(world.now).revocation_list_ends == year);

    // The last to go leaves when its own ends.
    world.broker->gate_lost("xgate", at(world.now));
    world.broker->gate_lost("igate", at(world.now));
    CHECK(world.broker->stands(world.now).certificate_ends == year);

    // After a start: nothing is written again, and where no gate comes, that none is shown.
    world.start();
    CHECK(tell("igate", 6, year, year) == 1);
    CHECK(in_force({6}));
    world.start();
    CHECK(tell("igate", 6, year, year) == 0);
    world.start();
    world.now += 9s;
    world.broker->tick(at(world.now));
    world.commit();
    CHECK(in_force({6}));
    world.now += 2s;
    world.broker->tick(at(world.now));
    world.commit();
    CHECK(in_force({}));

    // Other keys while gates are there keep what these show.
    CHECK(tell("igate", 6, year, year) == 1);
    world.keys = "log = \"y\"\n";
    world.broker->files_changed(world.texts(), at(world.now));
    world.commit();
    CHECK(in_force({6}));
}

TEST_CASE("whoever asks is given the text that an entry put in force, part by part", "[broker]") {
    World world;
    world.parties_text = std::string(limits::answer_bytes_max + 100, '#') + "\n";
    world.broker->files_changed(world.texts(), at(world.now));
    world.commit();
    const Id16 session = world.open("bench/1");
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    const auto entry = [&](LeafKind kind) {
        const auto kinds = world.leaves();
        const auto last = std::ranges::find(kinds.rbegin(), kinds.rend(), kind);
        return static_cast<std::uint64_t>(kinds.rend() - last - 1);
    };
    const auto ask = [&](std::uint8_t level, std::uint64_t from) {
        world.send(session, query(schemas::QueryKind::policies, from, 0, {}, level));
        world.commit();
        return world.take<schemas::Answer>(session);
    };
    CHECK(text(ask(0, entry(LeafKind::agreement_set)).at(0).content) == world.agreement);
    CHECK(text(ask(0, entry(LeafKind::crl_set)).at(0).content) == "# revoked\n");
    const auto first = ask(0, entry(LeafKind::parties_set)).at(0);
    const auto second = ask(1, entry(LeafKind::parties_set)).at(0);
    CHECK(first.more);
    CHECK_FALSE(second.more);
    CHECK(std::string{text(first.content)} + std::string{text(second.content)} == world.parties_text);
    for (const auto index : {entry(LeafKind::published), world.disk->tree.size(), ~std::uint64_t{0}}) {
        CHECK(ask(0, index).empty());
        CHECK(world.take<schemas::Refuse>(session).at(0).reason == schemas::Reason::not_found);
    }
}

TEST_CASE("queries answer those who may ask, and consultations are leaves", "[broker]") {
    struct Row {
        const char* why;
        const char* who;
        schemas::QueryKind kind;
        bool answered;
        bool leaf;
    };
    using Kind = schemas::QueryKind;
    const std::vector<Row> rows{
        {"anybody, the head",           "bench/1",        Kind::checkpoint,  true,  false},
        {"anybody, tiles",              "bench/1",        Kind::tile,        true,  false},
        {"anybody, what is in force",   "bench/1",        Kind::policies,    true,  false},
        {"an agency, what it is owed",  "bench/1",        Kind::obligations, true,  false},
        {"an operator, what all are",   "operator/duty",  Kind::obligations, true,  true },
        {"an operator, how it stands",  "operator/duty",  Kind::standing,    true,  false},
        {"an auditor, likewise",        "auditor/office", Kind::standing,    true,  false},
        {"an agency, likewise",         "bench/1",        Kind::standing,    false, true },
        {"an auditor, the leaves",      "auditor/office", Kind::entries,     true,  true },
        {"an auditor, the bodies",      "auditor/office", Kind::bodies,      true,  true },
        {"an agency, the leaves",       "bench/1",        Kind::entries,     false, true },
        {"an agency, the bodies",       "bench/1",        Kind::bodies,      false, true },
        {"an operator, the bodies",     "operator/duty",  Kind::bodies,      false, true },
        {"a stranger to the agreement", "bench/9",        Kind::checkpoint,  false, true },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        World world;
        const Id16 session = world.open(row.who);
        const auto size = world.disk->tree.size();
        world.send(session, query(row.kind, 0, 1));
        world.commit();
        const auto answers = world.take<schemas::Answer>(session);
        const auto refusals = world.take<schemas::Refuse>(session);
        CHECK(answers.size() == (row.answered ? 1 : 0));
        CHECK(refusals.size() == (row.answered ? 0 : 1));
        for (const auto& answer : answers) CHECK(answer.request == 77);
        for (const auto& refusal : refusals) {
            CHECK(refusal.request == 77);
            CHECK(refusal.reason == schemas::Reason::not_permitted);
        }
        CHECK(world.disk->tree.size() == size + (row.leaf ? 1 : 0));
    }
}

TEST_CASE("what became of a message is told to its publisher only", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    const Id16 other = world.open("bench/2");
    const Bytes envelope = world.bench.envelope("bench/1");
    world.send(session, world.bench.publish(envelope));
    world.send(session, query(schemas::QueryKind::status, 0, 0, id_of(envelope)));
    world.send(other, query(schemas::QueryKind::status, 0, 0, id_of(envelope)));
    world.commit();
    const auto answers = world.take<schemas::Answer>(session);
    REQUIRE(answers.size() == 1);
    CHECK(std::string{text(answers[0].content)}.find("\"recorded\"") != std::string::npos);
    CHECK(world.take<schemas::Refuse>(other).at(0).reason == schemas::Reason::not_found);
}

TEST_CASE("leaves come in pages that fit together", "[broker]") {
    World world;
    const Id16 session = world.open("auditor/office");
    std::vector<Bytes> leaves;
    bool more = true;
    while (more) {
        world.send(session, query(schemas::QueryKind::entries, leaves.size(), 2));
        world.commit();
        const auto answers = world.take<schemas::Answer>(session);
        REQUIRE(answers.size() == 1);
        const Bytes& content = answers[0].content;
        for (std::size_t at = 0; at < content.size();) {
            const std::size_t size = content[at + 2] * 256u + content[at + 3];
            leaves.emplace_back(content.begin() + static_cast<std::ptrdiff_t>(at + 4),
                                content.begin() + static_cast<std::ptrdiff_t>(at + 4 + size));
            at += 4 + size;
        }
        more = answers[0].more;
    }
    REQUIRE(leaves.size() == world.disk->entries.size());
    for (std::size_t i = 0; i < leaves.size(); ++i) CHECK((leaves[i] == world.disk->entries[i].leaf));
}

TEST_CASE("a body is handed to an auditor sealed: salt and ciphertext, and nothing that opens it",
          "[broker]") {
    World world;
    const Id16 session = world.open("auditor/office");
    const Id16 publisher = world.open("bench/1");
    world.send(publisher, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    world.send(session, query(schemas::QueryKind::bodies, 0, 100));
    world.commit();
    const auto answers = world.take<schemas::Answer>(session);
    REQUIRE(answers.size() == 1);
    Bytes expected;
    for (const auto& entry : world.disk->entries) {
        // The store in memory seals with a salt of zeros and no cipher.
        Bytes item = entry.body.empty() ? Bytes{} : Bytes(16);
        item.insert(item.end(), entry.body.begin(), entry.body.end());
        for (int shift = 24; shift >= 0; shift -= 8)
            expected.push_back(static_cast<std::uint8_t>(item.size() >> shift));
        expected.insert(expected.end(), item.begin(), item.end());
    }
    CHECK(answers[0].content == expected);
}

TEST_CASE(
    "keys of bodies are handed out sealed to the auditor's key, as one disclosure a session and its terms",
    "[broker]") {
    World world;
    const auto key = crypto::BoxKey::generate();
    const Id16 session = world.open("auditor/office");
    const Id16 publisher = world.open("bench/1");
    world.send(publisher, world.bench.publish(world.bench.envelope("bench/1")));
    world.commit();
    const auto ask = [&](std::uint64_t from, const std::string& scope, const std::string& reason) {
        schemas::QueryValue value;
        value.request = 77;
        value.kind = schemas::QueryKind::keys;
        value.from = from;
        value.width = 2;
        value.scope = scope;
        value.reason = reason;
        const auto own = key.public_key();
        value.key.assign(own.begin(), own.end());
        world.send(session, wire::pack_frame(std::move(value)));
        world.commit();
    };
    const auto size = world.disk->tree.size();
    ask(0, "all", "ICO-1");
    ask(2, "all", "ICO-1");
    const auto answers = world.take<schemas::Answer>(session);
    REQUIRE(answers.size() == 2);
    for (std::size_t page = 0; page < 2; ++page) {
        const auto opened = log::KeysPage::open(answers[page].content, key);
        REQUIRE(opened);
        CHECK(opened->first == 2 * page);
        REQUIRE(opened->keys.size() == 2);
        for (std::size_t i = 0; i < 2; ++i)
            CHECK(opened->keys[i].has_value() == !world.disk->entries[2 * page + i].body.empty());
        CHECK_FALSE(log::KeysPage::open(answers[page].content, crypto::BoxKey::generate()));
    }
    REQUIRE(world.disk->tree.size() == size + 2);
    const auto leaf = *log::decode_leaf(world.disk->entries[size + 1].leaf);
    CHECK(world.leaves()[size] == LeafKind::consulted);
    CHECK(leaf.kind == LeafKind::disclosed);
    CHECK(leaf.operation == log::Operation::disclosure);
    CHECK(leaf.recipient == "auditor/office");
    CHECK(leaf.outcome == "all");
    CHECK(leaf.purpose == "ICO-1");
    CHECK(leaf.certificate == crypto::sha256(key.public_key()));
    CHECK(leaf.related == size);

    ask(0, "controller=school/900001", "ICO-1");
    REQUIRE(world.disk->tree.size() == size + 4);
    const auto narrow = log::KeysPage::open(world.take<schemas::Answer>(session).at(0).content, key);
    REQUIRE(narrow);
    for (const auto& each : narrow->keys) CHECK_FALSE(each);

    ask(0, "everything", "ICO-1");
    ask(0, "all", "");
    ask(0, "all", "about Amelia Ravenscroft");
    CHECK(world.take<schemas::Refuse>(session).size() == 3);
    CHECK(world.disk->tree.size() == size + 4);
}

TEST_CASE("a reading made offline is written down when it is told", "[broker]") {
    World world;
    const Id16 session = world.open("auditor/office");
    schemas::QueryValue value;
    value.request = 77;
    value.kind = schemas::QueryKind::reading;
    value.scope = "explain";
    value.reason = "ICO-1";
    world.send(session, wire::pack_frame(std::move(value)));
    world.commit();
    CHECK(world.take<schemas::Answer>(session).size() == 1);
    const auto leaf = *log::decode_leaf(world.disk->entries.back().leaf);
    CHECK(leaf.kind == LeafKind::consulted);
    CHECK(leaf.outcome == "reading: explain");
    CHECK(leaf.purpose == "ICO-1");

    const auto size = world.disk->tree.size();
    for (const auto& [scope, reason] : {
             std::pair{"explain Ravenscroft", "ICO-1"      },
             {"explain",             "Ravenscroft"},
             {"",                    "ICO-1"      }
    }) {
        schemas::QueryValue wordy;
        wordy.request = 78;
        wordy.kind = schemas::QueryKind::reading;
        wordy.scope = scope;
        wordy.reason = reason;
        world.send(session, wire::pack_frame(std::move(wordy)));
        world.commit();
        CHECK(world.take<schemas::Refuse>(session).size() == 1);
    }
    CHECK(world.disk->tree.size() == size);
}

TEST_CASE("a delivery is asked for again by its notice and with a reason, and written down", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    const auto ask = [&](const std::optional<Id16>& notice, const char* reason) {
        schemas::QueryValue value;
        value.request = 77;
        value.kind = schemas::QueryKind::delivered;
        if (notice) value.id.assign(notice->begin(), notice->end());
        value.reason = reason;
        const auto size = world.disk->tree.size();
        world.send(session, wire::pack_frame(std::move(value)));
        world.commit();
        const auto refusals = world.take<schemas::Refuse>(session);
        REQUIRE(refusals.size() == 1);
        return std::pair{refusals[0].where, world.disk->tree.size() - size};
    };
    CHECK(ask({}, "lost").first == "query.id");
    CHECK(ask(Id16{7}, "").first == "query.reason");
    const auto unknown = ask(Id16{7}, "lost");
    CHECK(unknown == std::pair{std::string{"query.id: nothing under it is owed to you"}, std::uint64_t{1}});
    const auto leaf = *log::decode_leaf(world.disk->entries.back().leaf);
    CHECK(leaf.kind == LeafKind::consulted);
    CHECK(leaf.outcome == "delivered: " + to_hex(Id16{7}));
    CHECK(leaf.purpose == "lost");
}

TEST_CASE("a gate of another process is heard only once it has proved that it knows the key", "[broker]") {
    const auto [why, fabric_key, asked, answered, let_in] = GENERATE(table<const char*, int, int, int, bool>({
        {"the right key",               3, 1, 1, true },
        {"asked twice, answered twice", 3, 2, 2, true },
        {"another key",                 4, 1, 1, false},
        {"guessing goes on",            4, 1, 9, false},
        {"never answered",              3, 1, 0, false},
    }));
    CAPTURE(why);
    World world;
    const auto from_gate = [&](ItemKind kind, BytesView content) {
        world.send_item(kind, kind == ItemKind::open ? Id16{200} : Id16{}, content, false, "xgate");
    };
    const auto opening =
        wire::fabric::write_opening({spiffe("bench/1"), Digest{1}, world.now + 24h, "127.0.0.1:1"});
    from_gate(ItemKind::open, opening);
    CHECK(world.broker->figures().sessions == 0);
    for (int i = 0; i < asked; ++i) from_gate(ItemKind::attach, {});
    REQUIRE(world.challenges.size() == static_cast<std::size_t>(asked));
    const auto answer = crypto::hmac_sha256(key(static_cast<std::uint8_t>(fabric_key)),
                                            {view(wire::fabric::attach_label), world.challenges.back()});
    for (int i = 0; i < answered; ++i) from_gate(ItemKind::attach, answer);
    from_gate(ItemKind::open, opening);
    CHECK(world.broker->figures().sessions == (let_in ? 1 : 0));
}

TEST_CASE("the answer to one challenge is not the answer to the next", "[broker]") {
    World world;
    const auto attach = [&](const char* gate, BytesView content) {
        world.send_item(ItemKind::attach, Id16{}, content, false, gate);
    };
    attach("x1", {});
    const auto answer =
        crypto::hmac_sha256(key(3), {view(wire::fabric::attach_label), world.challenges.at(0)});
    attach("x2", {});
    attach("x2", answer);
    world.send_item(
        ItemKind::open, Id16{200},
        wire::fabric::write_opening({spiffe("bench/1"), Digest{1}, world.now + 24h, "127.0.0.1:1"}), false,
        "x2");
    CHECK(world.broker->figures().sessions == 0);
}

TEST_CASE("the gate is given back each frame that was consumed, with what it is sent anyway", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    const auto before = world.windows[session];
    CHECK(before >= limits::frames_granted);
    Bytes batch;
    for (int i = 0; i < 10; ++i)
        wire::fabric::append(batch, ItemKind::frame, session,
                             world.bench.publish(world.bench.envelope("bench/1")));
    world.broker->from_gate("igate", true, batch, at(world.now));
    CHECK(world.broker->take_output().empty());  // nobody is woken for a window alone
    world.commit();
    CHECK(world.take<schemas::Confirm>(session).size() == 10);
    CHECK(world.windows[session] == before + 10);
}

TEST_CASE("frames nobody is answered for are given back with the next tick", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.collect();
    const auto before = world.windows[session];
    for (int i = 0; i < 3; ++i) world.send(session, wire::pack_frame(schemas::HeartbeatValue{}));
    CHECK(world.windows[session] == before);
    world.broker->tick(at(world.now));
    world.collect();
    CHECK(world.windows[session] == before + 3);
}

TEST_CASE("a session that uses its window up fast is given it back at once", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.collect();
    const auto before = world.windows[session];
    SECTION("by the number of its frames") {
        Bytes batch;
        for (std::uint32_t i = 0; i < limits::frames_granted; ++i)
            wire::fabric::append(batch, ItemKind::frame, session,
                                 wire::pack_frame(schemas::HeartbeatValue{}));
        world.broker->from_gate("igate", true, batch, at(world.now));
        world.collect();
        CHECK(world.windows[session] == before + limits::frames_granted);
    }
    SECTION("by their bytes") {
        world.send(session, world.bench.publish(world.bench.envelope("bench/1", world.now, 512 * 1024)));
        CHECK(world.windows[session] == before + 1);
    }
}

TEST_CASE("a key enrolled while the broker runs counts from then on, and its file's digest is a leaf",
          "[broker]") {
    World world;
    const Peer newcomer{"bench/2"};
    const Id16 session = world.open("bench/2");
    Peer publisher{"bench/2"};
    const Bytes envelope = publisher.envelope("bench/2");
    world.send(session, newcomer.publish(envelope));
    CHECK(world.take<schemas::Refuse>(session).at(0).reason == schemas::Reason::unknown_sender);
    newcomer.enrol(world.parties);
    world.parties_text += "# and a newcomer\n";
    world.broker->files_changed(world.texts(), at(world.now));
    world.send(session, newcomer.publish(envelope));
    world.commit();
    CHECK(world.take<schemas::Confirm>(session).size() == 1);
    CHECK(std::ranges::count(world.leaves(), LeafKind::parties_set) == 2);
}

TEST_CASE("one agency cannot take every session there is", "[broker]") {
    World world;
    const auto open_one = [&](std::uint32_t number, const char* agency) {
        Id16 session{1};
        std::memcpy(session.data() + 4, &number, sizeof number);
        world.send_item(
            ItemKind::open, session,
            wire::fabric::write_opening({spiffe(agency), Digest{1}, world.now + 24h, "127.0.0.1:1"}));
        return session;
    };
    for (std::uint32_t i = 0; i < limits::sessions_per_agency_max; ++i) open_one(i, "bench/1");
    CHECK(world.kicks.empty());
    const Id16 refused = open_one(1'000'000, "bench/1");
    CHECK(world.kicks[refused] == std::vector<Reason>{Reason::busy});
    const Id16 other = open_one(1'000'001, "bench/2");
    CHECK(world.kicks[other].empty());
    world.send_item(ItemKind::close, open_one(0, "bench/1"), wire::fabric::write_ending(Reason::none));
    CHECK(world.kicks[open_one(1'000'002, "bench/1")].empty());
}

TEST_CASE("a broker that stops says goodbye and leaves nothing undecided behind", "[broker]") {
    World world;
    const Id16 session = world.open("bench/1");
    world.send(session, world.bench.publish(world.bench.envelope("bench/1")));
    world.broker->shut_down(at(world.now));
    world.collect();
    CHECK(world.kicks[session] == std::vector<Reason>{Reason::shutting_down});
    while (!world.broker->idle()) REQUIRE(world.commit());
    CHECK(world.leaves().back() == LeafKind::session_closed);
    CHECK(world.disk->receipts.size() == 1);
}
