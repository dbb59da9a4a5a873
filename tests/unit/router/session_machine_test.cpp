#include "broker/router/session_machine.h"

#include <functional>

#include "tests/support/catch.h"
#include "tests/unit/router/peer.h"

using namespace flagpost;
using namespace flagpost::router;
using namespace flagpost::test;
using namespace std::chrono_literals;

namespace {

/// A session of police/31, whose key holds; not_after far ahead unless said otherwise.
struct World {
    Peer peer{"police/31"};
    Parties parties;
    Instant not_after = start_time + 24h * 30;

    World() { peer.enrol(parties); }
    SessionMachine machine() const { return {spiffe("police/31"), parties, not_after, at(start_time)}; }
    SessionMachine opened() const {
        auto session = machine();
        session.receive(hello(), at(start_time));
        session.welcomed(at(start_time).running);
        return session;
    }
};

template <class T> std::optional<T> only(const std::vector<Action>& actions) {
    if (actions.size() != 1 || !std::holds_alternative<T>(actions.front())) return std::nullopt;
    return std::get<T>(actions.front());
}

std::optional<Refusal> ended(const std::vector<Action>& actions) {
    for (const auto& action : actions)
        if (const auto* end = std::get_if<End>(&action)) return end->why;
    return std::nullopt;
}

bool written_down(const std::vector<Action>& actions) {
    return std::ranges::any_of(actions, [](const Action& each) { return std::get_if<WriteDown>(&each); });
}

/// The refusal sent, if one was: its reason, where, and whether it names the message.
struct Refused {
    Reason reason;
    std::string where;
    bool named;
};
std::optional<Refused> refused(const std::vector<Action>& actions) {
    for (const auto& action : actions) {
        const auto* send = std::get_if<Send>(&action);
        if (send == nullptr) continue;
        const auto* refuse = wire::read_frame(send->frame).value()->body_as_Refuse();
        if (refuse == nullptr) continue;
        return Refused{static_cast<Reason>(refuse->reason()), refuse->where()->str(),
                       refuse->id() != nullptr};
    }
    return std::nullopt;
}

}  // namespace

TEST_CASE("a session begins with Hello and takes nothing else before Welcome", "[session]") {
    World world;
    auto session = world.machine();
    const auto open = only<Open>(session.receive(hello(1, "a head"), at(start_time)));
    REQUIRE(open);
    CHECK(open->software == "test/1");
    CHECK(open->checkpoint == "a head");
    CHECK_FALSE(session.open());
    session.welcomed(at(start_time).running);
    CHECK(session.open());
}

TEST_CASE("what comes at the wrong time ends the session and is written down", "[session]") {
    struct Row {
        const char* why;
        std::vector<Bytes> before;
        bool welcome;
        Bytes frame;
        Reason reason;
    };
    Peer peer{"police/31"};
    const Bytes publish = peer.publish(peer.envelope("incidents/31"));
    schemas::ConfirmValue confirm;
    confirm.id.assign(16, 0);
    confirm.leaf.assign(32, 0);
    confirm.root.assign(32, 0);
    const std::vector<Row> rows{
        {"garbage first",    {},          false,                   Bytes(100, 0xaa),                Reason::malformed},
        {"a publish before Hello",                  {},      false,          publish,         Reason::out_of_order            },
        {"a version we do not speak",                  {},   false,       hello(2),         Reason::unsupported_version  },
        {"a publish before Welcome",                  {hello()},    false, publish,  Reason::out_of_order            },
        {"a second Hello",                  {hello()},              true,           hello(),   Reason::out_of_order},
        {"a frame only a broker sends",
         {hello()},
         true,                                                wire::pack_frame(std::move(confirm)),
         Reason::out_of_order},
        {"garbage after Welcome",                  {hello()},       true,    Bytes(100,   0xaa),           Reason::malformed},
        {"half a frame", {hello()},            true,                      Bytes{publish.begin(), publish.begin() + 60},                      Reason::malformed                },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        World world;
        auto session = world.machine();
        for (const auto& frame : row.before) session.receive(frame, at(start_time));
        if (row.welcome) session.welcomed(at(start_time).running);
        const auto actions = session.receive(row.frame, at(start_time));
        REQUIRE(ended(actions));
        CHECK(ended(actions)->reason == row.reason);
        CHECK(written_down(actions));
        CHECK(session.receive(hello(), at(start_time)).empty());  // and nothing more is heard
    }
}

