#include "adapters/client/session_machine.h"

#include "broker/crypto/digest.h"
#include "broker/crypto/keys.h"
#include "broker/log/merkle.h"
#include "broker/log/tlog_proof.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::client;
using namespace std::chrono_literals;

namespace {

constexpr auto log_name = "broker.test/audit";
const Instant start_time = from_us(1'740'000'000'000'000);

std::vector<Digest> leaves_up_to(std::size_t size, std::uint8_t salt = 0) {
    std::vector<Digest> leaves;
    for (std::size_t i = 0; i < size; ++i)
        leaves.push_back(log::leaf_hash(Bytes{salt, static_cast<std::uint8_t>(i)}));
    return leaves;
}

/// The broker's log, small enough for one tile.
struct TestLog {
    crypto::NoteKey key = crypto::NoteKey::from_seed({1, 2, 3});
    log::VerifierKey vkey{log_name, log::VerifierKey::Type::note, key.public_key()};

    std::string head(std::size_t size, std::uint8_t salt = 0) const {
        const auto leaves = leaves_up_to(size, salt);
        const Digest root = log::root_at(size, [&](log::TileId) { return leaves; });
        log::SignedNote note{
            log::Checkpoint{log_name, size, root}
            .format(), {    }
        };
        note.signatures.push_back(log::sign_note(note.text, log_name, key));
        return note.format();
    }
    /// The answer to a query `proof`: entry `index` under the head of so many entries.
    Bytes proven(std::size_t index, std::size_t size, std::uint8_t salt = 0) const {
        const auto leaves = leaves_up_to(size, salt);
        const log::TlogProof proof{std::nullopt, index,
                                   log::inclusion_proof(index, size, [&](log::TileId) { return leaves; }),
                                   head(size, salt)};
        const Bytes leaf{salt, static_cast<std::uint8_t>(index)};
        Bytes content;
        for (const Bytes& item : {copy(view(proof.format())), leaf}) {
            append_be(content, item.size(), 4);
            content.insert(content.end(), item.begin(), item.end());
        }
        return content;
    }
    std::vector<Digest> consistency(std::size_t from, std::size_t to) const {
        const auto leaves = leaves_up_to(to);
        return log::consistency_proof(from, to, [&](log::TileId) { return leaves; });
    }
};

std::vector<std::unique_ptr<schemas::HashValue>> hashes(const std::vector<Digest>& proof) {
    std::vector<std::unique_ptr<schemas::HashValue>> values;
    for (const Digest& hash : proof) {
        values.push_back(std::make_unique<schemas::HashValue>());
        values.back()->bytes = copy(hash);
    }
    return values;
}

Bytes welcome_frame(const std::string& checkpoint, const std::vector<Digest>& proof = {},
                    std::uint32_t window = 4) {
    schemas::WelcomeValue welcome;
    welcome.session = Bytes(16, 7);
    welcome.agency = "police/31";
    welcome.publish_window = window;
    welcome.heartbeat_ms = 5000;
    welcome.checkpoint = checkpoint;
    welcome.consistency = hashes(proof);
    return wire::pack_frame(std::move(welcome));
}

Outgoing message(std::uint8_t tag, const std::string& topic = "incidents/31", std::size_t size = 3,
                 const std::string& subject = "") {
    Id16 id{};
    id.fill(tag);
    wire::Draft draft{schemas::Kind::incident, topic, subject, {}, {}, {}, {}};
    draft.payload = Bytes(size, tag);
    return {id, wire::make_envelope(draft, id, id, start_time), ""};
}

Bytes confirm(std::uint8_t tag, std::uint64_t leaf = 9) {
    Id16 id{};
    id.fill(tag);
    return wire::confirm_frame(id, false, leaf, Digest{}, leaf + 1, Digest{});
}

/// As this log has it: the entry's leaf, in the tree of that size.
Bytes true_confirm(std::uint8_t tag, std::size_t index, std::size_t size) {
    const auto leaves = leaves_up_to(size);
    Id16 id{};
    id.fill(tag);
    return wire::confirm_frame(id, false, index, leaves[index], size,
                               log::root_at(size, [&](log::TileId) { return leaves; }));
}

Bytes refuse_publish(std::uint8_t tag, Reason reason, std::uint32_t retry_after_ms = 0) {
    Id16 id{};
    id.fill(tag);
    return wire::refuse_frame({reason, "test"}, id, 0, retry_after_ms);
}

Bytes deliver(std::uint64_t number, const std::string& topic = "markers/31") {
    return wire::deliver_frame(topic, number, 1, 50 + number,
                               message(static_cast<std::uint8_t>(number), topic).envelope);
}

template <class Wanted> std::vector<const Wanted*> all_of(const Actions& actions) {
    std::vector<const Wanted*> found;
    for (const Action& action : actions)
        if (const auto* wanted = std::get_if<Wanted>(&action)) found.push_back(wanted);
    return found;
}

/// The frames of one type among what is to be sent.
template <class Value> std::vector<Value> sent(const Actions& actions) {
    std::vector<Value> found;
    for (const auto* send : all_of<Send>(actions)) {
        schemas::FrameValue frame;
        wire::read_frame(send->frame).value()->UnPackTo(&frame);
        if (frame.body.type == schemas::BodyUnionTraits<Value>::enum_value)
            found.push_back(std::move(*static_cast<Value*>(frame.body.value)));
    }
    return found;
}

std::vector<Bytes> published(const Actions& actions) {
    std::vector<Bytes> envelopes;
    for (auto& publish : sent<schemas::PublishValue>(actions)) envelopes.push_back(publish.envelope);
    return envelopes;
}

/// A client on a connection of its own, `now` moved by hand.
struct Client {
    explicit Client(std::optional<std::string> checkpoint =
                        {
    },
                    const Witness* witness = nullptr, std::optional<Promise> promise = {})
        : machine{
              SessionSettings{
                  "test/1", "main", {"markers/31"}, test_log.vkey, std::move(checkpoint), witness, promise},
              origin, now} {}

    Actions receive(const Bytes& frame) { return machine.receive(frame, now); }
    Actions publish(std::vector<Outgoing> messages) { return machine.publish(std::move(messages), now); }
    Actions after(std::chrono::milliseconds time) {
        now += time;
        return machine.tick(now);
    }
    void connect(std::uint32_t window = 4) {
        machine.start(now);
        receive(welcome_frame(test_log.head(3), {}, window));
        REQUIRE(machine.welcomed());
    }

    /// A head of so many entries, from the one of 3 that connect() showed.
    Actions show(std::size_t size, std::size_t before = 3, std::uint8_t salt = 0) {
        schemas::HeartbeatValue beat;
        beat.checkpoint = test_log.head(size, salt);
        beat.consistency = hashes(test_log.consistency(before, size));
        return receive(wire::pack_frame(std::move(beat)));
    }
    Actions answer(std::uint32_t request, Bytes content) {
        schemas::AnswerValue value;
        value.request = request;
        value.content = std::move(content);
        return receive(wire::pack_frame(std::move(value)));
    }

    TestLog test_log;
    crypto::OriginKey origin = crypto::OriginKey::generate();
    Instant now = start_time;
    SessionMachine machine;
};

}  // namespace

TEST_CASE("the first frame is a hello with the head remembered", "[client]") {
    const TestLog test_log;
    Client client(test_log.head(2));
    const auto hello = sent<schemas::HelloValue>(client.machine.start(client.now));
    REQUIRE(hello.size() == 1);
    CHECK(hello[0].version == 1);
    CHECK(hello[0].software == "test/1");
    CHECK(hello[0].checkpoint == test_log.head(2));
}

TEST_CASE("nothing is published before the welcome, however long it takes", "[client]") {
    Client client;
    client.machine.start(client.now);
    CHECK(client.machine.room() == 0);
    CHECK(published(client.publish({message(1)})).empty());
    CHECK(published(client.after(14s)).empty());
    CHECK_FALSE(client.machine.welcomed());

    const auto actions = client.receive(welcome_frame(client.test_log.head(3)));
    CHECK(client.machine.welcomed());
    CHECK(all_of<End>(actions).empty());
    CHECK(client.machine.room() == 3);
}

TEST_CASE("a welcome that never comes ends the connection", "[client]") {
    Client client;
    client.machine.start(client.now);
    CHECK(all_of<End>(client.after(14'999ms)).empty());
    CHECK(all_of<End>(client.after(1ms)).size() == 1);
    CHECK(client.machine.room() == 0);
}

TEST_CASE("a refused client never looks as if it had sent anything", "[client]") {
    const auto [why, reason] = GENERATE(table<const char*, Reason>({
        {"its certificate is of nobody here", Reason::unknown_sender     },
        {"its certificate was revoked",       Reason::revoked            },
        {"it speaks another version",         Reason::unsupported_version},
        {"the broker is full",                Reason::busy               },
    }));
    CAPTURE(why);
    Client client;
    client.machine.start(client.now);
    const auto actions = client.receive(wire::refuse_frame({reason, "hello"}));
    CHECK(all_of<End>(actions).size() == 1);
    CHECK_FALSE(client.machine.welcomed());
    CHECK(client.machine.room() == 0);
    CHECK(client.receive(welcome_frame(client.test_log.head(3))).empty());  // too late
    CHECK_FALSE(client.machine.welcomed());
}

TEST_CASE("the welcome's log head is checked before anything is trusted", "[client]") {
    const TestLog test_log;
    const TestLog other{
        crypto::NoteKey::from_seed({9                                            }
        ),
        { log_name, log::VerifierKey::Type::note, crypto::NoteKey::from_seed({9}).public_key()}
    };
    const std::string two = test_log.head(2), five = test_log.head(5), empty = test_log.head(0);
    const std::string forked = test_log.head(5, 1), foreign_two = other.head(2), foreign_five = other.head(5);
    const auto proof = test_log.consistency(2, 5);
    auto wrong = proof;
    wrong.front().front() ^= 1;
    const std::vector<Digest> none;

    struct Row {
        const char* why;
        std::string remembered;
        std::string received;
        std::vector<Digest> proof;
        bool accepted;
    };
    const auto row = GENERATE_REF(values<Row>({
        {"first contact",                           "",          five,         none,  true },
        {"a longer log, proven",                    two,         five,         proof, true },
        {"the same head again",                     five,        five,         none,  true },
        {"from the empty log",                      empty,       five,         none,  true },
        {"not signed by the log's key",             "",          foreign_five, none,  false},
        {"no note at all",                          "",          "hello",      none,  false},
        {"a longer log, no proof",                  two,         five,         none,  false},
        {"a longer log, a wrong proof",             two,         five,         wrong, false},
        {"a shorter log",                           five,        two,          none,  false},
        {"another history of the same size",        five,        forked,       none,  false},
        {"another history, longer",                 two,         forked,       proof, false},
        {"the head remembered was never the log's", foreign_two, five,         proof, false},
    }));
    CAPTURE(row.why);
    Client client(row.remembered.empty() ? std::nullopt : std::optional{row.remembered});
    client.machine.start(client.now);
    const auto actions = client.receive(welcome_frame(row.received, row.proof));
    CHECK(client.machine.welcomed() == row.accepted);
    CHECK(all_of<Alarm>(actions).empty() == row.accepted);
    if (row.accepted) {
        const auto remember = all_of<Remember>(actions);
        CHECK(remember.size() == (row.remembered == row.received ? 0 : 1));
        for (const auto* kept : remember) CHECK(kept->checkpoint == row.received);
    } else {
        REQUIRE(actions.size() == 1);  // nothing is sent any more, not even a goodbye
        const auto* alarm = std::get_if<Alarm>(&actions.front());
        CHECK_THAT(alarm->evidence, Catch::Contains(row.received));
        CHECK_THAT(alarm->evidence, Catch::Contains(row.remembered));
        CHECK(client.machine.room() == 0);
        CHECK(client.after(5s).empty());
    }
}

TEST_CASE("a broker that denies the head it showed raises the alarm", "[client]") {
    const TestLog test_log;
    Client client(test_log.head(2));
    client.machine.start(client.now);
    const auto [why, reason, where, alarms] = GENERATE(table<const char*, Reason, const char*, std::size_t>({
        {"its log has gone another way",   Reason::not_consistent, "hello.checkpoint: another history",    1},
        {"its log is shorter than it was", Reason::not_consistent, "hello.checkpoint: newer than the log", 1},
        {"it has another key than it had", Reason::bad_signature,  "hello.checkpoint",                     1},
        {"it only has no time for us",     Reason::busy,           "sessions",                             0},
    }));
    CAPTURE(why);
    schemas::GoodbyeValue goodbye;
    goodbye.reason = static_cast<schemas::Reason>(reason);
    goodbye.where = where;
    goodbye.checkpoint = test_log.head(5, 1);
    goodbye.consistency = hashes({Digest{7}});
    const auto actions = client.receive(wire::pack_frame(std::move(goodbye)));
    REQUIRE(all_of<Alarm>(actions).size() == alarms);
    CHECK(all_of<End>(actions).size() == 1 - alarms);
    for (const auto* alarm : all_of<Alarm>(actions))
        for (const auto& kept : {test_log.head(2), test_log.head(5, 1), to_base64(Digest{7})})
            CHECK_THAT(alarm->evidence, Catch::Contains(kept));
}

TEST_CASE("a witness cosigns each new head once it is kept", "[client]") {
    const Witness witness{"police-31.test/witness", crypto::NoteKey::from_seed({5})};
    Client client({}, &witness);
    client.machine.start(client.now);
    const auto actions = client.receive(welcome_frame(client.test_log.head(3)));
    REQUIRE(actions.size() >= 2);
    CHECK(std::holds_alternative<Remember>(actions[0]));  // before the signature leaves
    const auto cosigns = sent<schemas::CosignValue>(actions);
    REQUIRE(cosigns.size() == 1);
    const auto note = log::SignedNote::parse(cosigns[0].checkpoint);
    REQUIRE(note);
    CHECK(log::signed_by(*note, client.test_log.vkey));
    CHECK(
        log::signed_by(*note, {witness.name, log::VerifierKey::Type::cosignature, witness.key.public_key()}));
}

TEST_CASE("a head shown in a heartbeat is checked against the one before, kept and cosigned", "[client]") {
    const Witness witness{"police-31.test/witness", crypto::NoteKey::from_seed({5})};
    Client client({}, &witness);
    const auto& log = client.test_log;
    const auto [why, size, salt, proven_from, proven_to, taken] =
        GENERATE(table<const char*, std::size_t, std::uint8_t, std::size_t, std::size_t, bool>({
            {"a continuation",                          7, 0, 3, 7, true },
            {"another history of that size",            7, 1, 3, 7, false},
            {"a proof of another step",                 7, 0, 2, 7, false},
            {"a shorter log than it showed at Welcome", 2, 0, 2, 3, false},
    }));
    CAPTURE(why);
    client.machine.start(client.now);
    client.receive(welcome_frame(log.head(3)));
    schemas::HeartbeatValue beat;
    beat.checkpoint = log.head(size, salt);
    beat.consistency = hashes(log.consistency(proven_from, proven_to));
    const auto actions = client.receive(wire::pack_frame(std::move(beat)));
    CHECK(all_of<Remember>(actions).size() == (taken ? 1 : 0));
    CHECK(sent<schemas::CosignValue>(actions).size() == (taken ? 1 : 0));
    CHECK(all_of<Alarm>(actions).size() == (taken ? 0 : 1));
    if (!taken) return;
    schemas::HeartbeatValue next;  // what was shown last is what the next is held against
    next.checkpoint = log.head(9);
    next.consistency = hashes(log.consistency(7, 9));
    CHECK(all_of<Remember>(client.receive(wire::pack_frame(std::move(next)))).size() == 1);
}

TEST_CASE("a batch carries one signature, and each message its own path to it", "[client]") {
    Client client;
    client.connect(100);
    std::vector<Outgoing> messages;
    for (std::uint8_t tag = 1; tag <= 70; ++tag) messages.push_back(message(tag));
    const auto publishes = sent<schemas::PublishValue>(client.publish(messages));
    REQUIRE(publishes.size() == 70);
    const auto verifier = crypto::OriginVerifier::parse(client.origin.public_der()).value();
    for (std::size_t i = 0; i < publishes.size(); ++i) {
        const auto& origin = *publishes[i].origin;
        CHECK(publishes[i].envelope == messages[i].envelope);
        CHECK(origin.size == (i < 64 ? 64 : 6));
        CHECK(origin.index == i % 64);
        std::vector<Digest> path;
        for (const auto& hash : origin.path) path.push_back(*exactly<32>(hash->bytes));
        const auto root = log::root_from_proof(origin.index, origin.size,
                                               log::leaf_hash(crypto::sha256(publishes[i].envelope)), path);
        REQUIRE(root);
        CHECK(verifier.verify(wire::origin_message(*root), origin.signature));
    }
}

TEST_CASE("the window bounds what may be unconfirmed", "[client]") {
    Client client;
    client.connect(2);
    CHECK(client.machine.room() == 2);
    client.publish({message(1), message(2)});
    CHECK(client.machine.room() == 0);
    CHECK(client.machine.unconfirmed() == 2);

    const auto actions = client.receive(confirm(1, 41));
    REQUIRE(all_of<Confirmed>(actions).size() == 1);
    CHECK(all_of<Confirmed>(actions)[0]->promise.index == 41);
    CHECK(client.machine.room() == 1);
}

TEST_CASE("bytes in flight are bounded as well", "[client]") {
    Client client;
    client.connect(100);
    for (std::uint8_t tag = 1; client.machine.room() > 0; ++tag)
        client.publish({message(tag, "incidents/31", 900'000)});
    CHECK(client.machine.unconfirmed() == 10);
    client.receive(confirm(1));
    client.receive(confirm(2));
    CHECK(client.machine.room() > 0);
}

TEST_CASE("a confirm of what is not in flight changes nothing", "[client]") {
    Client client;
    client.connect();
    client.publish({message(1)});
    CHECK(client.receive(confirm(9)).empty());
    CHECK(client.receive(confirm(1)).size() == 1);
    CHECK(client.receive(confirm(1)).empty());  // the same again
    CHECK(client.machine.unconfirmed() == 0);
}

TEST_CASE("what is offered twice is sent once", "[client]") {
    Client client;
    client.connect();
    CHECK(published(client.publish({message(1), message(1)})).size() == 1);
    CHECK(published(client.publish({message(1)})).empty());
    CHECK(client.machine.unconfirmed() == 1);
}

TEST_CASE("after a reconnect what was not confirmed is sent again, byte for byte", "[client]") {
    Client first;
    first.connect();
    const auto before = published(first.publish({message(1), message(2), message(3)}));
    first.receive(confirm(2));

    Client second;  // the outbox offers what it holds from the beginning
    second.connect();
    const auto again = published(second.publish({message(1), message(3)}));
    REQUIRE(again.size() == 2);
    CHECK(again[0] == before[0]);
    CHECK(again[1] == before[2]);
}

TEST_CASE("a refusal for now holds everything back, then sends it again in order", "[client]") {
    const auto reason =
        GENERATE(Reason::busy, Reason::storage_low, Reason::window_exceeded, Reason::shutting_down);
    CAPTURE(name(reason));
    Client client;
    client.connect();
    const auto before = published(client.publish({message(1), message(2)}));
    CHECK(client.receive(refuse_publish(1, reason, 2000)).empty());
    CHECK(client.receive(refuse_publish(2, reason, 3000)).empty());
    CHECK(client.machine.room() == 0);
    CHECK(client.machine.unconfirmed() == 2);
    CHECK(published(client.after(2999ms)).empty());
    CHECK(published(client.after(1ms)) == before);
    CHECK(client.machine.room() == 2);
    CHECK(client.receive(confirm(1)).size() == 1);
}

TEST_CASE("the time to wait is bounded, and has a default", "[client]") {
    const auto [why, asked, waits] = GENERATE(table<const char*, std::uint32_t, std::chrono::milliseconds>({
        {"not said",         0,         retry_after_default},
        {"said",             700,       700ms              },
        {"beyond all sense", 4'000'000, retry_after_max    },
    }));
    CAPTURE(why);
    Client client;
    client.connect();
    client.publish({message(1)});
    client.receive(refuse_publish(1, Reason::busy, asked));
    // Heartbeats of the broker keep the connection alive meanwhile.
    for (auto left = waits - 1ms; left > 0ms; left -= 5s) {
        CHECK(published(client.after(std::min<std::chrono::milliseconds>(left, 5s))).empty());
        client.receive(wire::pack_frame(schemas::HeartbeatValue{}));
    }
    CHECK(published(client.after(1ms)).size() == 1);
}

TEST_CASE("a final refusal makes a dead letter", "[client]") {
    const auto reason =
        GENERATE(Reason::malformed, Reason::not_permitted, Reason::bad_signature, Reason::conflict,
                 Reason::too_old, Reason::clock_ahead, Reason::unknown_topic, Reason::invalid_value,
                 Reason::load_incomplete, Reason::out_of_order);
    CAPTURE(name(reason));
    Client client;
    client.connect();
    client.publish({message(1)});
    const auto actions = client.receive(refuse_publish(1, reason));
    REQUIRE(all_of<DeadLetter>(actions).size() == 1);
    CHECK(all_of<DeadLetter>(actions)[0]->refusal == Refusal{reason, "test"});
    CHECK(client.machine.unconfirmed() == 0);
}

TEST_CASE("what is refused for want of a key waits, one message trying, until the key is known", "[client]") {
    const auto refuse = [](std::uint8_t tag) { return refuse_publish(tag, Reason::unknown_sender); };
    Client client;
    client.connect();
    client.publish({message(1), message(2), message(3)});
    const auto told = client.receive(refuse(1));
    CHECK(all_of<Problem>(told).size() == 1);
    CHECK(all_of<DeadLetter>(told).empty());
    CHECK(client.receive(refuse(2)).empty());  // said once
    CHECK(client.receive(refuse(3)).empty());
    CHECK(client.machine.room() == 0);
    const auto later = [&] {
        Actions last;
        for (auto left = retry_after_max; left > 0ms; left -= 5s) {
            client.receive(wire::pack_frame(schemas::HeartbeatValue{}));
            last = client.after(std::min<std::chrono::milliseconds>(left, 5s));
        }
        return published(last);
    };
    CHECK(later() == std::vector<Bytes>{message(1).envelope});
    CHECK(client.receive(refuse(1)).empty());
    CHECK(later() == std::vector<Bytes>{message(1).envelope});
    const auto answer = GENERATE_COPY(values({confirm(1), refuse_publish(1, Reason::invalid_value)}));
    CHECK(published(client.receive(answer)) == std::vector<Bytes>{message(2).envelope, message(3).envelope});
}

TEST_CASE("of one subject the next goes only when the one before is settled", "[client]") {
    Client client;
    client.connect();
    const auto of = [](std::uint8_t tag, const char* subject) {
        return message(tag, "incidents/31", 3, subject);
    };
    const auto first =
        published(client.publish({of(1, "NP-1"), of(2, "NP-1"), of(3, "NP-2"), of(4, "NP-1")}));
    CHECK(first == std::vector<Bytes>{of(1, "NP-1").envelope, of(3, "NP-2").envelope});
    CHECK(client.machine.room() == 0);  // those that wait for their turn have their place as well
    CHECK(published(client.receive(confirm(3))).empty());

    SECTION("it was recorded") {
        CHECK(published(client.receive(confirm(1))) == std::vector<Bytes>{of(2, "NP-1").envelope});
    }
    SECTION("it is a dead letter") {
        CHECK(published(client.receive(refuse_publish(1, Reason::invalid_value))) ==
              std::vector<Bytes>{of(2, "NP-1").envelope});
    }
    SECTION("it was put off: nothing overtakes it") {
        CHECK(client.receive(refuse_publish(1, Reason::busy, 1000)).empty());
        CHECK(published(client.after(1000ms)) == std::vector<Bytes>{of(1, "NP-1").envelope});
        CHECK(published(client.receive(confirm(1))) == std::vector<Bytes>{of(2, "NP-1").envelope});
        CHECK(published(client.receive(confirm(2))) == std::vector<Bytes>{of(4, "NP-1").envelope});
        client.receive(confirm(4));
        CHECK(client.machine.unconfirmed() == 0);
    }
}

TEST_CASE("an envelope that is none is a dead letter, not sent", "[client]") {
    Client client;
    client.connect();
    Outgoing broken = message(1);
    broken.envelope.resize(20);
    const auto actions = client.publish({broken, message(2)});
    CHECK(all_of<DeadLetter>(actions).size() == 1);
    CHECK(published(actions).size() == 1);
}

TEST_CASE("a delivery is acknowledged only when it is stored", "[client]") {
    Client client;
    client.connect();
    const auto actions = client.receive(deliver(1));
    REQUIRE(all_of<Store>(actions).size() == 1);
    CHECK(all_of<Store>(actions)[0]->delivery.number == 1);
    CHECK(all_of<Send>(actions).empty());
    client.receive(deliver(2));

    const auto stored = client.machine.stored(client.now);
    const auto acknowledged = sent<schemas::AcknowledgeValue>(stored);
    REQUIRE(acknowledged.size() == 1);
    CHECK(acknowledged[0].topic == "markers/31");
    CHECK(acknowledged[0].numbers == std::vector<std::uint64_t>{1, 2});
    CHECK(client.machine.stored(client.now).empty());  // once
}

TEST_CASE("a delivery that comes again is stored and acknowledged again", "[client]") {
    Client client;
    client.connect();
    client.receive(deliver(1));
    client.machine.stored(client.now);
    CHECK(all_of<Store>(client.receive(deliver(1))).size() == 1);  // the box knows it, and changes nothing
    CHECK(sent<schemas::AcknowledgeValue>(client.machine.stored(client.now)).size() == 1);
}

TEST_CASE("credit is granted with the subscription and topped up by what was stored", "[client]") {
    Client client;
    client.machine.start(client.now);
    const auto subscribe =
        sent<schemas::SubscribeValue>(client.receive(welcome_frame(client.test_log.head(3))));
    REQUIRE(subscribe.size() == 1);
    CHECK(subscribe[0].durable == "main");
    CHECK(subscribe[0].topics == std::vector<std::string>{"markers/31"});
    CHECK(subscribe[0].credit_messages == limits::credit_messages_max);

    for (std::uint64_t number = 1; number <= 3; ++number) client.receive(deliver(number));
    const auto credit = sent<schemas::CreditValue>(client.machine.stored(client.now));
    REQUIRE(credit.size() == 1);
    CHECK(credit[0].messages == 3);
    CHECK(credit[0].bytes == deliver(1).size() + deliver(2).size() + deliver(3).size());
}

namespace {

template <class Frame> Bytes marks(std::uint64_t number) {
    Frame frame;
    auto& list = [&]() -> auto& {
        if constexpr (requires { frame.topics; })
            return frame.topics;
        else
            return frame.high_water;
    }
    ();
    list.push_back(std::make_unique<schemas::HighWaterValue>());
    list.back()->topic = "markers/31";
    list.back()->number = number;
    return wire::pack_frame(std::move(frame));
}

}  // namespace

TEST_CASE("a delivery announced that does not come is told, once", "[client]") {
    Client client;
    client.connect();
    client.receive(marks<schemas::SubscribedValue>(7));  // there before us: acknowledged, or on its way
    CHECK(client.receive(marks<schemas::HeartbeatValue>(7)).empty());

    client.now += 1h;
    CHECK(client.receive(marks<schemas::HeartbeatValue>(8)).empty());  // it may have overtaken the delivery
    client.now += 10s;
    CHECK(all_of<Store>(client.receive(deliver(8))).size() == 1);
    client.now += 10s;
    CHECK(client.receive(marks<schemas::HeartbeatValue>(8)).empty());

    CHECK(client.receive(marks<schemas::HeartbeatValue>(9)).empty());
    client.now += 15s;
    CHECK(all_of<Problem>(client.receive(marks<schemas::HeartbeatValue>(9))).size() == 1);
    CHECK(client.receive(marks<schemas::HeartbeatValue>(9)).empty());
}

TEST_CASE("a broker that breaks the session's rules is left", "[client]") {
    const auto end_after = [](const Bytes& frame) {
        Client client;
        client.connect();
        return all_of<End>(client.receive(frame)).size() == 1 && client.machine.room() == 0;
    };
    CHECK(end_after({1, 2, 3}));                                            // no frame
    CHECK(end_after(deliver(1, "notices/school/122802")));                  // a mailbox not asked for
    CHECK(end_after(wire::deliver_frame("markers/31", 1, 1, 1, Bytes{})));  // no envelope
    CHECK(end_after(wire::pack_frame(schemas::HelloValue{})));              // a client's frame
    CHECK(end_after(wire::acknowledge_frame("markers/31", {1})));
    CHECK(end_after(welcome_frame(TestLog{}.head(4))));  // a second welcome

    Client client;
    client.connect();
    for (std::uint64_t i = 0; i < limits::credit_messages_max; ++i)
        REQUIRE(all_of<End>(client.receive(deliver(i % 200 + 1))).empty());
    CHECK(all_of<End>(client.receive(deliver(1))).size() == 1);  // more than it was granted
}

TEST_CASE("a broker that speaks before its welcome is left", "[client]") {
    Client client;
    client.machine.start(client.now);
    CHECK(all_of<End>(client.receive(confirm(1))).size() == 1);
}

TEST_CASE("a frame this version does not know is passed over", "[client]") {
    Client client;
    client.connect();
    CHECK(client.receive(wire::pack_frame(schemas::HeartbeatValue{})).empty());
    CHECK(client.receive(wire::pack_frame(schemas::SubscribedValue{})).empty());
}

TEST_CASE("heartbeats go out while idle, and silence ends the connection", "[client]") {
    Client client;
    client.connect();
    CHECK(client.machine.next_due() == start_time + 5s);
    CHECK(client.after(4'999ms).empty());
    CHECK(sent<schemas::HeartbeatValue>(client.after(1ms)).size() == 1);
    CHECK(client.machine.next_due() == start_time + 10s);

    client.receive(wire::pack_frame(schemas::HeartbeatValue{}));  // heard at 5 s
    CHECK(all_of<End>(client.after(14'999ms)).empty());
    CHECK(all_of<End>(client.after(1ms)).size() == 1);
    CHECK(client.after(1h).empty());  // over is over
}

TEST_CASE("a wall clock that steps back neither ends nor hurries the connection", "[client]") {
    Client client;
    client.connect();
    client.after(5s);
    client.now -= 1h;
    CHECK(client.receive(wire::pack_frame(schemas::HeartbeatValue{})).empty());
    CHECK(client.after(1s).empty());
}

TEST_CASE("a broker that says goodbye ends the connection, and says why", "[client]") {
    Client client;
    client.connect();
    client.publish({message(1)});
    schemas::GoodbyeValue goodbye;
    goodbye.reason = schemas::Reason::revoked;
    const auto ends = client.receive(wire::pack_frame(std::move(goodbye)));
    REQUIRE(all_of<End>(ends).size() == 1);
    CHECK_THAT(all_of<End>(ends)[0]->problem, Catch::Contains("revoked"));
    CHECK(client.machine.unconfirmed() == 1);  // not sent, as far as anybody knows
}

TEST_CASE("a consumer displaced by its namesake does not push back at once", "[client]") {
    Client client;
    client.connect();
    schemas::GoodbyeValue goodbye;
    goodbye.reason = schemas::Reason::displaced;
    const auto ends = client.receive(wire::pack_frame(std::move(goodbye)));
    CHECK(all_of<End>(ends).at(0)->wait_at_least == displaced_wait);
}

TEST_CASE("a question is answered under its number, or refused", "[client]") {
    Client client;
    client.connect();
    const auto [first, one] = client.machine.query({});
    const auto [second, two] = client.machine.query({});
    CHECK(one != two);
    CHECK(sent<schemas::QueryValue>(first).at(0).request == one);

    schemas::AnswerValue answer;
    answer.request = two;
    answer.content = {1, 2};
    const auto answered = client.receive(wire::pack_frame(std::move(answer)));
    REQUIRE(all_of<Answered>(answered).size() == 1);
    CHECK(all_of<Answered>(answered)[0]->request == two);
    CHECK(all_of<Answered>(answered)[0]->answer->content == Bytes{1, 2});

    const auto refused = client.receive(wire::refuse_frame({Reason::not_permitted, "query"}, {}, one));
    REQUIRE(all_of<Answered>(refused).size() == 1);
    CHECK(all_of<Answered>(refused)[0]->answer.error().reason == Reason::not_permitted);
}

TEST_CASE("a subscription refused is told, and publishing goes on", "[client]") {
    Client client;
    client.connect();
    const auto actions = client.receive(wire::refuse_frame({Reason::not_permitted, "subscribe.topics"}));
    CHECK(all_of<Problem>(actions).size() == 1);
    CHECK(client.machine.room() == 4);
}

TEST_CASE("a confirm that contradicts the head shown before it, or after it, raises the alarm", "[client]") {
    const Digest another{1};
    const auto leaves = leaves_up_to(9);
    const auto root = [&](std::size_t size) {
        return log::root_at(size, [&](log::TileId) { return leaves; });
    };
    struct Row {
        const char* why;
        std::uint64_t index, size;
        Digest root;
        std::size_t shown_later;
        std::size_t alarms;
    };
    const auto row = GENERATE_COPY(values<Row>({
        {"as the log is",                         4, 6, root(6), 6, 0},
        {"of a size nobody shows a head of",      4, 6, another, 7, 0},
        {"the log shown is longer than that",     1, 2, root(2), 0, 1},
        {"the log shown is of that size",         2, 3, root(3), 0, 0},
        {"another log than the one shown before", 2, 3, another, 0, 1},
        {"an entry beyond its own log",           6, 6, root(6), 0, 1},
        {"another log than the one shown later",  4, 6, another, 6, 1},
    }));
    CAPTURE(row.why);
    Client client;
    client.connect();
    client.publish({message(1)});
    Id16 id{};
    id.fill(1);
    auto actions =
        client.receive(wire::confirm_frame(id, false, row.index, leaves.at(row.index), row.size, row.root));
    if (row.shown_later > 0) actions = client.show(row.shown_later);
    const auto alarms = all_of<Alarm>(actions);
    REQUIRE(alarms.size() == row.alarms);
    CHECK((client.machine.room() == 0) == (row.alarms > 0));
    for (const auto* alarm : alarms) {
        CHECK_THAT(alarm->evidence, Catch::Contains(to_base64(row.root)));
        CHECK_THAT(alarm->evidence, Catch::Contains(client.test_log.head(3)));
    }
}

TEST_CASE("two confirms of one log's size name one root, and none is of a log that shrank", "[client]") {
    Client client;
    client.connect();
    client.publish({message(1), message(2), message(3)});
    CHECK(all_of<Alarm>(client.receive(true_confirm(1, 4, 7))).empty());
    CHECK(all_of<Alarm>(client.receive(true_confirm(2, 5, 7))).empty());
    SECTION("it shrank") { CHECK(all_of<Alarm>(client.receive(true_confirm(3, 5, 6))).size() == 1); }
    SECTION("another root") { CHECK(all_of<Alarm>(client.receive(confirm(3, 6))).size() == 1); }
}

TEST_CASE("a confirm is held against the next head that covers it, by a proof of its leaf", "[client]") {
    Client client;
    client.connect();
    client.publish({message(1), message(2)});
    client.receive(true_confirm(1, 5, 6));
    CHECK(sent<schemas::QueryValue>(client.show(5)).empty());  // which does not cover it
    const auto asked = sent<schemas::QueryValue>(client.show(8, 5));
    REQUIRE(asked.size() == 1);
    CHECK(asked[0].kind == schemas::QueryKind::proof);
    CHECK(asked[0].from == 5);
    CHECK(asked[0].level == 0);
    CHECK(client.machine.owed_proof());
    const auto& log = client.test_log;
    const auto request = asked[0].request;

    SECTION("it is there") {
        const auto actions = client.answer(request, log.proven(5, 8));
        REQUIRE(all_of<Proven>(actions).size() == 1);
        CHECK(all_of<Proven>(actions)[0]->index == 5);
        CHECK(all_of<Answered>(actions).empty());
        CHECK_FALSE(client.machine.owed_proof());
        CHECK(sent<schemas::QueryValue>(client.show(9, 8)).empty());  // nothing more to ask
    }
    SECTION("of those confirmed meanwhile the newest follows") {
        client.receive(true_confirm(2, 8, 9));
        CHECK(sent<schemas::QueryValue>(client.answer(request, log.proven(5, 8))).empty());
        CHECK(client.machine.owed_proof());
        const auto next = sent<schemas::QueryValue>(client.show(9, 8));
        REQUIRE(next.size() == 1);
        CHECK(next[0].from == 8);
        client.answer(next[0].request, log.proven(8, 9));
        CHECK_FALSE(client.machine.owed_proof());
    }
    SECTION("it is not") {
        const auto [why, content] = GENERATE_REF(table<const char*, Bytes>({
            {"another entry is proven",       log.proven(4,                                    8)},
            {"under a head of another log",                               log.proven(5,                                                  8, 1)},
            {"another leaf is at that place",                              TestLog{}.proven(5,                          8, 2)},
            {"nothing is proven", Bytes{}},
            {"a proof of nothing",                             Bytes{0, 0, 0, 0, 0, 0, 0, 0}                                                                           },
        }));
        CAPTURE(why);
        const auto actions = client.answer(request, content);
        REQUIRE(all_of<Alarm>(actions).size() == 1);
        CHECK_THAT(all_of<Alarm>(actions)[0]->evidence, Catch::Contains("confirmed:\n5 "));
        CHECK_THAT(all_of<Alarm>(actions)[0]->evidence, Catch::Contains(log.head(8)));
        CHECK(client.machine.room() == 0);
    }
    SECTION("a path that leads elsewhere") {
        auto content = log.proven(5, 8);
        content.at(60) = content.at(60) == 'A' ? 'B' : 'A';
        CHECK(all_of<Alarm>(client.answer(request, content)).size() == 1);
    }
    SECTION("the broker denies it") {
        const auto actions =
            client.receive(wire::refuse_frame({Reason::not_found, "query.from"}, {}, request));
        REQUIRE(all_of<Alarm>(actions).size() == 1);
        CHECK_THAT(all_of<Alarm>(actions)[0]->evidence, Catch::Contains("query.from"));
    }
    SECTION("the broker has no time: it is asked again with the next head") {
        CHECK(client.receive(wire::refuse_frame({Reason::busy, "query"}, {}, request)).empty());
        CHECK(client.machine.owed_proof());
        CHECK(sent<schemas::QueryValue>(client.show(9, 8)).size() == 1);
    }
    SECTION("a head was signed in between: that one is asked for, and a proof under it") {
        const auto again = sent<schemas::QueryValue>(client.answer(request, log.proven(5, 9)));
        REQUIRE(again.size() == 2);
        CHECK(again[0].kind == schemas::QueryKind::checkpoint);
        CHECK(again[0].from == 9);
        CHECK(again[1].kind == schemas::QueryKind::proof);
        CHECK(sent<schemas::QueryValue>(client.show(9, 8)).empty());
        CHECK(client.answer(again[0].request, copy(view(log.head(9)))).empty());
        CHECK(all_of<Proven>(client.answer(again[1].request, log.proven(5, 9))).size() == 1);
    }
    SECTION("a head that is never shown proves nothing, and is not asked for without end") {
        const auto again = sent<schemas::QueryValue>(client.answer(request, log.proven(5, 9, 0)));
        REQUIRE(again.size() == 2);
        client.receive(wire::refuse_frame({Reason::not_found, "query.from"}, {}, again[0].request));
        CHECK(client.answer(again[1].request, log.proven(5, 9)).empty());
        CHECK(client.machine.owed_proof());
    }
}

TEST_CASE("what was confirmed on the connection before is held against the head of this one", "[client]") {
    const TestLog test_log;
    const auto leaves = leaves_up_to(6);
    const Promise promise{5, leaves[5], 6, log::root_at(6, [&](log::TileId) { return leaves; })};
    CHECK(Promise::parse(promise.text()) == promise);
    for (const char* none : {"", "5", "5 x 6 y", "5 x 6 y z"}) CHECK_FALSE(Promise::parse(none));
    Client client(test_log.head(3), nullptr, promise);
    client.machine.start(client.now);
    SECTION("a log that goes on from it") {
        const auto actions = client.receive(welcome_frame(test_log.head(8), test_log.consistency(3, 8)));
        const auto asked = sent<schemas::QueryValue>(actions);
        REQUIRE(asked.size() == 1);
        CHECK(all_of<Proven>(client.answer(asked[0].request, test_log.proven(5, 8))).size() == 1);
    }
    SECTION("the same size, and another root") {
        Client split(std::nullopt, nullptr, promise);
        split.machine.start(split.now);
        CHECK(all_of<Alarm>(split.receive(welcome_frame(test_log.head(6, 1)))).size() == 1);
    }
    SECTION("a log that went back, and on from there") {
        client.receive(welcome_frame(test_log.head(3)));
        CHECK(client.machine.welcomed());
        client.publish({message(1)});
        CHECK(all_of<Alarm>(client.receive(true_confirm(1, 3, 4))).size() == 1);
    }
}
