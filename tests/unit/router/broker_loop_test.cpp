#include "broker/router/broker_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <future>

#include "tests/support/catch.h"
#include "tests/unit/router/world.h"

using namespace flagpost;
using namespace flagpost::router;
using namespace flagpost::test;
using namespace std::chrono_literals;
using wire::fabric::ItemKind;

namespace {

/// A whole broker on a thread of its own, over a store in memory, and a gate: a DEALER in this process.
struct RunningBroker {
    Instant newest_stored;
    std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
    Peer bench{"bench/1"};
    zmq::context_t context;
    zmq::socket_t gate{context, zmq::socket_type::dealer};
    int control_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    std::vector<Bytes> frames;  // received, not yet looked at
    std::future<void> ended;

    explicit RunningBroker(Instant its_newest_stored = {}) : newest_stored{its_newest_stored} {
        spdlog::set_level(spdlog::level::off);
        gate.set(zmq::sockopt::rcvtimeo, 10'000);
        gate.set(zmq::sockopt::linger, 0);
        gate.connect("inproc://fabric");
        ended = std::async(std::launch::async, [this] { serve(); });
    }
    ~RunningBroker() {
        if (ended.valid()) stop();
        close(control_fd);
    }

    void stop() {
        const std::uint64_t one = 1;
        REQUIRE(write(control_fd, &one, sizeof one) == sizeof one);
        ended.wait();
    }

    void serve() {
        Parties parties;
        bench.enrol(parties, Instant::min(), Instant::max());
        SystemClock clock;
        SeededRandom random;
        MemoryReader reader{disk};
        auto log_key = crypto::NoteKey::from_seed({9});
        const log::VerifierKey vkey{"county.example/log", log::VerifierKey::Type::note, log_key.public_key()};
        exchange::Exchange exchange{
            {agreement::Agreement::parse(small_agreement).value(), spiffe("broker/main"),
             [](std::string_view seed) { return crypto::hmac16(key(1), {view(seed)}); },
             date::locate_zone("Europe/London")}
        };
        StoreThread store{
            {std::make_unique<MemoryStore>(disk), [this] { return std::make_unique<MemoryReader>(disk); },
             std::make_unique<log::Signer>(std::move(log_key), log::Signer::new_log("county.example/log"),
             [](const auto&) {})}
        };
        BrokerLoop loop{
            {context, "inproc://fabric", std::nullopt,          clock, control_fd,    [] { return false; }},
            { exchange, reader, parties, random, key(2), std::nullopt,        vkey, [] { return true; },
             exchange::InForce{small_agreement, "# parties\n"}, 0, log::empty_root(), newest_stored},
            store
        };
        loop.run();
    }

    void say(ItemKind kind, BytesView content) {
        Bytes batch;
        wire::fabric::append(batch, kind, Id16{1}, content);
        gate.send(zmq::buffer(batch), zmq::send_flags::none);
    }
    void open() {
        say(ItemKind::open, wire::fabric::write_opening(
                                {spiffe("bench/1"), Digest{1}, SystemClock{}.now() + 24h, "127.0.0.1:1"}));
        say(ItemKind::frame, hello());
    }
    /// The next frame of this type from the broker; fails after ten seconds.
    template <class Table> typename Table::NativeTableType next() {
        for (;; receive()) {
            for (auto frame = frames.begin(); frame != frames.end(); ++frame) {
                const auto* table = (*wire::read_frame(*frame))->template body_as<Table>();
                if (table == nullptr) continue;
                typename Table::NativeTableType value;
                table->UnPackTo(&value);
                frames.erase(frame);
                return value;
            }
        }
    }
    void receive() {
        zmq::message_t message;
        REQUIRE(gate.recv(message));
        const auto* data = message.data<std::uint8_t>();
        const Bytes batch{data, data + message.size()};
        const auto items = wire::fabric::read_batch(batch).value();
        for (const auto& item : items)
            if (item.kind == ItemKind::frame) frames.push_back(copy(item.content));
    }
};

}  // namespace

TEST_CASE("a message goes through the sockets and both threads and is confirmed and delivered", "[loop]") {
    RunningBroker broker;
    broker.open();
    CHECK(broker.next<schemas::Welcome>().agency == "bench/1");
    const Bytes envelope = broker.bench.envelope("bench/1", SystemClock{}.now());
    broker.say(ItemKind::frame, subscribe({"bench/1"}));
    broker.say(ItemKind::frame, broker.bench.publish(envelope));
    CHECK(broker.next<schemas::Confirm>().id == copy(id_of(envelope)));
    CHECK(broker.next<schemas::Deliver>().number == 1);
    broker.stop();
    CHECK_NOTHROW(broker.ended.get());
}

TEST_CASE("more batches than one turn takes are taken, though libzmq signals them once", "[loop]") {
    RunningBroker broker;
    broker.open();
    broker.next<schemas::Welcome>();
    // Nothing of this is answered, so nothing but what waits itself makes the broker look again.
    for (int i = 0; i < 80 * limits::fabric_batches_per_turn; ++i) broker.say(ItemKind::refused, {});
    const Bytes envelope = broker.bench.envelope("bench/1", SystemClock{}.now());
    broker.say(ItemKind::frame, broker.bench.publish(envelope));
    CHECK(broker.next<schemas::Confirm>().id == copy(id_of(envelope)));
}

TEST_CASE("a broker whose clock was set back while it was down writes nothing earlier than before",
          "[loop]") {
    const Instant before = SystemClock{}.now() + 1h;
    RunningBroker broker{before};
    broker.open();
    broker.next<schemas::Welcome>();
    broker.stop();
    for (const auto& entry : broker.disk->entries) CHECK(log::decode_leaf(entry.leaf)->time >= before);
}

TEST_CASE("a disk that fails ends the broker, and nothing more is confirmed", "[loop]") {
    RunningBroker broker;
    broker.open();
    broker.next<schemas::Welcome>();
    {
        const std::lock_guard lock{broker.disk->mutex};
        broker.disk->broken = true;
    }
    broker.say(ItemKind::frame, Bytes(30, 1));  // a refusal, which is a leaf
    CHECK_THROWS_AS(broker.ended.get(), store::StorageFailure);
}