TEST_CASE("a publish with one thing wrong is refused for that thing", "[session]") {
    struct Row {
        const char* why;
        std::function<Bytes(Peer&, Bytes)> frame;
        Reason reason;
        const char* where;
    };
    const std::vector<Row> rows{
        {"signed by somebody else",
         [](Peer&,      const Bytes& envelope) { return Peer{"police/31"}.publish(envelope); },
         Reason::bad_signature,                                                                                        "publish.origin.signature"},
        {"a signature over another batch",
         [](Peer& peer, const Bytes& envelope) {
             return wire::publish_frame(envelope, peer.sign({peer.envelope("incidents/31")}, 0));
         },                                                              Reason::bad_signature, "publish.origin.signature"},
        {"a path that fits no place",
         [](Peer& peer, const Bytes& envelope) {
             auto origin = peer.sign({envelope, envelope}, 0);
             origin.path.clear();
             return wire::publish_frame(envelope, origin);
         },                                                              Reason::bad_signature, "publish.origin.path"     },
        {"the right path at another place",
         [](Peer& peer, const Bytes& envelope) {
             auto origin = peer.sign({envelope, peer.envelope("incidents/31")}, 0);
             origin.index = 1;
             return wire::publish_frame(envelope, origin);
         },                                                              Reason::bad_signature, "publish.origin.signature"},
        {"a subject of 65 bytes",
         [](Peer& peer, const Bytes&) {
             const wire::Draft draft{
                 schemas::Kind::opaque, "incidents/31", std::string(65, 'a'), "", {}, {}, {1}};
             return peer.publish(
                 wire::make_envelope(draft, make_uuid7(start_time, peer.random), Id16{1}, start_time));
         },                                                              Reason::too_large,     "envelope.subject"        },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        World world;
        auto session = world.opened();
        const auto actions =
            session.receive(row.frame(world.peer, world.peer.envelope("incidents/31")), at(start_time));
        const auto refusal = refused(actions);
        REQUIRE(refusal);
        CHECK(refusal->reason == row.reason);
        CHECK(refusal->where == row.where);
        CHECK(refusal->named);
        CHECK(written_down(actions));
        CHECK_FALSE(ended(actions));
    }
}

TEST_CASE("a publish whose envelope cannot be read at all ends the session", "[session]") {
    World world;
    auto session = world.opened();
    const auto actions = session.receive(world.peer.publish(Bytes(50, 3)), at(start_time));
    REQUIRE(ended(actions));
    CHECK(ended(actions)->reason == Reason::malformed);
    CHECK(written_down(actions));
}

TEST_CASE("a key counts from its first day until before its last", "[session]") {
    const auto [why, from, until, good] =
        GENERATE(table<const char*, std::chrono::hours, std::chrono::hours, bool>({
            {"in force",         -1h, 1h,  true },
            {"since now",        0h,  1h,  true },
            {"not yet in force", 1h,  2h,  false},
            {"until now",        -2h, 0h,  false},
            {"long over",        -2h, -1h, false},
    }));
    CAPTURE(why);
    Peer peer{"police/31"};
    Parties parties;
    peer.enrol(parties, start_time + from, start_time + until);
    SessionMachine session{spiffe("police/31"), parties, start_time + 24h, at(start_time)};
    session.receive(hello(), at(start_time));
    session.welcomed(at(start_time).running);
    const auto actions = session.receive(peer.publish(peer.envelope("incidents/31")), at(start_time));
    CHECK(only<Publish>(actions).has_value() == good);
    if (!good) CHECK(refused(actions)->reason == Reason::unknown_sender);
}

TEST_CASE("each message of a signed batch is accepted, and one not in the batch is not", "[session]") {
    World world;
    auto session = world.opened();
    std::vector<Bytes> batch;
    for (int i = 0; i < 5; ++i) batch.push_back(world.peer.envelope("incidents/31"));
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto frame = wire::publish_frame(batch[i], world.peer.sign(batch, i));
        const auto publish = only<Publish>(session.receive(frame, at(start_time)));
        // ECDSA signs anew each time: the same root under another signature is verified again, and is as good.
        REQUIRE(publish);
        CHECK((publish->envelope == batch[i]));
        CHECK(publish->id == id_of(batch[i]));
    }
    const auto other = world.peer.envelope("incidents/31");
    CHECK(refused(session.receive(wire::publish_frame(other, world.peer.sign(batch, 2)), at(start_time))));
}

TEST_CASE("under one signature each message of a batch is held to its own path", "[session]") {
    World world;
    std::vector<Bytes> batch;
    for (int i = 0; i < 6; ++i) batch.push_back(world.peer.envelope("incidents/31"));
    std::vector<schemas::OriginValue> origins;
    const auto signature = world.peer.sign(batch, 0).signature;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        origins.push_back(world.peer.sign(batch, i));
        origins.back().signature = signature;
    }
    auto session = world.opened();
    for (std::size_t i = 0; i < batch.size(); ++i) {
        // Its path with one hash spoilt, another's path, and another envelope on its path: none of them, each time.
        for (const auto& hash : origins[i].path) {
            hash->bytes[0] ^= 1;
            CHECK(refused(session.receive(wire::publish_frame(batch[i], origins[i]), at(start_time))));
            hash->bytes[0] ^= 1;
        }
        CHECK(refused(session.receive(wire::publish_frame(batch[i], origins[(i + 1) % 6]), at(start_time))));
        const auto other = world.peer.envelope("incidents/31");
        CHECK(refused(session.receive(wire::publish_frame(other, origins[i]), at(start_time))));
        CHECK(only<Publish>(session.receive(wire::publish_frame(batch[i], origins[i]), at(start_time))));
    }
}

TEST_CASE("a signature once verified does not vouch for another root", "[session]") {
    World world;
    auto session = world.opened();
    const auto first = world.peer.envelope("incidents/31");
    const auto origin = world.peer.sign({first}, 0);
    REQUIRE(only<Publish>(session.receive(wire::publish_frame(first, origin), at(start_time))));
    REQUIRE(only<Publish>(session.receive(wire::publish_frame(first, origin), at(start_time))));
    const auto second = world.peer.envelope("incidents/31");
    CHECK(refused(session.receive(wire::publish_frame(second, origin), at(start_time)))->reason ==
          Reason::bad_signature);
}

TEST_CASE("the window bounds what is unsettled, without a leaf for each publish too many", "[session]") {
    World world;
    auto session = world.opened();
    const auto frame = world.peer.publish(world.peer.envelope("incidents/31"));
    for (std::size_t i = 0; i < limits::publish_window; ++i)
        REQUIRE(only<Publish>(session.receive(frame, at(start_time))));
    const auto actions = session.receive(frame, at(start_time));
    CHECK(refused(actions)->reason == Reason::window_exceeded);
    CHECK_FALSE(written_down(actions));
    session.settled();
    CHECK(only<Publish>(session.receive(frame, at(start_time))));
}

TEST_CASE("a session is over when it is silent, late or past its time, and not before", "[session]") {
    struct Row {
        const char* why;
        bool greeted;
        std::chrono::microseconds not_after;
        std::chrono::microseconds heard, now;
        std::optional<Reason> end;
    };
    const auto long_time = std::chrono::microseconds{24h * 30};
    const std::vector<Row> rows{
        {"Hello in time",               false, long_time, 0s,        9s,        std::nullopt      },
        {"no Hello",                    false, long_time, 0s,        10s,       Reason::idle      },
        {"15 s less a moment",          true,  long_time, 0s,        15s - 1us, std::nullopt      },
        {"silent for 15 s",             true,  long_time, 0s,        15s,       Reason::idle      },
        {"heard lately",                true,  long_time, 14s,       20s,       std::nullopt      },
        {"lease not over",              true,  long_time, 12h - 10s, 12h - 1s,  std::nullopt      },
        {"lease over",                  true,  long_time, 12h - 10s, 12h,       Reason::lease_over},
        {"the certificate ends before", true,  1h,        1h - 1s,   1h,        Reason::lease_over},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        World world;
        world.not_after = start_time + row.not_after;
        auto session = row.greeted ? world.opened() : world.machine();
        if (row.heard > 0s)
            session.receive(wire::pack_frame(schemas::HeartbeatValue{}), at(start_time + row.heard));
        const auto why = ended(session.tick(at(start_time + row.now)));
        CHECK(why.has_value() == row.end.has_value());
        if (why && row.end) CHECK(why->reason == *row.end);
    }
}

TEST_CASE("a clock set forward or back makes nobody silent, and ends what has ended by it", "[session]") {
    World world;
    auto session = world.opened();
    const auto later = at(start_time + 4s).running;
    CHECK(session.tick({start_time + 24h, later}).empty());
    CHECK(session.tick({start_time - 24h, later}).empty());
    CHECK(ended(session.tick({start_time - 24h, at(start_time + 15s).running}))->reason == Reason::idle);

    auto ending = world.opened();
    CHECK(ended(ending.tick({world.not_after, later}))->reason == Reason::lease_over);
}

TEST_CASE("the broker's heartbeat comes every five seconds and is due when it says", "[session]") {
    World world;
    auto session = world.opened();
    CHECK(session.due() == at(start_time + 5s).running);
    CHECK(session.tick(at(start_time + 5s - 1us)).empty());
    CHECK(only<Beat>(session.tick(at(start_time + 5s))));
    CHECK(session.tick(at(start_time + 6s)).empty());
    CHECK(only<Beat>(session.tick(at(start_time + 10s))));
}

TEST_CASE("a peer that says goodbye is not answered", "[session]") {
    World world;
    auto session = world.opened();
    const auto actions = session.receive(wire::pack_frame(schemas::GoodbyeValue{}), at(start_time));
    const auto end = only<End>(actions);
    REQUIRE(end);
    CHECK(end->why.reason == Reason::none);
    CHECK(end->goodbye.empty());
}

TEST_CASE("credit beyond the limits is cut at the door", "[session]") {
    World world;
    auto session = world.opened();
    const auto attach =
        only<Attach>(session.receive(subscribe({"markers/31"}, 4'000'000'000, ~0ull), at(start_time)));
    REQUIRE(attach);
    CHECK(attach->credit_messages == limits::credit_messages_max);
    CHECK(attach->credit_bytes == limits::credit_bytes_max);
    schemas::CreditValue credit;
    credit.messages = ~0u;
    credit.bytes = ~0ull;
    const auto grant = only<Grant>(session.receive(wire::pack_frame(std::move(credit)), at(start_time)));
    REQUIRE(grant);
    CHECK(grant->messages == limits::credit_messages_max);
    CHECK(grant->bytes == limits::credit_bytes_max);
}
